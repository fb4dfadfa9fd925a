import { DataError, OptionError } from '../../errors';
import { crossEntropy, IGNORED_LABEL } from '../../ops/cross_entropy';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import { entityMetrics } from '../entity-metrics';
import type { TaskExample, TaskInput, TokenClassificationPrediction, TokenExample } from '../types';
import { weighClasses } from './class-weights';
import { entitiesOf, type LabelledWord } from './entities';
import type { Head } from './head';
import { listLabels, requireDistinct } from './labels';
import { argmax, softmax } from './logits';
import { encodeWords, splitWords, type TextWord, type WordSequence } from './words';

/** What is said of a word that has no tokens. */
const OUTSIDE = 'O';

/**
 * One of several labels for each word: softmax over the logits of its first token; its other tokens are ignored (Devlin et al. 2019,
 * section 5.3). The loss is the mean over the labelled words of a batch, as `BertForTokenClassification` has it. Its score is the F1 of
 * entities. Throws OptionError.
 */
export function tokenClassificationHead(labels: readonly string[]): Head {
  if (labels.length < 2) {
    throw new OptionError('labels', 'a token classification task needs at least two labels, each another');
  }
  requireDistinct(labels);
  const numbers = new Map(labels.map((label, index) => [label, index]));
  const numberOf = (label: string, place: string): number => {
    const number = numbers.get(label);
    if (number !== undefined) return number;
    const problem = `its label ${JSON.stringify(label)} is not one of the task's labels (${listLabels(labels)})`;
    throw new DataError(undefined, undefined, `${place}: ${problem}`);
  };
  const outputs = labels.length;
  return {
    kind: 'token-classification',
    rows: 'tokens',
    outputs,
    labelType: 'u32',
    loss: crossEntropy,
    weigh: (choice, examples) => weighClasses(choice, labels, examples),
    encodeExamples(examples, tokenizer, { maxLength }) {
      const sentences = examples.map((example, index) => {
        const { tokens, labels: given } = requireTokens(example, index);
        return {
          given,
          numbers: given.map((label, word) => numberOf(label, `example ${index + 1}, token ${word + 1}`)),
          words: encodeWords(tokens, tokenizer, maxLength),
        };
      });
      return {
        examples: sentences.flatMap(({ numbers, words }) =>
          words.map(({ sequence, words }) => {
            const rows = new Uint32Array(sequence.ids.length).fill(IGNORED_LABEL);
            for (const { word, token } of words) rows[token] = numbers[word] ?? IGNORED_LABEL;
            return { ...sequence, labels: rows, weight: words.length };
          }),
        ),
        truncated: 0,
        evaluate(logits) {
          let row = 0;
          let loss = 0;
          let counted = 0;
          const predicted = sentences.map(({ given, numbers, words }) => {
            const found = labelsOf(logits, row, words, given.length, labels, (word, probabilities) => {
              loss -= Math.log(probabilities[numbers[word] ?? 0] ?? Number.NaN);
              counted++;
            });
            row += tokensOf(words);
            return found.map(({ label }) => label);
          });
          const actual = sentences.map(({ given }) => given);
          const { accuracy, ...scores } = entityMetrics({ actual, predicted });
          const metrics = {
            ...scores,
            tokenAccuracy: accuracy,
            loss: loss / counted,
            examples: examples.length,
          };
          return { metrics, score: metrics.f1 };
        },
      };
    },
    encodeTexts(texts, tokenizer, { maxLength }) {
      const inputs = texts.map((input, index) => inputWords(input, index, tokenizer, maxLength));
      return {
        sequences: inputs.flatMap(({ sequences }) => sequences.map(({ sequence }) => sequence)),
        predictions(logits) {
          let row = 0;
          return inputs.map(({ text, words, sequences }) => {
            const found = labelsOf(logits, row, sequences, words.length, labels);
            row += tokensOf(sequences);
            return predictionOf(text, words, found);
          });
        },
      };
    },
  };
}

function requireTokens(example: TaskExample, index: number): TokenExample {
  const place = `example ${index + 1}`;
  if (!('tokens' in example)) {
    throw new DataError(
      undefined,
      undefined,
      `${place} has no tokens`,
      'Give a list of words and as many labels',
    );
  }
  const { tokens, labels } = example;
  if (tokens.length === 0 || tokens.length !== labels.length) {
    throw new DataError(
      undefined,
      undefined,
      `${place}: ${tokens.length} tokens and ${labels.length} labels`,
      'Every token needs a label',
    );
  }
  return example;
}

interface InputWords {
  /** The text that was given; undefined where words were. */
  readonly text: string | undefined;
  readonly words: readonly TextWord[];
  readonly sequences: readonly WordSequence[];
}

function inputWords(input: TaskInput, index: number, tokenizer: Tokenizer, maxLength: number): InputWords {
  if (typeof input === 'object' && 'tokens' in input) {
    const words = input.tokens.map((text, start) => ({ text, start }));
    return { text: undefined, words, sequences: encodeWords(input.tokens, tokenizer, maxLength) };
  }
  const text = typeof input === 'string' ? input : 'text' in input ? input.text : undefined;
  if (text === undefined) {
    throw new DataError(undefined, undefined, `text ${index + 1} is neither a text nor a list of tokens`);
  }
  const words = splitWords(text);
  const sequences = encodeWords(
    words.map((word) => word.text),
    tokenizer,
    maxLength,
  );
  return { text, words, sequences };
}

/** A label for each of `count` words, from the rows of their sequences from `row` on. */
function labelsOf(
  logits: Float32Array,
  row: number,
  sequences: readonly WordSequence[],
  count: number,
  labels: readonly string[],
  visit?: (word: number, probabilities: Float64Array) => void,
): LabelledWord[] {
  const found: LabelledWord[] = Array.from({ length: count }, () => ({ label: OUTSIDE, score: 0 }));
  let first = row;
  for (const { sequence, words } of sequences) {
    for (const { word, token } of words) {
      const from = (first + token) * labels.length;
      const values = logits.subarray(from, from + labels.length);
      const probabilities = softmax(values);
      const best = argmax(values);
      found[word] = { label: labels[best] ?? OUTSIDE, score: probabilities[best] ?? Number.NaN };
      visit?.(word, probabilities);
    }
    first += sequence.ids.length;
  }
  return found;
}

function tokensOf(sequences: readonly WordSequence[]): number {
  return sequences.reduce((sum, { sequence }) => sum + sequence.ids.length, 0);
}

function predictionOf(
  text: string | undefined,
  words: readonly TextWord[],
  found: readonly LabelledWord[],
): TokenClassificationPrediction {
  const entities = entitiesOf(found).map(({ type, start, end, score }) => {
    if (text === undefined) {
      const inside = words.slice(start, end).map((word) => word.text);
      return { type, text: inside.join(' '), start, end, score };
    }
    const last = words[end - 1];
    const [from, to] = [words[start]?.start ?? 0, (last?.start ?? 0) + (last?.text.length ?? 0)];
    return { type, text: text.slice(from, to), start: from, end: to, score };
  });
  return {
    entities,
    tokens: words.map(({ text: word }, i) => ({
      text: word,
      label: found[i]?.label ?? OUTSIDE,
      score: found[i]?.score ?? 0,
    })),
  };
}
