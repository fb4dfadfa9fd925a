import { countRows, defineKernel, dispatch, rowsCode, type Work } from '../backends/kernel';
import type { Tape, Tensor } from '../scheduler/tape';
import { type Activation, activationCode } from './activation';
import { gelu } from './gelu';
import { forwardDispatch, inputGradientDispatch, linear, ProductBackward } from './linear';
import { narrowStrideVariants, narrowVariants } from './products';

const params = { rows: 'u32', hidden: 'u32', bottleneck: 'u32', activation: 'u32' } as const;

const downContract = {
  shader: 'adapter',
  params,
  bindings: { x: 'read', weight: 'read', bias: 'read', preactivation: 'write', activated: 'write' },
} as const;

/** d and m multiples of 4. */
const adapterDown = defineKernel({
  ...downContract,
  name: 'adapter_down',
  variants: narrowVariants('adapter', 'adapter_down', 'nt'),
});

const adapterDownStrided = defineKernel({
  ...downContract,
  name: 'adapter_down_strided',
  variants: narrowStrideVariants('adapter', 'adapter_down'),
});

const hiddenGradientContract = {
  shader: 'adapter',
  params,
  bindings: {
    outputGradient: 'read',
    weight: 'read',
    preactivation: 'read',
    preactivationGradient: 'write',
    activated: 'write',
  },
} as const;

/** Likewise. */
const adapterHiddenGradient = defineKernel({
  ...hiddenGradientContract,
  name: 'adapter_hidden_gradient',
  variants: narrowVariants('adapter', 'adapter_hidden_gradient', 'nn'),
});

const adapterHiddenGradientStrided = defineKernel({
  ...hiddenGradientContract,
  name: 'adapter_hidden_gradient_strided',
  variants: narrowStrideVariants('adapter', 'adapter_hidden_gradient'),
});

/** The weights of a bottleneck from d to m and back, in PyTorch's layout; trained, frozen or computed. */
export interface AdapterWeights {
  /** `[m, d]` */
  readonly downWeight: Tensor;
  /** `[m]` */
  readonly downBias: Tensor;
  /** `[d, m]` */
  readonly upWeight: Tensor;
  /** `[d]` */
  readonly upBias: Tensor;
}

/**
 * The bottleneck up(f(down(x))) + residual, x and residual `[T, d]`; by default x is the residual: Houlsby et al. 2019,
 * arXiv 1902.00751. Saves x and the pre-activation a `[T, m]`; f(a) is recomputed.
 * Grouped weights (`Tensor.groups`) make three ops of it. Derivation: docs/derivations.md, "adapter".
 *
 * Throws RangeError where the shapes do not fit together.
 */
export function adapter(
  tape: Tape,
  x: Tensor,
  weights: AdapterWeights,
  activation: Activation,
  residual = x,
): Tensor {
  const { downWeight, downBias, upWeight, upBias } = weights;
  if (upWeight.groups !== undefined) {
    const activated = gelu(tape, linear(tape, x, downWeight, downBias), activation);
    return linear(tape, activated, upWeight, upBias, residual);
  }
  const hidden = x.columns;
  const bottleneck = upWeight.columns;
  if (downWeight.rows !== bottleneck || downWeight.columns !== hidden || upWeight.rows !== hidden) {
    throw new RangeError(
      `adapter: ${downWeight.name} [${downWeight.rows}, ${downWeight.columns}] and ${upWeight.name} ` +
        `[${upWeight.rows}, ${upWeight.columns}] do not lead from ${hidden} columns and back`,
    );
  }
  const requiresGradient = [x, residual, downWeight, downBias, upWeight, upBias].some(
    (tensor) => tensor.requiresGradient,
  );
  const output = tape.like(x, 'adapter', requiresGradient);
  const preactivation = tape.activation('adapter pre-activation', x.rows, bottleneck);
  const params = {
    rows: rowsCode(x.rows),
    hidden,
    bottleneck,
    activation: activationCode(activation),
  };
  const work: Work = (shape) => [countRows(x.rows, shape), bottleneck];
  const isByFours = hidden % 4 === 0 && bottleneck % 4 === 0;
  const activated = tape.activation('adapter activation', x.rows, bottleneck);
  tape.record({
    op: 'adapter',
    output,
    forward: [
      dispatch(isByFours ? adapterDown : adapterDownStrided, {
        params,
        bindings: { x, weight: downWeight, bias: downBias, preactivation, activated },
        work,
      }),
      forwardDispatch({ left: activated, weight: upWeight, bias: upBias, addend: residual, result: output }),
    ],
    backward: requiresGradient
      ? (outputGradient) => {
          const backward = new ProductBackward(tape);
          const preactivationGradient = tape.like(preactivation, 'gradient of adapter pre-activation');
          const recomputed = tape.like(preactivation, 'adapter activation, recomputed');
          if ([x, downWeight, downBias, upWeight].some((tensor) => tensor.requiresGradient)) {
            backward.dispatches.push(
              dispatch(isByFours ? adapterHiddenGradient : adapterHiddenGradientStrided, {
                params,
                bindings: {
                  outputGradient,
                  weight: upWeight,
                  preactivation,
                  preactivationGradient,
                  activated: recomputed,
                },
                work,
              }),
            );
          }
          backward.addToWeight(upWeight, outputGradient, recomputed);
          backward.addToBias(upBias, outputGradient);
          backward.addToWeight(downWeight, preactivationGradient, x);
          backward.addToBias(downBias, preactivationGradient);
          backward.gradients.set(residual, outputGradient);
          if (x.requiresGradient) {
            const xGradient = tape.like(x, 'gradient of adapter input');
            backward.dispatches.push(
              inputGradientDispatch({
                outputGradient: preactivationGradient,
                weight: downWeight,
                addend: residual === x ? outputGradient : undefined,
                xGradient,
              }),
            );
            backward.gradients.set(x, xGradient);
          }
          return backward;
        }
      : undefined,
  });
  return output;
}
