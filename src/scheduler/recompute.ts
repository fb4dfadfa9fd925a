/**
 * Recomputation, also called activation checkpointing: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost",
 * arXiv 1604.06174. A segment keeps only its inputs; what its backward pass reads is computed again right before it.
 */
import type { Dispatch } from '../backends/kernel';
import type { Segment, Tape, Tensor } from './tape';

export interface Recomputed {
  /** The part of the segment's forward pass that its backward pass needs, then that backward pass. */
  readonly dispatches: readonly Dispatch<Tensor>[];
  /** What stands for a tensor of the segment from here on; a tensor that was not computed again stands for itself. */
  readonly replace: (tensor: Tensor) => Tensor;
}

/**
 * Puts the forward dispatches that `backward` and the gradients that it hands on depend on in front of it, writing new
 * tensors, and lets `backward` read those. What steps outside the segment read is kept, and not computed again for its own sake; a dispatch whose results
 * nobody reads is left out. Random draws are functions of a counter, so masks are drawn as the first time: the results
 * are the same bits.
 */
export function recompute(
  tape: Tape,
  segment: Segment,
  backward: readonly Dispatch<Tensor>[],
  gradients: Iterable<Tensor>,
): Recomputed {
  const forward = tape.steps.slice(segment.first, segment.end).flatMap((step) => step.forward);
  const others = [...tape.steps.slice(0, segment.first), ...tape.steps.slice(segment.end)];
  const kept = new Set([...tape.kept, ...others.flatMap((step) => step.forward.flatMap(reads))]);
  const computed = new Set(forward.flatMap(writes));

  const needed = new Set([...backward.flatMap(reads), ...gradients]);
  const again: Dispatch<Tensor>[] = [];
  for (const item of [...forward].reverse()) {
    if (!writes(item).some((tensor) => needed.has(tensor) && !kept.has(tensor))) continue;
    again.unshift(item);
    for (const tensor of reads(item)) needed.add(tensor);
  }

  const copies = new Map<Tensor, Tensor>();
  for (const tensor of again.flatMap(writes)) copies.set(tensor, tape.like(tensor, `${tensor.name}, again`));
  const replace = (tensor: Tensor) =>
    computed.has(tensor) && !kept.has(tensor) ? (copies.get(tensor) ?? tensor) : tensor;
  return {
    dispatches: [
      ...again.map((item) => rebind(item, replace, (tensor) => copies.get(tensor) ?? tensor)),
      ...backward.map((item) => rebind(item, replace, (tensor) => tensor)),
    ],
    replace,
  };
}

type Substitution = (tensor: Tensor) => Tensor;

function rebind(item: Dispatch<Tensor>, read: Substitution, written: Substitution): Dispatch<Tensor> {
  const accesses = Object.values(item.kernel.bindings);
  const buffers = item.buffers.map((tensor, i) => (accesses[i] === 'read' ? read(tensor) : written(tensor)));
  return { ...item, buffers };
}

function reads(item: Dispatch<Tensor>): Tensor[] {
  const accesses = Object.values(item.kernel.bindings);
  return item.buffers.filter((_, i) => accesses[i] === 'read');
}

function writes(item: Dispatch<Tensor>): Tensor[] {
  const accesses = Object.values(item.kernel.bindings);
  return item.buffers.filter((_, i) => accesses[i] !== 'read');
}
