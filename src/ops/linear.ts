import { countRows, type Dispatch, defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { gradientOf, type Tape, type Tensor } from '../scheduler/tape';
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

/** The gradient of weight `[N, K]` += outputGradient `[rows, N]`ᵀ · x `[rows, K]`. */
export function weightGradientDispatch(outputGradient: Tensor, x: Tensor, weight: Tensor): Dispatch<Tensor> {
  const outputs = outputGradient.columns;
  const inputs = x.columns;
  return dispatch(
    outputs % 4 === 0 && inputs % 4 === 0 ? linearWeightGradient : linearWeightGradientStrided,
    {
      params: { rows: rowsCode(x.rows), outputs, inputs },
      bindings: { outputGradient, x, weightGradient: gradientOf(weight) },
      work: () => [outputs, inputs],
    },
  );
}

/** The gradient of bias `[N]` += column sums of outputGradient `[rows, N]`. */
export function biasGradientDispatch(outputGradient: Tensor, bias: Tensor): Dispatch<Tensor> {
  const { rows, columns } = outputGradient;
  return dispatch(linearBiasGradient, {
    params: { rows: rowsCode(rows), columns },
    bindings: { outputGradient, biasGradient: gradientOf(bias) },
    work: () => [1, columns],
  });
}

/**
 * y = x Wᵀ + b: x `[rows, K]`, weight `[N, K]` (PyTorch's layout, frozen or trainable), bias `[N]` → `[rows, N]`.
 * Saves x if the weight is trainable, nothing otherwise. Derivation: docs/derivations.md, "linear".
 *
 * Throws RangeError where the shapes do not fit together.
 */
export function linear(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const outputs = weight.rows;
  if (typeof outputs !== 'number' || weight.columns !== x.columns) {
    throw new RangeError(
      `linear: ${weight.name} is [${weight.rows}, ${weight.columns}], but ${x.name} has ${x.columns} columns`,
    );
  }
  const requiresGradient = x.requiresGradient || weight.requiresGradient || bias?.requiresGradient === true;
  const output = tape.activation(`linear by ${weight.name}`, x.rows, outputs, requiresGradient);
  tape.record({
    op: 'linear',
    output,
    forward: [forwardDispatch({ left: x, weight, bias, addend: undefined, result: output })],
    backward: requiresGradient
      ? (outputGradient) => {
          const dispatches: Dispatch<Tensor>[] = [];
          const gradients = new Map<Tensor, Tensor>();
          if (x.requiresGradient) {
            const xGradient = tape.like(x, `gradient of the input of ${weight.name}`);
            dispatches.push(inputGradientDispatch({ outputGradient, weight, addend: undefined, xGradient }));
            gradients.set(x, xGradient);
          }
          if (weight.requiresGradient) dispatches.push(weightGradientDispatch(outputGradient, x, weight));
          if (bias?.requiresGradient) dispatches.push(biasGradientDispatch(outputGradient, bias));
          return { dispatches, gradients };
        }
      : undefined,
  });
  return output;
}
