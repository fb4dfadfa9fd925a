import { type Comparison, relativeToLargest } from '../compare';
import { BATCH, FORWARD_BATCHES, type Inputs } from '../inputs';
import type { Contestants } from './contestants';

/** The encoder and its pooler over batches in their natural order, against the runtime that inference in browsers mostly uses. */
export function forwardComparisons(contestants: Contestants, inputs: Inputs): Comparison[] {
  const { packed, padded } = inputs.forwardTokens;
  const sentences = FORWARD_BATCHES * BATCH;
  const tokens = `${packed} tokens, ${padded} padded`;
  return [
    {
      name: 'forward',
      title: `Forward pass, ${inputs.weights}: ${sentences} of ${inputs.sentences}, batches of ${BATCH}, ${tokens}`,
      work: 'forward',
      rounds: 3,
      difference: relativeToLargest,
      tolerance: 1e-4,
      rate: { unit: 'sentences/s', of: (milliseconds) => (sentences * 1000) / milliseconds },
      entries: [
        contestants.node('Graft', 'graft', { backend: 'wasm' }),
        contestants.node('Graft, one thread', 'graft', { backend: 'wasm', threads: '1' }),
        contestants.node('ONNX Runtime Web, fused', 'onnxruntime', { operators: 'fused' }),
        contestants.node('ONNX Runtime Web, standard', 'onnxruntime', { operators: 'standard' }),
      ],
    },
  ];
}
