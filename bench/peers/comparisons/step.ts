import { type Comparison, relativeToEach } from '../compare';
import { BATCH, type Inputs, LENGTH } from '../inputs';
import type { Contestants } from './contestants';

/**
 * One training step without dropout: forward, backward, AdamW. `stock` is a peer as its documentation would have it, `best`
 * rewritten around what is slow in it.
 */
export function stepComparisons(contestants: Contestants, { weights }: Inputs): Comparison[] {
  const shape = `${BATCH} sequences of ${LENGTH}, Houlsby 64, ${weights}`;
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
        contestants.python('PyTorch', 'pytorch'),
        contestants.node('tfjs, best', 'tfjs', { backend: 'wasm', form: 'best' }),
        contestants.node('tfjs, stock', 'tfjs', { backend: 'wasm', form: 'stock' }, 1),
        contestants.node('jax-js, best', 'jax', { backend: 'wasm', form: 'best' }),
        contestants.node('jax-js, stock', 'jax', { backend: 'wasm', form: 'stock' }, 1),
      ],
    },
    {
      ...common,
      name: 'step-webgpu',
      title: `Training step through WebGPU: ${shape}`,
      rounds: 2,
      entries: [
        contestants.node('Graft', 'graft', { backend: 'webgpu' }),
        contestants.node('tfjs, best', 'tfjs', { backend: 'webgpu', form: 'best' }, 1),
        contestants.node('tfjs, stock', 'tfjs', { backend: 'webgpu', form: 'stock' }, 1),
        contestants.node('jax-js, best', 'jax', { backend: 'webgpu', form: 'best' }, 1),
        contestants.node('jax-js, stock', 'jax', { backend: 'webgpu', form: 'stock' }, 1),
      ],
    },
  ];
}
