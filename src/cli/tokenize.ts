import { loadTokenizer } from '../index';
import { readLines } from './lines';
import type { TokenizeOptions } from './options';
import { createProgress } from './progress';

/** `graft tokenize`: lines on stdin, ids on stdout. */
export async function tokenize(options: TokenizeOptions): Promise<void> {
  const progress = createProgress({ quiet: options.json });
  const tokenizer = await loadTokenizer(options.backbone, { onProgress: progress.download });
  progress.stop();
  for await (const { text } of readLines(process.stdin, 'stdin')) {
    const ids = Array.from(tokenizer.encode(text).ids);
    process.stdout.write(options.json ? `${JSON.stringify(ids)}\n` : `${ids.join(' ')}\n`);
  }
}
