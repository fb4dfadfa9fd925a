/** FNV-1a over 32-bit words: tells apart what is not the same by accident. */
export class Digest {
  #hash = 0x811c9dc5;

  take(word: number): void {
    this.#hash = Math.imul(this.#hash ^ (word >>> 0), 0x01000193);
  }

  /** 8 hexadecimal digits. */
  get text(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }
}
