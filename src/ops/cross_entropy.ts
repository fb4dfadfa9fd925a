import { defineKernel, dispatch, type Kernel } from '../backends/kernel';
import { batchLabels, type Tape, type Tensor } from '../scheduler/tape';

/** Work is `[sequences]`: an invocation each in workgroups of 32, or a workgroup each. */
const bySequence = (entryPoint: string): Kernel['variants'] => ({
  serial: { entryPoint, workgroups: ([sequences = 0]) => [Math.ceil(sequences / 32), 1, 1] },
  tiled: { entryPoint: `${entryPoint}_tiled`, workgroups: ([sequences = 0]) => [sequences, 1, 1] },
});

const crossEntropyLoss = defineKernel({
  name: 'cross_entropy',
  shader: 'cross_entropy',
  params: { classes: 'u32' },
  bindings: { logits: 'read', labels: 'read', loss: 'write' },
  variants: bySequence('cross_entropy'),
});

const crossEntropyLossAndGradient = defineKernel({
  name: 'cross_entropy_gradient',
  shader: 'cross_entropy',
  params: { classes: 'u32' },
  bindings: { logits: 'read', labels: 'read', loss: 'write', logitsGradient: 'write' },
  variants: bySequence('cross_entropy_gradient'),
});

/**
 * The loss of each sequence, `[B, 1]`: −log softmax(logits)[label], logits `[B, classes]`, labels u32 of the batch.
 * Unscaled; the gradient is that of the logical batch's mean. It is made beside the loss, so the backward pass costs
 * nothing. Derivation: docs/derivations/cross_entropy.md.
 */
export function crossEntropy(tape: Tape, logits: Tensor): Tensor {
  const loss = tape.activation('cross_entropy', 'sequences', 1, logits.requiresGradient);
  const params = { classes: logits.columns };
  const bindings = { logits, labels: batchLabels('sequences', 1), loss };
  const work = ({ sequenceCount }: { sequenceCount: number }) => [sequenceCount];
  if (!logits.requiresGradient) {
    tape.record({
      op: 'cross_entropy',
      output: loss,
      forward: [dispatch(crossEntropyLoss, { params, bindings, work })],
    });
    return loss;
  }
  const logitsGradient = tape.like(logits, 'gradient of logits');
  tape.record({
    op: 'cross_entropy',
    output: loss,
    forward: [
      dispatch(crossEntropyLossAndGradient, { params, bindings: { ...bindings, logitsGradient }, work }),
    ],
    backward: () => ({ dispatches: [], gradients: new Map([[logits, logitsGradient]]) }),
  });
  return loss;
}
