/** What methods beside bottleneck adapters are made of: LoRA's placed blocks, (IA)³'s factors. */
import { placeBlocks } from '../../src/ops/place_blocks';
import { scaleColumns } from '../../src/ops/scale_columns';
import type { BenchmarksAt } from './benchmark';

const RANK = 8;

export const methodBenchmarks: BenchmarksAt = ({ hidden, tokens }) => [
  {
    op: 'place_blocks',
    shape: `2×${hidden}×${RANK} to ${3 * hidden}×${2 * RANK}`,
    record: async (tape, given) =>
      placeBlocks(tape, await given.tensor('source', 2 * hidden, RANK, 'parameter'), {
        bands: [0, 2],
        bandCount: 3,
        scale: 1,
      }),
    rows: (['forward', 'backward'] as const).map((pass) => ({
      kernel: `place_blocks ${pass}`,
      pass,
      cost: { bytes: 'contract' },
    })),
  },
  {
    op: 'scale_columns',
    shape: `${tokens}×${3 * hidden}, ${2 * hidden} scaled`,
    record: async (tape, given) =>
      scaleColumns(
        tape,
        await given.tensor('x', 'tokens', 3 * hidden, 'activation'),
        await given.tensor('scale', 1, 2 * hidden, 'parameter'),
        hidden,
      ),
    rows: (['forward', 'backward'] as const).map((pass) => ({
      kernel: `scale_columns ${pass}`,
      pass,
      cost: { bytes: 'contract' },
    })),
  },
];
