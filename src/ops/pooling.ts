import { countRows, defineKernel, dispatch, type Grid, type Rows, type Work } from '../backends/kernel';
import { batchOffsets, batchTokens, type Tape, type Tensor } from '../scheduler/tape';

/** What stands for a sequence: its first token (`[CLS]`), or the mean of all its tokens. */
export type Pooling = 'cls' | 'mean';

const grid = ([elements = 0]: readonly number[]): Grid => [Math.ceil(elements / 64), 1, 1];

const poolingForward = defineKernel({
  name: 'pooling_forward',
  shader: 'pooling',
  params: { columns: 'u32', mode: 'u32' },
  bindings: { x: 'read', offsets: 'read', output: 'write' },
  variants: { serial: { entryPoint: 'pooling_forward', workgroups: grid } },
});

const poolingBackward = defineKernel({
  name: 'pooling_backward',
  shader: 'pooling',
  params: { columns: 'u32', mode: 'u32' },
  bindings: { outputGradient: 'read', offsets: 'read', tokens: 'read', xGradient: 'write' },
  variants: { serial: { entryPoint: 'pooling_backward', workgroups: grid } },
});

/** `[T, columns]` → `[B, columns]`. Saves nothing. Derivation: docs/derivations/pooling.md. */
export function pooling(tape: Tape, x: Tensor, mode: Pooling = 'cls'): Tensor {
  const { columns } = x;
  const output = tape.activation('pooling', 'sequences', columns, x.requiresGradient);
  const params = { columns, mode: mode === 'cls' ? 0 : 1 };
  const workOf =
    (rows: Rows): Work =>
    (shape) => [countRows(rows, shape) * columns];
  tape.record({
    op: 'pooling',
    output,
    forward: [
      dispatch(poolingForward, {
        params,
        bindings: { x, offsets: batchOffsets, output },
        work: workOf('sequences'),
      }),
    ],
    backward: x.requiresGradient
      ? (outputGradient) => {
          const xGradient = tape.like(x, 'gradient of pooling input');
          const backward = dispatch(poolingBackward, {
            params,
            bindings: { outputGradient, offsets: batchOffsets, tokens: batchTokens, xGradient },
            work: workOf('tokens'),
          });
          return { dispatches: [backward], gradients: new Map([[x, xGradient]]) };
        }
      : undefined,
  });
  return output;
}
