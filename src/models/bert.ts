import type { Place } from '../adapters/method';
import { attention } from '../ops/attention';
import { dropout } from '../ops/dropout';
import { embeddings } from '../ops/embeddings';
import { gelu } from '../ops/gelu';
import { layerNorm } from '../ops/layer_norm';
import { linear } from '../ops/linear';
import { pooling } from '../ops/pooling';
import { tanh } from '../ops/tanh';
import type { Tape, Tensor } from '../scheduler/tape';
import type { FrozenEncoder } from './frozen-encoder';

/** What a task puts into the frozen encoder. */
export interface EncoderTask {
  /** γ and β, each `[hidden]`, of the LayerNorm at 'embeddings', 'layer.0.attention', 'layer.0.output', … */
  layerNorm(place: string): { readonly gamma: Tensor; readonly beta: Tensor };
  /** From a sub-layer's projected output `[T, hidden]`, after dropout, to what the residual is added to. */
  attach(place: Place, projected: Tensor): Tensor;
  readonly hiddenDropout: number;
  readonly attentionDropout: number;
}

/**
 * BERT's encoder (Devlin et al. 2019; post-LayerNorm as in google-research/bert) over a packed batch: `[T, hidden]`.
 * With an adapter A at both sites a sub-layer with input x and projection y gives LayerNorm(A(y) + x).
 */
export function encode(tape: Tape, encoder: FrozenEncoder, task: EncoderTask): Tensor {
  const { config } = encoder;
  const normalize = (place: string, x: Tensor, residual?: Tensor) => {
    const { gamma, beta } = task.layerNorm(place);
    return layerNorm(tape, x, residual, gamma, beta, config.layerNormEpsilon);
  };
  const embedded = normalize('embeddings', embeddings(tape, encoder.embeddings, config.hiddenSize));
  let hidden = dropout(tape, embedded, task.hiddenDropout);
  encoder.layers.forEach((weights, layer) => {
    const queryKeyValue = linear(tape, hidden, weights.queryKeyValue.weight, weights.queryKeyValue.bias);
    const context = attention(tape, queryKeyValue, config.heads, { dropout: task.attentionDropout });
    const attended = linear(tape, context, weights.attentionOutput.weight, weights.attentionOutput.bias);
    const adapted = task.attach({ layer, site: 'attention' }, dropout(tape, attended, task.hiddenDropout));
    const middle = normalize(`layer.${layer}.attention`, adapted, hidden);
    const expanded = gelu(
      tape,
      linear(tape, middle, weights.intermediate.weight, weights.intermediate.bias),
      config.activation,
    );
    const projected = linear(tape, expanded, weights.output.weight, weights.output.bias);
    const output = task.attach({ layer, site: 'output' }, dropout(tape, projected, task.hiddenDropout));
    hidden = normalize(`layer.${layer}.output`, output, middle);
  });
  return hidden;
}

/** BERT's pooled output `[B, hidden]`: tanh of a linear of the first token; the first token itself where there is no pooler. */
export function pool(tape: Tape, encoder: FrozenEncoder, hidden: Tensor): Tensor {
  const first = pooling(tape, hidden, 'cls');
  const { pooler } = encoder;
  return pooler === undefined ? first : tanh(tape, linear(tape, first, pooler.weight, pooler.bias));
}
