import { outputEnd } from './output';

/* Where tokens come from, while a text is traced. */

/** u32 [tokens, 2]: of each token, where it begins and ends, in bytes from the text's start; 0 while nothing is traced. */
let spans: usize = 0;
let ids: usize = 0;
let text: usize = 0;

/** From now on, tokens of the text at `source` have spans; the ids are written from `to` on. */
export function beginTrace(source: usize, to: usize, spansTo: usize): void {
  text = source;
  ids = to;
  spans = spansTo;
}

export function endTrace(): void {
  spans = 0;
}

export function isTracing(): bool {
  return spans !== 0;
}

/** The token that is emitted next comes from the bytes at `from` up to `end`, which are addresses. */
export function markSpan(from: usize, end: usize): void {
  const span = spans + ((outputEnd() - ids) << 1);
  store<u32>(span, <u32>(from - text));
  store<u32>(span, <u32>(end - text), 4);
}
