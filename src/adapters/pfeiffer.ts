import type { Activation } from '../ops/activation';
import { adapter } from '../ops/adapter';
import { bottleneckParameters, bottleneckWeights, checkBottleneck } from './bottleneck';
import { checkDeviation } from './houlsby';
import { type AdapterMethod, ANY_LAYERS } from './method';

/** For `pfeiffer`. */
export interface PfeifferOptions {
  /** m, the width of the bottleneck; the authors take a sixteenth of the hidden size. Default 64. */
  readonly bottleneck?: number | undefined;
  /** Standard deviation of the initial weights, truncated at two of it. Default 1e-2. */
  readonly initialDeviation?: number | undefined;
  /** f. Default 'relu', the authors'. */
  readonly activation?: Activation | undefined;
}

/**
 * Pfeiffer et al. 2020 (MAD-X, arXiv 2005.00052, §3.1): one bottleneck a layer, after the feed-forward sub-layer's LayerNorm,
 * whose result is added before a second one with the same parameters: t = LN(y + x), LN(y + up(f(down(t))) + x). Half the
 * parameters of `houlsby`; the LayerNorms stay as they are unless the task says otherwise.
 *
 * @throws OptionError for a bottleneck that is not a whole number from 1 to 4,096, or a deviation not above 0
 */
export function pfeiffer({
  bottleneck = 64,
  initialDeviation = 1e-2,
  activation = 'relu',
}: PfeifferOptions = {}): AdapterMethod {
  checkBottleneck(bottleneck, activation);
  checkDeviation(initialDeviation);
  return {
    ...ANY_LAYERS,
    kind: 'pfeiffer',
    options: { bottleneck, activation },
    layerNorm: 'none',
    parameters({ config, initializer, layers }) {
      const draw = (name: string, length: number) =>
        initializer.truncatedNormal(name, length, initialDeviation);
      const places = { layers, sites: ['output'] as const };
      return bottleneckParameters(places, config, bottleneck, { down: draw, up: draw });
    },
    attach: ({ tape, parameter }) => ({
      subLayer(place, { input, projected, normalize }) {
        if (place.site === 'attention') return projected;
        const weights = bottleneckWeights(place, parameter);
        return adapter(tape, normalize(projected, input), weights, activation, projected);
      },
    }),
  };
}
