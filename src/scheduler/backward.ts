import type { Dispatch } from '../backends/kernel';
import { addDispatch } from './add';
import { recompute } from './recompute';
import type { Segment, Tape, Tensor } from './tape';

export interface Differentiated {
  readonly dispatches: readonly Dispatch<Tensor>[];
  /** The gradient of every tensor that was reached, leaves included; not of parameters, which accumulate in their arena. */
  readonly gradients: ReadonlyMap<Tensor, Tensor>;
}

export interface DifferentiateOptions {
  /** Compute the tape's segments again instead of saving what their backward passes read. Default false. */
  readonly recompute?: boolean;
}

/**
 * Walks the tape in reverse and collects the backward dispatches of the steps that a gradient reaches and that need one.
 *
 * `seeds` maps outputs to their given gradients; a loss is mapped to itself, since its op ignores what it is given.
 * Where a tensor feeds several ops, the sum of its gradients is made here, into a new tensor: an op may then hand the
 * same gradient to two inputs (a residual connection does) without either changing under the other.
 */
export function differentiate(
  tape: Tape,
  seeds: ReadonlyMap<Tensor, Tensor>,
  options: DifferentiateOptions = {},
): Differentiated {
  const gradients = new Map<Tensor, Tensor>(seeds);
  const dispatches: Dispatch<Tensor>[] = [];
  let end = tape.steps.length;
  for (const segment of options.recompute === true ? [...tape.segments].reverse() : []) {
    dispatches.push(...walk(tape, { first: segment.end, end }, gradients));
    const backward = walk(tape, segment, gradients);
    const { dispatches: own, replace } = recompute(tape, segment, backward, gradients.values());
    dispatches.push(...own);
    for (const [tensor, gradient] of gradients) gradients.set(tensor, replace(gradient));
    end = segment.first;
  }
  dispatches.push(...walk(tape, { first: 0, end }, gradients));
  return { dispatches, gradients };
}

/** The backward dispatches of a stretch of the tape, last step first. Adds to `gradients`. */
function walk(tape: Tape, { first, end }: Segment, gradients: Map<Tensor, Tensor>): Dispatch<Tensor>[] {
  const dispatches: Dispatch<Tensor>[] = [];
  for (const step of tape.steps.slice(first, end).reverse()) {
    const outputGradient = gradients.get(step.output);
    if (step.backward === undefined || outputGradient === undefined) continue;
    const pass = step.backward(outputGradient);
    dispatches.push(...pass.dispatches);
    for (const [input, gradient] of pass.gradients) {
      if (!input.requiresGradient) continue;
      const earlier = gradients.get(input);
      if (earlier === undefined) {
        gradients.set(input, gradient);
      } else {
        const sum = tape.like(input, `gradient of ${input.name}`);
        dispatches.push(addDispatch(earlier, gradient, sum));
        gradients.set(input, sum);
      }
    }
  }
  return dispatches;
}
