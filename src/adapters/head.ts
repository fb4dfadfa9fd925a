import type { AdapterMethod } from './method';

/** The encoder is a fixed feature extractor without dropout; the head alone is trained: logistic regression on its output. */
export function headOnly(): AdapterMethod {
  return {
    kind: 'head',
    options: {},
    layers: () => [],
    canChooseLayers: false,
    layerNorm: 'none',
    canChooseLayerNorm: false,
    parameters: () => [],
  };
}
