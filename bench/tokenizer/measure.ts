import type { TokenizerOptions } from '../../src/tokenizer/options';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { median } from '../statistics';

export interface TokenizerRate {
  /** Median over the runs; a megabyte is 10⁶ bytes of UTF-8. */
  readonly megabytesPerSecond: number;
  /** The fastest run: on a machine with other work this says more. */
  readonly best: number;
  readonly tokensPerSecond: number;
  readonly bytes: number;
  readonly tokens: number;
}

/** How fast `encodeBatch` is on one thread, strings in, ids out. The first two runs only warm up. */
export async function measureTokenizer(
  options: TokenizerOptions,
  texts: readonly string[],
  runs: number,
): Promise<TokenizerRate> {
  const tokenizer = await Tokenizer.load(options);
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
  return {
    megabytesPerSecond: bytes / 1e6 / median(seconds),
    best: bytes / 1e6 / Math.min(...seconds),
    tokensPerSecond: tokens / median(seconds),
    bytes,
    tokens,
  };
}
