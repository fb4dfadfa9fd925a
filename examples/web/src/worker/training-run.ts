import {
  DeviceLostError,
  type DoneReport,
  type Example,
  houlsby,
  type Task,
  type TrainingReport,
} from 'graft-ml';
import type { Curves, ExampleRow, TaskKind, TaskResult, TrainOptions, TrainProgress } from '../engine';
import {
  type BaselineTask,
  baselineSample,
  baselineScore,
  MOST_BASELINE_EXAMPLES,
} from './baseline/baseline';
import { CurveRecorder } from './curves';
import { labelOf, pairOf } from './data/labels';
import { splitExamples } from './data/split';
import type { DeviceSession, Place } from './device-session';
import { requireKnownMetrics, scoreOf } from './kinds';
import { Meter } from './meter';
import { findMistakes, type NumberedExample } from './mistakes';

/** What a page that is closed loses of a training at most. */
const CHECKPOINT_SECONDS = 3;
/** Texts that are embedded before others have their turn. */
const EMBEDDED_AT_ONCE = 128;

/** What a run is made of. */
export interface RunPlan {
  /** Names the adapter in its files. */
  readonly adapterName: string;
  readonly kind: TaskKind;
  readonly bottleneck: number;
  readonly labels: readonly string[];
  readonly examples: readonly ExampleRow[];
  readonly options: TrainOptions;
  readonly maxLength: number;
}

/** A run that was begun before. */
export interface EarlierRun {
  readonly state: Uint8Array<ArrayBuffer> | undefined;
  readonly curves: Curves;
  readonly seconds: number;
  /** The last one done. */
  readonly step: number;
}

export interface RunListeners {
  step(loss: number, progress: TrainProgress): void;
  /** A phase or an epoch has begun or ended. */
  changed(): void;
  /** A state to be kept; called again only when the former is. */
  checkpoint(state: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The device was lost; the run goes on, on another one. */
  moved(note: string | undefined): void;
}

export interface RunOutcome {
  readonly task: Task;
  /** Where the task is. */
  readonly place: Place;
  readonly result: TaskResult;
}

/**
 * One training of a task: split, training steps, mistakes, comparison with the baseline. When its device is lost it goes on
 * from the last step on whatever the session comes up with.
 */
export class TrainingRun {
  readonly #session: DeviceSession;
  readonly #plan: RunPlan;
  readonly #listeners: RunListeners;
  readonly #signal: AbortSignal;
  readonly #meter: Meter;
  readonly #curves: CurveRecorder;
  readonly #train: readonly NumberedExample[];
  readonly #heldOut: readonly NumberedExample[];
  readonly #secondsBefore: number;
  readonly #started = performance.now();
  #state: Uint8Array<ArrayBuffer> | undefined;
  #task: Task | undefined;
  /** The checkpoint that is being kept. */
  #keeping: Promise<void> | undefined;
  #hasResumed = false;

  constructor(
    session: DeviceSession,
    plan: RunPlan,
    earlier: EarlierRun,
    listeners: RunListeners,
    signal: AbortSignal,
  ) {
    this.#session = session;
    this.#plan = plan;
    this.#listeners = listeners;
    this.#signal = signal;
    const { examples, kind, options } = plan;
    const split = splitExamples(examples, kind, options);
    const numbered = (rows: readonly number[]) =>
      rows.flatMap((row) => {
        const example = examples[row];
        return example === undefined ? [] : [{ row, example }];
      });
    this.#train = numbered(split.train);
    this.#heldOut = numbered(split.heldOut);
    this.#meter = new Meter({ ...options, examples: this.#train.length }, earlier.step);
    this.#curves = new CurveRecorder(earlier.curves);
    this.#secondsBefore = earlier.seconds;
    this.#state = earlier.state;
  }

  get progress(): TrainProgress {
    return this.#meter.progress;
  }

  get curves(): Curves {
    return this.#curves.curves;
  }

  get seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#started) / 1000;
  }

  get state(): Uint8Array<ArrayBuffer> | undefined {
    return this.#state;
  }

  /** The task in training, whose predictions are those of the last step. */
  get task(): Task | undefined {
    return this.#task;
  }

  get heldOutCount(): number {
    return this.#heldOut.length;
  }

  /** Throws the signal's reason where the run is stopped; `state` is then that after the last step. */
  async run(): Promise<RunOutcome> {
    for (;;) {
      const place = await this.#session.ready();
      try {
        const task = await this.#session.take(() => this.#createTask(place));
        this.#task = task;
        const done = await this.#follow(task);
        const result = await this.#results(place, task, done);
        return { task, place, result };
      } catch (error) {
        this.#task?.dispose();
        this.#task = undefined;
        if (!(error instanceof DeviceLostError)) throw error;
        await this.#session.recover(place);
        this.#listeners.moved(this.#session.device?.note);
      } finally {
        await this.#keeping;
      }
    }
  }

  #createTask({ backbone }: Place): Promise<Task> {
    const { adapterName, kind, bottleneck, labels, options, maxLength } = this.#plan;
    return backbone.createTask({
      name: adapterName,
      kind,
      labels: kind === 'classification' ? labels : [],
      adapter: houlsby({ bottleneck }),
      seed: options.seed,
      maxLength,
    });
  }

  async #follow(task: Task): Promise<DoneReport> {
    const { epochs, batchSize, learningRate, seed } = this.#plan.options;
    this.#hasResumed = this.#state !== undefined;
    this.#meter.enter('preparing');
    this.#listeners.changed();
    const reports = task.train(this.#examplesOf(this.#train), {
      epochs,
      batchSize,
      learningRate,
      seed,
      dev: this.#examplesOf(this.#heldOut),
      resume: this.#state,
      checkpointEvery: { seconds: CHECKPOINT_SECONDS },
      onCheckpoint: async (state) => this.#take(state),
      signal: this.#signal,
    });
    for (;;) {
      // Between two steps others have their turn: predictions, above all.
      const next = await this.#session.take(() => reports.next());
      if (next.done === true) throw new Error('the trainer ended without its last report');
      if (next.value.type === 'done') return next.value;
      this.#report(next.value);
    }
  }

  #report(report: Exclude<TrainingReport, DoneReport>): void {
    if (report.type === 'step') {
      if (this.#hasResumed) this.#curves.rewind(report.step - 1);
      this.#hasResumed = false;
      this.#curves.addLoss(report.step, report.loss);
      const isFirst = this.#meter.progress.phase === 'preparing';
      const progress = this.#meter.step(report);
      this.#listeners.step(report.loss, progress);
      if (isFirst) this.#listeners.changed();
      return;
    }
    this.#meter.evaluated();
    const { dev, step, epoch } = report;
    if (dev !== undefined) this.#curves.addDev(step, epoch, scoreOf(requireKnownMetrics(dev)));
    this.#listeners.changed();
  }

  /** Remembers a state at once; has it kept unless the former one still is. */
  #take(state: Uint8Array<ArrayBuffer>): void {
    this.#state = state;
    this.#keeping ??= this.#listeners.checkpoint(state).finally(() => {
      this.#keeping = undefined;
    });
  }

  async #results(place: Place, task: Task, done: DoneReport): Promise<TaskResult> {
    if (done.dev === undefined) throw new Error('the trainer gave no metrics');
    this.#enter('evaluating');
    const texts = this.#heldOut.map(({ example }) => ({ text: example.text, pair: pairOf(example) }));
    const predictions = await this.#session.take(() => task.predict(texts, { signal: this.#signal }));
    const mistakes = findMistakes(this.#heldOut, predictions);
    this.#enter('comparing');
    const baseline = await this.#compare(place);
    return {
      metrics: requireKnownMetrics(done.dev),
      mistakes,
      baseline,
      seconds: this.seconds,
      bestEpoch: done.bestEpoch,
      device: done.device,
    };
  }

  async #compare(place: Place): Promise<TaskResult['baseline']> {
    const started = performance.now();
    const { kind, labels, options } = this.#plan;
    const sample = baselineSample(this.#train, options.seed);
    const task: BaselineTask = {
      kind,
      outputs: kind === 'regression' ? 1 : labels.length,
      train: await this.#embed(place, sample),
      heldOut: await this.#embed(place, this.#heldOut),
      seed: options.seed,
      signal: this.#signal,
    };
    const score = await baselineScore(task);
    const seconds = (performance.now() - started) / 1000;
    if (sample.length === this.#train.length) return { score, seconds };
    const note = `Fitted to ${MOST_BASELINE_EXAMPLES} of the ${this.#train.length} training examples.`;
    return { score, seconds, note };
  }

  async #embed({ backbone }: Place, examples: readonly NumberedExample[]): Promise<BaselineTask['train']> {
    const embedded: BaselineTask['train'][number][] = [];
    for (let start = 0; start < examples.length; start += EMBEDDED_AT_ONCE) {
      const part = examples.slice(start, start + EMBEDDED_AT_ONCE);
      const texts = part.map(({ example }) => ({ text: example.text, pair: pairOf(example) }));
      const options = { maxLength: this.#plan.maxLength, signal: this.#signal };
      const features = await this.#session.take(() => backbone.embed(texts, options));
      part.forEach(({ example }, index) => {
        embedded.push({ features: features[index] ?? [], target: this.#target(example) });
      });
    }
    return embedded;
  }

  #target(example: ExampleRow): number {
    const label = labelOf(example);
    return this.#plan.kind === 'regression' ? Number(label) : this.#plan.labels.indexOf(label);
  }

  #examplesOf(examples: readonly NumberedExample[]): Example[] {
    return examples.map(({ example }) => {
      const label = labelOf(example);
      return {
        text: example.text,
        pair: pairOf(example),
        label: this.#plan.kind === 'regression' ? Number(label) : label,
      };
    });
  }

  #enter(phase: TrainProgress['phase']): void {
    this.#meter.enter(phase);
    this.#listeners.changed();
  }
}
