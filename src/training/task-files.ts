import { type AdapterTensor, writeAdapterHub } from '../formats/adapterhub';
import type { JsonObject } from '../formats/json';
import type { EncoderConfig } from '../models/config';
import type { ParameterLayout } from '../scheduler/parameters';
import type { TaskSpec } from './task-spec';

/** What Graft adds to an adapter's files beside the tensors. */
export interface TaskSettings {
  readonly maxLength: number;
  /** Whether the task was trained on pairs of texts. */
  readonly takesPairs: boolean;
}

/** The task's files by name, AdapterHub layout. */
export function writeTask(
  spec: TaskSpec,
  settings: TaskSettings,
  config: EncoderConfig,
  layout: ParameterLayout,
  arena: Float32Array,
): Record<string, Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, AdapterTensor>(
    layout.places.map(({ name, rows, columns }) => {
      const isVector = !name.endsWith('.weight') || name.includes('layer_norm');
      return [name, { shape: isVector ? [columns] : [rows, columns], data: layout.slice(arena, name) }];
    }),
  );
  return writeAdapterHub({
    name: spec.name,
    hiddenSize: config.hiddenSize,
    layers: config.layers,
    adapterLayers: spec.adapterLayers,
    bottleneck: spec.adapter.bottleneck,
    nonLinearity: spec.adapter.activation,
    layerNorms: spec.layerNorm === 'all',
    taskKind: spec.kind,
    labels: spec.labels,
    settings: { maxLength: settings.maxLength, takesPairs: settings.takesPairs },
    tensors,
  });
}

/** The settings in an adapter's files; files of other programs have none, and what is not sound is left aside. */
export function readSettings(settings: JsonObject, { maxPositions }: EncoderConfig): TaskSettings {
  const { maxLength, takesPairs } = settings;
  const isLength = typeof maxLength === 'number' && Number.isInteger(maxLength) && maxLength >= 4;
  return {
    maxLength: isLength ? Math.min(maxLength, maxPositions) : Math.min(128, maxPositions),
    takesPairs: takesPairs === true,
  };
}
