import { type BatchShape, countRows, defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { batchLabels, type Tape, type Tensor } from '../scheduler/tape';
import { byRow } from './loss-rows';

const binaryCrossEntropyLoss = defineKernel({
  name: 'binary_cross_entropy',
  shader: 'binary_cross_entropy',
  params: { columns: 'u32', rows: 'u32', isWeighted: 'u32' },
  bindings: { logits: 'read', labels: 'read', weights: 'read', loss: 'write' },
  variants: byRow('binary_cross_entropy'),
});

const binaryCrossEntropyLossAndGradient = defineKernel({
  name: 'binary_cross_entropy_gradient',
  shader: 'binary_cross_entropy',
  params: { columns: 'u32', rows: 'u32', isWeighted: 'u32' },
  bindings: { logits: 'read', labels: 'read', weights: 'read', loss: 'write', logitsGradient: 'write' },
  variants: byRow('binary_cross_entropy_gradient'),
});

/**
 * The loss of each row, `[rows, 1]`: the mean over its C columns of −w y log σ(z) − (1 − y) log(1 − σ(z)), as PyTorch's
 * BCEWithLogitsLoss; logits z `[rows, C]`, labels y `[rows, C]` f32 of the batch, in [0, 1], weights w of the positives `[1, C]` or 1.
 * Unscaled; the gradient is that of the logical batch's mean and is made beside the loss.
 * Derivation: docs/derivations/binary_cross_entropy.md.
 */
export function binaryCrossEntropy(tape: Tape, logits: Tensor, weights?: Tensor): Tensor {
  const { rows, columns } = logits;
  const loss = tape.activation('binary_cross_entropy', rows, 1, logits.requiresGradient);
  const params = { columns, rows: rowsCode(rows), isWeighted: weights === undefined ? 0 : 1 };
  // What is absent has another tensor bound in its place.
  const bindings = { logits, labels: batchLabels(rows, columns), weights: weights ?? logits, loss };
  const work = (shape: BatchShape) => [countRows(rows, shape)];
  if (!logits.requiresGradient) {
    tape.record({
      op: 'binary_cross_entropy',
      output: loss,
      forward: [dispatch(binaryCrossEntropyLoss, { params, bindings, work })],
    });
    return loss;
  }
  const logitsGradient = tape.like(logits, 'gradient of logits');
  tape.record({
    op: 'binary_cross_entropy',
    output: loss,
    forward: [
      dispatch(binaryCrossEntropyLossAndGradient, {
        params,
        bindings: { ...bindings, logitsGradient },
        work,
      }),
    ],
    backward: () => ({ dispatches: [], gradients: new Map([[logits, logitsGradient]]) }),
  });
  return loss;
}
