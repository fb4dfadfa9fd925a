const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const SIZE = 7000;

/**
 * A WordPiece vocabulary (`vocab.txt`) that covers some texts: every character, half of the words whole, the other half in
 * two pieces, filled up to 7,000 entries.
 */
export function syntheticVocabulary(texts: readonly string[]): string {
  const words = [
    ...new Set(texts.flatMap((text) => text.toLowerCase().match(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu) ?? [])),
  ];
  const characters = [...new Set(words.flatMap((word) => [...word]))];
  const pieces = words.flatMap((word, index) => {
    if (index % 2 === 0) return [word];
    const middle = Math.ceil(word.length / 2);
    return [word.slice(0, middle), ...(middle < word.length ? [`##${word.slice(middle)}`] : [])];
  });
  const tokens = new Set([...SPECIAL, ...characters, ...characters.map((c) => `##${c}`), ...pieces]);
  for (let i = 0; tokens.size < SIZE; i++) tokens.add(`[unused${i}]`);
  return `${[...tokens].join('\n')}\n`;
}
