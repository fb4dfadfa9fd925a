/** Every shader of Graft with the library files it is put together from. WGSL has no includes: this table is them. */
import adapter from '../../../shaders/adapter.wgsl';
import adapterLanes from '../../../shaders/adapter_lanes.wgsl';
import adapterNaive from '../../../shaders/adapter_naive.wgsl';
import adapterSerial from '../../../shaders/adapter_serial.wgsl';
import adapterTiled from '../../../shaders/adapter_tiled.wgsl';
import add from '../../../shaders/add.wgsl';
import attention from '../../../shaders/attention.wgsl';
import attentionBackward from '../../../shaders/attention_backward.wgsl';
import binaryCrossEntropy from '../../../shaders/binary_cross_entropy.wgsl';
import crossEntropy from '../../../shaders/cross_entropy.wgsl';
import dropout from '../../../shaders/dropout.wgsl';
import embeddings from '../../../shaders/embeddings.wgsl';
import embeddingsGradient from '../../../shaders/embeddings_gradient.wgsl';
import gelu from '../../../shaders/gelu.wgsl';
import groupedLayerNorm from '../../../shaders/grouped_layer_norm.wgsl';
import groupedLinear from '../../../shaders/grouped_linear.wgsl';
import layerNorm from '../../../shaders/layer_norm.wgsl';
import layerNormBackward from '../../../shaders/layer_norm_backward.wgsl';
import activation from '../../../shaders/lib/activation.wgsl';
import attentionShared from '../../../shaders/lib/attention.wgsl';
import batch from '../../../shaders/lib/batch.wgsl';
import elementF32 from '../../../shaders/lib/element_f32.wgsl';
import elementVec4 from '../../../shaders/lib/element_vec4.wgsl';
import groups from '../../../shaders/lib/groups.wgsl';
import product from '../../../shaders/lib/product.wgsl';
import productBlocked from '../../../shaders/lib/product_blocked.wgsl';
import productLanes from '../../../shaders/lib/product_lanes.wgsl';
import productNaive from '../../../shaders/lib/product_naive.wgsl';
import productSerial from '../../../shaders/lib/product_serial.wgsl';
import productSplit from '../../../shaders/lib/product_split.wgsl';
import productTiled from '../../../shaders/lib/product_tiled.wgsl';
import productWide from '../../../shaders/lib/product_wide.wgsl';
import random from '../../../shaders/lib/random.wgsl';
import reduce from '../../../shaders/lib/reduce.wgsl';
import rightF16 from '../../../shaders/lib/right_f16.wgsl';
import rightF32 from '../../../shaders/lib/right_f32.wgsl';
import rightInt8 from '../../../shaders/lib/right_int8.wgsl';
import linear from '../../../shaders/linear.wgsl';
import linearBlocked from '../../../shaders/linear_blocked.wgsl';
import linearLanes from '../../../shaders/linear_lanes.wgsl';
import linearNaive from '../../../shaders/linear_naive.wgsl';
import linearSerial from '../../../shaders/linear_serial.wgsl';
import linearTiled from '../../../shaders/linear_tiled.wgsl';
import linearWide from '../../../shaders/linear_wide.wgsl';
import placeBlocks from '../../../shaders/place_blocks.wgsl';
import pooling from '../../../shaders/pooling.wgsl';
import prefixAttention from '../../../shaders/prefix_attention.wgsl';
import scaleColumns from '../../../shaders/scale_columns.wgsl';
import spanCrossEntropy from '../../../shaders/span_cross_entropy.wgsl';
import squaredError from '../../../shaders/squared_error.wgsl';
import tanh from '../../../shaders/tanh.wgsl';
import zero from '../../../shaders/zero.wgsl';

/** Shapes of product: what each is made of, between the right operand and the op. */
const productLibraries = {
  naive: [productNaive],
  serial: [productSerial],
  lanes: [productLanes],
  tiled: [productTiled, productSplit],
  blocked: [productBlocked],
  wide: [productWide],
} as const;

const linearEntryPoints = {
  naive: linearNaive,
  serial: linearSerial,
  lanes: linearLanes,
  tiled: linearTiled,
  blocked: linearBlocked,
  wide: linearWide,
} as const;

const adapterEntryPoints = {
  naive: adapterNaive,
  serial: adapterSerial,
  lanes: adapterLanes,
  tiled: adapterTiled,
} as const;

/** `name`_naive, `name`_serial, …: an op's entry points by the shape of their products. */
function byShape(
  name: string,
  before: readonly string[],
  op: string,
  entryPoints: { readonly [shape in keyof typeof productLibraries]?: string },
): Record<string, readonly string[]> {
  const sources: Record<string, readonly string[]> = {};
  for (const [shape, libraries] of Object.entries(productLibraries)) {
    const own = Object.entries(entryPoints).find(([key]) => key === shape)?.[1];
    if (own !== undefined) sources[`${name}_${shape}`] = [batch, ...before, product, ...libraries, op, own];
  }
  return sources;
}

/** What each shader is put together from, in this order. */
export const shaderSources: Readonly<Record<string, readonly string[]>> = makeShaderSources();

function makeShaderSources(): Record<string, readonly string[]> {
  return {
    add: [batch, add],
    zero: [batch, zero],
    gelu: [batch, activation, gelu],
    layer_norm: [batch, reduce, elementF32, layerNorm],
    layer_norm_vec4: [batch, reduce, elementVec4, layerNorm],
    layer_norm_backward: [batch, reduce, elementF32, layerNormBackward],
    layer_norm_backward_vec4: [batch, reduce, elementVec4, layerNormBackward],
    grouped_layer_norm: [batch, reduce, elementF32, layerNorm, groups, groupedLayerNorm],
    grouped_layer_norm_vec4: [batch, reduce, elementVec4, layerNorm, groups, groupedLayerNorm],
    grouped_linear: [batch, rightF32, product, productSerial, productBlocked, groups, groupedLinear],
    embeddings: [batch, embeddings],
    embeddings_gradient: [batch, embeddingsGradient],
    place_blocks: [batch, placeBlocks],
    prefix_attention: [batch, random, prefixAttention],
    scale_columns: [batch, scaleColumns],
    pooling: [batch, pooling],
    tanh: [batch, activation, tanh],
    cross_entropy: [batch, reduce, crossEntropy],
    binary_cross_entropy: [batch, reduce, binaryCrossEntropy],
    span_cross_entropy: [batch, reduce, spanCrossEntropy],
    squared_error: [batch, squaredError],
    dropout: [batch, random, elementF32, dropout],
    dropout_vec4: [batch, random, elementVec4, dropout],
    attention: [batch, random, attentionShared, attention],
    attention_backward: [batch, random, attentionShared, attentionBackward],
    ...byShape('linear', [rightF32], linear, linearEntryPoints),
    ...byShape('linear_f16', [rightF16], linear, linearEntryPoints),
    ...byShape('linear_int8', [rightInt8], linear, linearEntryPoints),
    ...byShape('adapter', [activation, rightF32], adapter, adapterEntryPoints),
  };
}
