import type { Dispatch } from '../backends/kernel';
import { addDispatch } from './add';
import type { Tape, Tensor } from './tape';

export interface Differentiated {
  readonly dispatches: readonly Dispatch<Tensor>[];
  /** The gradient of every tensor that was reached, leaves included; not of parameters, which accumulate in their arena. */
  readonly gradients: ReadonlyMap<Tensor, Tensor>;
}

/**
 * Walks the tape in reverse and collects the backward dispatches of the steps that a gradient reaches and that need one.
 *
 * `seeds` maps outputs to their given gradients; a loss is mapped to itself, since its op ignores what it is given.
 * Where a tensor feeds several ops, the sum of its gradients is made here, into a new tensor: an op may then hand the
 * same gradient to two inputs (a residual connection does) without either changing under the other.
 */
export function differentiate(tape: Tape, seeds: ReadonlyMap<Tensor, Tensor>): Differentiated {
  const dispatches: Dispatch<Tensor>[] = [];
  const gradients = new Map<Tensor, Tensor>(seeds);
  for (const step of [...tape.steps].reverse()) {
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
  return { dispatches, gradients };
}
