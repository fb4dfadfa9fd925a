import { defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { elements, elementwiseGrid } from '../scheduler/elementwise';
import type { Tape, Tensor } from '../scheduler/tape';
import { type Activation, activationCode } from './activation';

const geluForward = defineKernel({
  name: 'gelu_forward',
  shader: 'gelu',
  params: { rows: 'u32', columns: 'u32', activation: 'u32' },
  bindings: { x: 'read', output: 'write' },
  variants: { serial: { entryPoint: 'gelu_forward', workgroups: elementwiseGrid } },
});

const geluBackward = defineKernel({
  name: 'gelu_backward',
  shader: 'gelu',
  params: { rows: 'u32', columns: 'u32', activation: 'u32' },
  bindings: { x: 'read', outputGradient: 'read', xGradient: 'write' },
  variants: { serial: { entryPoint: 'gelu_backward', workgroups: elementwiseGrid } },
});

/**
 * y = GELU(x), elementwise over `[rows, columns]`; exact (erf) or tanh form: Hendrycks and Gimpel 2016, arXiv 1606.08415.
 * Or another of the activations. Saves x for the backward pass. Derivation: docs/derivations.md, "gelu".
 */
export function gelu(tape: Tape, x: Tensor, activation: Activation): Tensor {
  const output = tape.like(x, 'gelu', x.requiresGradient);
  const params = { rows: rowsCode(x.rows), columns: x.columns, activation: activationCode(activation) };
  const work = elements(x.rows, x.columns);
  tape.record({
    op: 'gelu',
    output,
    forward: [dispatch(geluForward, { params, bindings: { x, output }, work })],
    backward: x.requiresGradient
      ? (outputGradient) => {
          const xGradient = tape.like(x, 'gradient of gelu input');
          return {
            dispatches: [
              dispatch(geluBackward, { params, bindings: { x, outputGradient, xGradient }, work }),
            ],
            gradients: new Map([[x, xGradient]]),
          };
        }
      : undefined,
  });
  return output;
}
