/** The CPU's peak as WebAssembly reaches it: bench/probe/assembly. */
import relaxed from '../../build/probe.relaxed.wasm';
import simd from '../../build/probe.wasm';
import { GraftError } from '../../src/errors';
import { type Effort, type Repeatable, timeOne } from '../timing';
import type { CopyRate, Peaks } from './peaks';

/** Rounds of the chains a call: short, since V8 replaces a function by its optimized form between calls only. */
const ROUNDS = 50_000;
/** sum · ½ + ½ goes to 1 from anywhere. */
const HALF = 0.5;

interface Probe {
  readonly memory: WebAssembly.Memory;
  readonly chains: number;
  readonly heapBase: number;
  fma(rounds: number, factor: number, addend: number): number;
  copy(from: number, to: number, bytes: number): void;
}

/**
 * @param isRelaxed whether the backend's own module uses relaxed SIMD: the peak is what the backend could reach.
 * @throws GraftError where a probe computes a wrong result.
 */
export async function wasmPeaks(
  isRelaxed: boolean,
  copySizes: readonly number[],
  effort: Effort,
): Promise<Peaks> {
  const probe = await instantiate(isRelaxed ? relaxed : simd);
  const flops = ROUNDS * probe.chains * 4 * 2;
  const fma = await timeOne(
    repeating(() => checkMean(probe.fma(ROUNDS, HALF, HALF))),
    effort,
  );
  const copies: CopyRate[] = [];
  for (const bytes of copySizes) {
    const copy = prepareCopy(probe, bytes);
    const milliseconds = await timeOne(repeating(copy), effort);
    copies.push({ bytes, gigabytesPerSecond: bytes / milliseconds / 1e6 });
  }
  return {
    gigaflops: flops / fma / 1e6,
    method: isRelaxed ? 'f32x4.relaxed_madd in registers' : 'f32x4.mul + f32x4.add in registers',
    copies,
  };
}

function repeating(call: () => void): (repeats: number) => Promise<Repeatable> {
  return async (repeats) => ({
    async run() {
      const started = performance.now();
      for (let i = 0; i < repeats; i++) call();
      return performance.now() - started;
    },
    dispose() {},
  });
}

function checkMean(mean: number): void {
  if (mean !== 1) throw new GraftError(`the multiply-add probe gives ${mean}, not 1`);
}

/** Makes room for a copy that reads and writes `bytes` together, and tries it. */
function prepareCopy({ memory, heapBase, copy }: Probe, bytes: number): () => void {
  const half = bytes / 2;
  const from = Math.ceil(heapBase / 64) * 64;
  const to = from + half;
  const missing = Math.ceil((to + half - memory.buffer.byteLength) / 65_536);
  if (missing > 0) memory.grow(missing);
  const words = new Uint32Array(memory.buffer);
  words.fill(0x1234567, from / 4, to / 4);
  words.fill(0, to / 4, (to + half) / 4);
  copy(from, to, half);
  if (words[to / 4] !== 0x1234567 || words[(to + half) / 4 - 1] !== 0x1234567) {
    throw new GraftError('the copy probe copies wrongly');
  }
  return () => copy(from, to, half);
}

async function instantiate(bytes: Uint8Array<ArrayBuffer>): Promise<Probe> {
  const { instance } = await WebAssembly.instantiate(bytes, {});
  const { memory, CHAINS, heap_base, fma_chains, copy_bytes } = instance.exports;
  if (
    !(memory instanceof WebAssembly.Memory) ||
    !(CHAINS instanceof WebAssembly.Global) ||
    !isFunction(heap_base) ||
    !isFunction(fma_chains) ||
    !isFunction(copy_bytes)
  ) {
    throw new GraftError('the module of the probes lacks an export');
  }
  return { memory, chains: CHAINS.value, heapBase: heap_base(), fma: fma_chains, copy: copy_bytes };
}

function isFunction(value: WebAssembly.ExportValue | undefined): value is (...values: number[]) => number {
  return typeof value === 'function';
}
