import { InvalidArgumentError } from 'commander';
import type { TaskKind, WeightStorage } from '../index';
import { parseDecimal } from './number';

/** What the commands are given once the command line has been read. Names follow the flags. */

export interface DeviceOptions {
  readonly backend: 'auto' | 'webgpu' | 'wasm';
  readonly threads?: number;
}

export interface WeightsOption {
  readonly weights: WeightStorage;
}

export interface ColumnOptions {
  readonly text: string;
  readonly textPair?: string;
  readonly label: string;
  readonly header: boolean;
}

export interface TrainOptions extends DeviceOptions, WeightsOption, ColumnOptions {
  readonly backbone: string;
  readonly train: string;
  readonly dev?: string;
  readonly task: TaskKind;
  readonly adapter: 'houlsby';
  readonly bottleneck: number;
  readonly layerNorm: 'all' | 'none';
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly warmup: number;
  readonly weightDecay: number;
  readonly clip: number;
  readonly biasCorrection: boolean;
  readonly dropout: number | 'auto';
  readonly maxLength: number;
  readonly tokenBudget: number | 'auto';
  readonly recompute: boolean;
  readonly limit?: number;
  readonly patience?: number;
  readonly seed: number;
  readonly out: string;
  readonly resume: boolean;
  readonly json: boolean;
}

export interface EvalOptions extends DeviceOptions, WeightsOption, ColumnOptions {
  readonly backbone: string;
  readonly adapter: string;
  readonly data: string;
  readonly json: boolean;
}

export interface PredictOptions extends DeviceOptions, WeightsOption {
  readonly backbone: string;
  readonly adapter: string;
  readonly json: boolean;
}

export interface TokenizeOptions {
  readonly backbone: string;
  readonly json: boolean;
}

export interface DoctorOptions extends DeviceOptions {
  readonly json: boolean;
}

/** A parser for commander: a whole number of at least `least`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

export interface NumberRange {
  readonly least: number;
  readonly most?: number;
  /** Shut out the ends of the range themselves. */
  readonly aboveLeast?: boolean;
  readonly belowMost?: boolean;
}

/** A parser for commander: a decimal number in a range. */
export function decimalNumber(range: NumberRange): (text: string) => number {
  const { least, most = Number.POSITIVE_INFINITY, aboveLeast = false, belowMost = false } = range;
  return (text) => {
    const value = parseDecimal(text);
    const above = aboveLeast ? value > least : value >= least;
    const below = belowMost ? value < most : value <= most;
    if (above && below) return value;
    const lower = `${aboveLeast ? 'above' : 'of at least'} ${least}`;
    const upper = most === Number.POSITIVE_INFINITY ? '' : ` and ${belowMost ? 'below' : 'at most'} ${most}`;
    throw new InvalidArgumentError(`It must be a number ${lower}${upper}.`);
  };
}

/** Lets `auto` through and hands anything else to `parse`. */
export function orAuto(parse: (text: string) => number): (text: string) => number | 'auto' {
  return (text) => (text === 'auto' ? 'auto' : parse(text));
}
