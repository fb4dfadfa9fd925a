import type { Place } from '../adapters/method';
import { attention } from '../ops/attention';
import { dropout } from '../ops/dropout';
import { embeddings } from '../ops/embeddings';
import { frozenLinear } from '../ops/frozen_linear';
import { gelu } from '../ops/gelu';
import { layerNorm } from '../ops/layer_norm';
import { pooling } from '../ops/pooling';
import { tanh } from '../ops/tanh';
import type { Tape, Tensor } from '../scheduler/tape';
import type { FrozenEncoder, FrozenLayer, FrozenLinear } from './frozen-encoder';

/** What a task puts into the frozen encoder. */
export interface EncoderTask {
  /** γ and β, each `[hidden]`, of the LayerNorm at 'embeddings', 'layer.0.attention', 'layer.0.output', … */
  layerNorm(place: string): { readonly gamma: Tensor; readonly beta: Tensor };
  /** From a sub-layer's projected output `[T, hidden]`, after dropout, to what the residual is added to. */
  attach(place: Place, projected: Tensor): Tensor;
  /** Probabilities in layer `layer`; -1: after the embeddings. */
  dropout(layer: number): { readonly hidden: number; readonly attention: number };
  /** Given the input of each layer, `[T, hidden]`; returns what the layer is to take. */
  enter(layer: number, hidden: Tensor): Tensor;
}

/** Whose last hidden states are asked for: every token's, `[T, hidden]`, or each sequence's first one's, `[B, hidden]`. */
export type EncodedRows = 'every token' | 'first tokens';

/**
 * BERT's encoder (Devlin et al. 2019; post-LayerNorm as in google-research/bert) over a packed batch.
 * With an adapter A at both sites a sub-layer with input x and projection y gives LayerNorm(A(y) + x).
 *
 * Only attention mixes tokens. Where just the first ones are asked for, what follows attention in the last layer is
 * therefore computed for their rows alone, forward and backward: the same numbers for a quarter of the layer's products.
 */
export function encode(tape: Tape, encoder: FrozenEncoder, task: EncoderTask, rows: EncodedRows): Tensor {
  const { config } = encoder;
  const normalize = (place: string, x: Tensor, residual?: Tensor) => {
    const { gamma, beta } = task.layerNorm(place);
    return layerNorm(tape, x, residual, gamma, beta, config.layerNormEpsilon);
  };
  const project = (x: Tensor, { weight, bias }: FrozenLinear) => frozenLinear(tape, x, weight, bias);
  const embedded = normalize('embeddings', embeddings(tape, encoder.embeddings, config.hiddenSize));
  let hidden = dropout(tape, embedded, task.dropout(-1).hidden);
  const encodeLayer = (input: Tensor, weights: FrozenLayer, layer: number): Tensor => {
    const isLast = layer === config.layers - 1;
    const probabilities = task.dropout(layer);
    const queryKeyValue = project(input, weights.queryKeyValue);
    const mixed = attention(tape, queryKeyValue, config.heads, { dropout: probabilities.attention });
    const [context, residual] =
      rows === 'first tokens' && isLast
        ? [pooling(tape, mixed, 'cls'), pooling(tape, input, 'cls')]
        : [mixed, input];
    const attended = project(context, weights.attentionOutput);
    const adapted = task.attach({ layer, site: 'attention' }, dropout(tape, attended, probabilities.hidden));
    const middle = normalize(`layer.${layer}.attention`, adapted, residual);
    const expanded = gelu(tape, project(middle, weights.intermediate), config.activation);
    const projected = project(expanded, weights.output);
    // A third of the layer's products lead to these `[T, hidden]`; with recomputation they are kept, too.
    const dropped = tape.keep(dropout(tape, projected, probabilities.hidden));
    const output = task.attach({ layer, site: 'output' }, dropped);
    return normalize(`layer.${layer}.output`, output, middle);
  };
  encoder.layers.forEach((weights, layer) => {
    const input = task.enter(layer, hidden);
    const record = () => encodeLayer(input, weights, layer);
    // The last layer's backward pass comes right after its forward pass: to forget it in between would save nothing.
    hidden = layer === config.layers - 1 ? record() : tape.segment(record);
  });
  return hidden;
}

/** BERT's pooled output `[B, hidden]`: tanh of a linear of the first tokens; those themselves where there is no pooler. */
export function pool(tape: Tape, encoder: FrozenEncoder, firstTokens: Tensor): Tensor {
  const { pooler } = encoder;
  return pooler === undefined
    ? firstTokens
    : tanh(tape, frozenLinear(tape, firstTokens, pooler.weight, pooler.bias));
}
