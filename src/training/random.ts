import { OptionError } from '../errors';
import { Xoshiro128 } from './xoshiro128';

/**
 * Random numbers for what the host draws: the order of examples, initial parameters. (Dropout masks come from the
 * counter-based generator of the kernels.)
 *
 * The stream is a function of (seed, purpose, index) alone. The order of epoch 7 is `new Random(seed, 'order', 7)`,
 * whatever was drawn before: resume needs no replay, and drawing more numbers for one purpose moves no other.
 */
export class Random {
  readonly #bits: Xoshiro128;

  /**
   * @param seed a whole number, exactly representable (|seed| < 2^53)
   * @param purpose what the numbers are for: streams of different purposes are independent
   * @param index which of the purpose's streams: an epoch, a parameter's place
   * @throws OptionError for a seed or index that is not such a number
   */
  constructor(seed: number, purpose: string, index = 0) {
    if (!Number.isSafeInteger(seed))
      throw new OptionError('seed', `${seed} is not a whole number below 2^53`);
    if (!Number.isSafeInteger(index))
      throw new OptionError('index', `${index} is not a whole number below 2^53`);
    const key = [...twoWords(seed), ...twoWords(index)];
    for (let i = 0; i < purpose.length; i++) key.push(purpose.charCodeAt(i));
    // Four hashes of the key with different seeds fill the state. All four zero: one key in 2^128.
    this.#bits = new Xoshiro128(hash(key, 1), hash(key, 2), hash(key, 3), hash(key, 4));
  }

  /** An integer from 0 to `bound` − 1, each equally likely; `bound` from 1 to 2^32. */
  below(bound: number): number {
    // Numbers over the last whole multiple of `bound` would favour small results: they are drawn again.
    const fair = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const bits = this.#bits.next();
      if (bits < fair) return bits % bound;
    }
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = this.#bits.next() >>> 5;
    const low = this.#bits.next() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /**
   * Normal with mean 0 and standard deviation `sigma`, drawn again beyond 2σ: the initializer of BERT and of the
   * adapters (tf.truncated_normal_initializer). `sigma` is that of the untruncated normal; what remains has 0.880σ.
   *
   * By rejection from the uniform on [−2σ, 2σ], accepted with the density's height exp(−z²/2): three draws in five are
   * kept. No logarithm or cosine enters a value, so that engines whose Math rounds differently draw the same parameters.
   */
  truncatedNormal(sigma: number): number {
    for (;;) {
      const z = 4 * this.uniform() - 2;
      if (this.uniform() < Math.exp(-0.5 * z * z)) return sigma * z;
    }
  }

  /** Puts `items` into a random order, in place; every order is equally likely (Fisher–Yates). */
  shuffle(items: Uint32Array): void {
    for (let last = items.length - 1; last > 0; last--) {
      const chosen = this.below(last + 1);
      const item = items[last] ?? 0;
      items[last] = items[chosen] ?? 0;
      items[chosen] = item;
    }
  }
}

/** A whole number below 2^53 as its low and high 32 bits, in two's complement. */
function twoWords(value: number): [number, number] {
  return [value >>> 0, Math.floor(value / 2 ** 32) >>> 0];
}

/** MurmurHash3, 32 bits (A. Appleby, public domain), over whole words. */
function hash(words: readonly number[], seed: number): number {
  let h = seed;
  for (const word of words) {
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h ^= k;
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  }
  h ^= words.length * 4;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
