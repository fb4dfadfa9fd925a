import { type AdapterMethod, ANY_LAYERS } from './method';

/** LayerNorms alone are trained, γ and β: a baseline of Houlsby et al. 2019 (arXiv 1902.00751, §3.4). */
export function layerNormOnly(): AdapterMethod {
  return {
    ...ANY_LAYERS,
    kind: 'layer-norm',
    options: {},
    layerNorm: 'all',
    canChooseLayerNorm: false,
    parameters: () => [],
  };
}
