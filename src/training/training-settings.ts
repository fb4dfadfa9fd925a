import { OptionError } from '../errors';
import type { EncodedExample } from './batches';
import { Digest } from './digest';
import type { TaskSpec } from './task-spec';
import type { PrefixCacheOption, TrainingOptions } from './types';

/** Training options with every default filled in: the paper's recipe. */
export interface TrainingSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly warmupRatio: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly biasCorrection: boolean;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly recompute: boolean;
  readonly patience: number | undefined;
  /** In optimizer steps, or seconds. */
  readonly checkpointEvery: number | { readonly seconds: number };
  /** Bytes of hidden states that are kept in memory before the disk is used; undefined: they are not kept. */
  readonly prefixCacheBytes: number | undefined;
}

const DEFAULT_PREFIX_CACHE_BYTES = 512 * 2 ** 20;

/** Throws OptionError naming the option that cannot be used. */
export function resolveTraining(options: TrainingOptions): TrainingSettings {
  const settings: TrainingSettings = {
    epochs: options.epochs ?? 3,
    batchSize: options.batchSize ?? 32,
    learningRate: options.learningRate ?? 3e-4,
    warmupRatio: options.warmupRatio ?? 0.1,
    weightDecay: options.weightDecay ?? 0.01,
    clipNorm: options.clipNorm ?? 1,
    biasCorrection: options.biasCorrection ?? false,
    seed: options.seed ?? 0,
    shuffle: options.shuffle ?? true,
    recompute: options.recompute ?? false,
    patience: options.patience,
    checkpointEvery: options.checkpointEvery ?? 100,
    prefixCacheBytes: prefixCacheBytes(options.prefixCache ?? 'auto'),
  };
  for (const name of ['epochs', 'batchSize', 'patience'] as const) {
    const value = settings[name];
    if (value !== undefined) requireCount(name, value);
  }
  const { checkpointEvery } = settings;
  if (typeof checkpointEvery === 'number') requireCount('checkpointEvery', checkpointEvery);
  else if (!(checkpointEvery.seconds >= 0)) {
    throw new OptionError('checkpointEvery', `${checkpointEvery.seconds} seconds are not 0 or more`);
  }
  for (const name of ['learningRate', 'weightDecay', 'clipNorm'] as const) {
    const value = settings[name];
    if (!Number.isFinite(value) || value < 0) throw new OptionError(name, `${value} is not 0 or more`);
  }
  if (!(settings.warmupRatio >= 0 && settings.warmupRatio <= 1)) {
    throw new OptionError('warmupRatio', `${settings.warmupRatio} is not between 0 and 1`);
  }
  if (!Number.isInteger(settings.seed) || settings.seed < 0 || settings.seed >= 2 ** 32) {
    throw new OptionError('seed', `${settings.seed} is not a whole number from 0 to 4294967295`);
  }
  if (settings.patience !== undefined && options.dev === undefined) {
    throw new OptionError('patience', 'early stopping needs dev examples');
  }
  return settings;
}

function requireCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new OptionError(name, `${value} is not a whole number of at least 1`);
  }
}

/** Throws OptionError. */
function prefixCacheBytes(option: PrefixCacheOption): number | undefined {
  switch (option) {
    case 'auto':
      return DEFAULT_PREFIX_CACHE_BYTES;
    case 'disk':
      return 0;
    case 'off':
      return undefined;
  }
  const { memoryBytes } = option;
  // Any other text has no such property.
  if (typeof memoryBytes === 'number' && memoryBytes >= 0) return memoryBytes;
  throw new OptionError(
    'prefixCache',
    `${JSON.stringify(option)} is none of 'auto', 'off', 'disk' and { memoryBytes }, 0 or more`,
  );
}

/**
 * What must be equal for a run to go on from a saved state. Recomputation changes no bit, so that a run that lacked memory
 * may go on with it. An automatic token budget is another number on another device; 'auto' equals 'auto' all the same, so
 * that a run whose device was lost can go on elsewhere: the budget decides only in which order sums over tokens are added up.
 */
export function conditionsOf(
  settings: TrainingSettings,
  spec: TaskSpec,
  tokenBudget: number | 'auto',
  train: readonly EncodedExample[],
  dev: readonly EncodedExample[] | undefined,
  classWeights: Float32Array | undefined,
): Record<string, string | number> {
  const {
    patience,
    shuffle,
    biasCorrection,
    // These change no result.
    checkpointEvery: _interval,
    recompute: _memory,
    prefixCacheBytes: _bytes,
    ...numbers
  } = settings;
  return {
    ...numbers,
    shuffle: String(shuffle),
    biasCorrection: String(biasCorrection),
    patience: patience ?? 'none',
    tokenBudget,
    task: spec.kind,
    labels: JSON.stringify(spec.labels),
    adapter: spec.adapter.kind,
    adapterOptions: JSON.stringify(spec.adapter.options),
    adapterLayers: spec.adapterLayers.join(),
    layerNorm: spec.layerNorm,
    dropout: JSON.stringify(spec.dropout),
    maxLength: spec.maxLength,
    train: `${train.length} examples, digest ${digestOf(train)}`,
    dev: dev === undefined ? 'none' : `${dev.length} examples, digest ${digestOf(dev)}`,
    ...(classWeights === undefined ? {} : { classWeights: classWeights.join() }),
  };
}

/** Over ids, types and labels. */
function digestOf(examples: readonly EncodedExample[]): string {
  const digest = new Digest();
  const bits = new DataView(new ArrayBuffer(8));
  for (const { ids, typeIds, labels } of examples) {
    digest.take(ids.length);
    for (let i = 0; i < ids.length; i++) {
      digest.take(ids[i] ?? 0);
      digest.take(typeIds[i] ?? 0);
    }
    for (let i = 0; i < labels.length; i++) {
      bits.setFloat64(0, labels[i] ?? 0);
      digest.take(bits.getUint32(0));
      digest.take(bits.getUint32(4));
    }
  }
  return digest.text;
}
