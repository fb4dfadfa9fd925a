/** Every shader of Graft with the library files it is put together from. WGSL has no includes: this table is them. */
import adapter from '../../../shaders/adapter.wgsl';
import add from '../../../shaders/add.wgsl';
import attention from '../../../shaders/attention.wgsl';
import attentionBackward from '../../../shaders/attention_backward.wgsl';
import crossEntropy from '../../../shaders/cross_entropy.wgsl';
import dropout from '../../../shaders/dropout.wgsl';
import embeddings from '../../../shaders/embeddings.wgsl';
import frozenLinear from '../../../shaders/frozen_linear.wgsl';
import gelu from '../../../shaders/gelu.wgsl';
import layerNorm from '../../../shaders/layer_norm.wgsl';
import layerNormBackward from '../../../shaders/layer_norm_backward.wgsl';
import activation from '../../../shaders/lib/activation.wgsl';
import attentionShared from '../../../shaders/lib/attention.wgsl';
import batch from '../../../shaders/lib/batch.wgsl';
import elementF32 from '../../../shaders/lib/element_f32.wgsl';
import elementVec4 from '../../../shaders/lib/element_vec4.wgsl';
import productSerial from '../../../shaders/lib/product_serial.wgsl';
import productTiled from '../../../shaders/lib/product_tiled.wgsl';
import random from '../../../shaders/lib/random.wgsl';
import reduce from '../../../shaders/lib/reduce.wgsl';
import linear from '../../../shaders/linear.wgsl';
import pooling from '../../../shaders/pooling.wgsl';
import squaredError from '../../../shaders/squared_error.wgsl';
import tanh from '../../../shaders/tanh.wgsl';

export const shaderSources: Readonly<Record<string, readonly string[]>> = {
  add: [batch, add],
  gelu: [batch, activation, gelu],
  layer_norm: [batch, reduce, elementF32, layerNorm],
  layer_norm_vec4: [batch, reduce, elementVec4, layerNorm],
  layer_norm_backward: [batch, reduce, elementF32, layerNormBackward],
  layer_norm_backward_vec4: [batch, reduce, elementVec4, layerNormBackward],
  embeddings: [batch, embeddings],
  pooling: [batch, pooling],
  tanh: [batch, activation, tanh],
  cross_entropy: [batch, reduce, crossEntropy],
  squared_error: [batch, squaredError],
  dropout: [batch, random, elementF32, dropout],
  dropout_vec4: [batch, random, elementVec4, dropout],
  attention: [batch, random, attentionShared, attention],
  attention_backward: [batch, random, attentionShared, attentionBackward],
  linear: [batch, productSerial, productTiled, linear],
  frozen_linear: [batch, frozenLinear],
  adapter: [batch, activation, productSerial, productTiled, adapter],
};
