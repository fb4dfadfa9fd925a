/** The CPU's peak as WebAssembly reaches it on as many threads as the backend has: bench/probe/assembly. */
import relaxed from '../../build/probe.relaxed.wasm';
import simd from '../../build/probe.wasm';
import { type Effort, timeOne } from '../timing';
import type { ToProbe } from './messages';
import type { CopyRate, Peaks } from './peaks';
import { ProbeThreads } from './threads';

/** Rounds of the chains a call: short, since V8 replaces a function by its optimized form between calls only. */
const ROUNDS = 50_000;
const FLOPS_PER_CHAIN = 4 * 2;

export interface WasmProbeOptions {
  /** Whether the backend's own module uses relaxed SIMD: the peak is what the backend could reach. */
  readonly isRelaxed: boolean;
  readonly threads: number;
  readonly copySizes: readonly number[];
  readonly effort: Effort;
}

/** Throws GraftError where a probe computes a wrong result. */
export async function wasmPeaks({
  isRelaxed,
  threads: count,
  copySizes,
  effort,
}: WasmProbeOptions): Promise<Peaks> {
  const threads = await ProbeThreads.start(count, await WebAssembly.compile(isRelaxed ? relaxed : simd));
  const timeCalls = (message: (calls: number) => ToProbe) =>
    timeOne(async (repeats) => ({ run: () => threads.time(message(repeats)), dispose() {} }), effort);
  try {
    const fma = await timeCalls((calls) => ({ kind: 'fma', rounds: ROUNDS, calls }));
    const copies: CopyRate[] = [];
    for (const bytes of copySizes) {
      // Together they copy as much; each has whole lines of a cache.
      const share = Math.ceil(bytes / count / 128) * 128;
      const milliseconds = await timeCalls((calls) => ({ kind: 'copy', bytes: share, calls }));
      copies.push({ bytes, gigabytesPerSecond: (share * count) / milliseconds / 1e6 });
    }
    const instruction = isRelaxed ? 'f32x4.relaxed_madd' : 'f32x4.mul + f32x4.add';
    return {
      gigaflops: (count * ROUNDS * threads.chains * FLOPS_PER_CHAIN) / fma / 1e6,
      method: `${instruction} in registers, ${count === 1 ? 'one thread' : `${count} threads`}`,
      copies,
    };
  } finally {
    threads.dispose();
  }
}
