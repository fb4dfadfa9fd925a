import { BYTES_PER_ELEMENT, storageCode, type WeightStorage } from '../backends/frozen-matrix';
import { countRows, type Dispatch, defineKernel, dispatch, type Kernel, rowsCode } from '../backends/kernel';
import { type FrozenMatrix, matrixOf, type Tape, type Tensor } from '../scheduler/tape';
import { ProductBackward } from './linear';
import { type Orientation, productVariants, strideVariants } from './products';

/**
 * Twins of linear's products on a weight that is laid out once. `right` is the weight as its backend keeps it; in f32 the WGSL is
 * linear's own, in f16 and int8 the same with another right operand (shaders/lib/right_*.wgsl). `scales` stands where linear has its addend: [N], read with int8 only.
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
  inner: 'inner',
} as const;

type ProductKernel = Kernel<keyof typeof contract.params, keyof typeof contract.bindings>;

// Each range of rows unpacks or transposes the weight anew. By a count of instructions an element of it costs about what six rows
// do, so that in a range of 128 rows it adds a few percent.
const UNPACKING_RANGE = 128;

/** For sizes that are multiples of 4, and for any. */
interface Kernels {
  readonly byFours: ProductKernel;
  readonly anySize: ProductKernel;
}

const families = { f32: 'linear', f16: 'linear_f16', int8: 'linear_int8' } as const;

function kernelsOf(
  name: string,
  entryPoint: string,
  orientation: Orientation,
): Record<WeightStorage, Kernels> {
  const kernels = (storage: WeightStorage): Kernels => {
    const family = families[storage];
    const cpuLeastRange = storage === 'f32' && orientation === 'nt' ? 1 : UNPACKING_RANGE;
    const common = { ...contract, name, shader: family, cpuLeastRange };
    return {
      byFours: defineKernel({ ...common, variants: productVariants(family, entryPoint, orientation) }),
      anySize: defineKernel({ ...common, variants: strideVariants(family) }),
    };
  };
  return { f32: kernels('f32'), f16: kernels('f16'), int8: kernels('int8') };
}

const forwardKernels = kernelsOf('frozen_linear_forward', 'linear_forward', 'nt');
const gradientKernels = kernelsOf('frozen_linear_input_gradient', 'linear_input_gradient', 'nn');

/**
 * y = x Wᵀ + b with a frozen W `[N, K]` in any storage and b `[N]`, frozen or trained: x `[rows, K]` → `[rows, N]`. Saves
 * nothing; the weight gets no gradient. Derivation: docs/derivations/frozen_linear.md.
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
  const requiresGradient = x.requiresGradient || bias?.requiresGradient === true;
  const output = tape.activation(`linear by ${weight.name}`, x.rows, matrix.rows, requiresGradient);
  tape.record({
    op: 'frozen_linear',
    output,
    forward: [product(matrix, { left: x, weight, bias, result: output, isForward: true })],
    backward: requiresGradient
      ? (outputGradient) => {
          const backward = new ProductBackward(tape);
          if (x.requiresGradient) {
            const xGradient = tape.like(x, `gradient of the input of ${weight.name}`);
            const operands = { left: outputGradient, weight, result: xGradient };
            backward.dispatches.push(product(matrix, { ...operands, bias: undefined, isForward: false }));
            backward.gradients.set(x, xGradient);
          }
          backward.addToBias(bias, outputGradient);
          return backward;
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
  const { storage } = matrix;
  const kernels = (isForward ? forwardKernels : gradientKernels)[storage];
  const kernel = inner % 4 === 0 && columns % 4 === 0 ? kernels.byFours : kernels.anySize;
  // Rows are filled up to whole words.
  const perWord = 4 / BYTES_PER_ELEMENT[storage];
  const pitch = Math.ceil(weight.columns / perWord) * perWord;
  return dispatch(kernel, {
    params: {
      rows: rowsCode(result.rows),
      columns,
      inner,
      rightColumn: isForward ? pitch : 1,
      rightInner: isForward ? 1 : pitch,
      hasBias: bias === undefined ? 0 : 1,
      hasAddend: 0,
      storage: storageCode(storage),
    },
    // What is absent is not read, but something must be bound.
    bindings: { left, right: weight, bias: bias ?? weight, scales: matrix.scales ?? weight, result },
    constants: storage === 'int8' ? { SCALE_INNER: isForward ? 0 : 1 } : {},
    work: (shape) => [countRows(result.rows, shape), columns],
  });
}
