import type { StepReport } from 'graft-ml';
import type { TrainProgress } from '../engine';

/** Steps whose durations the estimate is made from. */
const WINDOW = 32;

/** Where a run stands, and how long it will take. */
export class Meter {
  readonly #epochs: number;
  readonly #stepsPerEpoch: number;
  /** Milliseconds of the last steps. */
  readonly #durations: number[] = [];
  #evaluation = 0;
  #mark = performance.now();
  #progress: TrainProgress;

  /** @param step where the run stands already */
  constructor(
    run: { readonly epochs: number; readonly examples: number; readonly batchSize: number },
    step: number,
  ) {
    this.#epochs = run.epochs;
    this.#stepsPerEpoch = Math.ceil(run.examples / run.batchSize);
    const totalSteps = run.epochs * this.#stepsPerEpoch;
    const epoch = Math.ceil(step / this.#stepsPerEpoch);
    this.#progress = { phase: 'preparing', step, totalSteps, epoch, examplesPerSecond: 0 };
  }

  get progress(): TrainProgress {
    return this.#progress;
  }

  enter(phase: TrainProgress['phase']): TrainProgress {
    this.#mark = performance.now();
    this.#progress = { ...this.#progress, phase };
    if (phase === 'comparing') this.#progress = { ...this.#progress, secondsLeft: undefined };
    return this.#progress;
  }

  step({ step, totalSteps, epoch, examplesPerSecond }: StepReport): TrainProgress {
    this.#durations.push(this.#lap());
    if (this.#durations.length > WINDOW) this.#durations.shift();
    const evaluations = this.#epochs - epoch + 1;
    const milliseconds = (totalSteps - step) * median(this.#durations) + evaluations * this.#evaluation;
    // After an epoch's last step comes its evaluation.
    const phase = step % this.#stepsPerEpoch === 0 ? 'evaluating' : 'training';
    this.#progress = { phase, step, totalSteps, epoch, examplesPerSecond, secondsLeft: milliseconds / 1000 };
    return this.#progress;
  }

  evaluated(): void {
    this.#evaluation = this.#lap();
    this.enter('training');
  }

  #lap(): number {
    const since = this.#mark;
    this.#mark = performance.now();
    return this.#mark - since;
  }
}

/** Not the mean: a laptop that slept makes one step hours long. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
