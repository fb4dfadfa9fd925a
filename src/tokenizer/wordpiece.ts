import { FileFormatError } from '../errors';
import { instantiate } from '../wasm/module';
import { TokenizerFunctions } from './functions';
import type { TokenizerModel } from './model';
import type { WordPieceOptions } from './options';
import {
  BERT_TOKEN_NAMES,
  checkVocabulary,
  requireToken,
  specialTokensOf,
  splitVocabulary,
  withAddedTokens,
} from './vocabulary';

/** BERT's tokenizer: BertNormalizer, BertPreTokenizer and WordPiece of Hugging Face's `tokenizers`. Throws FileFormatError. */
export async function loadWordPiece(options: WordPieceOptions): Promise<TokenizerModel> {
  const { lowercase, fileName, specialTokens: names = BERT_TOKEN_NAMES } = options;
  const model =
    options.vocabulary instanceof Uint8Array
      ? splitVocabulary(options.vocabulary, fileName)
      : options.vocabulary;
  const tokens = withAddedTokens(model, options.addedTokens ?? [], fileName);
  const special = checkVocabulary(tokens, names, fileName);
  const unknown = requireToken(special.unknown, names.unknown, fileName);
  const added = options.addedTokens ?? specialTokensOf(special, tokens);

  const functions = new TokenizerFunctions(await instantiate());
  const stripAccents = options.stripAccents ?? lowercase;
  const chinese = options.handleChineseCharacters ?? true;
  functions.initWordPiece({ lowercase, stripAccents, chinese }, { ...special, unknown });
  functions.write(`${model.join('\0')}\0`);
  const taken = functions.vocabulary(model.length);
  if (taken < model.length) {
    throw new FileFormatError(fileName, `token ${taken}`, 'the vocabulary is larger than 16 million bytes');
  }
  functions.addTokens(added, fileName);
  const { secondType = 1 } = options;
  return {
    functions,
    tokens,
    special,
    specialsOfPair: 3,
    secondType,
    wordsBeginWithBlank: false,
    trace: (text) => functions.traceWordPiece(text),
    join: joinParts,
  };
}

/** Blanks between words; parts of words come without `##` and without a blank. */
function joinParts(tokens: readonly string[]): string {
  return tokens
    .map((token, position) => {
      if (token.startsWith('##')) return token.slice(2);
      return position === 0 ? token : ` ${token}`;
    })
    .join('');
}
