import { defineKernel, dispatch, type Variant } from '../backends/kernel';
import { batchLabels, type Tape, type Tensor } from '../scheduler/tape';

const bySequence = (entryPoint: string): { serial: Variant } => ({
  serial: { entryPoint, workgroups: ([sequences = 0]) => [Math.ceil(sequences / 32), 1, 1] },
});

const squaredErrorLoss = defineKernel({
  name: 'squared_error',
  shader: 'squared_error',
  params: {},
  bindings: { predictions: 'read', targets: 'read', loss: 'write' },
  variants: bySequence('squared_error'),
});

const squaredErrorLossAndGradient = defineKernel({
  name: 'squared_error_gradient',
  shader: 'squared_error',
  params: {},
  bindings: { predictions: 'read', targets: 'read', loss: 'write', predictionsGradient: 'write' },
  variants: bySequence('squared_error_gradient'),
});

/**
 * (prediction − target)² of each sequence: `[B, 1]` → `[B, 1]`, targets f32 of the batch. Unscaled; the gradient is that
 * of the logical batch's mean and is made beside the loss. Throws TypeError for more than one prediction a sequence.
 * Derivation: docs/derivations/squared_error.md.
 */
export function squaredError(tape: Tape, predictions: Tensor): Tensor {
  if (predictions.columns !== 1) {
    throw new TypeError(`squared error of ${predictions.name}: ${predictions.columns} columns, not 1`);
  }
  const loss = tape.activation('squared_error', 'sequences', 1, predictions.requiresGradient);
  const bindings = { predictions, targets: batchLabels('sequences', 1), loss };
  const work = ({ sequenceCount }: { sequenceCount: number }) => [sequenceCount];
  if (!predictions.requiresGradient) {
    tape.record({
      op: 'squared_error',
      output: loss,
      forward: [dispatch(squaredErrorLoss, { params: {}, bindings, work })],
    });
    return loss;
  }
  const predictionsGradient = tape.like(predictions, 'gradient of predictions');
  tape.record({
    op: 'squared_error',
    output: loss,
    forward: [
      dispatch(squaredErrorLossAndGradient, {
        params: {},
        bindings: { ...bindings, predictionsGradient },
        work,
      }),
    ],
    backward: () => ({ dispatches: [], gradients: new Map([[predictions, predictionsGradient]]) }),
  });
  return loss;
}
