import { OptionError } from '../errors';
import type { EncoderConfig } from '../models/config';
import {
  outputNames,
  PRODUCTS,
  type ProductPlace,
  productName,
  productSizes,
} from '../models/encoder-parameters';
import { dropout } from '../ops/dropout';
import { linear } from '../ops/linear';
import { placeBlocks } from '../ops/place_blocks';
import type { ParameterSpec } from '../scheduler/parameters';
import { kaimingUniform } from './kaiming';
import { type AdapterMethod, ANY_LAYERS, type Initializer } from './method';

/** What LoRA can adapt, in a layer: the outputs of its products. */
export const LORA_TARGETS = ['query', 'key', 'value', 'attention.output', 'intermediate', 'output'] as const;
export type LoraTarget = (typeof LORA_TARGETS)[number];

export interface LoraOptions {
  /** r, the rank of an update. Default 8. */
  readonly rank?: number | undefined;
  /** α: an update is multiplied by α/r. Default 8. */
  readonly alpha?: number | undefined;
  /** Of the input of an update, in training. Default 0. */
  readonly loraDropout?: number | undefined;
  /** Which products are updated. Default query and value, as in the paper. */
  readonly targets?: readonly LoraTarget[] | undefined;
}

/** Beyond it an update is no smaller than what it updates. */
const MAX_RANK = 4096;

/**
 * Hu et al. 2021 (LoRA, arXiv 2106.09685): to a product's output x Wᵀ + b is added (α/r) · drop(x) Aᵀ Bᵀ, with A `[r, inputs]`
 * from He's uniform distribution and B `[outputs, r]` from zero, so that it adds nothing at first. It can be folded into W for
 * prediction (`Task.merge`). The LayerNorms stay as they are unless the task says otherwise.
 *
 * @throws OptionError for a rank that is not a whole number from 1 to 4,096, an alpha that is not above 0, a dropout that is no
 *   probability below 1, or targets that are none or not known
 */
export function lora({
  rank = 8,
  alpha = 8,
  loraDropout = 0,
  targets = ['query', 'value'],
}: LoraOptions = {}): AdapterMethod {
  if (!Number.isInteger(rank) || rank < 1 || rank > MAX_RANK) {
    throw new OptionError('rank', `${rank} is not a whole number from 1 to ${MAX_RANK}`);
  }
  if (!(alpha > 0 && Number.isFinite(alpha))) throw new OptionError('alpha', `${alpha} is not above 0`);
  if (!(loraDropout >= 0 && loraDropout < 1)) {
    throw new OptionError('loraDropout', `${loraDropout} is not a probability from 0 to below 1`);
  }
  const unknown = targets.find((target) => !LORA_TARGETS.includes(target));
  if (unknown !== undefined) {
    throw new OptionError('targets', `there is no ${unknown}`, `Choose from ${LORA_TARGETS.join(', ')}`);
  }
  if (targets.length === 0) throw new OptionError('targets', 'none is given');
  // In the order of the encoder, whatever order they are given in.
  const chosen = LORA_TARGETS.filter((target) => targets.includes(target));
  const scale = alpha / rank;
  return {
    ...ANY_LAYERS,
    kind: 'lora',
    options: { rank, alpha, loraDropout, targets: chosen },
    layerNorm: 'none',
    parameters: ({ config, initializer, layers }) =>
      layers.flatMap((layer) =>
        PRODUCTS.flatMap((product) =>
          updateParameters({ layer, product }, config, initializer, rank, chosen),
        ),
      ),
    attach: ({ tape, parameter, isTraining }) => ({
      linear(place, x, product) {
        const bands = targetsOf(place, chosen);
        const output = product(x);
        if (bands.length === 0) return output;
        const name = productName(place);
        const dropped = dropout(tape, x, isTraining ? loraDropout : 0);
        const narrow = linear(tape, dropped, parameter(`${name}.lora_a`), undefined);
        const wide = placeBlocks(tape, parameter(`${name}.lora_b`), {
          bands: bands.map(({ index }) => index),
          bandCount: outputNames(place).length,
          scale,
        });
        return linear(tape, narrow, wide, undefined, output);
      },
    }),
  };
}

/** A product's outputs that are updated: what they are called, and which of the product's outputs they are. */
export function targetsOf(
  place: ProductPlace,
  targets: readonly LoraTarget[],
): { readonly name: string; readonly index: number }[] {
  const prefix = `layer.${place.layer}.`;
  return outputNames(place).flatMap((name, index) => {
    const target = name.slice(prefix.length).replace(/^attention\.(query|key|value)$/, '$1');
    return targets.some((known) => known === target) ? [{ name, index }] : [];
  });
}

/** A of all targets below each other `[n·r, inputs]`, and B of all `[n·outputs, r]`. */
function updateParameters(
  place: ProductPlace,
  config: EncoderConfig,
  initializer: Initializer,
  rank: number,
  targets: readonly LoraTarget[],
): ParameterSpec[] {
  const updated = targetsOf(place, targets).map(({ name }) => name);
  if (updated.length === 0) return [];
  const { inputs, outputs: all } = productSizes(place.product, config);
  const outputs = all / outputNames(place).length;
  const parts = (end: string, shape: readonly number[]) =>
    updated.map((name) => ({ name: `${name}.${end}`, shape }));
  const name = productName(place);
  return [
    {
      name: `${name}.lora_a`,
      shape: [updated.length * rank, inputs],
      decay: true,
      parts: parts('lora_a', [rank, inputs]),
      initialize: () => {
        const values = new Float32Array(updated.length * rank * inputs);
        updated.forEach((target, index) => {
          const a = kaimingUniform(initializer, `${target}.lora_a`, rank * inputs, inputs);
          values.set(a, index * rank * inputs);
        });
        return values;
      },
    },
    {
      name: `${name}.lora_b`,
      shape: [updated.length * outputs, rank],
      decay: true,
      parts: parts('lora_b', [outputs, rank]),
      initialize: () => new Float32Array(updated.length * outputs * rank),
    },
  ];
}
