import { countRows, defineKernel, dispatch, type Grid, rowsCode, type Work } from '../backends/kernel';
import { elementwiseGrid } from '../scheduler/elementwise';
import type { Tape, Tensor } from '../scheduler/tape';
import { ProductBackward } from './linear';

const params = { rows: 'u32', columns: 'u32', first: 'u32', count: 'u32' } as const;

/** Work is `[rows, columns]`: the CPU takes rows. */
const grid = ([rows = 0, columns = 0]: readonly number[]): Grid => elementwiseGrid([rows * columns]);

const scaleForward = defineKernel({
  name: 'scale_columns_forward',
  shader: 'scale_columns',
  params,
  bindings: { x: 'read', scale: 'read', output: 'write' },
  variants: { serial: { entryPoint: 'scale_columns_forward', workgroups: grid } },
});

const scaleBackward = defineKernel({
  name: 'scale_columns_backward',
  shader: 'scale_columns',
  params,
  bindings: { x: 'read', scale: 'read', outputGradient: 'read', xGradient: 'write', products: 'write' },
  variants: { serial: { entryPoint: 'scale_columns_backward', workgroups: grid } },
});

/**
 * x ⊙ l in the columns from `first` on, as many as the vector `scale` l has; the others as they are. x `[rows, columns]`. The
 * rescaling of (IA)³: Liu et al. 2022, arXiv 2205.05638, §3.3. Saves x. Derivation: docs/derivations/scale_columns.md.
 *
 * Throws RangeError where the scaled columns are not among x's.
 */
export function scaleColumns(tape: Tape, x: Tensor, scale: Tensor, first = 0): Tensor {
  const { rows, columns } = x;
  const count = scale.columns;
  if (first + count > columns) {
    throw new RangeError(`scale_columns: ${scale.name} has ${count} factors for ${columns - first} columns`);
  }
  const requiresGradient = x.requiresGradient || scale.requiresGradient;
  const output = tape.like(x, `scaled by ${scale.name}`, requiresGradient);
  const common = { rows: rowsCode(rows), columns, first, count };
  const work: Work = (shape) => [countRows(rows, shape), columns];
  tape.record({
    op: 'scale_columns',
    output,
    forward: [dispatch(scaleForward, { params: common, bindings: { x, scale, output }, work })],
    backward: requiresGradient
      ? (outputGradient) => {
          const backward = new ProductBackward(tape);
          const xGradient = tape.like(x, 'gradient of scale_columns input');
          const products = tape.activation(`products with ${scale.name}`, rows, count);
          backward.dispatches.push(
            dispatch(scaleBackward, {
              params: common,
              bindings: { x, scale, outputGradient, xGradient, products },
              work,
            }),
          );
          backward.addToBias(scale, products);
          backward.gradients.set(x, xGradient);
          return backward;
        }
      : undefined,
  });
  return output;
}
