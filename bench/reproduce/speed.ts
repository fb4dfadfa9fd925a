/** How fast each method trains here, to see how much fits into the time given. */
import type { Backbone, Example } from '../../src/index';
import type { Speeds } from './budget';
import type { Contestant } from './contestants';
import { BATCH_SIZE, MAX_LENGTH } from './run';

/** One that warms up, and two that count. */
const STEPS = 3;

export async function measureSpeeds(
  backbone: Backbone,
  contestants: readonly Contestant[],
  texts: readonly Example[],
  signal: AbortSignal,
): Promise<Speeds> {
  const speeds = new Map<Contestant, number>();
  // Two labels, whatever the texts' own are.
  const examples = texts
    .slice(0, STEPS * BATCH_SIZE)
    .map(({ text }, index) => ({ text, label: index % 2 === 0 ? 'a' : 'b' }));
  for (const contestant of contestants) {
    await using task = await backbone.createTask({
      labels: ['a', 'b'],
      adapter: contestant.method,
      maxLength: MAX_LENGTH,
    });
    const seconds: number[] = [];
    let tokens = 0;
    for await (const report of task.train(examples, { epochs: 1, batchSize: BATCH_SIZE, signal })) {
      if (report.type !== 'step') continue;
      const { encode, device, readBack, optimizer, upload } = report.timings;
      seconds.push((encode + device + readBack + optimizer + upload) / 1000);
      // Over the whole run so far; all batches are of like length.
      tokens = (report.tokensPerSecond * seconds.reduce((sum, each) => sum + each, 0)) / report.step;
    }
    speeds.set(contestant, tokens / Math.min(...seconds.slice(1)));
  }
  return speeds;
}

/** Mean tokens of examples, special tokens included. */
export function meanLength(backbone: Backbone, examples: readonly Example[]): number {
  const some = examples.slice(0, 500);
  const lengths = some.map(
    ({ text, pair }) => backbone.tokenizer.encode(text, pair, { maxLength: MAX_LENGTH }).ids.length,
  );
  return lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
}
