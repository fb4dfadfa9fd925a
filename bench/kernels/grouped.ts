import { groupedLayerNorm } from '../../src/ops/grouped_layer_norm';
import { groupedLinear } from '../../src/ops/grouped_linear';
import type { BenchmarksAt } from './benchmark';

/** The bottleneck of a Houlsby adapter. */
const BOTTLENECK = 64;
/** Tasks in the batch; all its sequences are the first one's, which takes as long as any whose sequences lie together. */
const GROUPS = 4;

/** What differs between the sequences of a batch of several tasks. Inference alone. */
export const groupedBenchmarks: BenchmarksAt = ({ hidden, tokens }) => [
  {
    op: 'grouped_linear',
    shape: `${tokens}×${hidden}×${BOTTLENECK}, ${GROUPS} groups`,
    record: async (tape, given) =>
      groupedLinear(
        tape,
        await given.tensor('x', 'tokens', hidden, 'frozen'),
        { ...(await given.tensor('weight', GROUPS * BOTTLENECK, hidden, 'frozen')), groups: GROUPS },
        { ...(await given.tensor('bias', GROUPS, BOTTLENECK, 'frozen')), groups: GROUPS },
      ),
    rows: [
      {
        kernel: 'grouped_linear forward',
        pass: 'forward',
        cost: { operations: 2 * tokens * hidden * BOTTLENECK },
      },
    ],
  },
  {
    op: 'grouped_layer_norm',
    shape: `${tokens}×${hidden}, ${GROUPS} groups`,
    record: async (tape, given) =>
      groupedLayerNorm(
        tape,
        await given.tensor('x', 'tokens', hidden, 'frozen'),
        await given.tensor('residual', 'tokens', hidden, 'frozen'),
        { ...(await given.tensor('gamma', GROUPS, hidden, 'frozen')), groups: GROUPS },
        { ...(await given.tensor('beta', GROUPS, hidden, 'frozen')), groups: GROUPS },
        1e-12,
      ),
    rows: [{ kernel: 'grouped_layer_norm forward', pass: 'forward', cost: { bytes: 'contract' } }],
  },
];
