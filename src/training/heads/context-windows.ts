import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { TracedEncoding } from '../../tokenizer/trace';
import type { EncodedExample } from '../batches';
import type { Answer, QuestionInput } from '../types';

/** Tokens of a question that are read, as in the BERT authors' run_squad.py; in short windows at most half of the room. */
const LONGEST_QUESTION = 64;

/** A question with as much of its context as a sequence holds. */
export interface ContextWindow {
  readonly sequence: EncodedExample;
  readonly encoding: TracedEncoding;
  /** The context's tokens: [from, to). */
  readonly from: number;
  readonly to: number;
  /** First and last token of an answer; 0 and 0, the first token, where it is not (wholly) in the window. */
  spanOf(answer: Answer | undefined): readonly [number, number];
}

/**
 * The windows of a question and its context: `[CLS] question [SEP] context [SEP]`. Each shares a third of the maximum length with the
 * one before it: 128 of 384 tokens, as in Hugging Face's recipe for SQuAD.
 */
export function contextWindows(
  { question, context }: QuestionInput,
  tokenizer: Tokenizer,
  maxLength: number,
): ContextWindow[] {
  const maxFirst = Math.max(0, Math.min(LONGEST_QUESTION, Math.floor(maxLength / 2) - 2));
  // Of the shortest windows less, so that each has a token of its own beside question, at most four special ones and stride.
  const stride = Math.max(0, Math.min(Math.floor(maxLength / 3), maxLength - 5 - maxFirst));
  return tokenizer.traceWindows(question, context, { maxLength, stride, maxFirst }).map(windowOf);
}

function windowOf(encoding: TracedEncoding): ContextWindow {
  const { ids, typeIds, texts, starts, ends } = encoding;
  const first = texts.indexOf(1);
  const [from, to] = first < 0 ? [0, 0] : [first, texts.lastIndexOf(1) + 1];
  return {
    sequence: { ids, typeIds, labels: [], weight: 0 },
    encoding,
    from,
    to,
    // As prepare_train_features of Hugging Face's run_qa.py, for tokens in the order of the text.
    spanOf(answer) {
      if (answer === undefined || from === to) return [0, 0];
      const end = answer.start + answer.text.length;
      if ((starts[from] ?? 0) > answer.start || (ends[to - 1] ?? 0) < end) return [0, 0];
      let start = from;
      while (start + 1 < to && (starts[start + 1] ?? 0) <= answer.start) start++;
      let last = to - 1;
      while (last > from && (ends[last - 1] ?? 0) >= end) last--;
      return [start, last];
    },
  };
}
