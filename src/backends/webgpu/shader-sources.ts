/** Every shader of Graft with the library files it is put together from. WGSL has no includes: this table is them. */
import add from '../../../shaders/add.wgsl';
import crossEntropy from '../../../shaders/cross_entropy.wgsl';
import embeddings from '../../../shaders/embeddings.wgsl';
import gelu from '../../../shaders/gelu.wgsl';
import layerNorm from '../../../shaders/layer_norm.wgsl';
import layerNormBackward from '../../../shaders/layer_norm_backward.wgsl';
import activation from '../../../shaders/lib/activation.wgsl';
import batch from '../../../shaders/lib/batch.wgsl';
import elementF32 from '../../../shaders/lib/element_f32.wgsl';
import elementVec4 from '../../../shaders/lib/element_vec4.wgsl';
import reduce from '../../../shaders/lib/reduce.wgsl';
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
};
