import { defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { elements, elementwiseGrid } from '../scheduler/elementwise';
import type { Tape, Tensor } from '../scheduler/tape';

const tanhForward = defineKernel({
  name: 'tanh_forward',
  shader: 'tanh',
  params: { rows: 'u32', columns: 'u32' },
  bindings: { x: 'read', output: 'write' },
  variants: { serial: { entryPoint: 'tanh_forward', workgroups: elementwiseGrid } },
});

const tanhBackward = defineKernel({
  name: 'tanh_backward',
  shader: 'tanh',
  params: { rows: 'u32', columns: 'u32' },
  bindings: { y: 'read', outputGradient: 'read', xGradient: 'write' },
  variants: { serial: { entryPoint: 'tanh_backward', workgroups: elementwiseGrid } },
});

/** y = tanh(x), elementwise over `[rows, columns]`. Keeps y for the backward pass. Derivation: docs/derivations/tanh.md. */
export function tanh(tape: Tape, x: Tensor): Tensor {
  const output = tape.like(x, 'tanh', x.requiresGradient);
  const params = { rows: rowsCode(x.rows), columns: x.columns };
  const work = elements(x.rows, x.columns);
  tape.record({
    op: 'tanh',
    output,
    forward: [dispatch(tanhForward, { params, bindings: { x, output }, work })],
    backward: x.requiresGradient
      ? (outputGradient) => {
          const xGradient = tape.like(x, 'gradient of tanh input');
          const bindings = { y: output, outputGradient, xGradient };
          return {
            dispatches: [dispatch(tanhBackward, { params, bindings, work })],
            gradients: new Map([[x, xGradient]]),
          };
        }
      : undefined,
  });
  return output;
}
