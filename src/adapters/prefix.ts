import { OptionError } from '../errors';
import { LONGEST_PREFIX } from '../ops/prefix_attention';
import type { ParameterSpec } from '../scheduler/parameters';
import { type AdapterMethod, ANY_LAYERS } from './method';

/** For `prefixTuning`. */
export interface PrefixOptions {
  /** p, how many keys and values come before each sequence's own. Default 30. */
  readonly prefixLength?: number | undefined;
}

/** Of the initial keys and values: as wide as those of text. The Python libraries `adapters` and `peft` take the same. */
const INITIAL_DEVIATION = 1;

/**
 * Li and Liang 2021 (prefix tuning, arXiv 2101.00190): in every layer all queries also attend to p trained keys and values, the
 * same for all texts; here the plain form, without the authors' network that generates them. The LayerNorms stay as they are
 * unless the task says otherwise.
 *
 * @throws OptionError for a length that is not a whole number from 1 to 256
 */
export function prefixTuning({ prefixLength: length = 30 }: PrefixOptions = {}): AdapterMethod {
  if (!Number.isInteger(length) || length < 1 || length > LONGEST_PREFIX) {
    throw new OptionError('prefixLength', `${length} is not a whole number from 1 to ${LONGEST_PREFIX}`);
  }
  return {
    ...ANY_LAYERS,
    kind: 'prefix',
    options: { prefixLength: length },
    layerNorm: 'none',
    parameters: ({ config, layers, initializer }) =>
      layers.map((layer): ParameterSpec => {
        const { hiddenSize } = config;
        const names = ['key', 'value'].map((part) => `layer.${layer}.attention.prefix.${part}`);
        return {
          name: prefixName(layer),
          shape: [2 * length, hiddenSize],
          decay: true,
          parts: names.map((name) => ({ name, shape: [length, hiddenSize] })),
          initialize: () => {
            const values = new Float32Array(2 * length * hiddenSize);
            names.forEach((name, index) => {
              const drawn = initializer.truncatedNormal(name, length * hiddenSize, INITIAL_DEVIATION);
              values.set(drawn, index * length * hiddenSize);
            });
            return values;
          },
        };
      }),
    attach: ({ parameter }) => ({ prefix: (layer) => parameter(prefixName(layer)) }),
  };
}

function prefixName(layer: number): string {
  return `layer.${layer}.attention.prefix`;
}
