import { DataError, OptionError } from '../../errors';
import { spanCrossEntropy } from '../../ops/span_cross_entropy';
import { spanMetrics } from '../span-metrics';
import type { QuestionExample, QuestionInput, TaskExample, TaskInput } from '../types';
import { bestAnswers, logitsOfWindow, type WindowLogits } from './answers';
import { type ContextWindow, contextWindows } from './context-windows';
import type { Head } from './head';
import { softmax } from './logits';

/**
 * A span of a context for each question: two logits a token, softmax over each window's tokens, the mean of the two cross-entropies
 * (Devlin et al. 2019, section 4.2; `BertForQuestionAnswering`). A window without the answer points at its first token. Its score
 * is SQuAD's F1; where some questions have no answer, that of SQuAD 2.0, and what leans towards none (at a threshold of 0) counts as
 * such. Throws OptionError for labels.
 */
export function questionAnsweringHead(labels: readonly string[]): Head {
  if (labels.length > 0) throw new OptionError('labels', 'a question answering task has none');
  return {
    kind: 'question-answering',
    rows: 'tokens',
    outputs: 2,
    labelType: 'u32',
    // That of Hugging Face's recipe for SQuAD, where the backbone has as many positions.
    defaultMaxLength: 384,
    loss: (tape, logits) => spanCrossEntropy(tape, logits),
    encodeExamples(examples, tokenizer, { maxLength }) {
      const questions = examples.map((example, index) => {
        const question = requireQuestion(example, index);
        const windows = contextWindows(question, tokenizer, maxLength);
        return { question, windows, spans: windows.map((window) => window.spanOf(question.answers[0])) };
      });
      return {
        examples: questions.flatMap(({ windows, spans }) =>
          windows.map(({ sequence }, i) => ({ ...sequence, labels: spans[i] ?? [0, 0], weight: 1 })),
        ),
        truncated: 0,
        evaluate(logits) {
          const all = rowsOfWindows(
            questions.map(({ windows }) => windows),
            logits,
          );
          let loss = 0;
          let counted = 0;
          const hasUnanswerable = questions.some(({ question }) => question.answers.length === 0);
          const outcomes = questions.map(({ question, spans }, i) => {
            const windows = all[i] ?? [];
            windows.forEach(({ start, end }, w) => {
              const [s = 0, e = 0] = spans[w] ?? [];
              loss -= (Math.log(softmax(start)[s] ?? 0) + Math.log(softmax(end)[e] ?? 0)) / 2;
              counted++;
            });
            const { candidates, noAnswerMargin } = bestAnswers(question.context, windows);
            const isNone = hasUnanswerable && noAnswerMargin > 0;
            return {
              predicted: isNone ? '' : (candidates[0]?.answer ?? ''),
              answers: question.answers.map(({ text }) => text),
            };
          });
          const metrics = { ...spanMetrics(outcomes), loss: loss / counted, examples: examples.length };
          return { metrics, score: metrics.f1 };
        },
      };
    },
    encodeTexts(texts, tokenizer, { maxLength }) {
      const inputs = texts.map((input, index) => {
        const question = requireInput(input, index);
        return { question, windows: contextWindows(question, tokenizer, maxLength) };
      });
      return {
        sequences: inputs.flatMap(({ windows }) => windows.map(({ sequence }) => sequence)),
        predictions(logits) {
          const all = rowsOfWindows(
            inputs.map(({ windows }) => windows),
            logits,
          );
          return inputs.map(({ question }, i) => {
            const found = bestAnswers(question.context, all[i] ?? []);
            return { ...(found.candidates[0] ?? { answer: '', start: 0, end: 0, score: 0 }), ...found };
          });
        },
      };
    },
  };
}

/** The logits of each question's windows, which lie end to end in `[T, 2]`. */
function rowsOfWindows(
  questions: readonly (readonly ContextWindow[])[],
  logits: Float32Array,
): WindowLogits[][] {
  let row = 0;
  return questions.map((windows) =>
    windows.map((window) => {
      const found = logitsOfWindow(window, logits, row);
      row += window.sequence.ids.length;
      return found;
    }),
  );
}

function requireQuestion(example: TaskExample, index: number): QuestionExample {
  const place = `example ${index + 1}`;
  if (!('question' in example)) {
    throw new DataError(
      undefined,
      undefined,
      `${place} has no question`,
      'Give context, question and answers',
    );
  }
  for (const { text, start } of example.answers) {
    if (text === '' || !example.context.startsWith(text, start) || start < 0) {
      throw new DataError(
        undefined,
        undefined,
        `${place}: the answer ${JSON.stringify(text)} is not at ${start} of its context`,
        'start counts UTF-16 code units, as JavaScript does; SQuAD counts code points',
      );
    }
  }
  return example;
}

function requireInput(input: TaskInput, index: number): QuestionInput {
  if (typeof input === 'object' && 'question' in input) return input;
  throw new DataError(
    undefined,
    undefined,
    `text ${index + 1} has no question`,
    'Give an object with question and context',
  );
}
