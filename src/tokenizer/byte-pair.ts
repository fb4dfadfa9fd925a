import { FileFormatError } from '../errors';
import { show } from '../formats/json';
import { instantiate } from '../wasm/module';
import { BYTE_CHARACTERS, textOfTokens } from './byte-alphabet';
import { traceBytePair } from './byte-pair-trace';
import { NO_MAXIMUM, TokenizerFunctions } from './functions';
import type { TokenizerModel } from './model';
import type { BytePairOptions } from './options';
import { checkVocabulary, ROBERTA_TOKEN_NAMES, specialTokensOf, withAddedTokens } from './vocabulary';

/** What a slot of the module's table of merges has bits for. */
const MOST_TOKENS = 1 << 22;
const MOST_MERGES = (1 << 20) - 1;

/**
 * RoBERTa's tokenizer: ByteLevel and BPE of Hugging Face's `tokenizers`.
 * @throws FileFormatError where a byte or a part of a merge is no token, a merge occurs twice, or there are too many
 */
export async function loadBytePair(options: BytePairOptions): Promise<TokenizerModel> {
  const { vocabulary, fileName, specialTokens: names = ROBERTA_TOKEN_NAMES } = options;
  const tokens = withAddedTokens(vocabulary, options.addedTokens ?? [], fileName);
  const special = checkVocabulary(tokens, names, fileName);
  // A mask in a text takes the blank before it along: what transformers gives RoBERTa where no file says anything.
  const added =
    options.addedTokens ??
    specialTokensOf(special, tokens).map((token) => ({ ...token, leftBlanks: token.id === special.mask }));
  const table = mergeTable(options);
  const functions = new TokenizerFunctions(await instantiate());
  const { addPrefixSpace = false } = options;
  functions.initBytePair(table, addPrefixSpace, special.cls, special.sep);
  functions.addTokens(added, fileName);
  return {
    functions,
    tokens,
    special,
    specialsOfPair: 4,
    secondType: 0,
    wordsBeginWithBlank: true,
    trace(text) {
      const { ids } = functions.encode([text], false, NO_MAXIMUM, 0);
      return traceBytePair(text, ids.slice(1, -1), { tokens, added, addPrefixSpace });
    },
    join: textOfTokens,
  };
}

/** `[256 + 3 · merges]`: the tokens of the bytes, then each merge's left, right and resulting id. */
function mergeTable({
  vocabulary,
  merges,
  fileName,
  mergesFileName = fileName,
}: BytePairOptions): Uint32Array {
  if (vocabulary.length > MOST_TOKENS) {
    throw new FileFormatError(fileName, undefined, `it has more than ${MOST_TOKENS} tokens`);
  }
  if (merges.length > MOST_MERGES) {
    throw new FileFormatError(mergesFileName, undefined, `it has more than ${MOST_MERGES} merges`);
  }
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const table = new Uint32Array(256 + 3 * merges.length);
  BYTE_CHARACTERS.forEach((character, byte) => {
    const id = ids.get(character);
    if (id === undefined) {
      throw new FileFormatError(
        fileName,
        undefined,
        `the byte ${byte} has no token ${show(character)}`,
        'A byte-level BPE has one for each byte: is this a vocabulary of another kind?',
      );
    }
    table[byte] = id;
  });
  const seen = new Set<number>();
  merges.forEach(([left, right], rank) => {
    const place = `merge ${rank + 1} (${show(`${left} ${right}`)})`;
    [left, right, left + right].forEach((token, part) => {
      const id = ids.get(token);
      if (id === undefined) {
        throw new FileFormatError(mergesFileName, place, `the vocabulary has no token ${show(token)}`);
      }
      table[256 + 3 * rank + part] = id;
    });
    const pair = (ids.get(left) ?? 0) * MOST_TOKENS + (ids.get(right) ?? 0);
    if (seen.has(pair)) throw new FileFormatError(mergesFileName, place, 'it is there twice');
    seen.add(pair);
  });
  return table;
}
