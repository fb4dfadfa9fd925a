/** Sizes of well-known encoders. */
export const SHAPES = {
  minilm: { title: 'MiniLM', hiddenSize: 384, layers: 6, heads: 12 },
  base: { title: 'BERT-base', hiddenSize: 768, layers: 12, heads: 12 },
  large: { title: 'BERT-large', hiddenSize: 1024, layers: 24, heads: 16 },
} as const;

export type ShapeName = keyof typeof SHAPES;

export function isShapeName(name: string): name is ShapeName {
  return Object.hasOwn(SHAPES, name);
}
