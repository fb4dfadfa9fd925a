import type { Backbone } from 'graft-ml';

/** Of configuration, size and vocabulary: adapters of one backbone fit another with the same. */
export function fingerprintOf({ config, parameterCount, tokenizer }: Backbone): string {
  const hash = new Hash();
  hash.text(JSON.stringify([Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)), parameterCount]));
  for (let id = 0; id < tokenizer.vocabularySize; id++) hash.text(tokenizer.token(id) ?? '');
  return hash.hex();
}

/** FNV-1a in two lanes of 32 bits with different beginnings: no secret, no adversary. */
class Hash {
  #first = 0x811c9dc5;
  #second = 0x9747b28c;

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#word(text.charCodeAt(i));
    this.#word(0xffff);
  }

  hex(): string {
    return [this.#first, this.#second].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #word(word: number): void {
    this.#first = Math.imul(this.#first ^ word, 0x01000193);
    this.#second = Math.imul(this.#second ^ word ^ (this.#second >>> 15), 0x01000193);
  }
}
