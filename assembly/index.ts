/** What the WebAssembly module exports, and nothing else. */

export {
  adapter_down,
  adapter_down_strided,
  adapter_hidden_gradient,
  adapter_hidden_gradient_strided,
} from './kernels/adapter';
export { add } from './kernels/add';
export { attention_forward, attention_forward_saving } from './kernels/attention';
export { attention_backward_key, attention_backward_query } from './kernels/attention_backward';
export { binary_cross_entropy, binary_cross_entropy_gradient } from './kernels/binary_cross_entropy';
export { cross_entropy, cross_entropy_gradient } from './kernels/cross_entropy';
export { dropout } from './kernels/dropout';
export { embeddings, embeddings_gradient } from './kernels/embeddings';
export { frozen_linear_forward, frozen_linear_input_gradient } from './kernels/frozen_linear';
export { gelu_backward, gelu_forward } from './kernels/gelu';
export { grouped_linear_forward, grouped_linear_strided } from './kernels/grouped_linear';
export {
  grouped_layer_norm_forward,
  layer_norm_backward,
  layer_norm_forward,
  layer_norm_forward_saving,
  layer_norm_parameter_gradient,
  layer_norm_partial_sums,
} from './kernels/layer_norm';
export { set_scratch } from './kernels/lib/scratch';
export {
  linear_bias_gradient,
  linear_forward,
  linear_input_gradient,
  linear_product,
  linear_weight_gradient,
  linear_weight_gradient_strided,
} from './kernels/linear';
export { place_blocks_backward, place_blocks_forward } from './kernels/place_blocks';
export { pooling_backward, pooling_forward } from './kernels/pooling';
export {
  prefix_attention_backward_key,
  prefix_attention_backward_query,
  prefix_attention_forward,
} from './kernels/prefix_attention';
export { scale_columns_backward, scale_columns_forward } from './kernels/scale_columns';
export { span_cross_entropy, span_cross_entropy_gradient } from './kernels/span_cross_entropy';
export { squared_error, squared_error_gradient } from './kernels/squared_error';
export { tanh_backward, tanh_forward } from './kernels/tanh';
export { zero } from './kernels/zero';
export { heap_base } from './memory';
export { adamw } from './optimizer/adamw';
export { allocate_arena } from './optimizer/arena';
export { squared_norm } from './optimizer/squared_norm';

export {
  tokenizer_added,
  tokenizer_encode,
  tokenizer_ids,
  tokenizer_init,
  tokenizer_init_bytes,
  tokenizer_input,
  tokenizer_offsets,
  tokenizer_second_starts,
  tokenizer_spans,
  tokenizer_trace,
  tokenizer_truncated,
  tokenizer_vocabulary,
} from './tokenizer/tokenizer';
