import { type Comparison, type Entry, relativeToEach } from '../compare';
import { BATCH, type Inputs, LENGTH } from '../inputs';
import type { Contestants } from './contestants';

/**
 * One training step without dropout: forward, backward, AdamW. `stock` is a peer as its documentation would have it, `best`
 * rewritten around what is slow in it.
 */
export function stepComparisons(contestants: Contestants, { weights }: Inputs): Comparison[] {
  const shape = `${BATCH} sequences of ${LENGTH}, Houlsby 64, ${weights}`;
  const slow = (entry: Entry): Entry => ({ ...entry, isSlow: true });
  const common = {
    work: 'step',
    rounds: 3,
    difference: relativeToEach,
    tolerance: 1e-3,
    valueTolerance: 1e-3,
  };
  return [
    {
      ...common,
      name: 'step-wasm',
      title: `Training step on the CPU: ${shape}`,
      entries: [
        contestants.node('Graft', 'graft', { backend: 'wasm' }),
        contestants.node('Graft, one thread', 'graft', { backend: 'wasm', threads: '1' }),
        contestants.python('PyTorch', 'pytorch'),
        contestants.python('PyTorch, one thread', 'pytorch', { threads: '1' }),
        contestants.node('tfjs, best', 'tfjs', { backend: 'wasm', form: 'best' }),
        slow(contestants.node('tfjs, stock', 'tfjs', { backend: 'wasm', form: 'stock' })),
        contestants.node('jax-js, best', 'jax', { backend: 'wasm', form: 'best' }),
        slow(contestants.node('jax-js, stock', 'jax', { backend: 'wasm', form: 'stock' })),
      ],
    },
    {
      ...common,
      name: 'step-webgpu',
      title: `Training step through WebGPU: ${shape}`,
      rounds: 2,
      entries: [
        contestants.node('Graft', 'graft', { backend: 'webgpu' }),
        slow(contestants.node('tfjs, best', 'tfjs', { backend: 'webgpu', form: 'best' })),
        slow(contestants.node('tfjs, stock', 'tfjs', { backend: 'webgpu', form: 'stock' })),
        slow(contestants.node('jax-js, best', 'jax', { backend: 'webgpu', form: 'best' })),
        slow(contestants.node('jax-js, stock', 'jax', { backend: 'webgpu', form: 'stock' })),
      ],
    },
  ];
}
