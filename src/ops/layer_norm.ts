import {
  countRows,
  type Dispatch,
  defineKernel,
  dispatch,
  type Kernel,
  rowsCode,
  type Variant,
  type Work,
} from '../backends/kernel';
import { gradientOf, type Tape, type Tensor } from '../scheduler/tape';
import { groupedLayerNorm } from './grouped_layer_norm';

/** Rows are summed in this many chunks side by side. Fixed, so that the order of summing depends on the batch alone. */
const CHUNKS = 32;

const FORWARD = { x: 'read', residual: 'read', gamma: 'read', beta: 'read', output: 'write' } as const;

/** Rows an invocation each (workgroups of 32), or a workgroup each. Work is `[rows]`. */
const byRow = (entryPoint: string): Kernel['variants'] => ({
  serial: { entryPoint, workgroups: ([rows = 0]) => [Math.ceil(rows / 32), 1, 1] },
  tiled: { entryPoint: `${entryPoint}_tiled`, workgroups: ([rows = 0]) => [rows, 1, 1] },
});

/** The kernels that read and write `width` columns at once: shaders/lib/element_f32.wgsl and element_vec4.wgsl. */
function kernelsOf(width: 1 | 4) {
  const suffix = width === 4 ? '_vec4' : '';
  const forward = {
    shader: `layer_norm${suffix}`,
    params: { rows: 'u32', columns: 'u32', epsilon: 'f32' },
  } as const;
  const backward = {
    shader: `layer_norm_backward${suffix}`,
    params: { rows: 'u32', columns: 'u32', part: 'u32' },
  } as const;
  /** Work is `[columns]`. */
  const byColumn = (entryPoint: string, chunks: number): { serial: Variant } => ({
    serial: { entryPoint, workgroups: ([columns = 0]) => [Math.ceil(columns / width / 64), chunks, 1] },
  });
  return {
    forward: defineKernel({
      ...forward,
      name: 'layer_norm_forward',
      bindings: FORWARD,
      variants: byRow('layer_norm_forward'),
    }),
    forwardSaving: defineKernel({
      ...forward,
      name: 'layer_norm_forward_saving',
      bindings: { ...FORWARD, normalized: 'write', inverseDeviation: 'write' },
      variants: byRow('layer_norm_forward_saving'),
    }),
    backward: defineKernel({
      ...backward,
      name: 'layer_norm_backward',
      bindings: {
        outputGradient: 'read',
        normalized: 'read',
        inverseDeviation: 'read',
        gamma: 'read',
        inputGradient: 'write',
      },
      variants: byRow('layer_norm_backward'),
    }),
    partialSums: defineKernel({
      ...backward,
      name: 'layer_norm_partial_sums',
      bindings: { outputGradient: 'read', normalized: 'read', partialSums: 'write' },
      variants: byColumn('layer_norm_partial_sums', CHUNKS),
    }),
    parameterGradient: defineKernel({
      ...backward,
      name: 'layer_norm_parameter_gradient',
      bindings: { partialSums: 'read', parameterGradient: 'accumulate' },
      variants: byColumn('layer_norm_parameter_gradient', 1),
    }),
  };
}

const scalarKernels = kernelsOf(1);
const vectorKernels = kernelsOf(4);

/**
 * y = LN(x + residual) γ + β over each row; x, residual and y `[rows, columns]`, γ and β `[columns]`.
 * Ba, Kiros and Hinton 2016, arXiv 1607.06450. Variance in a second pass, centred. γ and β may each be frozen;
 * grouped ones: `groupedLayerNorm`.
 * Saves (x + residual − mean) / σ and 1 / σ where anything requires a gradient.
 * Derivation: docs/derivations/layer_norm.md.
 */
export function layerNorm(
  tape: Tape,
  x: Tensor,
  residual: Tensor | undefined,
  gamma: Tensor,
  beta: Tensor,
  epsilon: number,
): Tensor {
  if (residual === x) throw new TypeError(`layerNorm: ${x.name} cannot be its own residual`);
  if (gamma.groups !== undefined) return groupedLayerNorm(tape, x, residual, gamma, beta, epsilon);
  const { rows, columns } = x;
  const kernels = columns % 4 === 0 ? vectorKernels : scalarKernels;
  const inputRequiresGradient = x.requiresGradient || residual?.requiresGradient === true;
  const parametersRequireGradient = gamma.requiresGradient || beta.requiresGradient;
  const requiresGradient = inputRequiresGradient || parametersRequireGradient;
  const output = tape.like(x, 'layer_norm', requiresGradient);
  const params = { rows: rowsCode(rows), columns, epsilon };
  const bindings = { x, residual: residual ?? x, gamma, beta, output };
  const constants = { HAS_RESIDUAL: residual === undefined ? 0 : 1 };
  const work: Work = (shape) => [countRows(rows, shape)];
  if (!requiresGradient) {
    const forward = dispatch(kernels.forward, { params, bindings, constants, work });
    tape.record({ op: 'layer_norm', output, forward: [forward] });
    return output;
  }

  const normalized = tape.like(x, 'layer_norm normalized');
  const inverseDeviation = tape.activation('layer_norm 1/σ', rows, 1);
  tape.record({
    op: 'layer_norm',
    output,
    forward: [
      dispatch(kernels.forwardSaving, {
        params,
        bindings: { ...bindings, normalized, inverseDeviation },
        constants,
        work,
      }),
    ],
    backward: (outputGradient) => {
      const params = { rows: rowsCode(rows), columns, part: 0 };
      const constants = { CHUNKS };
      const dispatches: Dispatch<Tensor>[] = [];
      const gradients = new Map<Tensor, Tensor>();
      if (parametersRequireGradient) {
        const partialSums = tape.activation('layer_norm partial sums', CHUNKS, 2 * columns);
        const work: Work = () => [columns];
        dispatches.push(
          dispatch(kernels.partialSums, {
            params,
            bindings: { outputGradient, normalized, partialSums },
            constants,
            work,
          }),
        );
        for (const [parameter, part] of [
          [gamma, 0],
          [beta, 1],
        ] as const) {
          if (!parameter.requiresGradient) continue;
          dispatches.push(
            dispatch(kernels.parameterGradient, {
              params: { ...params, part },
              bindings: { partialSums, parameterGradient: gradientOf(parameter) },
              constants,
              work,
            }),
          );
        }
      }
      if (inputRequiresGradient) {
        const inputGradient = tape.like(x, 'gradient of layer_norm input');
        dispatches.push(
          dispatch(kernels.backward, {
            params,
            bindings: { outputGradient, normalized, inverseDeviation, gamma, inputGradient },
            constants,
            work,
          }),
        );
        // The sum passes its gradient on unchanged: one tensor serves both.
        for (const input of [x, residual]) {
          if (input?.requiresGradient) gradients.set(input, inputGradient);
        }
      }
      return { dispatches, gradients };
    },
  });
  return output;
}
