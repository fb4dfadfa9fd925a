import { golden } from './golden';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** The vocabulary of `every_code_point` in test/golden/tokenizer.py. */
export function everyCodePoint(): string[] {
  const points = [
    [1, 0xd800],
    [0xe000, 0x20000],
    [0x2f800, 0x2fb00],
    [0xe0000, 0xe0200],
  ] as const;
  const characters = points.flatMap(([from, to]) =>
    Array.from({ length: to - from }, (_, i) => String.fromCodePoint(from + i)),
  );
  return [...SPECIAL, ...characters, ...characters.map((character) => `##${character}`)];
}

/** The texts of `random_texts` in test/golden/tokenizer.py. */
export function randomTexts(count: number, pool = golden.pool): string[] {
  let state = 1;
  const draw = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % n;
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + draw(24) }, () => pool[draw(pool.length)]).join(''),
  );
}
