/** Adapters that stand on others: `Stack` of Pfeiffer et al. 2020 (MAD-X, arXiv 2005.00052). */
import type { DeviceBuffer } from '../backends/schedule';
import { AdapterMismatchError, OptionError } from '../errors';
import { isJsonObject, type JsonObject, show } from '../formats/json';
import type { ParameterLayout } from '../scheduler/parameters';
import { Digest } from './digest';
import type { FrozenAdapter, RecordedTask } from './record-task';
import type { TaskSpec } from './task-spec';

/** Adapters between a sub-layer and its LayerNorm, each of which reads what the one below it gives. */
const STACKABLE: readonly string[] = ['houlsby', 'pfeiffer'];

/** Throws OptionError for methods that make no stack. */
export function checkStackable(spec: TaskSpec): void {
  if (STACKABLE.includes(spec.adapter.kind)) return;
  throw new OptionError(
    'on',
    `${spec.name} is trained by ${spec.adapter.kind}, which makes no stack`,
    `Above and below may be ${STACKABLE.join(' and ')}`,
  );
}

/** What a task on this one stands on, from the lowest up: copies, so that it may be trained further or disposed of. */
export async function adaptersBelow(
  { recorded, arena }: { readonly recorded: RecordedTask; readonly arena: Float32Array },
  upload: (values: Float32Array, label: string) => Promise<DeviceBuffer>,
): Promise<FrozenAdapter[]> {
  const { spec, layout } = recorded;
  const copies: FrozenAdapter[] = [];
  for (const adapter of [...(recorded.below ?? []), { spec, layout, arena }]) {
    checkStackable(adapter.spec);
    const copy = adapter.arena.slice();
    const parameters = await upload(copy, `parameters of ${adapter.spec.name}, frozen`);
    copies.push({ spec: adapter.spec, layout: adapter.layout, arena: copy, parameters });
  }
  return copies;
}

/** LayerNorms that are trained begin as those below have them, not as the backbone does. */
export function takeLayerNorms(
  below: readonly FrozenAdapter[],
  layout: ParameterLayout,
  arena: Float32Array,
): void {
  for (const adapter of below) {
    for (const { name } of adapter.layout.tensors) {
      if (!name.includes('layer_norm') || !layout.has(name)) continue;
      layout.slice(arena, name).set(adapter.layout.slice(adapter.arena, name));
    }
  }
}

/** FNV-1a over the methods, their options and the bits of all parameters but the heads': 8 hexadecimal digits. */
export function digestOf(below: readonly FrozenAdapter[]): string {
  const digest = new Digest();
  for (const { spec, layout, arena } of below) {
    const { kind, options } = spec.adapter;
    for (const byte of new TextEncoder().encode(JSON.stringify([kind, options, spec.adapterLayers]))) {
      digest.take(byte);
    }
    for (const { name } of layout.tensors) {
      if (name.startsWith('classifier.')) continue;
      const values = layout.slice(arena, name);
      for (const word of new Uint32Array(values.buffer, values.byteOffset, values.length)) digest.take(word);
    }
  }
  return digest.text;
}

/** What a task's files say of the adapter that it stands on. */
export function describeBelow(below: readonly FrozenAdapter[] | undefined): JsonObject {
  const top = below?.at(-1);
  return below === undefined || top === undefined
    ? {}
    : { on: { name: top.spec.name, digest: digestOf(below) } };
}

/** Throws AdapterMismatchError where a task's files stand on another adapter than the one given, or on none, or none is given. */
export function checkBelow(
  name: string,
  settings: JsonObject,
  given: readonly FrozenAdapter[] | undefined,
): void {
  const on = isJsonObject(settings.on) ? settings.on : undefined;
  const top = given?.at(-1);
  if (on === undefined && top === undefined) return;
  const wanted = show(on?.name);
  if (on === undefined) {
    throw new AdapterMismatchError(`${name} stands on no other adapter`, 'Load it without `on`');
  }
  if (given === undefined || top === undefined) {
    throw new AdapterMismatchError(
      `${name} stands on the adapter ${wanted}`,
      'Load that one first, and give it as `on`',
    );
  }
  if (on.digest !== digestOf(given)) {
    throw new AdapterMismatchError(
      `${name} stands on the adapter ${wanted} as it was then, not on ${top.spec.name} as it is now`,
      'Give as `on` the adapter that it was trained on, saved in f32',
    );
  }
}
