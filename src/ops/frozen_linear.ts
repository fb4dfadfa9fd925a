import { storageCode } from '../backends/frozen-matrix';
import { countRows, type Dispatch, defineKernel, dispatch, type Kernel, rowsCode } from '../backends/kernel';
import { type FrozenMatrix, matrixOf, type Tape, type Tensor } from '../scheduler/tape';
import { tileGrid } from './linear';

/**
 * Twins of linear's products on a weight that is laid out once. `right` is the weight as its backend keeps it; in f32 the WGSL is
 * linear's own, in f16 and int8 shaders/frozen_linear.wgsl. `scales` stands where linear has its addend: [N], read with int8 only.
 */
const contract = {
  params: {
    rows: 'u32',
    columns: 'u32',
    inner: 'u32',
    rightColumn: 'u32',
    rightInner: 'u32',
    hasBias: 'u32',
    hasAddend: 'u32',
    storage: 'u32',
  },
  bindings: { left: 'read', right: 'read', bias: 'read', scales: 'read', result: 'write' },
} as const;

const tiled = { entryPoint: 'linear_product_tiled', workgroups: tileGrid(64, 64) };
const strided = { entryPoint: 'linear_product_strided', workgroups: tileGrid(16, 32) };
const forwardVariants = {
  serial: { entryPoint: 'linear_forward', workgroups: tileGrid(128, 16) },
  tiled,
};
const gradientVariants = {
  serial: { entryPoint: 'linear_input_gradient', workgroups: tileGrid(32, 64) },
  tiled,
};

type ProductKernel = Kernel<keyof typeof contract.params, keyof typeof contract.bindings>;

const anySize = { serial: strided, tiled };

// Each range of rows unpacks or transposes the weight anew: half a nanosecond an element, where a row costs 0.05.
const UNPACKING_RANGE = 128;

const forwardKernel = productKernels('frozen_linear_forward', forwardVariants, 1);
const gradientKernel = productKernels('frozen_linear_input_gradient', gradientVariants, UNPACKING_RANGE);

function productKernels(name: string, variants: ProductKernel['variants'], f32Range: number) {
  const make = (shader: string, chosen: ProductKernel['variants']): ProductKernel => {
    const cpuLeastRange = shader === 'linear' ? f32Range : UNPACKING_RANGE;
    return defineKernel({ ...contract, name, shader, variants: chosen, cpuLeastRange });
  };
  return {
    fast: make('linear', variants),
    any: make('linear', anySize),
    stored: make('frozen_linear', {
      serial: { entryPoint: name, workgroups: tileGrid(16, 32) },
      tiled: { entryPoint: name, workgroups: tileGrid(16, 32) },
    }),
  };
}

/**
 * y = x Wᵀ + b with a frozen W `[N, K]` in any storage and a frozen b `[N]`: x `[rows, K]` → `[rows, N]`. Saves nothing; the
 * weight gets no gradient. Derivation: docs/derivations/linear.md.
 *
 * Throws RangeError where the shapes do not fit together, TypeError where the weight is no frozen matrix.
 */
export function frozenLinear(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const matrix = matrixOf(weight);
  if (weight.columns !== x.columns) {
    throw new RangeError(
      `frozen_linear: ${weight.name} is [${matrix.rows}, ${weight.columns}], but ${x.name} has ${x.columns} columns`,
    );
  }
  const output = tape.activation(`linear by ${weight.name}`, x.rows, matrix.rows, x.requiresGradient);
  tape.record({
    op: 'frozen_linear',
    output,
    forward: [product(matrix, { left: x, weight, bias, result: output, isForward: true })],
    backward: x.requiresGradient
      ? (outputGradient) => {
          const xGradient = tape.like(x, `gradient of the input of ${weight.name}`);
          const operands = {
            left: outputGradient,
            weight,
            bias: undefined,
            result: xGradient,
            isForward: false,
          };
          return {
            dispatches: [product(matrix, operands)],
            gradients: new Map([[x, xGradient]]),
          };
        }
      : undefined,
  });
  return output;
}

interface Operands {
  readonly left: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly result: Tensor;
  /** left Wᵀ, or left W. */
  readonly isForward: boolean;
}

function product(matrix: FrozenMatrix, operands: Operands): Dispatch<Tensor> {
  const { left, weight, bias, result, isForward } = operands;
  const inner = left.columns;
  const { columns } = result;
  const kernels = isForward ? forwardKernel : gradientKernel;
  const isFast = inner % 2 === 0 && (isForward || columns % 4 === 0);
  const kernel = matrix.storage !== 'f32' ? kernels.stored : isFast ? kernels.fast : kernels.any;
  const storage = storageCode(matrix.storage);
  return dispatch(kernel, {
    params: {
      rows: rowsCode(result.rows),
      columns,
      inner,
      rightColumn: isForward ? inner : 1,
      rightInner: isForward ? 1 : columns,
      hasBias: bias === undefined ? 0 : 1,
      hasAddend: 0,
      storage,
    },
    // What is absent is not read, but something must be bound.
    bindings: { left, right: weight, bias: bias ?? weight, scales: matrix.scales ?? weight, result },
    constants: matrix.storage === 'f32' ? {} : { STORAGE: storage },
    work: (shape) => [countRows(result.rows, shape), columns],
  });
}
