import { join } from 'node:path';
import { loadTokenizer } from '../../../../src/training/load-tokenizer';
import { readTexts } from '../../inputs-format';
import type { Job } from '../../protocol';
import { type Contestant, timed } from '../../serve';

export async function tokenizer({ inputs }: Job): Promise<Contestant> {
  const loaded = await loadTokenizer(join(inputs, 'encoder'));
  const texts = readTexts(inputs);
  return {
    setup: 'WebAssembly, one thread, encodeBatch',
    check: Float32Array.from(loaded.encodeBatch(texts).ids),
    round: () => timed(1, async () => loaded.encodeBatch(texts)),
  };
}
