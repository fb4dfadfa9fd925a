import type { Executable, KernelTime, MicroBatch, RunRequest, RunResult } from '../backend';
import { encodeBatch, encodedLength, layOutBatch } from '../batch-layout';
import { type BatchShape, countRows, type Dispatch, encodeParams } from '../kernel';
import type { Location, Schedule } from '../schedule';
import type { Host, HostProgram } from './host';
import { asWasmBuffer, type LinearMemory, type WasmBuffer } from './memory';
import type { Call } from './runner';

/** Ranges of a call that each thread gets on average: some more than one, so that a thread that is late takes fewer. */
const CHUNKS_PER_THREAD = 4;
/** Ranges begin at multiples of this, so that a kernel's tiles of rows are full. */
const CHUNK_MULTIPLE = 4;

/** Allocates a schedule's memory and lays out every call's arguments. */
export async function prepareSchedule(
  schedule: Schedule,
  host: Host,
  memory: LinearMemory,
): Promise<Executable> {
  const owned: WasmBuffer[] = [];
  const own = async (byteLength: number, label: string) => {
    const buffer = await memory.allocate(byteLength, `${schedule.label}: ${label}`);
    owned.push(buffer);
    return buffer;
  };
  try {
    const layout = layOutBatch(schedule);
    const inputs = await own(layout.byteLength, 'batch');
    const slots: WasmBuffer[] = [];
    for (const [index, bytes] of schedule.slots.entries()) slots.push(await own(bytes, `slot ${index}`));
    const locate = (location: Location): number => {
      switch (location.kind) {
        case 'slot':
          return slots[location.slot]?.pointer ?? 0;
        case 'batch':
          return inputs.pointer + layout.fields[location.field].byteOffset;
        case 'buffer':
          return asWasmBuffer(location.buffer).pointer + location.byteOffset;
      }
    };
    const calls = await layOutCalls(schedule, host, own, locate);
    return new WasmExecutable(schedule, host, {
      layout,
      inputs,
      program: host.prepare(calls),
      owned,
      locate,
    });
  } catch (error) {
    for (const buffer of owned) buffer.dispose();
    throw error;
  }
}

/** One block for all calls: of each the parameter words, the constants, then its buffers' addresses (see assembly/kernels). */
async function layOutCalls(
  schedule: Schedule,
  host: Host,
  own: (byteLength: number, label: string) => Promise<WasmBuffer>,
  locate: (location: Location) => number,
): Promise<Call[]> {
  const words: number[] = [];
  const places = schedule.dispatches.map((item) => {
    const params = words.length;
    const names = Object.keys(item.kernel.params);
    words.push(...encodeParams(item).subarray(0, names.length), ...Object.values(item.constants));
    const buffers = words.length;
    words.push(...item.buffers.map(locate));
    return { kernel: item.kernel.name, params, buffers };
  });
  const block = await own(words.length * 4, 'arguments');
  host.write(block.pointer, Uint32Array.from(words));
  return places.map(({ kernel, params, buffers }) => ({
    kernel,
    params: block.pointer + params * 4,
    buffers: block.pointer + buffers * 4,
  }));
}

interface Prepared {
  readonly layout: ReturnType<typeof layOutBatch>;
  readonly inputs: WasmBuffer;
  readonly program: HostProgram;
  readonly owned: readonly WasmBuffer[];
  readonly locate: (location: Location) => number;
}

class WasmExecutable implements Executable {
  readonly #schedule: Schedule;
  readonly #host: Host;
  readonly #prepared: Prepared;
  /** A run begins when the one before has ended: they share the schedule's memory. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(schedule: Schedule, host: Host, prepared: Prepared) {
    this.#schedule = schedule;
    this.#host = host;
    this.#prepared = prepared;
  }

  get byteLength(): number {
    return this.#prepared.owned.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  run(request: RunRequest): Promise<RunResult> {
    return this.#inTurn(() => this.#run(request));
  }

  profile(batch: MicroBatch): Promise<KernelTime[]> {
    return this.#inTurn(() => this.#profile(batch));
  }

  dispose(): void {
    this.#prepared.program.dispose();
    for (const buffer of this.#prepared.owned) buffer.dispose();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #run(request: RunRequest): Promise<RunResult> {
    const timings = { encode: 0, device: 0, readBack: 0 };
    const timed = async <T>(part: keyof typeof timings, work: () => T | Promise<T>): Promise<T> => {
      const started = performance.now();
      const result = await work();
      timings[part] += performance.now() - started;
      return result;
    };
    for (const buffer of request.clear ?? []) {
      const { pointer, byteLength } = asWasmBuffer(buffer);
      this.#host.clear(pointer, byteLength);
    }
    const outputs = this.#schedule.outputs.map((output) => {
      const rows = request.microBatches.reduce((sum, batch) => sum + countRows(output.rows, batch), 0);
      return new Float32Array(rows * output.columns);
    });
    const ends = outputs.map(() => 0);
    for (const batch of request.microBatches) {
      await timed('encode', () => this.#upload(batch, request));
      await timed('device', () => this.#compute(batch, false));
      for (const [index, output] of this.#schedule.outputs.entries()) {
        const length = countRows(output.rows, batch) * output.columns;
        const pointer = this.#prepared.locate(output.location);
        outputs[index]?.set(await timed('readBack', () => this.#host.read(pointer, length)), ends[index]);
        ends[index] = (ends[index] ?? 0) + length;
      }
    }
    for (const { buffer, into } of request.readBack ?? []) {
      const { pointer, byteLength } = asWasmBuffer(buffer);
      await timed('readBack', async () => into().set(await this.#host.read(pointer, byteLength / 4)));
    }
    return { outputs, timings };
  }

  async #profile(batch: MicroBatch): Promise<KernelTime[]> {
    this.#upload(batch, { seed: 0, step: 0, lossScale: 1 });
    const times = (await this.#compute(batch, true)) ?? [];
    const totals = new Map<string, { dispatches: number; milliseconds: number }>();
    for (const [index, { kernel }] of this.#schedule.dispatches.entries()) {
      const total = totals.get(kernel.name) ?? { dispatches: 0, milliseconds: 0 };
      total.dispatches += 1;
      total.milliseconds += times[index] ?? 0;
      totals.set(kernel.name, total);
    }
    return [...totals].map(([kernel, total]) => ({ kernel, ...total }));
  }

  #upload(batch: MicroBatch, request: Pick<RunRequest, 'seed' | 'step' | 'lossScale'>): void {
    const { inputs, layout } = this.#prepared;
    const bytes = new ArrayBuffer(encodedLength(layout, batch));
    encodeBatch(bytes, 0, layout, batch, request);
    this.#host.write(inputs.pointer, new Uint32Array(bytes));
  }

  #compute(batch: MicroBatch, isTimed: boolean): Promise<Float64Array | undefined> {
    const { dispatches } = this.#schedule;
    const { threads } = this.#host;
    const items = Uint32Array.from(dispatches, (item) => countItems(item, batch));
    const chunks = items.map((count, index) => {
      const least = dispatches[index]?.kernel.cpuLeastRange ?? 1;
      const ranges = Math.min(CHUNKS_PER_THREAD, Math.max(1, Math.floor(count / (threads * least))));
      return Math.ceil(count / (threads * ranges * CHUNK_MULTIPLE)) * CHUNK_MULTIPLE;
    });
    const { inputs, program } = this.#prepared;
    return program.run({ batch: inputs.pointer, items, chunks, isTimed });
  }
}

function countItems({ kernel, work }: Dispatch<Location>, shape: BatchShape): number {
  const sizes = work(shape);
  return kernel.cpuItems?.(sizes) ?? sizes[0] ?? 0;
}
