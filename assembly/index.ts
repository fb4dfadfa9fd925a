/** What the WebAssembly module exports, and nothing else. */

export { adamw } from './optimizer/adamw';
export { allocate_arena } from './optimizer/arena';
export { squared_norm } from './optimizer/squared_norm';

export {
  tokenizer_added,
  tokenizer_encode,
  tokenizer_ids,
  tokenizer_init,
  tokenizer_input,
  tokenizer_offsets,
  tokenizer_second_starts,
  tokenizer_truncated,
  tokenizer_vocabulary,
} from './tokenizer/tokenizer';
