import { DataError } from '../errors';

/** How well answers were found, in [0, 1] (SQuAD's script has percent). */
export interface SpanScores {
  /** Share of the answers that equal one of the right ones. */
  readonly exactMatch: number;
  /** Mean of each answer's F1 of words, towards the right answer that it is nearest to. */
  readonly f1: number;
}

/** The same of a part of the questions. */
export interface SpanPartScores extends SpanScores {
  /** How many questions there were. */
  readonly examples: number;
}

/** Of all questions, and of its two parts where some have no answer. */
export interface SpanMetrics extends SpanScores {
  /** Of the questions that have an answer, where others have none. */
  readonly withAnswer?: SpanPartScores;
  /** Of the questions that have none, where there are such. */
  readonly withoutAnswer?: SpanPartScores;
}

/** What was answered to a question, and what would have been right. */
export interface SpanOutcome {
  /** The predicted answer's text; empty: that there is none. */
  readonly predicted: string;
  /** The texts of the right answers; empty where the context has none. */
  readonly answers: readonly string[];
}

/**
 * Exact match and F1 as SQuAD's `evaluate-v1.1.py` (Rajpurkar et al. 2016, arXiv 1606.05250) counts them: answers are compared
 * in lower case, without ASCII punctuation and English articles; an answer without a word has an F1 of 0. Where a question has no
 * answer, as SQuAD's `evaluate-v2.0.py` (Rajpurkar et al. 2018, arXiv 1806.03822) does: right answers without a word are left
 * out, and what has no word says that there is none, which is right or wrong as a whole.
 * @throws DataError for no questions
 */
export function spanMetrics(outcomes: readonly SpanOutcome[]): SpanMetrics {
  if (outcomes.length === 0) throw new DataError(undefined, undefined, 'there are no examples to score');
  const withAnswer = outcomes.filter(({ answers }) => answers.length > 0);
  const withoutAnswer = outcomes.filter(({ answers }) => answers.length === 0);
  if (withoutAnswer.length === 0) return meanOf(outcomes, scoresOf);
  const part = (some: readonly SpanOutcome[]) => ({ ...meanOf(some, scoresWithNone), examples: some.length });
  return {
    ...meanOf(outcomes, scoresWithNone),
    ...(withAnswer.length === 0 ? {} : { withAnswer: part(withAnswer) }),
    withoutAnswer: part(withoutAnswer),
  };
}

function meanOf(outcomes: readonly SpanOutcome[], score: (outcome: SpanOutcome) => SpanScores): SpanScores {
  let [exactMatch, f1] = [0, 0];
  for (const outcome of outcomes) {
    const scores = score(outcome);
    exactMatch += scores.exactMatch;
    f1 += scores.f1;
  }
  return { exactMatch: exactMatch / outcomes.length, f1: f1 / outcomes.length };
}

/** v1.1's. */
function scoresOf({ predicted, answers }: SpanOutcome): SpanScores {
  const words = answerWords(predicted);
  const right = answers.map(answerWords);
  return {
    exactMatch: right.some((answer) => answer.join(' ') === words.join(' ')) ? 1 : 0,
    f1: Math.max(...right.map((answer) => wordF1(words, answer))),
  };
}

/** v2.0's. */
function scoresWithNone({ predicted, answers }: SpanOutcome): SpanScores {
  const right = answers.filter((answer) => answerWords(answer).length > 0);
  if (right.length > 0) return scoresOf({ predicted, answers: right });
  const score = answerWords(predicted).length === 0 ? 1 : 0;
  return { exactMatch: score, f1: score };
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
