import type { Backend } from '../../src/backends/backend';
import { type Effort, FULL_EFFORT } from '../timing';
import { COPY_SIZES, type Peaks, QUICK_COPY_SIZES } from './peaks';
import { wasmPeaks } from './wasm';
import { webgpuPeaks } from './webgpu';

/** The peaks of what a backend computes on. */
export function measurePeaks(backend: Backend, effort: Effort): Promise<Peaks> {
  const sizes = effort === FULL_EFFORT ? COPY_SIZES : QUICK_COPY_SIZES;
  return backend.name === 'webgpu'
    ? webgpuPeaks(sizes, effort)
    : wasmPeaks(backend.device.features.includes('relaxed-simd'), sizes, effort);
}
