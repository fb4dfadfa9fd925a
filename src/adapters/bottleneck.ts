/** What the methods with bottleneck modules share. */
import { OptionError } from '../errors';
import type { Place, Site } from '../models/bert';
import type { EncoderConfig } from '../models/config';
import { ACTIVATIONS, type Activation } from '../ops/activation';
import type { AdapterWeights } from '../ops/adapter';
import type { ParameterSpec } from '../scheduler/parameters';
import type { Tensor } from '../scheduler/tape';

/** The widest bottleneck: of the paper's sweep 256 is the largest, and beyond the hidden size there is no bottleneck. */
const MAX_BOTTLENECK = 4096;

/** Throws OptionError. */
export function checkBottleneck(bottleneck: number, activation: Activation): void {
  if (!Number.isInteger(bottleneck) || bottleneck < 1 || bottleneck > MAX_BOTTLENECK) {
    throw new OptionError('bottleneck', `${bottleneck} is not a whole number from 1 to ${MAX_BOTTLENECK}`);
  }
  if (!ACTIVATIONS.includes(activation)) {
    throw new OptionError('activation', `there is no ${activation}`, `Choose ${ACTIVATIONS.join(', ')}`);
  }
}

/** Initial weights of `length` numbers. */
export type InitialWeights = (name: string, length: number) => Float32Array;

/** The parameters of the modules at `sites` of `layers`; biases start from zero. */
export function bottleneckParameters(
  { layers, sites }: { readonly layers: readonly number[]; readonly sites: readonly Site[] },
  { hiddenSize }: EncoderConfig,
  bottleneck: number,
  initial: { readonly down: InitialWeights; readonly up: InitialWeights },
): ParameterSpec[] {
  const weight = (name: string, rows: number, columns: number, weights: InitialWeights): ParameterSpec => ({
    name,
    shape: [rows, columns],
    decay: true,
    initialize: () => weights(name, rows * columns),
  });
  const bias = (name: string, length: number): ParameterSpec => ({
    name,
    shape: [length],
    decay: false,
    initialize: () => new Float32Array(length),
  });
  return layers.flatMap((layer) =>
    sites.flatMap((site) => {
      const names = parameterNames({ layer, site });
      return [
        weight(names.downWeight, bottleneck, hiddenSize, initial.down),
        bias(names.downBias, bottleneck),
        weight(names.upWeight, hiddenSize, bottleneck, initial.up),
        bias(names.upBias, hiddenSize),
      ];
    }),
  );
}

/** The weights of the module at a place. */
export function bottleneckWeights(place: Place, parameter: (name: string) => Tensor): AdapterWeights {
  const names = parameterNames(place);
  return {
    downWeight: parameter(names.downWeight),
    downBias: parameter(names.downBias),
    upWeight: parameter(names.upWeight),
    upBias: parameter(names.upBias),
  };
}

function parameterNames({ layer, site }: Place) {
  const prefix = `layer.${layer}.${site}.adapter`;
  return {
    downWeight: `${prefix}.down.weight`,
    downBias: `${prefix}.down.bias`,
    upWeight: `${prefix}.up.weight`,
    upBias: `${prefix}.up.bias`,
  };
}
