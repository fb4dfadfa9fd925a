import { type BatchShape, countRows, defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { batchLabels, type Tape, type Tensor } from '../scheduler/tape';
import { byRow } from './loss-rows';

/** In the place of a class number: the row has no label, and neither loss nor gradient. PyTorch's `ignore_index`, −100. */
export const IGNORED_LABEL = 0xffff_ffff;

const crossEntropyLoss = defineKernel({
  name: 'cross_entropy',
  shader: 'cross_entropy',
  params: { classes: 'u32', rows: 'u32', isWeighted: 'u32' },
  bindings: { logits: 'read', labels: 'read', weights: 'read', loss: 'write' },
  variants: byRow('cross_entropy'),
});

const crossEntropyLossAndGradient = defineKernel({
  name: 'cross_entropy_gradient',
  shader: 'cross_entropy',
  params: { classes: 'u32', rows: 'u32', isWeighted: 'u32' },
  bindings: { logits: 'read', labels: 'read', weights: 'read', loss: 'write', logitsGradient: 'write' },
  variants: byRow('cross_entropy_gradient'),
});

/**
 * The loss of each row, `[rows, 1]`: −w[label] log softmax(logits)[label]; logits `[rows, classes]`, labels `[rows, 1]` u32 of the
 * batch, w `[1, classes]` or 1. An IGNORED_LABEL's row has none. Unscaled; the gradient is that of the logical batch's sum times its
 * `lossScale`, 1 / Σ w[label] over the rows that count for PyTorch's weighted mean. It is made beside the loss, so the backward pass
 * costs nothing. Derivation: docs/derivations/cross_entropy.md.
 */
export function crossEntropy(tape: Tape, logits: Tensor, weights?: Tensor): Tensor {
  const { rows, columns: classes } = logits;
  const loss = tape.activation('cross_entropy', rows, 1, logits.requiresGradient);
  const params = { classes, rows: rowsCode(rows), isWeighted: weights === undefined ? 0 : 1 };
  // What is absent has another tensor bound in its place.
  const bindings = { logits, labels: batchLabels(rows, 1), weights: weights ?? logits, loss };
  const work = (shape: BatchShape) => [countRows(rows, shape)];
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
