import { type Comparison, relativeToLargest } from '../compare';
import { PRODUCT } from '../inputs';
import type { Contestants } from './contestants';

const FLOPS = 2 * PRODUCT.rows * PRODUCT.inner * PRODUCT.columns;

/** The product that platforms are compared on, in f32, on the CPU and through WebGPU. */
export function productComparisons(contestants: Contestants): Comparison[] {
  const shape = `${PRODUCT.rows}×${PRODUCT.inner}×${PRODUCT.columns}`;
  const on = (backend: 'wasm' | 'webgpu', title: string): Comparison => ({
    name: `product-${backend}`,
    title,
    work: 'product',
    rounds: 9,
    difference: relativeToLargest,
    // 768 f32 products summed in another order.
    tolerance: 1e-5,
    rate: { unit: 'GFLOP/s', of: (milliseconds) => FLOPS / milliseconds / 1e6 },
    entries: [
      contestants.node('Graft', 'graft', { backend }),
      ...(backend === 'wasm'
        ? [contestants.node('Graft, one thread', 'graft', { backend, threads: '1' })]
        : []),
      contestants.node('tfjs', 'tfjs', { backend }),
      ...(backend === 'wasm'
        ? [
            contestants.node('tfjs, one thread', 'tfjs', { backend, threads: '1' }),
            contestants.node('jax-js, one worker', 'jax', { backend, layout: 'out-in', threads: '1' }),
          ]
        : []),
      contestants.node('jax-js', 'jax', { backend, layout: 'out-in' }),
      contestants.node('jax-js, weight transposed', 'jax', { backend, layout: 'in-out' }),
    ],
  });
  return [on('wasm', `Product ${shape} on the CPU`), on('webgpu', `Product ${shape} through WebGPU`)];
}
