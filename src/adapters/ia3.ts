import { scaleColumns } from '../ops/scale_columns';
import type { ParameterSpec } from '../scheduler/parameters';
import { type AdapterMethod, ANY_LAYERS } from './method';

/**
 * Liu et al. 2022 ((IA)³, arXiv 2205.05638, §3.3): three vectors a layer rescale attention's keys and values and the
 * feed-forward's hidden layer, after its activation. They start from ones, so nothing changes at first, and can be folded into
 * the weights for prediction (`Task.merge`). The LayerNorms stay as they are unless the task says otherwise.
 */
export function ia3(): AdapterMethod {
  return {
    ...ANY_LAYERS,
    kind: 'ia3',
    options: {},
    layerNorm: 'none',
    parameters: ({ config, layers }) =>
      layers.flatMap((layer): ParameterSpec[] => {
        const { hiddenSize, intermediateSize } = config;
        const ones = (length: number) => () => new Float32Array(length).fill(1);
        return [
          {
            name: `layer.${layer}.attention.ia3`,
            shape: [2 * hiddenSize],
            // Decay would pull the factors to 0, where nothing passes.
            decay: false,
            parts: ['key', 'value'].map((output) => ({
              name: `layer.${layer}.attention.${output}.ia3`,
              shape: [hiddenSize],
            })),
            initialize: ones(2 * hiddenSize),
          },
          {
            name: `layer.${layer}.intermediate.ia3`,
            shape: [intermediateSize],
            decay: false,
            initialize: ones(intermediateSize),
          },
        ];
      }),
    attach: ({ tape, parameter }) => ({
      linear({ layer, product }, x, multiply) {
        switch (product) {
          case 'attention.query_key_value': {
            const output = multiply(x);
            // Keys and values lie behind the queries.
            return scaleColumns(tape, output, parameter(`layer.${layer}.attention.ia3`), output.columns / 3);
          }
          case 'output':
            return multiply(scaleColumns(tape, x, parameter(`layer.${layer}.intermediate.ia3`)));
          default:
            return multiply(x);
        }
      },
    }),
  };
}
