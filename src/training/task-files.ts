import { AdapterMismatchError } from '../errors';
import type { JsonObject } from '../formats/json';
import type { SaveOptions } from '../formats/save-options';
import type { TaskBackbone, TaskTensor } from '../formats/task';
import { writeTaskFiles } from '../formats/task-layouts';
import type { EncoderConfig } from '../models/config';
import { FAMILIES } from '../models/families';
import type { FrozenEncoder } from '../models/frozen-encoder';
import type { ParameterLayout } from '../scheduler/parameters';
import type { TaskSpec } from './task-spec';

/** What Graft adds to an adapter's files beside the tensors. */
export interface TaskSettings {
  readonly maxLength: number;
  /** Whether the task was trained on pairs of texts. */
  readonly takesPairs: boolean;
  /** The adapter that it stands on, if it does: its name and digest. */
  readonly on?: JsonObject[string];
}

/** The task's files by name, in the layout of its method: src/formats/task-layouts.ts. */
export function writeTask(
  spec: TaskSpec,
  settings: TaskSettings,
  encoder: FrozenEncoder,
  layout: ParameterLayout,
  arena: Float32Array,
  options: SaveOptions = {},
): Record<string, Uint8Array<ArrayBuffer>> {
  const tensors = new Map(
    layout.tensors.map(({ name, shape }) => [name, { shape, data: layout.slice(arena, name) }]),
  );
  return writeTaskFiles(
    {
      ...layoutBackbone(encoder),
      name: spec.name,
      adapterLayers: spec.adapterLayers,
      method: spec.adapter.kind,
      options: spec.adapter.options,
      layerNorms: spec.layerNorm === 'all',
      taskKind: spec.kind,
      labels: spec.labels,
      settings: { ...settings },
      tensors,
    },
    options,
  );
}

/** What the files of a task depend on of its backbone. */
export function layoutBackbone({ config, pooler }: FrozenEncoder): TaskBackbone {
  const { modelType, hiddenSize, embeddingSize, layers } = config;
  return { family: FAMILIES[modelType], hiddenSize, embeddingSize, layers, hasPooler: pooler !== undefined };
}

/** An arena from the tensors of a task's files. Throws AdapterMismatchError where they are not those of the layout. */
export function arenaOf(
  name: string,
  tensors: ReadonlyMap<string, TaskTensor>,
  layout: ParameterLayout,
): Float32Array<ArrayBuffer> {
  const arena = new Float32Array(layout.size);
  const unknown = new Set(tensors.keys());
  for (const { name: wanted, shape } of layout.tensors) {
    const tensor = tensors.get(wanted);
    if (tensor?.shape.join() !== shape.join()) {
      const found = tensor === undefined ? 'nothing' : `[${tensor.shape.join(', ')}]`;
      throw new AdapterMismatchError(`${name}: ${wanted} needs shape [${shape.join(', ')}], found ${found}`);
    }
    layout.slice(arena, wanted).set(tensor.data);
    unknown.delete(wanted);
  }
  const [extra] = unknown;
  if (extra !== undefined) throw new AdapterMismatchError(`${name}: no task of its method has ${extra}`);
  return arena;
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
