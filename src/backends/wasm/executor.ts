import type { WasmInstance } from '../../wasm/module';
import type { Executable, KernelTime, MicroBatch, RunRequest, RunResult } from '../backend';
import { encodeBatch, layOutBatch } from '../batch-layout';
import { type BatchShape, countRows, encodeParams } from '../kernel';
import type { Location, Schedule } from '../schedule';
import { asWasmBuffer, type LinearMemory, type WasmBuffer } from './memory';

/** A dispatch whose arguments lie in linear memory. */
interface ReadyDispatch {
  readonly kernel: string;
  readonly call: (batch: number, items: number) => void;
  /** Items along the first dimension of the dispatch's work. */
  readonly items: (shape: BatchShape) => number;
}

/** Allocates a schedule's memory and lays out every call's arguments. */
export function prepareSchedule(
  schedule: Schedule,
  instance: WasmInstance,
  memory: LinearMemory,
): Executable {
  const owned: WasmBuffer[] = [];
  const own = (byteLength: number, label: string) => {
    const buffer = memory.allocate(byteLength, `${schedule.label}: ${label}`);
    owned.push(buffer);
    return buffer;
  };
  try {
    const layout = layOutBatch(schedule.capacity);
    const inputs = own(layout.byteLength, 'batch');
    const slots = schedule.slots.map((bytes, index) => own(bytes, `slot ${index}`));
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
    const ready = schedule.dispatches.map((item): ReadyDispatch => {
      // The parameter words, then the constants: see assembly/kernels.
      const names = Object.keys(item.kernel.params);
      const words = [...encodeParams(item).subarray(0, names.length), ...Object.values(item.constants)];
      const pointers = item.buffers.map(locate);
      const block = own((words.length + pointers.length) * 4, item.kernel.name);
      memory.words(block.pointer, words.length + pointers.length).set([...words, ...pointers]);
      const kernel = instance.function(item.kernel.name);
      const buffers = block.pointer + words.length * 4;
      return {
        kernel: item.kernel.name,
        call: (batch, items) => {
          kernel(block.pointer, batch, buffers, 0, items);
        },
        items: (shape) => item.work(shape)[0] ?? 0,
      };
    });
    return new WasmExecutable(schedule, memory, { layout, inputs, ready, owned, locate });
  } catch (error) {
    for (const buffer of owned) buffer.dispose();
    throw error;
  }
}

interface Prepared {
  readonly layout: ReturnType<typeof layOutBatch>;
  readonly inputs: WasmBuffer;
  readonly ready: readonly ReadyDispatch[];
  readonly owned: readonly WasmBuffer[];
  readonly locate: (location: Location) => number;
}

class WasmExecutable implements Executable {
  readonly #schedule: Schedule;
  readonly #memory: LinearMemory;
  readonly #prepared: Prepared;

  constructor(schedule: Schedule, memory: LinearMemory, prepared: Prepared) {
    this.#schedule = schedule;
    this.#memory = memory;
    this.#prepared = prepared;
  }

  get byteLength(): number {
    return this.#prepared.owned.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  async run(request: RunRequest): Promise<RunResult> {
    const timings = { encode: 0, device: 0, readBack: 0 };
    const time = (part: keyof typeof timings, work: () => void) => {
      const started = performance.now();
      work();
      timings[part] += performance.now() - started;
    };
    for (const buffer of request.clear ?? []) {
      const { pointer, byteLength } = asWasmBuffer(buffer);
      this.#memory.words(pointer, byteLength / 4).fill(0);
    }
    const outputs = this.#schedule.outputs.map((output) => {
      const rows = request.microBatches.reduce((sum, batch) => sum + countRows(output.rows, batch), 0);
      return new Float32Array(rows * output.columns);
    });
    const ends = outputs.map(() => 0);
    for (const batch of request.microBatches) {
      time('encode', () => this.#upload(batch, request));
      time('device', () => this.#compute(batch));
      time('readBack', () => {
        this.#schedule.outputs.forEach((output, index) => {
          const length = countRows(output.rows, batch) * output.columns;
          const values = this.#memory.floats(this.#prepared.locate(output.location), length);
          outputs[index]?.set(values, ends[index]);
          ends[index] = (ends[index] ?? 0) + length;
        });
      });
    }
    time('readBack', () => {
      for (const { buffer, into } of request.readBack ?? []) {
        const { pointer, byteLength } = asWasmBuffer(buffer);
        into().set(this.#memory.floats(pointer, byteLength / 4));
      }
    });
    return { outputs, timings };
  }

  async profile(batch: MicroBatch): Promise<KernelTime[]> {
    this.#upload(batch, { seed: 0, step: 0, lossScale: 1 });
    const totals = new Map<string, { dispatches: number; milliseconds: number }>();
    for (const { kernel, call, items } of this.#prepared.ready) {
      const started = performance.now();
      call(this.#prepared.inputs.pointer, items(batch));
      const total = totals.get(kernel) ?? { dispatches: 0, milliseconds: 0 };
      total.dispatches += 1;
      total.milliseconds += performance.now() - started;
      totals.set(kernel, total);
    }
    return [...totals].map(([kernel, total]) => ({ kernel, ...total }));
  }

  dispose(): void {
    for (const buffer of this.#prepared.owned) buffer.dispose();
  }

  #upload(batch: MicroBatch, request: Pick<RunRequest, 'seed' | 'step' | 'lossScale'>): void {
    const { inputs, layout } = this.#prepared;
    const { buffer } = this.#memory.words(inputs.pointer, 1);
    encodeBatch(buffer, inputs.pointer, layout, batch, request);
  }

  #compute(batch: MicroBatch): void {
    const { inputs, ready } = this.#prepared;
    for (const { call, items } of ready) call(inputs.pointer, items(batch));
  }
}
