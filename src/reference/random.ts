/** A small generator (mulberry32) for the inputs of cases; nothing outside of checks uses it. */
export class CaseRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** `count` numbers in (-scale, scale), each exact in f32. */
  values(count: number, scale = 1): Float64Array {
    return Float64Array.from({ length: count }, () => Math.fround((this.uniform() * 2 - 1) * scale));
  }
}
