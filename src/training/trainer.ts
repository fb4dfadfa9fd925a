import type { Backend, Executable } from '../backends/backend';
import type { DeviceBuffer } from '../backends/schedule';
import { DataError, DeviceLostError, DivergedError, OptionError } from '../errors';
import type { ParameterLayout } from '../scheduler/parameters';
import { batchCount, batches, type EncodedExample, type LabelType, type LogicalBatch } from './batches';
import type { Evaluation } from './heads/head';
import { learningRateAt, warmupStepCount } from './learning-rate';
import { AdamW, BERT_ADAMW } from './optimizer';
import type { PrefixCache } from './prefix-cache';
import { Random } from './random';
import { decodeState, encodeState, type Progress, requireEqualConditions } from './state';
import type { TrainingSettings } from './training-settings';
import type { EpochReport, Metrics, StepReport, TrainingOptions } from './types';

/** What a training run works on. */
export interface TrainingRun {
  readonly backend: Backend;
  /** Starts from hidden states where there is a `prefix`. */
  readonly executable: Executable;
  readonly prefix?: PrefixCache | undefined;
  readonly layout: ParameterLayout;
  /** The parameter arena on the device. */
  readonly parameters: DeviceBuffer;
  readonly gradients: DeviceBuffer;
  /** `[layout.size]`: where the run starts from. */
  readonly initial: Float32Array;
  readonly labelType: LabelType;
  readonly examples: readonly EncodedExample[];
  readonly tokenBudget: number;
  readonly settings: TrainingSettings;
  readonly conditions: Readonly<Record<string, string | number>>;
  /** The parameters on the device, on the dev examples; absent where there are none. */
  readonly evaluate: (() => Promise<Evaluation>) | undefined;
  readonly options: Pick<TrainingOptions, 'resume' | 'onCheckpoint' | 'signal'>;
}

/** What a run comes to. */
export interface TrainingOutcome {
  /** `[layout.size]`: the best epoch's parameters, or the last without dev examples. They are on the device, too. */
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly dev: Metrics | undefined;
  readonly bestEpoch: number;
  readonly steps: number;
  readonly examplesPerSecond: number;
  readonly tokensPerSecond: number;
}

/**
 * The training loop: shuffle, run a batch's schedule, step the optimizer, upload the parameters; evaluate after each
 * epoch and keep the best. Yields a report a step and an epoch.
 *
 * @throws DivergedError where the loss or the gradient is not finite, OptionError where a resumed state does not fit,
 *   DeviceLostError, the signal's reason where it is aborted; before the last two a state is handed to `onCheckpoint`.
 */
export async function* runTraining(
  run: TrainingRun,
): AsyncGenerator<StepReport | EpochReport, TrainingOutcome, undefined> {
  if (run.examples.length === 0) throw new DataError(undefined, undefined, 'there are no training examples');
  const loop = await TrainingLoop.start(run);
  try {
    while (!loop.isOver) {
      yield* loop.epoch();
    }
    return await loop.outcome();
  } catch (error) {
    // Parameters and optimizer are on the host between steps: the last finished step is lost neither with the device nor where
    // the run is aborted, be it in the middle of an evaluation.
    const { signal } = run.options;
    const isAborted = signal?.aborted === true && error === signal.reason;
    if (isAborted || error instanceof DeviceLostError) await loop.saveState();
    throw error;
  }
}

class TrainingLoop {
  readonly #run: TrainingRun;
  readonly #optimizer: AdamW;
  readonly #stepsPerEpoch: number;
  readonly #clock = new Clock();
  #progress: Progress;
  #best: Float32Array<ArrayBuffer>;
  #bestMetrics: Metrics | undefined;
  #isStopped = false;
  #savedAt = performance.now();

  private constructor(run: TrainingRun, optimizer: AdamW) {
    this.#run = run;
    this.#optimizer = optimizer;
    this.#stepsPerEpoch = batchCount(run.examples.length, run.settings.batchSize);
    this.#progress = {
      step: 0,
      epoch: 0,
      stepInEpoch: 0,
      epochLoss: 0,
      epochExamples: 0,
      bestScore: null,
      bestEpoch: 0,
    };
    this.#best = new Float32Array(0);
  }

  static async start(run: TrainingRun): Promise<TrainingLoop> {
    const { layout, settings } = run;
    const optimizer = await AdamW.create({
      segments: layout.places,
      size: layout.size,
      ...BERT_ADAMW,
      weightDecay: settings.weightDecay,
      biasCorrection: settings.biasCorrection,
    });
    optimizer.parameters.set(run.initial);
    const loop = new TrainingLoop(run, optimizer);
    if (run.options.resume !== undefined) loop.#resume(run.options.resume);
    run.backend.write(run.parameters, 0, optimizer.parameters);
    return loop;
  }

  get isOver(): boolean {
    return this.#isStopped || this.#progress.epoch >= this.#run.settings.epochs;
  }

  async *epoch(): AsyncGenerator<StepReport | EpochReport, void, undefined> {
    const { examples, settings, tokenBudget, labelType } = this.#run;
    const split = { batchSize: settings.batchSize, tokenBudget, labels: labelType };
    for (const batch of batches(examples, this.#order(), split, this.#progress.stepInEpoch)) {
      this.#run.options.signal?.throwIfAborted();
      yield await this.#step(batch);
      if (this.#isCheckpointDue()) await this.saveState();
    }
    yield await this.#endEpoch();
    await this.saveState();
  }

  async outcome(): Promise<TrainingOutcome> {
    const { backend, parameters, evaluate } = this.#run;
    const { bestEpoch, step } = this.#progress;
    const kept = this.#best.length > 0 ? this.#best : Float32Array.from(this.#optimizer.parameters);
    backend.write(parameters, 0, kept);
    // A run that was resumed after its best epoch has the parameters of that epoch, but not its metrics.
    const dev = this.#bestMetrics ?? (await evaluate?.())?.metrics;
    return {
      parameters: kept,
      dev,
      bestEpoch,
      steps: step,
      examplesPerSecond: this.#clock.examplesPerSecond,
      tokensPerSecond: this.#clock.tokensPerSecond,
    };
  }

  /** The order of the examples in the epoch at hand: a function of seed and epoch alone. */
  #order(): Uint32Array {
    const order = Uint32Array.from(this.#run.examples, (_, index) => index);
    const { shuffle, seed } = this.#run.settings;
    if (shuffle) new Random(seed, 'order of the examples', this.#progress.epoch).shuffle(order);
    return order;
  }

  async #step(batch: LogicalBatch): Promise<StepReport> {
    const { backend, executable, prefix, settings, gradients, parameters } = this.#run;
    const started = performance.now();
    const step = this.#progress.step + 1;
    const lower = await prefix?.attach(batch);
    // Where no label of the batch counts, its loss is 0.
    const lossScale = batch.weight > 0 ? 1 / batch.weight : 0;
    const { outputs, timings } = await executable.run({
      microBatches: lower?.microBatches ?? batch.microBatches,
      seed: settings.seed,
      step,
      lossScale,
      clear: [gradients],
      readBack: [{ buffer: gradients, into: () => this.#optimizer.gradients }],
    });
    const lossSum = (outputs[0] ?? new Float32Array([Number.NaN])).reduce((sum, value) => sum + value, 0);
    const loss = lossSum * lossScale;
    const totalSteps = settings.epochs * this.#stepsPerEpoch;
    const learningRate = learningRateAt(step - 1, {
      peak: settings.learningRate,
      totalSteps,
      warmupSteps: warmupStepCount(totalSteps, settings.warmupRatio),
    });
    const hint = 'Lower the learning rate, or look for unusual examples in the batch';
    if (!Number.isFinite(loss)) throw new DivergedError(step, `the loss is ${loss}`, hint);
    const beforeOptimizer = performance.now();
    const { gradientNorm } = this.#optimizer.step({ learningRate, clipNorm: settings.clipNorm });
    if (!Number.isFinite(gradientNorm))
      throw new DivergedError(step, `the gradient's norm is ${gradientNorm}`, hint);
    // The step is done, whether or not the device is still there to take the new parameters.
    this.#progress = {
      ...this.#progress,
      step,
      stepInEpoch: this.#progress.stepInEpoch + 1,
      epochLoss: this.#progress.epochLoss + loss * batch.sequenceCount,
      epochExamples: this.#progress.epochExamples + batch.sequenceCount,
    };
    const beforeUpload = performance.now();
    backend.write(parameters, 0, this.#optimizer.parameters);
    const ended = performance.now();
    this.#clock.add(ended - started, batch);
    return {
      type: 'step',
      step,
      totalSteps,
      epoch: this.#progress.epoch + 1,
      loss,
      learningRate,
      gradientNorm,
      examplesPerSecond: this.#clock.examplesPerSecond,
      tokensPerSecond: this.#clock.tokensPerSecond,
      timings: {
        encode: timings.encode + (lower?.timings.encode ?? 0),
        device: timings.device + (lower?.timings.device ?? 0),
        readBack: timings.readBack + (lower?.timings.readBack ?? 0),
        optimizer: beforeUpload - beforeOptimizer,
        upload: ended - beforeUpload,
      },
    };
  }

  async #endEpoch(): Promise<EpochReport> {
    const { epochLoss, epochExamples, bestScore, step, bestEpoch } = this.#progress;
    const epoch = this.#progress.epoch + 1;
    const evaluation = await this.#run.evaluate?.();
    const dev = evaluation?.metrics;
    const score = evaluation?.score ?? null;
    const best = score === null || bestScore === null || score > bestScore;
    if (best && dev !== undefined) {
      this.#best = Float32Array.from(this.#optimizer.parameters);
      this.#bestMetrics = dev;
    }
    this.#progress = {
      step,
      epoch,
      stepInEpoch: 0,
      epochLoss: 0,
      epochExamples: 0,
      bestScore: best ? score : bestScore,
      bestEpoch: best ? epoch : bestEpoch,
    };
    const { patience } = this.#run.settings;
    this.#isStopped = patience !== undefined && epoch - this.#progress.bestEpoch >= patience;
    const trainLoss = epochLoss / epochExamples;
    return { type: 'epoch', epoch, step, trainLoss, dev, best, prefixCache: this.#run.prefix?.report };
  }

  #isCheckpointDue(): boolean {
    const { checkpointEvery } = this.#run.settings;
    return typeof checkpointEvery === 'number'
      ? this.#progress.step % checkpointEvery === 0
      : performance.now() - this.#savedAt >= checkpointEvery.seconds * 1000;
  }

  /** Hands the state after the last finished step to `onCheckpoint`. */
  async saveState(): Promise<void> {
    this.#savedAt = performance.now();
    await this.#run.options.onCheckpoint?.(
      encodeState({
        conditions: this.#run.conditions,
        progress: this.#progress,
        parameters: this.#optimizer.parameters,
        best: this.#best,
        optimizer: this.#optimizer.state(),
      }),
    );
  }

  #resume(bytes: Uint8Array): void {
    const state = decodeState(bytes);
    requireEqualConditions(state.conditions, this.#run.conditions);
    const { size } = this.#run.layout;
    if (state.parameters.length !== size || ![0, size].includes(state.best.length)) {
      throw new OptionError(
        'resume',
        `the state holds ${state.parameters.length} parameters, the task has ${size}`,
      );
    }
    this.#optimizer.parameters.set(state.parameters);
    this.#optimizer.restore(state.optimizer);
    this.#best = Float32Array.from(state.best);
    this.#progress = state.progress;
    const { patience } = this.#run.settings;
    this.#isStopped = patience !== undefined && state.progress.epoch - state.progress.bestEpoch >= patience;
  }
}

/** Time that was spent in steps, evaluation not counted. */
class Clock {
  #milliseconds = 0;
  #examples = 0;
  #tokens = 0;

  add(milliseconds: number, { sequenceCount, tokenCount }: LogicalBatch): void {
    this.#milliseconds += milliseconds;
    this.#examples += sequenceCount;
    this.#tokens += tokenCount;
  }

  get examplesPerSecond(): number {
    return this.#milliseconds === 0 ? 0 : (this.#examples * 1000) / this.#milliseconds;
  }

  get tokensPerSecond(): number {
    return this.#milliseconds === 0 ? 0 : (this.#tokens * 1000) / this.#milliseconds;
  }
}
