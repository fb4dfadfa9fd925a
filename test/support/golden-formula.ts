/** Numbers that test/golden/*.py and the tests compute alike, to the bit. */

/** MurmurHash3's 32-bit finaliser. */
export function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** `starting_tensor` of test/golden/methods.py. */
export function startingTensor(name: string, ordinal: number, length: number): Float32Array<ArrayBuffer> {
  const [offset, scale] = name.endsWith('.ia3') ? [1, 0.5] : [0, 0.2];
  return Float32Array.from(
    { length },
    (_, i) => offset + scale * ((mix(i ^ mix(ordinal)) + 0.5) / 2 ** 31 - 1),
  );
}

/** `summary` of test/golden/methods.py: the norm, and products with three vectors of ±1. */
export function summary(values: ArrayLike<number>): number[] {
  let squares = 0;
  const products = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    squares += value * value;
    for (let k = 0; k < 3; k++) {
      products[k] = (products[k] ?? 0) + value * ((mix(i ^ mix(1000 + k)) & 1) * 2 - 1);
    }
  }
  return [Math.sqrt(squares), ...products];
}
