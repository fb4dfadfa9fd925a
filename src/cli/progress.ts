import cliProgress from 'cli-progress';
import type { EpochReport, FileProgress, StepReport } from '../index';
import { duration, megabytes, metricLine } from './terminal';

/** Where there is no terminal to draw on, a plain line this often, in milliseconds. */
const LINE_INTERVAL = 10_000;
/** Weight of the past in the shown loss: one batch's loss jumps too much to be read. */
const LOSS_MEMORY = 0.9;

/** Shows how far something long has come, on stderr. */
export interface Progress {
  /** An `onProgress` for loading. */
  readonly download: (progress: FileProgress) => void;
  step(report: StepReport): void;
  epoch(report: EpochReport): void;
  /** A line of its own, above the bar. */
  note(line: string): void;
  stop(): void;
}

export interface ProgressOptions {
  /** Show nothing. */
  readonly quiet?: boolean;
  readonly stream?: NodeJS.WriteStream;
}

export function createProgress({ quiet = false, stream = process.stderr }: ProgressOptions = {}): Progress {
  if (quiet) return silent;
  const meter = stream.isTTY ? new BarMeter(stream) : new LineMeter(stream);
  const loss = new SmoothedLoss();
  return {
    download({ file, loaded, total }) {
      // Without a total there is no share to draw, but the bytes can still be told.
      const of = total === undefined ? '' : ` of ${megabytes(total)}`;
      meter.show(file, loaded, total ?? 0, `${megabytes(loaded)}${of}`);
      if (loaded === total) meter.clear();
    },
    step(report) {
      meter.show('training', report.step, report.totalSteps, describeStep(report, loss.after(report.loss)));
    },
    epoch(report) {
      meter.clear();
      const dev =
        report.dev === undefined ? '' : `, dev ${metricLine(report.dev)}${report.best ? ' (best)' : ''}`;
      stream.write(`epoch ${report.epoch}: loss ${report.trainLoss.toFixed(4)}${dev}\n`);
    },
    note(line) {
      meter.clear();
      stream.write(`${line}\n`);
    },
    stop() {
      meter.clear();
    },
  };
}

const silent: Progress = { download() {}, step() {}, epoch() {}, note() {}, stop() {} };

function describeStep(report: StepReport, loss: number): string {
  const rate = report.examplesPerSecond;
  return `loss ${loss.toFixed(4)}, ${rate.toFixed(rate < 10 ? 1 : 0)} examples/s`;
}

class SmoothedLoss {
  #value: number | undefined;

  after(loss: number): number {
    this.#value = this.#value === undefined ? loss : LOSS_MEMORY * this.#value + (1 - LOSS_MEMORY) * loss;
    return this.#value;
  }
}

/** Estimates the time left from the pace since the first call, so that a resumed run is not judged by skipped steps. */
class Pace {
  #first: { time: number; value: number } | undefined;

  /** In seconds; undefined as long as nothing can be told. */
  left(value: number, total: number): number | undefined {
    const now = performance.now() / 1000;
    this.#first ??= { time: now, value };
    const done = value - this.#first.value;
    return done > 0 && total > value ? ((now - this.#first.time) / done) * (total - value) : undefined;
  }
}

function describeLeft(seconds: number | undefined): string {
  return seconds === undefined ? '' : `, ${duration(seconds)} left`;
}

/** A bar that is drawn over itself. */
class BarMeter {
  readonly #stream: NodeJS.WriteStream;
  #bar: cliProgress.SingleBar | undefined;
  #label: string | undefined;
  #pace = new Pace();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(label: string, value: number, total: number, detail: string): void {
    const left = this.#label === label ? this.#pace.left(value, total) : undefined;
    const payload = { label, detail: `${detail}${describeLeft(left)}` };
    if (this.#bar !== undefined && this.#label === label) {
      this.#bar.update(value, payload);
      return;
    }
    this.clear();
    this.#label = label;
    this.#pace = new Pace();
    this.#pace.left(value, total);
    this.#bar = new cliProgress.SingleBar({
      stream: this.#stream,
      format: '{label} {bar} {percentage}% | {value}/{total} | {detail}',
      formatValue: (number, _options, type) =>
        // Bytes are told in the detail, and a wall of digits tells nobody anything.
        total > 1e6 && (type === 'value' || type === 'total') ? megabytes(number) : String(number),
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      // Ctrl-C is for the command to handle: it saves its state first.
      gracefulExit: false,
    });
    this.#bar.start(total, value, payload);
  }

  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#label = undefined;
  }
}

/** Plain lines, now and then, for logs. */
class LineMeter {
  readonly #stream: NodeJS.WriteStream;
  #label: string | undefined;
  #last = 0;
  #pace = new Pace();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(label: string, value: number, total: number, detail: string): void {
    const now = performance.now();
    if (this.#label !== label) {
      this.#label = label;
      this.#last = now;
      this.#pace = new Pace();
    }
    const left = this.#pace.left(value, total);
    if (now - this.#last < LINE_INTERVAL) return;
    this.#last = now;
    const share = total > 0 ? ` ${Math.floor((100 * value) / total)}%` : '';
    this.#stream.write(`${label}${share}: ${detail}${describeLeft(left)}\n`);
  }

  clear(): void {
    this.#label = undefined;
  }
}
