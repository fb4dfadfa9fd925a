import type { Backend } from '../../src/backends/backend';
import { type Effort, FULL_EFFORT } from '../timing';
import { COPY_SIZES, type Peaks, QUICK_COPY_SIZES } from './peaks';
import { wasmPeaks } from './wasm';
import { webgpuPeaks } from './webgpu';

/** The peaks of what a backend computes on. */
export function measurePeaks({ name, device }: Backend, effort: Effort): Promise<Peaks> {
  const copySizes = effort === FULL_EFFORT ? COPY_SIZES : QUICK_COPY_SIZES;
  if (name === 'webgpu') return webgpuPeaks(copySizes, effort);
  const isRelaxed = device.features.includes('relaxed-simd');
  return wasmPeaks({ isRelaxed, threads: device.limits.threads ?? 1, copySizes, effort });
}
