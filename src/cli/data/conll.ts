import { DataError } from '../../index';
import type { TokenExample } from './structured-examples';

/** Begins a document in CoNLL 2003's files; neither a token nor a sentence. */
const DOCUMENT = '-DOCSTART-';

/**
 * CoNLL columns: a token a line, the token in the first column and its tag in the last one, a blank line after each sentence.
 * Columns are separated by tabs, in a line without one by spaces. Lines of `-DOCSTART-` are skipped.
 * @throws DataError with the line that has no tag or no token
 */
export function parseConll(text: string, file: string): TokenExample[] {
  const sentences: TokenExample[] = [];
  let tokens: string[] = [];
  let labels: string[] = [];
  let first = 1;
  const finish = () => {
    if (tokens.length > 0) sentences.push({ line: first, id: undefined, tokens, labels });
    tokens = [];
    labels = [];
  };
  for (const [index, content] of text.split('\n').entries()) {
    if (content.trim() === '') {
      finish();
      continue;
    }
    // Other white space belongs to a token: U+00A0 stands in tweets, and U+0085 in what was decoded wrongly.
    const columns = content.includes('\t')
      ? content.split('\t').map((column) => column.replace(/^[ \r]+|[ \r]+$/g, ''))
      : content.split(/[ \r]+/).filter((column) => column !== '');
    const [token = '', ...others] = columns;
    if (token === DOCUMENT) continue;
    const label = others.at(-1) ?? '';
    if (token === '' || label === '') {
      throw new DataError(
        file,
        index + 1,
        token === '' ? 'has no token in its first column' : 'has no tag in its last column',
        'Every line holds a token and its tag, separated by a tab or spaces; a blank line ends a sentence',
      );
    }
    if (tokens.length === 0) first = index + 1;
    tokens.push(token);
    labels.push(label);
  }
  finish();
  return sentences;
}
