/** Trained copies of the encoder's own parameters: each takes the place of the one that it begins as. */
import {
  type EncoderParameter,
  embeddingsProjectParameters,
  PRODUCTS,
  poolerParameters,
  productParameters,
} from '../models/encoder-parameters';
import type { ParameterSpec } from '../scheduler/parameters';
import type { ParameterContext } from './method';

export function copyOf(parameter: EncoderParameter, context: ParameterContext): ParameterSpec {
  return {
    ...parameter,
    // Biases have one dimension.
    decay: parameter.shape.length > 1,
    initialize: () => context.pretrained(parameter.name),
  };
}

/** Weights or biases, or both, of all products of the context's layers. */
export function productsOf(
  context: ParameterContext,
  which: readonly ('weight' | 'bias')[],
): ParameterSpec[] {
  return context.layers.flatMap((layer) =>
    PRODUCTS.flatMap((product) => {
      const parameters = productParameters({ layer, product }, context.config);
      return which.map((part) => copyOf(parameters[part], context));
    }),
  );
}

/** The same of the product that follows the embeddings, where there is one; none where the lowest layer is left as it is. */
export function embeddingsProjectOf(
  context: ParameterContext,
  which: readonly ('weight' | 'bias')[],
): ParameterSpec[] {
  const { config, layers } = context;
  const parameters = embeddingsProjectParameters(config);
  // Below the first adapted layer all tasks compute the same, once: nothing of it may be a task's own.
  return config.embeddingSize === config.hiddenSize || layers[0] !== 0
    ? []
    : which.map((part) => copyOf(parameters[part], context));
}

/** The same of the pooler, where there is one. */
export function poolerOf(context: ParameterContext, which: readonly ('weight' | 'bias')[]): ParameterSpec[] {
  const parameters = poolerParameters(context.config);
  return context.hasPooler ? which.map((part) => copyOf(parameters[part], context)) : [];
}
