/** What the public API's types promise; compiled, never run (vitest's typecheck, and `npm run check`). */
import { describe, expectTypeOf, it } from 'vitest';
import {
  type AdapterMethod,
  type AverageOptions,
  type Backbone,
  type ClassificationMetrics,
  type ClassificationPrediction,
  type CreateTaskOptions,
  createRuntime,
  DataError,
  type DoneReport,
  type EpochReport,
  type Example,
  GraftError,
  type GroupInput,
  houlsby,
  loadBackbone,
  loadTokenizer,
  type Metrics,
  type MultiLabelMetrics,
  type MultiLabelPrediction,
  OptionError,
  type Prediction,
  type QuestionAnsweringMetrics,
  type QuestionAnsweringPrediction,
  type RegressionMetrics,
  type RegressionPrediction,
  type Runtime,
  type SourceLike,
  type StepReport,
  type Task,
  type TaskGroup,
  type TokenClassificationMetrics,
  type TokenClassificationPrediction,
  type Tokenizer,
  type TrainingOptions,
  type TrainingReport,
} from '../../src/index';
import { graftMini } from '../../src/mini';

declare const runtime: Runtime;
declare const backbone: Backbone;
declare const task: Task;
declare const report: TrainingReport;
declare const prediction: Prediction;

describe('reports', () => {
  it('are told apart by their type', () => {
    expectTypeOf<TrainingReport['type']>().toEqualTypeOf<'step' | 'epoch' | 'done'>();
    if (report.type === 'step') expectTypeOf(report).toEqualTypeOf<StepReport>();
    if (report.type === 'epoch') expectTypeOf(report).toEqualTypeOf<EpochReport>();
    if (report.type === 'done') expectTypeOf(report).toEqualTypeOf<DoneReport>();
    // @ts-expect-error: only a step has a learning rate.
    expectTypeOf(report.learningRate).toBeNumber();
  });

  it('come from an async generator that takes nothing', () => {
    expectTypeOf(task.train([])).toEqualTypeOf<AsyncGenerator<TrainingReport, void, undefined>>();
  });
});

describe('predictions and metrics', () => {
  it('are told apart by what they hold', async () => {
    const predictions = await task.predict(['text', { text: 'text', pair: 'pair' }]);
    expectTypeOf(predictions).toEqualTypeOf<Prediction[]>();
    if ('label' in prediction) {
      expectTypeOf(prediction).toEqualTypeOf<ClassificationPrediction>();
      expectTypeOf(prediction.scores).toEqualTypeOf<Readonly<Record<string, number>>>();
    } else if ('labels' in prediction) {
      expectTypeOf(prediction).toEqualTypeOf<MultiLabelPrediction>();
    } else if ('entities' in prediction) {
      expectTypeOf(prediction).toEqualTypeOf<TokenClassificationPrediction>();
    } else if ('answer' in prediction) {
      expectTypeOf(prediction).toEqualTypeOf<QuestionAnsweringPrediction>();
    } else {
      expectTypeOf(prediction).toEqualTypeOf<RegressionPrediction>();
    }
    const metrics: Metrics = await task.evaluate([]);
    if ('confusion' in metrics) expectTypeOf(metrics).toEqualTypeOf<ClassificationMetrics>();
    else if ('microF1' in metrics) expectTypeOf(metrics).toEqualTypeOf<MultiLabelMetrics>();
    else if ('byType' in metrics) expectTypeOf(metrics).toEqualTypeOf<TokenClassificationMetrics>();
    else if ('exactMatch' in metrics) expectTypeOf(metrics).toEqualTypeOf<QuestionAnsweringMetrics>();
    else expectTypeOf(metrics).toEqualTypeOf<RegressionMetrics>();
    // @ts-expect-error: a regression's predictions have no label.
    expectTypeOf(prediction.label).toBeString();
  });
});

describe('several tasks', () => {
  it('predict together: one prediction an input, or of each task one a text', async () => {
    const group = backbone.groupTasks([task]);
    expectTypeOf(group).toEqualTypeOf<TaskGroup>();
    expectTypeOf(group.tasks).toEqualTypeOf<readonly Task[]>();
    expectTypeOf(group.predict([{ task, text: 'text', pair: 'pair' }])).resolves.toEqualTypeOf<
      Prediction[]
    >();
    expectTypeOf(group.predictAll(['text'], { dropLayers: 2 })).resolves.toEqualTypeOf<Prediction[][]>();
    expectTypeOf<GroupInput['task']>().toEqualTypeOf<Task>();
    // @ts-expect-error: whose text is it?
    group.predict([{ text: 'text' }]);
    // @ts-expect-error: the frozen encoder has no adapters to leave out.
    backbone.embed(['text'], { dropLayers: 2 });
  });

  it('stand on one another, and have a mean', () => {
    const on: CreateTaskOptions = { labels: ['a', 'b'], adapter: houlsby(), on: task };
    expectTypeOf(backbone.createTask(on)).resolves.toEqualTypeOf<Task>();
    expectTypeOf(backbone.loadTask('directory', { on: task })).resolves.toEqualTypeOf<Task>();
    expectTypeOf(backbone.averageTasks([task], { weights: [1], head: task })).resolves.toEqualTypeOf<Task>();
    expectTypeOf<AverageOptions['head']>().toEqualTypeOf<Task | 'average' | undefined>();
    // @ts-expect-error: files are loaded first.
    backbone.createTask({ labels: ['a', 'b'], adapter: houlsby(), on: 'directory' });
    // @ts-expect-error: there is no such head.
    backbone.averageTasks([task], { head: 'first' });
  });
});

describe('options', () => {
  it('are exact', () => {
    // @ts-expect-error: there is no such option.
    const misspelt: TrainingOptions = { epoch: 3 };
    // @ts-expect-error: nor such a cache.
    const cache: TrainingOptions = { prefixCache: 'tape' };
    // @ts-expect-error: a number is meant.
    const text: TrainingOptions = { learningRate: '3e-4' };
    expectTypeOf([misspelt, cache, text]).toBeArray();
    expectTypeOf<TrainingOptions['prefixCache']>().toEqualTypeOf<
      'auto' | 'off' | 'disk' | { readonly memoryBytes: number } | undefined
    >();
    // @ts-expect-error: there is no such backend.
    createRuntime({ backend: 'cuda' });
    // @ts-expect-error: nor such a preference.
    createRuntime({ powerPreference: 'fast' });
    // @ts-expect-error: a method has its own options.
    houlsby({ rank: 8 });
    // @ts-expect-error: a task needs an adapter.
    backbone.createTask({ labels: ['a', 'b'] });
    // @ts-expect-error: nor is there such a kind.
    backbone.createTask({ kind: 'ranking', adapter: houlsby() });
    // @ts-expect-error: there is no such storage.
    loadBackbone('name', { runtime, weights: 'int4' });
    // @ts-expect-error: a backbone needs a runtime.
    loadBackbone('name', {});
  });

  it('may be given as undefined where they may be left out and are often passed on', () => {
    const passed: TrainingOptions = {
      dev: undefined,
      signal: undefined,
      resume: undefined,
      patience: undefined,
    };
    expectTypeOf(passed).toExtend<TrainingOptions>();
    // @ts-expect-error: others are either given or not.
    const epochs: TrainingOptions = { epochs: undefined };
    expectTypeOf(epochs).not.toBeAny();
  });

  it('cannot be changed', () => {
    const example: Example = { text: 'text', label: 'a' };
    // @ts-expect-error: read-only.
    example.label = 'b';
    expectTypeOf<Example['label']>().toEqualTypeOf<string | number | readonly string[]>();
  });
});

describe('sources', () => {
  it('are directories, addresses, hub ids, files by name, and graft-mini', () => {
    expectTypeOf<string>().toExtend<SourceLike>();
    expectTypeOf<{
      'config.json': Blob;
      'vocab.txt': Uint8Array;
      'model.safetensors': URL;
    }>().toExtend<SourceLike>();
    expectTypeOf(graftMini).toExtend<SourceLike>();
    expectTypeOf<ArrayBuffer>().not.toExtend<SourceLike>();
    expectTypeOf(loadBackbone).toBeCallableWith({ runtime });
    expectTypeOf(loadBackbone('name', { runtime })).resolves.toEqualTypeOf<Backbone>();
    expectTypeOf(loadTokenizer()).resolves.toEqualTypeOf<Tokenizer>();
  });
});

describe('what owns memory', () => {
  it('can be disposed of, by `await using` too', async () => {
    await using own = await createRuntime();
    await using frozen = await loadBackbone({ runtime: own });
    await using trained = await frozen.createTask({ labels: ['a', 'b'], adapter: houlsby() });
    expectTypeOf(own).toExtend<AsyncDisposable>();
    expectTypeOf(frozen).toExtend<AsyncDisposable>();
    expectTypeOf(trained).toExtend<AsyncDisposable>();
    expectTypeOf(trained.dispose).returns.toBeVoid();
  });
});

describe('errors and results', () => {
  it('are classes that narrow', () => {
    const error: unknown = undefined;
    if (error instanceof DataError) expectTypeOf(error.line).toEqualTypeOf<number | undefined>();
    if (error instanceof OptionError) expectTypeOf(error.option).toEqualTypeOf<string>();
    expectTypeOf<DataError>().toExtend<GraftError>();
    expectTypeOf<GraftError>().toExtend<Error>();
    expectTypeOf(new GraftError('message').hint).toEqualTypeOf<string | undefined>();
  });

  it('are files by name, and methods', () => {
    expectTypeOf(task.save()).resolves.toEqualTypeOf<Record<string, Uint8Array<ArrayBuffer>>>();
    expectTypeOf(houlsby({ bottleneck: 8 })).toEqualTypeOf<AdapterMethod>();
    expectTypeOf(task.kind).toEqualTypeOf<
      'classification' | 'multi-label' | 'regression' | 'token-classification' | 'question-answering'
    >();
  });
});
