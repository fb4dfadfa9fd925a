import { countRows, type Dispatch, defineKernel, dispatch, rowsCode, type Work } from '../backends/kernel';
import type { Tape, Tensor } from '../scheduler/tape';
import { type Activation, activationCode } from './activation';
import {
  biasGradientDispatch,
  forwardDispatch,
  inputGradientDispatch,
  tileGrid,
  weightGradientDispatch,
} from './linear';

const params = { rows: 'u32', hidden: 'u32', bottleneck: 'u32', activation: 'u32' } as const;

const downContract = {
  shader: 'adapter',
  params,
  bindings: { x: 'read', weight: 'read', bias: 'read', preactivation: 'write', activated: 'write' },
} as const;

const downTiled = { entryPoint: 'adapter_down_tiled', workgroups: tileGrid(16, 16) };

/** d even. */
const adapterDown = defineKernel({
  ...downContract,
  name: 'adapter_down',
  variants: {
    serial: { entryPoint: 'adapter_down', workgroups: tileGrid(128, 16) },
    tiled: downTiled,
  },
});

const adapterDownStrided = defineKernel({
  ...downContract,
  name: 'adapter_down_strided',
  variants: {
    serial: { entryPoint: 'adapter_down_strided', workgroups: tileGrid(16, 32) },
    tiled: downTiled,
  },
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

const hiddenGradientTiled = { entryPoint: 'adapter_hidden_gradient_tiled', workgroups: tileGrid(16, 16) };

/** d even, m a multiple of 4. */
const adapterHiddenGradient = defineKernel({
  ...hiddenGradientContract,
  name: 'adapter_hidden_gradient',
  variants: {
    serial: { entryPoint: 'adapter_hidden_gradient', workgroups: tileGrid(32, 64) },
    tiled: hiddenGradientTiled,
  },
});

const adapterHiddenGradientStrided = defineKernel({
  ...hiddenGradientContract,
  name: 'adapter_hidden_gradient_strided',
  variants: {
    serial: { entryPoint: 'adapter_hidden_gradient_strided', workgroups: tileGrid(16, 32) },
    tiled: hiddenGradientTiled,
  },
});

/** The weights of a bottleneck from d to m and back, in PyTorch's layout; trainable or frozen. */
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
 * The bottleneck with its inner residual: x + up(f(down(x))), x `[T, d]`. Houlsby et al. 2019, arXiv 1902.00751.
 * Saves x and the pre-activation a `[T, m]`; f(a) is recomputed. Derivation: docs/derivations.md, "adapter".
 *
 * Throws RangeError where the shapes do not fit together.
 */
export function adapter(tape: Tape, x: Tensor, weights: AdapterWeights, activation: Activation): Tensor {
  const { downWeight, downBias, upWeight, upBias } = weights;
  const hidden = x.columns;
  const bottleneck = upWeight.columns;
  if (downWeight.rows !== bottleneck || downWeight.columns !== hidden || upWeight.rows !== hidden) {
    throw new RangeError(
      `adapter: ${downWeight.name} [${downWeight.rows}, ${downWeight.columns}] and ${upWeight.name} ` +
        `[${upWeight.rows}, ${upWeight.columns}] do not lead from ${hidden} columns and back`,
    );
  }
  const isTrained = [downWeight, downBias, upWeight, upBias].some((tensor) => tensor.requiresGradient);
  const requiresGradient = x.requiresGradient || isTrained;
  const output = tape.like(x, 'adapter', requiresGradient);
  const preactivation = tape.activation('adapter pre-activation', x.rows, bottleneck);
  const params = {
    rows: rowsCode(x.rows),
    hidden,
    bottleneck,
    activation: activationCode(activation),
  };
  const work: Work = (shape) => [countRows(x.rows, shape), bottleneck];
  const activated = tape.activation('adapter activation', x.rows, bottleneck);
  tape.record({
    op: 'adapter',
    output,
    forward: [
      dispatch(hidden % 2 === 0 ? adapterDown : adapterDownStrided, {
        params,
        bindings: { x, weight: downWeight, bias: downBias, preactivation, activated },
        work,
      }),
      forwardDispatch({ left: activated, weight: upWeight, bias: upBias, addend: x, result: output }),
    ],
    backward: requiresGradient
      ? (outputGradient) => {
          const dispatches: Dispatch<Tensor>[] = [];
          const gradients = new Map<Tensor, Tensor>();
          const preactivationGradient = tape.like(preactivation, 'gradient of adapter pre-activation');
          const recomputed = tape.like(preactivation, 'adapter activation, recomputed');
          const isFast = hidden % 2 === 0 && bottleneck % 4 === 0;
          if ([x, downWeight, downBias, upWeight].some((tensor) => tensor.requiresGradient)) {
            dispatches.push(
              dispatch(isFast ? adapterHiddenGradient : adapterHiddenGradientStrided, {
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
          if (upWeight.requiresGradient)
            dispatches.push(weightGradientDispatch(outputGradient, recomputed, upWeight));
          if (upBias.requiresGradient) dispatches.push(biasGradientDispatch(outputGradient, upBias));
          if (downWeight.requiresGradient)
            dispatches.push(weightGradientDispatch(preactivationGradient, x, downWeight));
          if (downBias.requiresGradient)
            dispatches.push(biasGradientDispatch(preactivationGradient, downBias));
          if (x.requiresGradient) {
            const xGradient = tape.like(x, 'gradient of adapter input');
            dispatches.push(
              inputGradientDispatch({
                outputGradient: preactivationGradient,
                weight: downWeight,
                addend: outputGradient,
                xGradient,
              }),
            );
            gradients.set(x, xGradient);
          }
          return { dispatches, gradients };
        }
      : undefined,
  });
  return output;
}
