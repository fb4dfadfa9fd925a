/** The encoder's own parameters as tasks may train them: under Graft's names, in the shapes that kernels read. */
import type { ParameterPart } from '../scheduler/parameters';
import type { EncoderConfig } from './config';

/** The products of an encoder layer: 'layer.{i}.' in front makes their names. */
export const PRODUCTS = ['attention.query_key_value', 'attention.output', 'intermediate', 'output'] as const;
export type ProductName = (typeof PRODUCTS)[number];

/** What attention's first product makes side by side, each `[T, hidden]`. */
export const QUERY_KEY_VALUE = ['query', 'key', 'value'] as const;

export interface ProductPlace {
  readonly layer: number;
  readonly product: ProductName;
}

/** A product's weight is `[outputs, inputs]`. */
export interface ProductSizes {
  readonly inputs: number;
  readonly outputs: number;
}

export function productSizes(product: ProductName, config: EncoderConfig): ProductSizes {
  const { hiddenSize: hidden, intermediateSize: intermediate } = config;
  switch (product) {
    case 'attention.query_key_value':
      return { inputs: hidden, outputs: 3 * hidden };
    case 'attention.output':
      return { inputs: hidden, outputs: hidden };
    case 'intermediate':
      return { inputs: hidden, outputs: intermediate };
    case 'output':
      return { inputs: intermediate, outputs: hidden };
  }
}

/** 'layer.0.attention.output' */
export function productName({ layer, product }: ProductPlace): string {
  return `layer.${layer}.${product}`;
}

/** The names of what a product makes: 'layer.0.attention.query', …; where that is one thing, the product's own. */
export function outputNames({ layer, product }: ProductPlace): readonly string[] {
  return product === 'attention.query_key_value'
    ? QUERY_KEY_VALUE.map((output) => `layer.${layer}.attention.${output}`)
    : [productName({ layer, product })];
}

/** A trainable tensor of the encoder, LayerNorms apart. */
export interface EncoderParameter {
  readonly name: string;
  readonly shape: readonly [number] | readonly [number, number];
  readonly parts?: readonly ParameterPart[];
}

export function productParameters(
  place: ProductPlace,
  config: EncoderConfig,
): { readonly weight: EncoderParameter; readonly bias: EncoderParameter } {
  const name = productName(place);
  const { inputs, outputs } = productSizes(place.product, config);
  const names = outputNames(place);
  const rows = outputs / names.length;
  const parts = (part: string, shape: readonly number[]) =>
    names.length === 1 ? {} : { parts: names.map((output) => ({ name: `${output}.${part}`, shape })) };
  return {
    weight: { name: `${name}.weight`, shape: [outputs, inputs], ...parts('weight', [rows, inputs]) },
    bias: { name: `${name}.bias`, shape: [outputs], ...parts('bias', [rows]) },
  };
}

export function poolerParameters({ hiddenSize }: EncoderConfig): {
  readonly weight: EncoderParameter;
  readonly bias: EncoderParameter;
} {
  return {
    weight: { name: 'pooler.weight', shape: [hiddenSize, hiddenSize] },
    bias: { name: 'pooler.bias', shape: [hiddenSize] },
  };
}

/** Of what follows the tables where they are narrower than hidden states. */
export function embeddingsProjectParameters({ embeddingSize, hiddenSize }: EncoderConfig): {
  readonly weight: EncoderParameter;
  readonly bias: EncoderParameter;
} {
  return {
    weight: { name: 'embeddings_project.weight', shape: [hiddenSize, embeddingSize] },
    bias: { name: 'embeddings_project.bias', shape: [hiddenSize] },
  };
}

export function embeddingParameters(config: EncoderConfig): readonly EncoderParameter[] {
  const table = (name: string, rows: number): EncoderParameter => ({
    name: `embeddings.${name}.weight`,
    shape: [rows, config.embeddingSize],
  });
  return [
    table('word', config.vocabularySize),
    table('position', config.maxPositions),
    ...(config.typeVocabularySize > 0 ? [table('type', config.typeVocabularySize)] : []),
  ];
}
