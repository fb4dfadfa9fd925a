import { DataError } from '../errors';

/** How well answers were found, in [0, 1] (SQuAD's script has percent). */
export interface SpanMetrics {
  /** Share of the answers that equal one of the right ones. */
  readonly exactMatch: number;
  /** Mean of each answer's F1 of words, towards the right answer that it is nearest to. */
  readonly f1: number;
}

/** What was answered to a question, and what would have been right. */
export interface SpanOutcome {
  /** The predicted answer's text. */
  readonly predicted: string;
  /** The texts of the right answers. */
  readonly answers: readonly string[];
}

/**
 * Exact match and F1 as SQuAD's `evaluate-v1.1.py` (Rajpurkar et al. 2016, arXiv 1606.05250) counts them: answers are compared
 * in lower case, without ASCII punctuation and English articles; an answer without a word has an F1 of 0.
 * @throws DataError for no questions, and for a question without right answers
 */
export function spanMetrics(outcomes: readonly SpanOutcome[]): SpanMetrics {
  if (outcomes.length === 0) throw new DataError(undefined, undefined, 'there are no examples to score');
  let exact = 0;
  let f1 = 0;
  for (const [index, { predicted, answers }] of outcomes.entries()) {
    if (answers.length === 0) {
      throw new DataError(undefined, undefined, `question ${index + 1} has no right answer to compare with`);
    }
    const words = answerWords(predicted);
    const right = answers.map(answerWords);
    if (right.some((answer) => answer.join(' ') === words.join(' '))) exact++;
    f1 += Math.max(...right.map((answer) => wordF1(words, answer)));
  }
  return { exactMatch: exact / outcomes.length, f1: f1 / outcomes.length };
}

const PUNCTUATION = /[!-/:-@[-`{-~]/g;
/** JavaScript's \b knows ASCII alone; Python's words are made of letters and numbers of any script. */
const ARTICLE = /(?<![\p{L}\p{N}])(?:a|an|the)(?![\p{L}\p{N}])/gu;
/** Where Python's `split` parts: U+001C to U+001F are white space to it, too. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are meant.
const SPACE = /[\p{White_Space}\x1c-\x1f]+/u;

/** The words that are compared. Punctuation goes first, so that "u.s." is one word and "a-b" is "ab". */
function answerWords(answer: string): string[] {
  const text = answer.toLowerCase().replaceAll(PUNCTUATION, '').replaceAll(ARTICLE, ' ');
  return text.split(SPACE).filter((word) => word !== '');
}

/** Harmonic mean of precision and recall of the words, each counted as often as it stands there. */
function wordF1(predicted: readonly string[], answer: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of answer) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of predicted) {
    const count = left.get(word) ?? 0;
    if (count > 0) common++;
    left.set(word, count - 1);
  }
  return common === 0 ? 0 : (2 * common) / (predicted.length + answer.length);
}
