import { join } from 'node:path';
import {
  type AdapterMethod,
  type ClassWeights,
  DivergedError,
  type DoneReport,
  loadBackbone,
  type PrefixCacheReport,
  type Runtime,
  type Task,
  type TaskExample,
  type TrainingOptions,
  writeFilesAtomic,
} from '../index';
import { readClassWeights } from './class-weights';
import { isHubData } from './data/hub';
import { readTaskExamples, taskLabels } from './data/task-examples';
import { checkHubOptions } from './hub-options';
import { Interrupted, interruptible } from './interrupt';
import { describeMethod, methodOf } from './method';
import { describeLayers, type TrainOptions } from './options';
import { createProgress, type Progress } from './progress';
import { renderReport } from './report';
import { withRuntime } from './runtime';
import { duration, grouped, megabytes, metricFigures, printable, printJson, table } from './terminal';
import { readTrainingLog, TrainingLog } from './training-log';
import { digestOf, type RunSettings, UnfinishedRun } from './unfinished-run';

interface TrainingData {
  readonly examples: readonly TaskExample[];
  readonly dev: readonly TaskExample[] | undefined;
  /** Empty for a regression and for question answering. */
  readonly labels: string[];
  readonly classWeights: ClassWeights | undefined;
}

/** `graft train`. Everything that can be wrong with the options and the data is found before the device is asked for. */
export async function train(options: TrainOptions): Promise<void> {
  const method = methodOf(options);
  checkHubOptions({ '--split': options.split }, options.train);
  checkHubOptions({ '--dev-split': options.devSplit }, options.dev);
  checkHubOptions({ '--config': options.config }, isHubData(options.train) ? options.train : options.dev);
  const data = await interruptible((signal) => readData(options, signal));
  const run = await UnfinishedRun.open(options.out, settingsOf(options, method, data), options.resume);
  await interruptible((signal) =>
    withRuntime(options, (runtime) => trainOn(runtime, options, method, data, run, signal)),
  );
}

async function readData(options: TrainOptions, signal: AbortSignal): Promise<TrainingData> {
  const progress = createProgress({ quiet: options.json });
  const { config, split = 'train', devSplit = 'validation', task: kind } = options;
  const hub = { config, onProgress: progress.download, signal };
  try {
    const { examples, classNames } = await readTaskExamples(options.train, kind, options, { ...hub, split });
    const labels = taskLabels(examples, options.train, { kind, classNames });
    const knownLabels = labels.length === 0 ? undefined : labels;
    const dev =
      options.dev &&
      (await readTaskExamples(
        options.dev,
        kind,
        { ...options, limit: undefined, knownLabels },
        { ...hub, split: devSplit },
      ));
    signal.throwIfAborted();
    const classWeights = await readClassWeights(options);
    return { examples, dev: dev ? dev.examples : undefined, labels, classWeights };
  } catch (error) {
    if (signal.aborted) throw new Interrupted('stopped while the data was read; what was downloaded is kept');
    throw error;
  } finally {
    progress.stop();
  }
}

/**
 * What a resumed run must share with the run that it goes on with. The columns and --limit are in the data's digests;
 * --prefix-cache and --recompute may differ: they change no bit, and a run that lacked memory should be able to go on.
 */
function settingsOf(options: TrainOptions, method: AdapterMethod, data: TrainingData): RunSettings {
  return {
    '--backbone': options.backbone,
    '--weights': options.weights,
    '--task': options.task,
    '--adapter': describeMethod(method),
    '--adapter-layers': options.adapterLayers === undefined ? null : describeLayers(options.adapterLayers),
    '--layer-norm': options.layerNorm ?? null,
    '--epochs': options.epochs,
    '--batch-size': options.batchSize,
    '--learning-rate': options.learningRate,
    '--warmup': options.warmup,
    '--weight-decay': options.weightDecay,
    '--clip': options.clip,
    '--bias-correction': options.biasCorrection,
    '--dropout': options.dropout,
    '--max-length': maxLengthOf(options) ?? null,
    '--token-budget': options.tokenBudget,
    '--patience': options.patience ?? null,
    '--seed': options.seed,
    ...(data.classWeights === undefined ? {} : { '--class-weights': JSON.stringify(data.classWeights) }),
    '--train': digestOf(data.examples),
    '--dev': data.dev === undefined ? null : digestOf(data.dev),
  };
}

async function trainOn(
  runtime: Runtime,
  options: TrainOptions,
  method: AdapterMethod,
  data: TrainingData,
  run: UnfinishedRun,
  signal: AbortSignal,
): Promise<void> {
  const progress = createProgress({ quiet: options.json });
  let saved = run.state !== undefined;
  let step = 0;
  try {
    const task = await createTask(runtime, options, method, data, progress, signal);
    introduce(progress, runtime, options, data, run);
    await run.begin();
    const done = await consume(task, options, data, progress, {
      resume: run.state,
      signal,
      onCheckpoint: async (state) => {
        await run.save(state);
        saved = true;
      },
      onStep: (number) => {
        step = number;
      },
    });
    await writeResults(task, options, method, data);
    await run.clear();
    // Said last, so that whoever waits for it finds the files.
    if (options.json) printJson(done);
    else process.stderr.write(summary(done, options, data));
  } catch (error) {
    // Going on from shortly before would diverge again, and the directory should be free for another learning rate.
    if (error instanceof DivergedError) await run.clear();
    if (signal.aborted) throw new Interrupted(interruption(step, saved));
    throw error;
  } finally {
    progress.stop();
  }
}

async function createTask(
  runtime: Runtime,
  options: TrainOptions,
  method: AdapterMethod,
  data: TrainingData,
  progress: Progress,
  signal: AbortSignal,
): Promise<Task> {
  const backbone = await loadBackbone(options.backbone, {
    runtime,
    weights: options.weights,
    onProgress: progress.download,
    signal,
  });
  return backbone.createTask({
    kind: options.task,
    labels: data.labels,
    adapter: method,
    adapterLayers: options.adapterLayers,
    layerNorm: options.layerNorm,
    dropout: options.dropout,
    maxLength: maxLengthOf(options),
    seed: options.seed,
  });
}

interface Hooks extends Pick<TrainingOptions, 'resume' | 'signal' | 'onCheckpoint'> {
  readonly onStep: (step: number) => void;
}

/** Takes the trainer's reports: into the log, onto stdout, onto the bar. */
async function consume(
  task: Task,
  options: TrainOptions,
  data: TrainingData,
  progress: Progress,
  { onStep, ...hooks }: Hooks,
): Promise<DoneReport> {
  let noted = false;
  const noteCacheTrouble = (note: string | undefined) => {
    if (note !== undefined && !noted) progress.note(`note: ${note}`);
    noted ||= note !== undefined;
  };
  const log = new TrainingLog(logPath(options), { resume: hooks.resume !== undefined });
  const reports = task.train(data.examples, {
    epochs: options.epochs,
    batchSize: options.batchSize,
    learningRate: options.learningRate,
    warmupRatio: options.warmup,
    weightDecay: options.weightDecay,
    clipNorm: options.clip,
    biasCorrection: options.biasCorrection,
    classWeights: data.classWeights,
    seed: options.seed,
    tokenBudget: options.tokenBudget,
    recompute: options.recompute,
    prefixCache: options.prefixCache,
    dev: data.dev,
    patience: options.patience,
    ...hooks,
  });
  try {
    for await (const report of reports) {
      log.append(report);
      if (report.type === 'done') return report;
      if (options.json) printJson(report);
      if (report.type === 'epoch') {
        progress.epoch(report);
        noteCacheTrouble(report.prefixCache?.note);
      } else {
        progress.step(report);
        onStep(report.step);
      }
    }
  } finally {
    log.close();
  }
  throw new Error('the trainer ended without its last report');
}

/** The adapter and the report appear together, or not at all. */
async function writeResults(
  task: Task,
  options: TrainOptions,
  method: AdapterMethod,
  data: TrainingData,
): Promise<void> {
  const report = renderReport({
    title: options.out,
    settings: reportedSettings(options, method, data),
    labels: data.labels,
    reports: readTrainingLog(logPath(options)),
  });
  const files = await task.save();
  await writeFilesAtomic(options.out, { ...files, 'report.html': new TextEncoder().encode(report) });
}

/** That of question answering depends on the backbone: as many tokens as it has positions, at most 384. */
function maxLengthOf({ task, maxLength }: TrainOptions): number | undefined {
  return maxLength ?? (task === 'question-answering' ? undefined : 128);
}

function logPath({ out }: TrainOptions): string {
  return join(out, 'training.jsonl');
}

function reportedSettings(
  options: TrainOptions,
  method: AdapterMethod,
  { examples, dev, labels, classWeights }: TrainingData,
): [string, string][] {
  const columns = [options.text, options.textPair].filter((column) => column !== undefined);
  return [
    [
      'Backbone',
      options.weights === 'f32' ? options.backbone : `${options.backbone}, weights in ${options.weights}`,
    ],
    ['Task', labels.length === 0 ? options.task : `${options.task}, ${countOf(labels)}`],
    ...(classWeights === undefined ? [] : [classWeightsRow(classWeights)]),
    ['Training examples', `${grouped(examples.length)} from ${options.train}`],
    ['Dev examples', dev === undefined ? 'none' : `${grouped(dev.length)} from ${options.dev}`],
    ...(options.label === undefined
      ? []
      : [['Columns', `${columns.join(' + ')} → ${options.label}`] satisfies [string, string]]),
    ['Adapter', describeMethod(method)],
    ['In layers', options.adapterLayers === undefined ? 'all' : describeLayers(options.adapterLayers)],
    ['LayerNorms trained', options.layerNorm ?? method.layerNorm],
    ['Epochs', String(options.epochs)],
    ['Batch size', String(options.batchSize)],
    ['Learning rate', `${options.learningRate}, warm-up ${options.warmup} of the steps`],
    ['Weight decay', String(options.weightDecay)],
    ['Gradient clipping', options.clip === 0 ? 'off' : `norm ${options.clip}`],
    ['AdamW bias correction', options.biasCorrection ? 'on' : 'off'],
    ['Dropout', options.dropout === 'auto' ? "auto (the checkpoint's)" : String(options.dropout)],
    ['Longest text', `${maxLengthOf(options) ?? 384} tokens`],
    ['Token budget', String(options.tokenBudget)],
    ['Recomputation', options.recompute ? 'on' : 'off'],
    ['Patience', options.patience === undefined ? 'off' : `${options.patience} epochs`],
    ['Seed', String(options.seed)],
  ];
}

function countOf(labels: readonly string[]): string {
  return labels.length === 1 ? '1 label' : `${labels.length} labels`;
}

function classWeightsRow(weights: ClassWeights): [string, string] {
  const list =
    weights === 'balanced'
      ? [weights]
      : Object.entries(weights).map(([label, weight]) => `${label} ${weight}`);
  return ['Class weights', list.join(', ')];
}

function introduce(
  progress: Progress,
  runtime: Runtime,
  options: TrainOptions,
  data: TrainingData,
  run: UnfinishedRun,
): void {
  const labels = data.labels.slice(0, 8).map(printable).join(', ');
  const more = data.labels.length > 8 ? ', …' : '';
  progress.note(`backbone: ${printable(options.backbone)}`);
  progress.note(`device: ${runtime.device.name} (${runtime.backend})`);
  if (runtime.device.note !== undefined) progress.note(runtime.device.note);
  progress.note(
    data.labels.length > 0
      ? `${grouped(data.examples.length)} examples, ${countOf(data.labels)}: ${labels}${more}`
      : `${grouped(data.examples.length)} examples`,
  );
  if (options.resume) {
    progress.note(
      run.state === undefined ? 'no unfinished run here: starting anew' : 'resuming the unfinished run',
    );
  }
}

function summary(done: DoneReport, options: TrainOptions, data: TrainingData): string {
  const share = (100 * done.trainedShare).toFixed(2);
  const rows: [string, string][] = [
    [
      'trained',
      `${grouped(done.trainableParameters)} parameters, ${share}% of the backbone's ${grouped(done.backboneParameters)}`,
    ],
    ['speed', `${done.examplesPerSecond.toFixed(1)} examples/s, ${grouped(done.tokensPerSecond)} tokens/s`],
    ['time', `${duration(done.seconds)}, ${grouped(done.steps)} steps`],
    [
      'device memory',
      `${megabytes(done.peakDeviceBytes)} at most, ${megabytes(done.activationBytes)} of it activations`,
    ],
  ];
  if (done.prefixCache !== undefined) rows.push(['prefix cache', describeCache(done.prefixCache)]);
  if (done.truncatedExamples > 0) {
    const of = grouped(data.examples.length);
    rows.push([
      'cut off',
      `${grouped(done.truncatedExamples)} of ${of} texts, longer than ${maxLengthOf(options) ?? 384} tokens (--max-length)`,
    ]);
  }
  rows.push(['files', `${options.out} (report.html shows the curves)`]);
  if (done.dev === undefined) return table(rows);
  const dev = metricFigures(done.dev).map(([name, value]): [string, string] => [`dev ${name}`, value]);
  if (options.epochs > 1) dev.push(['best epoch', String(done.bestEpoch)]);
  return table([...dev, ...rows]);
}

function describeCache({ layers, examples, memoryBytes, diskBytes }: PrefixCacheReport): string {
  const lower = layers === 1 ? 'layer 0' : `layers 0-${layers - 1}`;
  const where = [
    ...(memoryBytes > 0 ? [`${megabytes(memoryBytes)} in memory`] : []),
    ...(diskBytes > 0 ? [`${megabytes(diskBytes)} on the disk`] : []),
  ];
  return `${lower} of ${grouped(examples)} texts computed once${where.length === 0 ? '' : `, ${where.join(', ')}`}`;
}

function interruption(step: number, saved: boolean): string {
  if (!saved) return 'stopped before anything was saved';
  const where = step === 0 ? 'stopped' : `stopped after step ${grouped(step)}`;
  return `${where}; the same command with --resume goes on`;
}
