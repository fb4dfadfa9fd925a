/** Token classification and question answering through the public classes, on the two-layer BERT of test/golden/bert_step.py. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import { lora } from '../../src/adapters/lora';
import { DataError, OptionError } from '../../src/errors';
import { type Backbone, loadBackbone } from '../../src/training/backbone';
import { exportTask } from '../../src/training/export';
import { createRuntime, type Runtime } from '../../src/training/runtime';
import type { Task } from '../../src/training/task';
import type { QuestionExample, TaskExample, TokenExample } from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';

const words = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever', 'very', 'too'];

/** What comes after "new" is a film, of one or two words. */
const sentences = words.flatMap((a, i) =>
  words.map((b, j): TokenExample => {
    const title = (i + j) % 2 === 0 ? ['movie'] : ['movie', 'story'];
    const tags = ['B-film', 'I-film'].slice(0, title.length);
    return { tokens: [a, 'new', ...title, b], labels: ['O', 'O', ...tags, 'O'] };
  }),
);

/** The answer is the word behind "new"; the context takes more than one window. */
const questions = words.flatMap((a, i) =>
  words.map((b, j): QuestionExample => {
    const before = `${b} ${words.slice(0, (i + j) % 7).join(' ')} old`.replace('  ', ' ');
    const context = `${before} new ${a} and ${words.join(' ')}.`;
    return { question: 'never new?', context, answers: [{ text: a, start: before.length + 5 }] };
  }),
);

const LABELS = ['B-film', 'I-film', 'O'];

async function train(task: Task, examples: readonly TaskExample[], epochs = 2): Promise<number[]> {
  const curve: number[] = [];
  for await (const report of task.train(examples, { epochs, batchSize: 8, learningRate: 3e-3, seed: 3 })) {
    if (report.type === 'step') curve.push(report.loss);
  }
  return curve;
}

describe.each(['token-classification', 'question-answering'] as const)('%s', (kind) => {
  const isTokens = kind === 'token-classification';
  const examples = isTokens ? sentences : questions;
  const options = { kind, labels: isTokens ? LABELS : [], maxLength: isTokens ? 32 : 24 };

  async function losses(backend: 'webgpu' | 'wasm'): Promise<number[]> {
    const runtime = await createRuntime({ backend });
    const backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
    const task = await backbone.createTask({ ...options, adapter: houlsby({ bottleneck: 8 }), dropout: 0.1 });
    const curve = await train(task, examples.slice(0, 64));
    runtime.dispose();
    return curve;
  }

  it('WebGPU and the CPU follow the same loss curve', { timeout: 120_000 }, async () => {
    const [gpu, cpu] = [await losses('webgpu'), await losses('wasm')];
    expect(gpu.length).toBeGreaterThanOrEqual(16);
    expect(cpu.length).toBe(gpu.length);
    const errors = gpu.map((loss, i) => Math.abs(loss - (cpu[i] ?? Number.NaN)) / loss);
    // As in backends-agree.test.ts.
    expect(errors[0]).toBeLessThan(1e-5);
    expect(Math.max(...errors)).toBeLessThan(1e-3);
    expect(gpu.at(-1)).toBeLessThan(0.9 * (gpu[0] ?? 0));
  });
});

describe('on the CPU', () => {
  let runtime: Runtime;
  let backbone: Backbone;
  beforeAll(async () => {
    runtime = await createRuntime({ backend: 'wasm' });
    backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
  });
  afterAll(() => runtime.dispose());

  const tokenTask = (maxLength = 32) =>
    backbone.createTask({
      kind: 'token-classification',
      labels: LABELS,
      adapter: houlsby({ bottleneck: 8 }),
      dropout: 0,
      maxLength,
    });
  const questionTask = (maxLength = 24) =>
    backbone.createTask({
      kind: 'question-answering',
      adapter: houlsby({ bottleneck: 8 }),
      dropout: 0,
      maxLength,
    });

  it('learns entities, and finds them in words and in texts', { timeout: 120_000 }, async () => {
    const task = await tokenTask();
    await train(task, sentences, 4);
    const metrics = await task.evaluate(sentences);
    if (!('byType' in metrics)) throw new Error('other metrics');
    expect(metrics.f1).toBeGreaterThan(0.95);
    expect(metrics.byType.film?.support).toBe(100);
    expect(metrics.tokenAccuracy).toBeGreaterThan(0.95);
    const [byWords, byText] = await task.predict([
      { tokens: ['love', 'new', 'movie', 'story', 'see'] },
      'Love  new movie story, see',
    ]);
    if (byWords === undefined || !('entities' in byWords)) throw new Error('another prediction');
    if (byText === undefined || !('entities' in byText)) throw new Error('another prediction');
    expect(byWords.entities).toMatchObject([{ type: 'film', text: 'movie story', start: 2, end: 4 }]);
    expect(byText.entities).toMatchObject([{ type: 'film', text: 'movie story', start: 10, end: 21 }]);
    expect(byText.tokens.map(({ text }) => text)).toEqual(['Love', 'new', 'movie', 'story', ',', 'see']);
    expect(byWords.entities[0]?.score).toBeGreaterThan(0.5);
    // Of words that take several sequences, every one has a label.
    const long = { tokens: Array.from({ length: 40 }, (_, i) => words[i % 10] ?? '') };
    const [prediction] = await task.predict([long]);
    if (prediction === undefined || !('tokens' in prediction)) throw new Error('another prediction');
    expect(prediction.tokens.length).toBe(40);
    expect(prediction.tokens.every(({ score }) => score > 0.3)).toBe(true);
    task.dispose();
  });

  it('learns that there is no answer', { timeout: 120_000 }, async () => {
    const task = await questionTask(48);
    const some = questions.filter((_, i) => i % 2 === 0);
    const without = some.map((question) => ({
      ...question,
      context: question.context.replace(' new ', ' old '),
      answers: [],
    }));
    await train(task, [...some, ...without], 30);
    const metrics = await task.evaluate([...some, ...without]);
    if (!('withAnswer' in metrics)) throw new Error('other metrics');
    const { withAnswer, withoutAnswer } = metrics;
    expect([withAnswer?.examples, withoutAnswer?.examples]).toEqual([some.length, some.length]);
    expect(withAnswer?.exactMatch).toBeGreaterThan(0.8);
    expect(withoutAnswer?.exactMatch).toBeGreaterThan(0.8);
    expect(metrics.exactMatch).toBeCloseTo(
      ((withAnswer?.exactMatch ?? 0) + (withoutAnswer?.exactMatch ?? 0)) / 2,
      12,
    );
    const [one, none] = await task.predict([some[0] ?? '', without[0] ?? '']);
    if (!(one && none && 'noAnswerMargin' in one && 'noAnswerMargin' in none)) throw new Error('others');
    expect(one.noAnswerMargin).toBeLessThan(0);
    expect(none.noAnswerMargin).toBeGreaterThan(0);
    task.dispose();
  });

  it('learns answers, and cuts them from contexts of several windows', { timeout: 120_000 }, async () => {
    const task = await questionTask();
    await train(task, questions, 4);
    const metrics = await task.evaluate(questions);
    if (!('exactMatch' in metrics && 'f1' in metrics)) throw new Error('other metrics');
    expect(metrics.exactMatch).toBeGreaterThan(0.8);
    expect(metrics.f1).toBeGreaterThanOrEqual(metrics.exactMatch);
    // Another blank before the answer, and capitals: offsets are those of this text.
    const sample = questions[23];
    const [answer] = sample?.answers ?? [];
    if (sample === undefined || answer === undefined) throw new Error('there is no such question');
    const [before, after] = [sample.context.slice(0, answer.start), sample.context.slice(answer.start)];
    const context = `${before} ${after.replace(answer.text, answer.text.toUpperCase())}`;
    const [prediction] = await task.predict([{ question: 'Never new?', context }]);
    if (prediction === undefined || !('candidates' in prediction)) throw new Error('another prediction');
    expect(prediction.answer).toBe(answer.text.toUpperCase());
    expect(prediction.start).toBe(answer.start + 1);
    expect(prediction.candidates.length).toBe(20);
    expect(prediction.candidates[0]?.score).toBe(prediction.score);
    const sum = prediction.candidates.reduce((total, { score }) => total + score, 0);
    expect(sum).toBeCloseTo(1, 6);
    for (const candidate of prediction.candidates) {
      expect(context.slice(candidate.start, candidate.end)).toBe(candidate.answer);
    }
    task.dispose();
  });

  it('saves and loads both kinds, in the layouts that have them', async () => {
    for (const task of [await tokenTask(16), await questionTask(24)]) {
      const inputs =
        task.kind === 'token-classification'
          ? [{ tokens: ['love', 'new', 'movie'] }]
          : [{ question: 'never?', context: 'love new movie' }];
      const wanted = await task.predict(inputs);
      for (const format of ['adapterhub', 'graft'] as const) {
        const files = await task.save({ format });
        const again = await backbone.loadTask(files);
        expect([again.kind, again.labels]).toEqual([task.kind, task.labels]);
        expect(await again.predict(inputs)).toEqual(wanted);
        again.dispose();
        const other = await exportTask(files, { format: 'graft' });
        expect(Object.keys(other).sort()).toEqual(['adapter.safetensors', 'adapter_config.json']);
      }
      const { 'head_config.json': config } = await task.save();
      const { config: head } = JSON.parse(new TextDecoder().decode(config));
      // The keys that TaggingHead and QuestionAnsweringHead of adapters 1.2.0 take.
      expect(Object.keys(head).sort()).toEqual([
        'activation_function',
        'dropout_prob',
        'head_type',
        'label2id',
        'layers',
        'num_labels',
      ]);
      task.dispose();
    }
  });

  it('refuses formats that have no such head', async () => {
    for (const [kind, labels] of [
      ['token-classification', LABELS],
      ['question-answering', []],
    ] as const) {
      const task = await backbone.createTask({ kind, labels, adapter: lora({ rank: 2 }) });
      await expect(task.save({ format: 'peft' })).rejects.toThrow(OptionError);
      const files = await task.save();
      const merged = { format: 'merged', backbone: goldenPath('bert', 'checkpoint') } as const;
      await expect(exportTask(files, merged)).rejects.toThrow('is no classifier of texts');
      task.dispose();
    }
  });

  it('refuses labels and examples that are none', async () => {
    const adapter = houlsby({ bottleneck: 8 });
    const create = (kind: 'token-classification' | 'question-answering', labels: string[]) =>
      backbone.createTask({ kind, labels, adapter });
    await expect(create('token-classification', ['O'])).rejects.toThrow(OptionError);
    await expect(create('token-classification', ['O', 'O'])).rejects.toThrow('"O" is there twice');
    await expect(create('question-answering', ['a'])).rejects.toThrow(OptionError);

    const tokens = await tokenTask();
    const refuse = async (task: Task, example: TaskExample, message: string) => {
      await expect(task.evaluate([example])).rejects.toThrow(DataError);
      await expect(task.evaluate([example])).rejects.toThrow(message);
    };
    await refuse(tokens, { text: 'a', label: 'O' }, 'example 1 has no tokens');
    await refuse(tokens, { tokens: ['a', 'b'], labels: ['O'] }, '2 tokens and 1 labels');
    await refuse(tokens, { tokens: [], labels: [] }, '0 tokens');
    await refuse(tokens, { tokens: ['a'], labels: ['B-x'] }, 'example 1, token 1: its label "B-x"');
    await expect(tokens.predict([{ question: 'a', context: 'b' }])).rejects.toThrow('text 1 is neither');

    const answers = await questionTask();
    await refuse(answers, { tokens: ['a'], labels: ['O'] }, 'example 1 has no question');
    const wrong = { question: 'a', context: 'b c', answers: [{ text: 'c', start: 1 }] };
    await refuse(answers, wrong, 'the answer "c" is not at 1 of its context');
    await expect(answers.predict(['a'])).rejects.toThrow('text 1 has no question');

    const labelled = await backbone.createTask({ labels: ['a', 'b'], adapter });
    await refuse(labelled, { tokens: ['a'], labels: ['a'] }, 'example 1 has no label');
    await expect(labelled.predict([{ tokens: ['a'] }])).rejects.toThrow('text 1 is no text');
    for (const task of [tokens, answers, labelled]) task.dispose();
  });

  it('has 384 tokens for questions where the backbone has as many positions', async () => {
    const task = await backbone.createTask({
      kind: 'question-answering',
      adapter: houlsby({ bottleneck: 8 }),
    });
    const { 'adapter_config.json': config } = await task.save();
    expect(JSON.parse(new TextDecoder().decode(config)).graft.settings.maxLength).toBe(128);
    task.dispose();
  });
});
