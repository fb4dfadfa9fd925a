import { OptionError } from '../errors';
import type { Activation } from '../ops/activation';
import { adapter } from '../ops/adapter';
import { bottleneckParameters, bottleneckWeights, checkBottleneck } from './bottleneck';
import { type AdapterMethod, ANY_LAYERS } from './method';

/** For `houlsby`. */
export interface HoulsbyOptions {
  /** m, the width of the bottleneck. The paper's sizes: 8, 64, 256. Default 64. */
  readonly bottleneck?: number | undefined;
  /** Standard deviation of the initial weights, truncated at two of it. Default 1e-2, as in the paper. */
  readonly initialDeviation?: number | undefined;
  /** f. Default 'gelu_tanh', the authors'. */
  readonly activation?: Activation | undefined;
}

/**
 * Houlsby et al. 2019 (arXiv 1902.00751): a bottleneck with a residual, A(y) = y + up(f(down(y))), after the projection y of
 * both sub-layers of every encoder layer: LayerNorm(A(y) + x). f = tanh-GELU as in the authors' code. 2·m·d + d + m parameters
 * each; near the identity at first. All LayerNorms are trained along.
 *
 * @throws OptionError for a bottleneck that is not a whole number from 1 to 4,096, or a deviation not above 0
 */
export function houlsby({
  bottleneck = 64,
  initialDeviation = 1e-2,
  activation = 'gelu_tanh',
}: HoulsbyOptions = {}): AdapterMethod {
  checkBottleneck(bottleneck, activation);
  checkDeviation(initialDeviation);
  return {
    ...ANY_LAYERS,
    kind: 'houlsby',
    options: { bottleneck, activation },
    layerNorm: 'all',
    parameters({ config, initializer, layers }) {
      const draw = (name: string, length: number) =>
        initializer.truncatedNormal(name, length, initialDeviation);
      const places = { layers, sites: ['attention', 'output'] as const };
      return bottleneckParameters(places, config, bottleneck, { down: draw, up: draw });
    },
    attach: ({ tape, parameter }) => ({
      subLayer: (place, { projected }) =>
        adapter(tape, projected, bottleneckWeights(place, parameter), activation),
    }),
  };
}

/** Throws OptionError. */
export function checkDeviation(initialDeviation: number): void {
  if (!(initialDeviation > 0 && initialDeviation < 1)) {
    throw new OptionError('initialDeviation', `${initialDeviation} is not above 0 and below 1`);
  }
}
