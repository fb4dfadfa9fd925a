import { attention } from '../ops/attention';
import { dropout } from '../ops/dropout';
import { type EmbeddingTables, embeddings } from '../ops/embeddings';
import { gelu } from '../ops/gelu';
import { layerNorm } from '../ops/layer_norm';
import { pooling } from '../ops/pooling';
import { prefixAttention } from '../ops/prefix_attention';
import { tanh } from '../ops/tanh';
import type { Tape, Tensor } from '../scheduler/tape';
import type { ProductName, ProductPlace } from './encoder-parameters';
import { FAMILIES } from './families';
import type { FrozenEncoder, FrozenLayer, FrozenLinear } from './frozen-encoder';

/** The two sub-layers of an encoder layer, each of which ends in a projection, a residual connection and a LayerNorm. */
export type Site = 'attention' | 'output';

export interface Place {
  readonly layer: number;
  readonly site: Site;
}

/** The end of a sub-layer: LayerNorm(y + x), which is `normalize(projected, input)`. All tensors are `[T, hidden]`. */
export interface SubLayer {
  /** x: what the sub-layer was given. */
  readonly input: Tensor;
  /** y: its projected output, after dropout. */
  readonly projected: Tensor;
  /** The sub-layer's LayerNorm of a sum; where it is trained and called twice, its gradients add up. */
  normalize(output: Tensor, residual: Tensor): Tensor;
}

/** What a task puts into the encoder, whose own weights are there for what the task does not replace. */
export interface EncoderTask {
  /** The encoder's tables, or trained ones. */
  embeddings(): EmbeddingTables;
  /** γ and β, each `[hidden]`, of the LayerNorm at 'embeddings', 'layer.0.attention', 'layer.0.output', … */
  layerNorm(place: string): { readonly gamma: Tensor; readonly beta: Tensor };
  /** x Wᵀ + b, `[rows, outputs]`, of an encoder's product. */
  linear(place: ProductPlace | 'embeddings_project' | 'pooler', x: Tensor, pretrained: FrozenLinear): Tensor;
  /** Keys and values `[2p, hidden]` that a layer's queries attend to beside their sequence's own. */
  prefix(layer: number): Tensor | undefined;
  /** The output of a sub-layer, `[T, hidden]`. */
  subLayer(place: Place, end: SubLayer): Tensor;
  /** Probabilities in layer `layer`; -1: after the embeddings. */
  dropout(layer: number): { readonly hidden: number; readonly attention: number };
  /** Given the input of each layer, `[T, hidden]`; returns what the layer is to take. */
  enter(layer: number, hidden: Tensor): Tensor;
}

/** Whose last hidden states are asked for: every token's, `[T, hidden]`, or each sequence's first one's, `[B, hidden]`. */
export type EncodedRows = 'every token' | 'first tokens';

/**
 * BERT's encoder (Devlin et al. 2019; post-LayerNorm as in google-research/bert), and those like it (families/), over a packed
 * batch.
 * A sub-layer with input x and projection y gives LayerNorm(y + x), or what the task makes of them.
 *
 * Only attention mixes tokens. Where just the first ones are asked for, what follows attention in the last layer is
 * therefore computed for their rows alone, forward and backward: the same numbers for a quarter of the layer's products.
 */
export function encode(tape: Tape, encoder: FrozenEncoder, task: EncoderTask, rows: EncodedRows): Tensor {
  const { config } = encoder;
  const { dropsAttentionOutput } = FAMILIES[config.modelType];
  const normalize = (place: string, x: Tensor, residual?: Tensor) => {
    const { gamma, beta } = task.layerNorm(place);
    return layerNorm(tape, x, residual, gamma, beta, config.layerNormEpsilon);
  };
  const embedded = normalize('embeddings', embeddings(tape, task.embeddings(), config.embeddingSize));
  const dropped = dropout(tape, embedded, task.dropout(-1).hidden);
  const { embeddingsProject } = encoder;
  let hidden =
    embeddingsProject === undefined ? dropped : task.linear('embeddings_project', dropped, embeddingsProject);
  const encodeLayer = (input: Tensor, weights: FrozenLayer, layer: number): Tensor => {
    const isLast = layer === config.layers - 1;
    const probabilities = task.dropout(layer);
    const project = (product: ProductName, x: Tensor) => task.linear({ layer, product }, x, weights[product]);
    const endSubLayer = (site: Site, x: Tensor, projected: Tensor) =>
      task.subLayer(
        { layer, site },
        {
          input: x,
          projected,
          normalize: (output, residual) => normalize(`layer.${layer}.${site}`, output, residual),
        },
      );
    const queryKeyValue = project('attention.query_key_value', input);
    const prefix = task.prefix(layer);
    const options = { dropout: probabilities.attention };
    const mixed =
      prefix === undefined
        ? attention(tape, queryKeyValue, config.heads, options)
        : prefixAttention(tape, queryKeyValue, prefix, config.heads, options);
    const [context, residual] =
      rows === 'first tokens' && isLast
        ? [pooling(tape, mixed, 'cls'), pooling(tape, input, 'cls')]
        : [mixed, input];
    const attended = project('attention.output', context);
    const attendedDropout = dropsAttentionOutput ? probabilities.hidden : 0;
    const middle = endSubLayer('attention', residual, dropout(tape, attended, attendedDropout));
    const expanded = gelu(tape, project('intermediate', middle), config.activation);
    const projected = project('output', expanded);
    // A third of the layer's products lead to these `[T, hidden]`; with recomputation they are kept, too.
    const dropped = tape.keep(dropout(tape, projected, probabilities.hidden));
    return endSubLayer('output', middle, dropped);
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
export function pool(
  tape: Tape,
  { pooler }: FrozenEncoder,
  task: Pick<EncoderTask, 'linear'>,
  firstTokens: Tensor,
): Tensor {
  return pooler === undefined ? firstTokens : tanh(tape, task.linear('pooler', firstTokens, pooler));
}
