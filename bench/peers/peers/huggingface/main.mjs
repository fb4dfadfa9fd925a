/** Hugging Face's tokenizers in JavaScript, those of transformers.js, as a contestant. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { readTexts } from '../../inputs-format';
import { serve, timed } from '../../serve';

await serve({ tokenizer });

async function tokenizer({ inputs }) {
  const loaded = new Tokenizer(tokenizerJSON(join(inputs, 'encoder', 'vocab.txt')), {});
  const texts = readTexts(inputs);
  // It has no call for many texts.
  const all = async () => texts.map((text) => loaded.encode(text).ids);
  return {
    setup: 'JavaScript, one thread',
    check: Float32Array.from((await all()).flat()),
    round: () => timed(1, all),
  };
}

/** What tokenizer.json says for an uncased BERT. */
function tokenizerJSON(vocabularyFile) {
  const lines = readFileSync(vocabularyFile, 'utf8').split('\n');
  const tokens = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const special = (content) => ({
    id: vocab[content],
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const piece = (id, type) => ({ SpecialToken: { id, type_id: type } });
  return {
    version: '1.0',
    added_tokens: SPECIAL.map(special),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [piece('[CLS]', 0), { Sequence: { id: 'A', type_id: 0 } }, piece('[SEP]', 0)],
      pair: [
        piece('[CLS]', 0),
        { Sequence: { id: 'A', type_id: 0 } },
        piece('[SEP]', 0),
        { Sequence: { id: 'B', type_id: 1 } },
        piece('[SEP]', 1),
      ],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((id) => [id, { id, ids: [vocab[id]], tokens: [id] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
