import { defineKernel, dispatch } from '../backends/kernel';
import { batchLabels, batchOffsets, type Tape, type Tensor } from '../scheduler/tape';
import { byRow } from './loss-rows';

const spanLoss = defineKernel({
  name: 'span_cross_entropy',
  shader: 'span_cross_entropy',
  params: {},
  bindings: { logits: 'read', spans: 'read', offsets: 'read', loss: 'write' },
  variants: byRow('span_cross_entropy'),
});

const spanLossAndGradient = defineKernel({
  name: 'span_cross_entropy_gradient',
  shader: 'span_cross_entropy',
  params: {},
  bindings: { logits: 'read', spans: 'read', offsets: 'read', loss: 'write', logitsGradient: 'write' },
  variants: byRow('span_cross_entropy_gradient'),
});

/**
 * The loss of each sequence, `[B, 1]`: the mean of −log softmax(start)[s] and −log softmax(end)[e], each over the sequence's tokens;
 * logits `[T, 2]` start and end, labels `[B, 2]` u32 of the batch: s and e, counted from the sequence's first token and below its
 * length. Unscaled; the gradient is that of the logical batch's mean loss, made beside the loss.
 * As `BertForQuestionAnswering` (Devlin et al. 2019, section 4.2), which sums over padding, too: here there is none.
 * Derivation: docs/derivations/span_cross_entropy.md.
 */
export function spanCrossEntropy(tape: Tape, logits: Tensor): Tensor {
  if (logits.columns !== 2) {
    throw new TypeError(`span cross-entropy of ${logits.name}: ${logits.columns} columns, not 2`);
  }
  const loss = tape.activation('span_cross_entropy', 'sequences', 1, logits.requiresGradient);
  const bindings = { logits, spans: batchLabels('sequences', 2), offsets: batchOffsets, loss };
  const work = ({ sequenceCount }: { sequenceCount: number }) => [sequenceCount];
  if (!logits.requiresGradient) {
    tape.record({
      op: 'span_cross_entropy',
      output: loss,
      forward: [dispatch(spanLoss, { params: {}, bindings, work })],
    });
    return loss;
  }
  const logitsGradient = tape.like(logits, 'gradient of logits');
  tape.record({
    op: 'span_cross_entropy',
    output: loss,
    forward: [dispatch(spanLossAndGradient, { params: {}, bindings: { ...bindings, logitsGradient }, work })],
    backward: () => ({ dispatches: [], gradients: new Map([[logits, logitsGradient]]) }),
  });
  return loss;
}
