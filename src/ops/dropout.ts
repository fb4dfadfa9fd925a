import { defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { elements } from '../scheduler/elementwise';
import type { Tape, Tensor } from '../scheduler/tape';

const kernelOf = (width: 1 | 4) =>
  defineKernel({
    name: 'dropout',
    shader: width === 4 ? 'dropout_vec4' : 'dropout',
    params: { rows: 'u32', columns: 'u32', opKey: 'u32', threshold: 'u32', keepScale: 'f32' },
    bindings: { x: 'read', output: 'write' },
    variants: {
      serial: { entryPoint: 'dropout', workgroups: ([quads = 0]) => [Math.ceil(quads / 64), 1, 1] },
    },
  });

const scalarKernel = kernelOf(1);
const vectorKernel = kernelOf(4);

/**
 * What kernels need to know of a dropout probability: a draw of 32 bits below `threshold` drops its element, the others
 * are scaled by `keepScale`. Throws RangeError unless 0 ≤ probability < 1.
 */
export function dropoutParams(probability: number): { threshold: number; keepScale: number } {
  if (!(probability >= 0 && probability < 1)) {
    throw new RangeError(`a dropout probability lies in [0, 1), not ${probability}`);
  }
  return { threshold: Math.floor(probability * 2 ** 32), keepScale: 1 / (1 - probability) };
}

/**
 * Inverted dropout over `[rows, columns]` (Srivastava et al. 2014): each element is 0 with the given probability, else
 * x / (1 − probability). The mask is drawn from the counter (seed, step, op, row of the logical batch, column) and drawn
 * again in the backward pass. Probability 0 records nothing and returns x. Throws RangeError unless 0 ≤ probability < 1.
 * Derivation: docs/derivations/dropout.md.
 */
export function dropout(tape: Tape, x: Tensor, probability: number): Tensor {
  const drop = dropoutParams(probability);
  const opKey = tape.nextOpKey();
  if (probability === 0) return x;
  const output = tape.like(x, 'dropout', x.requiresGradient);
  const kernel = x.columns % 4 === 0 ? vectorKernel : scalarKernel;
  const apply = (from: Tensor, to: Tensor) =>
    dispatch(kernel, {
      params: { rows: rowsCode(x.rows), columns: x.columns, opKey, ...drop },
      bindings: { x: from, output: to },
      work: elements(x.rows, Math.ceil(x.columns / 4)),
    });
  tape.record({
    op: 'dropout',
    output,
    forward: [apply(x, output)],
    backward: x.requiresGradient
      ? (outputGradient) => {
          const xGradient = tape.like(x, 'gradient of dropout input');
          return { dispatches: [apply(outputGradient, xGradient)], gradients: new Map([[x, xGradient]]) };
        }
      : undefined,
  });
  return output;
}
