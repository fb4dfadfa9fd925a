import { OptionError } from '../errors';
import type { Activation } from '../ops/activation';
import { adapter } from '../ops/adapter';
import { placeBlocks } from '../ops/place_blocks';
import { bottleneckParameters, bottleneckWeights, checkBottleneck } from './bottleneck';
import { kaimingUniform } from './kaiming';
import { type AdapterMethod, ANY_LAYERS } from './method';

/** For `parallel`. */
export interface ParallelOptions {
  /** m, the width of the bottleneck. Default 64. */
  readonly bottleneck?: number | undefined;
  /** s, by which the branch is multiplied. Default 4, the authors'. */
  readonly scaling?: number | undefined;
  /** f. Default 'relu', the authors'. */
  readonly activation?: Activation | undefined;
}

/**
 * He et al. 2022 (arXiv 2110.04366, "scaled parallel adapter"): one bottleneck a layer, beside the feed-forward sub-layer and
 * reading what that reads: LN(y + s · up(f(down(x))) + x). As in LoRA, up starts from zero and down from He's uniform
 * distribution, so the module adds nothing at first. The LayerNorms stay as they are unless the task says otherwise.
 *
 * @throws OptionError for a bottleneck that is not a whole number from 1 to 4,096, or a scaling that is 0 or not finite
 */
export function parallel({
  bottleneck = 64,
  scaling = 4,
  activation = 'relu',
}: ParallelOptions = {}): AdapterMethod {
  checkBottleneck(bottleneck, activation);
  if (!Number.isFinite(scaling) || scaling === 0) {
    throw new OptionError('scaling', `${scaling} is not a number other than 0`);
  }
  return {
    ...ANY_LAYERS,
    kind: 'parallel',
    options: { bottleneck, activation, scaling },
    layerNorm: 'none',
    parameters({ config, initializer, layers }) {
      const places = { layers, sites: ['output'] as const };
      return bottleneckParameters(places, config, bottleneck, {
        down: (name, length) => kaimingUniform(initializer, name, length, config.hiddenSize),
        up: (_, length) => new Float32Array(length),
      });
    },
    attach: ({ tape, parameter }) => ({
      subLayer(place, { input, projected }) {
        if (place.site === 'attention') return projected;
        const weights = bottleneckWeights(place, parameter);
        const scaled = {
          ...weights,
          upWeight: placeBlocks(tape, weights.upWeight, { scale: scaling }),
          upBias: placeBlocks(tape, weights.upBias, { scale: scaling }),
        };
        return adapter(tape, input, scaled, activation, projected);
      },
    }),
  };
}
