/** One thread of the CPU's probes. Built to a script of its own: tools/bench/bundle.mjs. */
import { workerPort } from '../../src/platform/worker';
import type { FromProbe, ToProbe } from './messages';

/** sum · ½ + ½ goes to 1 from anywhere. */
const HALF = 0.5;
const PATTERN = 0x1234567;

interface Probe {
  readonly memory: WebAssembly.Memory;
  readonly chains: number;
  readonly heapBase: number;
  fma(rounds: number, factor: number, addend: number): number;
  copy(from: number, to: number, bytes: number): void;
}

const port = workerPort<ToProbe, FromProbe>();
let probe: Probe | undefined;
let preparedBytes = 0;

async function handle(message: ToProbe): Promise<FromProbe> {
  if (message.kind === 'start') {
    probe = await instantiate(message.module);
    return { kind: 'ready', chains: probe.chains };
  }
  if (probe === undefined) throw new Error('the probe has not been started');
  if (message.kind === 'fma') multiplyAdd(probe, message.rounds, message.calls);
  else copy(probe, message.bytes, message.calls);
  return { kind: 'done' };
}

function multiplyAdd({ fma }: Probe, rounds: number, calls: number): void {
  for (let call = 0; call < calls; call++) {
    const mean = fma(rounds, HALF, HALF);
    if (mean !== 1) throw new Error(`the multiply-add probe gives ${mean}, not 1`);
  }
}

function copy(probe: Probe, bytes: number, calls: number): void {
  const half = bytes / 2;
  const from = Math.ceil(probe.heapBase / 64) * 64;
  const to = from + half;
  if (preparedBytes !== bytes) prepareCopy(probe, from, to, half);
  preparedBytes = bytes;
  for (let call = 0; call < calls; call++) probe.copy(from, to, half);
}

/** Makes room for a copy, and tries it. */
function prepareCopy({ memory, copy }: Probe, from: number, to: number, half: number): void {
  const missing = Math.ceil((to + half - memory.buffer.byteLength) / 65_536);
  if (missing > 0) memory.grow(missing);
  const words = new Uint32Array(memory.buffer);
  words.fill(PATTERN, from / 4, to / 4);
  words.fill(0, to / 4, (to + half) / 4);
  copy(from, to, half);
  if (words[to / 4] !== PATTERN || words[(to + half) / 4 - 1] !== PATTERN) {
    throw new Error('the copy probe copies wrongly');
  }
}

async function instantiate(module: WebAssembly.Module): Promise<Probe> {
  const { exports } = await WebAssembly.instantiate(module, {});
  const { memory, CHAINS, heap_base, fma_chains, copy_bytes } = exports;
  if (
    !(memory instanceof WebAssembly.Memory) ||
    !(CHAINS instanceof WebAssembly.Global) ||
    !isFunction(heap_base) ||
    !isFunction(fma_chains) ||
    !isFunction(copy_bytes)
  ) {
    throw new Error('the module of the probes lacks an export');
  }
  return { memory, chains: CHAINS.value, heapBase: heap_base(), fma: fma_chains, copy: copy_bytes };
}

function isFunction(value: WebAssembly.ExportValue | undefined): value is (...values: number[]) => number {
  return typeof value === 'function';
}

port.onMessage((message) => {
  handle(message).then(
    (reply) => port.post(reply),
    (error) => port.post({ kind: 'failed', reason: String(error) }),
  );
});
