import { InvalidArgumentError } from 'commander';
import {
  type KernelChoice,
  LORA_TARGETS,
  type MethodName,
  type TaskFormat,
  type TaskKind,
  type WeightStorage,
} from '../index';
import { parseDecimal } from './number';

/** What the commands are given once the command line has been read. Names follow the flags. */

export interface DeviceOptions {
  readonly backend: 'auto' | 'webgpu' | 'wasm';
  readonly threads?: number;
  readonly kernels: KernelChoice;
}

export interface WeightsOption {
  readonly weights: WeightStorage;
}

export interface ColumnOptions {
  readonly text?: string;
  readonly textPair?: string;
  readonly label?: string;
  readonly labelSeparator?: string;
  readonly header: boolean;
}

/** Of data sets from the hub. */
export interface HubOptions {
  readonly config?: string;
  readonly split?: string;
}

export interface TrainOptions extends DeviceOptions, WeightsOption, ColumnOptions, HubOptions {
  readonly backbone: string;
  readonly train: string;
  readonly dev?: string;
  readonly devSplit?: string;
  readonly task: TaskKind;
  readonly classWeights?: string;
  readonly adapter: MethodName;
  readonly bottleneck?: number;
  readonly scaling?: number;
  readonly rank?: number;
  readonly alpha?: number;
  readonly loraDropout?: number;
  readonly targets?: readonly string[];
  readonly prefixLength?: number;
  readonly topK?: number;
  readonly adapterLayers?: readonly number[];
  readonly layerNorm?: 'all' | 'none';
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly warmup: number;
  readonly weightDecay: number;
  readonly clip: number;
  readonly biasCorrection: boolean;
  readonly dropout: number | 'auto';
  readonly maxLength?: number;
  readonly tokenBudget: number | 'auto';
  readonly recompute: boolean;
  readonly prefixCache: 'auto' | 'off' | 'disk';
  readonly limit?: number;
  readonly patience?: number;
  readonly seed: number;
  readonly out: string;
  readonly resume: boolean;
  readonly json: boolean;
}

export interface EvalOptions extends DeviceOptions, WeightsOption, ColumnOptions, HubOptions {
  readonly backbone: string;
  readonly adapter: string;
  readonly data: string;
  readonly dropLayers?: number;
  readonly json: boolean;
}

export interface PredictOptions extends DeviceOptions, WeightsOption {
  readonly backbone: string;
  /** One or more. */
  readonly adapter: readonly string[];
  readonly dropLayers?: number;
  readonly json: boolean;
}

export interface AverageOptions {
  readonly backbone: string;
  readonly adapter: readonly string[];
  readonly weights?: readonly number[];
  /** One of the adapters. */
  readonly head?: string;
  readonly out: string;
}

export interface TokenizeOptions {
  readonly backbone: string;
  readonly json: boolean;
}

export interface InspectOptions {
  readonly json: boolean;
}

export interface ExportOptions {
  readonly out: string;
  readonly format: TaskFormat | 'merged';
  readonly half: boolean;
  readonly bin: boolean;
  readonly backbone: string;
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

/** Far above any encoder, so that a slip of the finger makes no list of a billion. */
const HIGHEST_LAYER = 999;

/** A parser for commander: layers like `3-5` or `0,2-3`, counted from 0, ascending in the result. */
export function layerList(text: string): readonly number[] {
  const layers = text.split(',').flatMap((part) => {
    const [, first = '', last = first] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part.trim()) ?? [];
    if (first === '' || Number(first) > Number(last)) {
      throw new InvalidArgumentError(
        `It must be layers from 0 to ${HIGHEST_LAYER}, such as 3-5 or 0,2-3; ${JSON.stringify(part)} is none.`,
      );
    }
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index);
  });
  if (new Set(layers).size !== layers.length) {
    throw new InvalidArgumentError('It must not name a layer twice.');
  }
  return layers.sort((a, b) => a - b);
}

/** A parser for commander: products like `query,value`. */
export function targetList(text: string): readonly string[] {
  const targets = text.split(',').map((part) => part.trim());
  const unknown = targets.find((target) => !LORA_TARGETS.some((known) => known === target));
  if (unknown === undefined) return targets;
  throw new InvalidArgumentError(
    `It must be some of ${LORA_TARGETS.join(', ')}; ${JSON.stringify(unknown)} is none.`,
  );
}

/** A parser for commander: numbers like `1,0.5`. */
export function numberList(text: string): readonly number[] {
  return text.split(',').map((part) => {
    const value = parseDecimal(part.trim());
    if (Number.isFinite(value)) return value;
    throw new InvalidArgumentError(`It must be numbers such as 1,0.5; ${JSON.stringify(part)} is none.`);
  });
}

/** `3-5`, `0,2-3`: what `layerList` reads. */
export function describeLayers(layers: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const layer of layers) {
    const range = ranges.at(-1);
    if (range !== undefined && range.last === layer - 1) range.last = layer;
    else ranges.push({ first: layer, last: layer });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
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

/** A parser for commander: some text. */
export function nonEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** Lets `auto` through and hands anything else to `parse`. */
export function orAuto(parse: (text: string) => number): (text: string) => number | 'auto' {
  return (text) => (text === 'auto' ? 'auto' : parse(text));
}
