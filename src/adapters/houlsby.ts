import { OptionError } from '../errors';
import type { Activation } from '../ops/activation';
import { adapter } from '../ops/adapter';
import type { AdapterMethod, Place } from './method';

export interface HoulsbyOptions {
  /** m, the width of the bottleneck. The paper's sizes: 8, 64, 256. Default 64. */
  readonly bottleneck?: number;
  /** Standard deviation of the initial weights, truncated at two of it. Default 1e-2, as in the paper. */
  readonly initialDeviation?: number;
  /** f. Default 'gelu_tanh', the authors'. */
  readonly activation?: Activation;
}

const SITES = ['attention', 'output'] as const;

/** The widest bottleneck: of the paper's sweep 256 is the largest, and beyond the hidden size there is no bottleneck. */
const MAX_BOTTLENECK = 4096;

/**
 * Houlsby et al. 2019 (arXiv 1902.00751): a bottleneck with a residual, x + up(f(down(x))), after the projection of
 * both sub-layers of every encoder layer, f = tanh-GELU as in the authors' code. 2·m·d + d + m parameters each; near
 * the identity at first.
 *
 * @throws OptionError for a bottleneck that is not a whole number from 1 to 4,096, or a deviation not above 0
 */
export function houlsby({
  bottleneck = 64,
  initialDeviation = 1e-2,
  activation = 'gelu_tanh',
}: HoulsbyOptions = {}): AdapterMethod {
  if (!Number.isInteger(bottleneck) || bottleneck < 1 || bottleneck > MAX_BOTTLENECK) {
    throw new OptionError('bottleneck', `${bottleneck} is not a whole number from 1 to ${MAX_BOTTLENECK}`);
  }
  if (!(initialDeviation > 0 && initialDeviation < 1)) {
    throw new OptionError('initialDeviation', `${initialDeviation} is not above 0 and below 1`);
  }
  return {
    kind: 'houlsby',
    bottleneck,
    activation,
    parameters({ hiddenSize }, initializer, layers) {
      const weight = (name: string, rows: number, columns: number) => ({
        name,
        shape: [rows, columns] as const,
        decay: true,
        initialize: () => initializer.truncatedNormal(name, rows * columns, initialDeviation),
      });
      const bias = (name: string, length: number) => ({
        name,
        shape: [length] as const,
        decay: false,
        initialize: () => new Float32Array(length),
      });
      return layers.flatMap((layer) =>
        SITES.flatMap((site) => {
          const names = parameterNames({ layer, site });
          return [
            weight(names.downWeight, bottleneck, hiddenSize),
            bias(names.downBias, bottleneck),
            weight(names.upWeight, hiddenSize, bottleneck),
            bias(names.upBias, hiddenSize),
          ];
        }),
      );
    },
    attach(tape, place, projected, parameter) {
      const names = parameterNames(place);
      return adapter(
        tape,
        projected,
        {
          downWeight: parameter(names.downWeight),
          downBias: parameter(names.downBias),
          upWeight: parameter(names.upWeight),
          upBias: parameter(names.upBias),
        },
        activation,
      );
    },
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
