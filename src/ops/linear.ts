import { countRows, type Dispatch, defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { gradientOf, isParameter, type Tape, type Tensor } from '../scheduler/tape';
import { zeroDispatch } from '../scheduler/zero';
import { groupedLinear } from './grouped_linear';
import { narrowStrideVariants, narrowVariants, productVariants, strideVariants, tileGrid } from './products';

const productContract = {
  shader: 'linear',
  params: {
    rows: 'u32',
    columns: 'u32',
    inner: 'u32',
    rightColumn: 'u32',
    rightInner: 'u32',
    hasBias: 'u32',
    hasAddend: 'u32',
  },
  bindings: { left: 'read', right: 'read', bias: 'read', addend: 'read', result: 'write' },
  inner: 'inner',
} as const;

/** Inner dimension and columns multiples of 4. */
const linearForward = defineKernel({
  ...productContract,
  name: 'linear_forward',
  variants: productVariants('linear', 'linear_forward', 'nt'),
});

/** Likewise. */
const linearInputGradient = defineKernel({
  ...productContract,
  name: 'linear_input_gradient',
  variants: productVariants('linear', 'linear_input_gradient', 'nn'),
});

/** Either product, any sizes. */
const linearProduct = defineKernel({
  ...productContract,
  name: 'linear_product',
  variants: strideVariants('linear'),
});

const weightGradientContract = {
  shader: 'linear',
  params: { rows: 'u32', outputs: 'u32', inputs: 'u32' },
  bindings: { outputGradient: 'read', x: 'read', weightGradient: 'accumulate' },
} as const;

/** Both sizes multiples of 4. */
const linearWeightGradient = defineKernel({
  ...weightGradientContract,
  name: 'linear_weight_gradient',
  variants: narrowVariants('linear', 'linear_weight_gradient', 'nn'),
});

const linearWeightGradientStrided = defineKernel({
  ...weightGradientContract,
  name: 'linear_weight_gradient_strided',
  variants: narrowStrideVariants('linear', 'linear_weight_gradient'),
});

const linearBiasGradient = defineKernel({
  name: 'linear_bias_gradient',
  shader: 'linear',
  params: { rows: 'u32', columns: 'u32' },
  bindings: { outputGradient: 'read', biasGradient: 'accumulate' },
  variants: {
    serial: { shader: 'linear_serial', entryPoint: 'linear_bias_gradient', workgroups: tileGrid(1, 16) },
    tiled: { shader: 'linear_tiled', entryPoint: 'linear_bias_gradient', workgroups: tileGrid(1, 16) },
  },
  cpuItems: ([, columns = 0]) => columns,
});

/** result `[rows, N]` = left `[rows, K]` · weightᵀ + bias + addend; weight `[N, K]`. */
export function forwardDispatch(tensors: {
  readonly left: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly addend: Tensor | undefined;
  readonly result: Tensor;
}): Dispatch<Tensor> {
  const { left, weight, bias, addend, result } = tensors;
  const inner = left.columns;
  return dispatch(inner % 4 === 0 && result.columns % 4 === 0 ? linearForward : linearProduct, {
    params: {
      rows: rowsCode(result.rows),
      columns: result.columns,
      inner,
      rightColumn: inner,
      rightInner: 1,
      hasBias: bias === undefined ? 0 : 1,
      hasAddend: addend === undefined ? 0 : 1,
    },
    // What is absent is not read, but something must be bound.
    bindings: { left, right: weight, bias: bias ?? weight, addend: addend ?? left, result },
    work: (shape) => [countRows(result.rows, shape), result.columns],
  });
}

/** xGradient `[rows, K]` = outputGradient `[rows, N]` · weight + addend; weight `[N, K]`. */
export function inputGradientDispatch(tensors: {
  readonly outputGradient: Tensor;
  readonly weight: Tensor;
  readonly addend: Tensor | undefined;
  readonly xGradient: Tensor;
}): Dispatch<Tensor> {
  const { outputGradient, weight, addend, xGradient } = tensors;
  const inner = outputGradient.columns;
  const { columns } = xGradient;
  return dispatch(inner % 4 === 0 && columns % 4 === 0 ? linearInputGradient : linearProduct, {
    params: {
      rows: rowsCode(xGradient.rows),
      columns,
      inner,
      rightColumn: 1,
      rightInner: columns,
      hasBias: 0,
      hasAddend: addend === undefined ? 0 : 1,
    },
    bindings: {
      left: outputGradient,
      right: weight,
      bias: weight,
      addend: addend ?? outputGradient,
      result: xGradient,
    },
    work: (shape) => [countRows(xGradient.rows, shape), columns],
  });
}

/** weightGradient `[N, K]` += outputGradient `[rows, N]`ᵀ · x `[rows, K]`. */
export function weightGradientDispatch(
  outputGradient: Tensor,
  x: Tensor,
  weightGradient: Tensor,
): Dispatch<Tensor> {
  const outputs = outputGradient.columns;
  const inputs = x.columns;
  return dispatch(
    outputs % 4 === 0 && inputs % 4 === 0 ? linearWeightGradient : linearWeightGradientStrided,
    {
      params: { rows: rowsCode(x.rows), outputs, inputs },
      bindings: { outputGradient, x, weightGradient },
      work: () => [outputs, inputs],
    },
  );
}

/** biasGradient `[N]` += column sums of outputGradient `[rows, N]`. */
export function biasGradientDispatch(outputGradient: Tensor, biasGradient: Tensor): Dispatch<Tensor> {
  const { rows, columns } = outputGradient;
  return dispatch(linearBiasGradient, {
    params: { rows: rowsCode(rows), columns },
    bindings: { outputGradient, biasGradient },
    work: () => [1, columns],
  });
}

/**
 * A backward pass in the making. Gradients of weights are sums over rows, which kernels add to what is there: a parameter's
 * to its arena, that of a weight which was computed in this step (`place_blocks`) to a tensor of zeros.
 */
export class ProductBackward {
  readonly dispatches: Dispatch<Tensor>[] = [];
  readonly gradients = new Map<Tensor, Tensor>();
  readonly #tape: Tape;

  constructor(tape: Tape) {
    this.#tape = tape;
  }

  /** weight's gradient += outputGradientᵀ · x, where it is asked for. */
  addToWeight(weight: Tensor, outputGradient: Tensor, x: Tensor): void {
    if (!weight.requiresGradient) return;
    const gradient = this.#accumulator(weight);
    this.dispatches.push(weightGradientDispatch(outputGradient, x, gradient));
  }

  /** bias' gradient += column sums of outputGradient, where it is asked for. */
  addToBias(bias: Tensor | undefined, outputGradient: Tensor): void {
    if (bias?.requiresGradient !== true) return;
    const gradient = this.#accumulator(bias);
    this.dispatches.push(biasGradientDispatch(outputGradient, gradient));
  }

  #accumulator(weight: Tensor): Tensor {
    if (isParameter(weight)) return gradientOf(weight);
    const gradient = this.#tape.like(weight, `gradient of ${weight.name}`);
    this.dispatches.push(zeroDispatch(gradient));
    this.gradients.set(weight, gradient);
    return gradient;
  }
}

/**
 * y = x Wᵀ + b + residual: x `[rows, K]`, weight `[N, K]` (PyTorch's layout), bias `[N]`, residual `[rows, N]` → `[rows, N]`.
 * Weight and bias are frozen, trained or computed; grouped ones: `groupedLinear`. Saves x if the weight has a gradient, nothing otherwise.
 * Derivation: docs/derivations/linear.md.
 *
 * Throws RangeError where the shapes do not fit together, TypeError where x is its own residual.
 */
export function linear(
  tape: Tape,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  residual?: Tensor,
): Tensor {
  if (weight.groups !== undefined) return groupedLinear(tape, x, weight, bias, residual);
  const outputs = weight.rows;
  if (typeof outputs !== 'number' || weight.columns !== x.columns) {
    throw new RangeError(
      `linear: ${weight.name} is [${weight.rows}, ${weight.columns}], but ${x.name} has ${x.columns} columns`,
    );
  }
  if (residual === x) throw new TypeError(`linear: ${x.name} cannot be its own residual`);
  const requiresGradient = [x, weight, bias, residual].some((tensor) => tensor?.requiresGradient === true);
  const output = tape.activation(`linear by ${weight.name}`, x.rows, outputs, requiresGradient);
  tape.record({
    op: 'linear',
    output,
    forward: [forwardDispatch({ left: x, weight, bias, addend: residual, result: output })],
    backward: requiresGradient
      ? (outputGradient) => {
          const backward = new ProductBackward(tape);
          if (x.requiresGradient) {
            const xGradient = tape.like(x, `gradient of the input of ${weight.name}`);
            backward.dispatches.push(
              inputGradientDispatch({ outputGradient, weight, addend: undefined, xGradient }),
            );
            backward.gradients.set(x, xGradient);
          }
          backward.addToWeight(weight, outputGradient, x);
          backward.addToBias(bias, outputGradient);
          // A sum passes its gradient on unchanged.
          if (residual !== undefined) backward.gradients.set(residual, outputGradient);
          return backward;
        }
      : undefined,
  });
  return output;
}
