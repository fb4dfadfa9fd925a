import type { AnswerCandidate } from '../types';
import type { ContextWindow } from './context-windows';
import { softmax } from './logits';

/** The most tokens of an answer, and how many starts and ends of a window are tried: `max_answer_length` and `n_best_size` of run_qa.py. */
const LONGEST_ANSWER = 30;
const BEST = 20;

/** A window, and for each of its tokens how much speaks for a start and for an end there. */
export interface WindowLogits {
  readonly window: ContextWindow;
  readonly start: Float32Array;
  readonly end: Float32Array;
}

/** Those of the window whose rows of `[T, 2]` begin at `row`. */
export function logitsOfWindow(window: ContextWindow, logits: Float32Array, row: number): WindowLogits {
  const { length } = window.sequence.ids;
  const column = (c: number) =>
    Float32Array.from({ length }, (_, token) => logits[(row + token) * 2 + c] ?? Number.NaN);
  return { window, start: column(0), end: column(1) };
}

export interface BestAnswers {
  readonly candidates: AnswerCandidate[];
  /** Infinite where there is no candidate. */
  readonly noAnswerMargin: number;
}

/**
 * The best answers over all windows, the best first, at most 20: pairs of a start and an end among a window's 20 largest logits, both in
 * the context, the end not before the start, at most 30 tokens; ranked by the sum of the two logits, scored by its softmax over
 * those that remain (`postprocess_qa_predictions` of Hugging Face's run_qa.py). An answer is the context's own text. For there being none
 * speaks what the first token has as a start and an end, in the window where that is least.
 */
export function bestAnswers(context: string, windows: readonly WindowLogits[]): BestAnswers {
  const found: { start: number; end: number; logit: number }[] = [];
  for (const { window, start, end } of windows) {
    const { encoding, from, to } = window;
    const ends = largest(end);
    for (const first of largest(start)) {
      for (const last of ends) {
        if (first < from || last >= to || last < first || last - first >= LONGEST_ANSWER) continue;
        const logit = (start[first] ?? 0) + (end[last] ?? 0);
        found.push({ start: encoding.starts[first] ?? 0, end: encoding.ends[last] ?? 0, logit });
      }
    }
  }
  const best = found.sort((a, b) => b.logit - a.logit).slice(0, BEST);
  const scores = softmax(best.map(({ logit }) => logit));
  const none = Math.min(...windows.map(({ start, end }) => (start[0] ?? 0) + (end[0] ?? 0)));
  return {
    candidates: best.map(({ start, end }, i) => ({
      answer: context.slice(start, end),
      start,
      end,
      score: scores[i] ?? Number.NaN,
    })),
    noAnswerMargin: none - (best[0]?.logit ?? Number.NEGATIVE_INFINITY),
  };
}

/** Where the largest values are, the largest first. */
function largest(values: Float32Array): number[] {
  return Array.from(values.keys())
    .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0))
    .slice(0, BEST);
}
