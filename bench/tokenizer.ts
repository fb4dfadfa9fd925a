import { Tokenizer } from '../src/tokenizer/tokenizer';

export interface TokenizerRate {
  /** Median over the runs; a megabyte is 10⁶ bytes of UTF-8. */
  readonly megabytesPerSecond: number;
  /** The fastest run: on a machine with other work this says more. */
  readonly best: number;
  readonly tokensPerSecond: number;
  readonly texts: number;
  readonly bytes: number;
  readonly tokens: number;
}

/** How fast `encodeBatch` is on one thread, strings in, ids out. The first two runs only warm up. */
export async function measureTokenizer(
  vocabulary: Uint8Array,
  texts: readonly string[],
  { lowercase = true, runs = 15 } = {},
): Promise<TokenizerRate> {
  const tokenizer = await Tokenizer.load({ vocabulary, lowercase, fileName: 'vocabulary' });
  const encoder = new TextEncoder();
  const bytes = texts.reduce((sum, text) => sum + encoder.encode(text).length, 0);
  const seconds: number[] = [];
  let tokens = 0;
  for (let run = -2; run < runs; run++) {
    const start = performance.now();
    tokens = tokenizer.encodeBatch(texts).ids.length;
    if (run >= 0) seconds.push((performance.now() - start) / 1000);
  }
  tokenizer.dispose();
  seconds.sort((a, b) => a - b);
  const median = seconds[seconds.length >> 1] ?? Number.NaN;
  return {
    megabytesPerSecond: bytes / 1e6 / median,
    best: bytes / 1e6 / (seconds[0] ?? Number.NaN),
    tokensPerSecond: tokens / median,
    texts: texts.length,
    bytes,
    tokens,
  };
}

export function formatTokenizerRate(name: string, rate: TokenizerRate): string {
  const { megabytesPerSecond, best, tokensPerSecond, texts, bytes } = rate;
  return (
    `${name}: ${megabytesPerSecond.toFixed(1)} MB/s (best run ${best.toFixed(1)}), ` +
    `${(tokensPerSecond / 1e6).toFixed(1)} M tokens/s; ${texts} texts, ${(bytes / 1e6).toFixed(2)} MB`
  );
}
