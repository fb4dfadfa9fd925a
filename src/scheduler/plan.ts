import { type BatchShape, countRows, type Dispatch } from '../backends/kernel';
import type { Tensor } from './tape';

/** Buffer offsets and slot sizes are multiples of this: WebGPU's default storage and uniform offset alignment. */
export const ALIGNMENT = 256;

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Bytes of a tensor at a given batch shape. */
export function byteLengthOf(tensor: Tensor, shape: BatchShape): number {
  return countRows(tensor.rows, shape) * tensor.columns * 4;
}

export interface Plan {
  /** Bytes of each slot. */
  readonly slots: readonly number[];
  readonly slotOf: ReadonlyMap<Tensor, number>;
}

interface Lifetime {
  readonly tensor: Tensor;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/**
 * Gives every activation a slot such that no two tensors alive at once share one.
 *
 * Greedy by size (Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference", shared
 * objects): the largest tensors choose first, each takes the first slot that is free over its whole lifetime. An
 * encoder's tensors come in few sizes, so slots are reused almost without waste.
 */
export function planSlots(
  dispatches: readonly Dispatch<Tensor>[],
  kept: ReadonlySet<Tensor>,
  capacity: BatchShape,
): Plan {
  const lifetimes = findLifetimes(dispatches, kept, capacity);
  lifetimes.sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const slots: { bytes: number; tenants: Lifetime[] }[] = [];
  const slotOf = new Map<Tensor, number>();
  for (const lifetime of lifetimes) {
    const isFree = ({ tenants }: { tenants: Lifetime[] }) =>
      tenants.every((other) => other.last < lifetime.first || lifetime.last < other.first);
    let index = slots.findIndex(isFree);
    if (index < 0) {
      index = slots.length;
      slots.push({ bytes: lifetime.bytes, tenants: [] });
    }
    slots[index]?.tenants.push(lifetime);
    slotOf.set(lifetime.tensor, index);
  }
  return { slots: slots.map((slot) => slot.bytes), slotOf };
}

function findLifetimes(
  dispatches: readonly Dispatch<Tensor>[],
  kept: ReadonlySet<Tensor>,
  capacity: BatchShape,
): Lifetime[] {
  const lifetimes = new Map<Tensor, Lifetime>();
  dispatches.forEach((item, time) => {
    const accesses = Object.values(item.kernel.bindings);
    item.buffers.forEach((tensor, position) => {
      if (tensor.origin.kind !== 'activation') return;
      const known = lifetimes.get(tensor);
      if (known !== undefined) {
        known.last = time;
      } else if (accesses[position] === 'write') {
        const bytes = alignUp(Math.max(4, byteLengthOf(tensor, capacity)));
        lifetimes.set(tensor, { tensor, bytes, first: time, last: time });
      } else {
        throw new Error(`${item.kernel.name} uses ${tensor.name} before anything wrote it`);
      }
    });
  });
  for (const tensor of kept) {
    const lifetime = lifetimes.get(tensor);
    if (lifetime !== undefined) lifetime.last = Number.POSITIVE_INFINITY;
  }
  return [...lifetimes.values()];
}
