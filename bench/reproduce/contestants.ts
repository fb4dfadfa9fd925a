/** What is compared: the methods, their sizes, and the learning rates that each is tried with. */
import {
  type AdapterMethod,
  fullFineTuning,
  headOnly,
  houlsby,
  layerNormOnly,
  topLayers,
} from '../../src/index';

export const MOST_RATES = 3;

export interface Contestant {
  readonly name: string;
  readonly title: string;
  /** Which of the paper's curves it lies on. */
  readonly family: 'adapters' | 'layers' | 'other';
  readonly method: AdapterMethod;
  /** `MOST_RATES` of them, those that are tried first in front. */
  readonly learningRates: readonly number[];
}

// The paper sweeps 3e-5, 3e-4 and 3e-3. The optimizer corrects no bias, so that early steps are thrice as long, and a small encoder falls back
// to the most frequent class where they are too long: MiniLM's adapters at 1e-3 on SMS spam and CoLA, all of it at 1e-4 on CoLA.
const ADAPTER_RATES = [5e-4, 3e-4, 1e-3];
const TUNING_RATES = [3e-5, 1e-4, 5e-5];
const TOP_LAYER_RATES = [1e-4, 3e-5, 3e-4];
const FEW_PARAMETERS_RATES = [3e-3, 1e-3, 1e-2];

const adapters = [8, 64, 256].map(
  (bottleneck): Contestant => ({
    name: `adapters-${bottleneck}`,
    title: `Adapters, ${bottleneck}`,
    family: 'adapters',
    method: houlsby({ bottleneck }),
    learningRates: ADAPTER_RATES,
  }),
);

const top = [1, 2, 3].map(
  (topK): Contestant => ({
    name: `top-${topK}`,
    title: topK === 1 ? 'Top layer' : `Top ${topK} layers`,
    family: 'layers',
    method: topLayers({ topK }),
    learningRates: TOP_LAYER_RATES,
  }),
);

export const FULL: Contestant = {
  name: 'full',
  title: 'Full fine-tuning',
  family: 'layers',
  method: fullFineTuning(),
  learningRates: TUNING_RATES,
};

/** In the order in which they run and are shown. */
export const CONTESTANTS: readonly Contestant[] = [
  FULL,
  ...adapters,
  ...top,
  {
    name: 'layer-norm',
    title: 'LayerNorm only',
    family: 'other',
    method: layerNormOnly(),
    learningRates: FEW_PARAMETERS_RATES,
  },
  {
    name: 'head',
    title: 'Head only',
    family: 'other',
    method: headOnly(),
    learningRates: FEW_PARAMETERS_RATES,
  },
];
