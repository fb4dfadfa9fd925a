import { countRows, defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { batchLabels, batchTokens, type Tape, type Tensor } from '../scheduler/tape';
import { checkGrouped } from './grouped_linear';

/** Reads and writes `width` columns at once, as layer_norm's kernels. Work is `[rows]`. */
function kernelOf(width: 1 | 4) {
  const entryPoint = 'grouped_layer_norm_forward';
  return defineKernel({
    name: entryPoint,
    shader: width === 4 ? 'grouped_layer_norm_vec4' : 'grouped_layer_norm',
    params: { rows: 'u32', columns: 'u32', epsilon: 'f32' },
    bindings: {
      x: 'read',
      residual: 'read',
      gamma: 'read',
      beta: 'read',
      output: 'write',
      tokens: 'read',
      groups: 'read',
    },
    variants: {
      serial: { entryPoint, workgroups: ([rows = 0]) => [Math.ceil(rows / 32), 1, 1] },
      tiled: { entryPoint: `${entryPoint}_tiled`, workgroups: ([rows = 0]) => [rows, 1, 1] },
    },
  });
}

const scalarKernel = kernelOf(1);
const vectorKernel = kernelOf(4);

/**
 * y = LN(x + residual) γ_g + β_g, where g is the group of each row's sequence: x, residual and y `[rows, columns]`, rows tokens or
 * sequences, γ and β G times `[columns]`. As `layerNorm`, for inference alone. Derivation: docs/derivations/grouped_layer_norm.md.
 *
 * Throws RangeError where the shapes do not fit together, TypeError where anything requires a gradient, or x is its own residual.
 */
export function groupedLayerNorm(
  tape: Tape,
  x: Tensor,
  residual: Tensor | undefined,
  gamma: Tensor,
  beta: Tensor,
  epsilon: number,
): Tensor {
  if (residual === x) throw new TypeError(`grouped_layer_norm: ${x.name} cannot be its own residual`);
  const { rows, columns } = x;
  if (gamma.columns !== columns || beta.columns !== columns) {
    throw new RangeError(`grouped_layer_norm: ${gamma.name} and ${beta.name} do not have ${columns} columns`);
  }
  checkGrouped('grouped_layer_norm', [gamma, beta], [x, residual]);
  const output = tape.like(x, 'layer_norm');
  tape.record({
    op: 'grouped_layer_norm',
    output,
    forward: [
      dispatch(columns % 4 === 0 ? vectorKernel : scalarKernel, {
        params: { rows: rowsCode(rows), columns, epsilon },
        bindings: {
          x,
          residual: residual ?? x,
          gamma,
          beta,
          output,
          tokens: batchTokens,
          groups: batchLabels('sequences', 1),
        },
        constants: { HAS_RESIDUAL: residual === undefined ? 0 : 1 },
        work: (shape) => [countRows(rows, shape)],
      }),
    ],
  });
  return output;
}
