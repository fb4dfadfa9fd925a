/** All methods by name: what the command and files name them by. */
import { OptionError } from '../errors';
import { ACTIVATIONS, type Activation } from '../ops/activation';
import { bitfit } from './bitfit';
import { fullFineTuning } from './full';
import { headOnly } from './head';
import { houlsby } from './houlsby';
import { ia3 } from './ia3';
import { layerNormOnly } from './layer-norm';
import { LORA_TARGETS, type LoraTarget, lora } from './lora';
import type { AdapterMethod } from './method';
import { parallel } from './parallel';
import { pfeiffer } from './pfeiffer';
import { topLayers } from './top-k';

type Given = Readonly<Record<string, unknown>>;

interface Entry {
  readonly options: readonly string[];
  readonly create: (given: Given) => AdapterMethod;
}

const METHODS = {
  houlsby: {
    options: ['bottleneck', 'activation'],
    create: (given) =>
      houlsby({ bottleneck: numberOf(given, 'bottleneck'), activation: activationOf(given) }),
  },
  pfeiffer: {
    options: ['bottleneck', 'activation'],
    create: (given) =>
      pfeiffer({ bottleneck: numberOf(given, 'bottleneck'), activation: activationOf(given) }),
  },
  parallel: {
    options: ['bottleneck', 'activation', 'scaling'],
    create: (given) =>
      parallel({
        bottleneck: numberOf(given, 'bottleneck'),
        activation: activationOf(given),
        scaling: numberOf(given, 'scaling'),
      }),
  },
  lora: {
    options: ['rank', 'alpha', 'loraDropout', 'targets'],
    create: (given) =>
      lora({
        rank: numberOf(given, 'rank'),
        alpha: numberOf(given, 'alpha'),
        loraDropout: numberOf(given, 'loraDropout'),
        targets: targetsOf(given),
      }),
  },
  ia3: { options: [], create: ia3 },
  bitfit: { options: [], create: bitfit },
  'layer-norm': { options: [], create: layerNormOnly },
  full: { options: [], create: fullFineTuning },
  'top-k': { options: ['topK'], create: (given) => topLayers({ topK: numberOf(given, 'topK') }) },
  head: { options: [], create: headOnly },
} satisfies Record<string, Entry>;

export type MethodName = keyof typeof METHODS;

/** The names of the methods. */
export const METHOD_NAMES: readonly MethodName[] = Object.keys(METHODS).filter(isMethodName);

function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}

/**
 * A method by its name, with options as in the function of that method: `adapterMethod('lora', { rank: 4 })` is
 * `lora({ rank: 4 })`.
 *
 * @throws OptionError for a name that does not exist, an option that the method does not have, or a value that it cannot take
 */
export function adapterMethod(name: string, options: Given = {}): AdapterMethod {
  if (!isMethodName(name)) {
    throw new OptionError('adapter', `there is no method "${name}"`, `Choose ${METHOD_NAMES.join(', ')}`);
  }
  const entry: Entry = METHODS[name];
  const unknown = Object.keys(options).find((option) => !entry.options.includes(option));
  if (unknown !== undefined) {
    const known = entry.options.length === 0 ? 'It has none' : `It has ${entry.options.join(', ')}`;
    throw new OptionError(unknown, `the method ${name} has no such option`, known);
  }
  return entry.create(options);
}

function numberOf(given: Given, option: string): number | undefined {
  const value = given[option];
  if (value === undefined || typeof value === 'number') return value;
  throw new OptionError(option, `${JSON.stringify(value)} is not a number`);
}

function activationOf({ activation }: Given): Activation | undefined {
  if (activation === undefined) return undefined;
  const known = ACTIVATIONS.find((name) => name === activation);
  if (known !== undefined) return known;
  throw new OptionError(
    'activation',
    `there is no ${JSON.stringify(activation)}`,
    `Choose ${ACTIVATIONS.join(', ')}`,
  );
}

function targetsOf({ targets }: Given): readonly LoraTarget[] | undefined {
  if (targets === undefined) return undefined;
  if (Array.isArray(targets) && targets.every(isLoraTarget)) return targets;
  throw new OptionError(
    'targets',
    `${JSON.stringify(targets)} are not among the products`,
    `Choose from ${LORA_TARGETS.join(', ')}`,
  );
}

function isLoraTarget(value: unknown): value is LoraTarget {
  return LORA_TARGETS.some((target) => target === value);
}
