/** What all contestants of the step comparison share. */

/** Constant: the AdamW of BERT's authors, β 0.9 and 0.999, ε 1e-6, decay 0.01 on matrices, no bias correction, no clipping. */
export const LEARNING_RATE = 1e-4;

/** The loss, then the norm of each parameter's gradient in the order of their names. */
export function stepCheck(loss: number, norms: ReadonlyMap<string, number>): Float32Array {
  const names = [...norms.keys()].sort();
  return Float32Array.from([loss, ...names.map((name) => norms.get(name) ?? Number.NaN)]);
}

/** Weight decay is for matrices: neither LayerNorms nor biases. */
export function decays(name: string): boolean {
  return !name.endsWith('.bias') && !name.includes('.layer_norm.');
}
