import { type Comparison, relativeToEach } from '../compare';
import type { Inputs } from '../inputs';
import { BATCH_SIZE, DROPOUT, STEPS_PER_ROUND } from '../training-recipe';
import type { Contestants } from './contestants';

const TITLES = { sst2: 'SST-2', rte: 'RTE', stsb: 'STS-B' };

/** Examples a second in training, real texts in their natural order: Graft's batches are packed, PyTorch's padded. */
export function trainingComparisons(contestants: Contestants, { data, weights }: Inputs): Comparison[] {
  return Object.entries(TITLES)
    .filter(([name]) => data.has(name))
    .map(([name, title]) => ({
      name: `training-${name}`,
      title: `Training on ${title}, ${weights}, Houlsby 64, batch ${BATCH_SIZE}, dropout ${DROPOUT}`,
      work: 'training',
      rounds: 3,
      difference: relativeToEach,
      // The first batch's loss, without dropout.
      tolerance: 1e-4,
      rate: {
        unit: 'examples/s',
        of: (milliseconds) => (STEPS_PER_ROUND * BATCH_SIZE * 1000) / milliseconds,
      },
      entries: [
        contestants.node('Graft', 'graft', { backend: 'wasm', data: name }),
        contestants.python('PyTorch', 'pytorch', { data: name }),
        contestants.python('PyTorch, one thread', 'pytorch', { data: name, threads: '1' }),
      ],
    }));
}
