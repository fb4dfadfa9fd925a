/**
 * Chooses among a kernel's variants by timing them on the device. Dispatches of one kernel whose sizes round to the same powers of
 * two are one class; a class is measured once, and remembered (kernel-choices.ts).
 */
import { type BatchShape, type Dispatch, encodeParams, type Variant, type VariantName } from '../kernel';
import type { Location, Schedule } from '../schedule';
import type { Device } from './device';
import { BufferUsage } from './flags';
import { type Choices, KernelChoices, type MeasuredKernel } from './kernel-choices';
import type { Memory, WebGPUBuffer } from './memory';
import type { Pipelines } from './pipelines';
import { Timers } from './timers';
import { candidates, type KernelChoice, presumedVariant, variantOf } from './variants';

/** Milliseconds that a backend may spend on measuring, over its life; the class at hand is finished. */
const TIME_BUDGET = 1_500;
/** A class is worth a measurement from this many multiplications and additions in a schedule on. */
const LEAST_OPERATIONS = 2 ** 26;
/** A software driver is given a batch of at most this many tokens: all its cores are busy with fewer. Divides by 16 and 24. */
const SOFTWARE_TOKENS = 192;
/** Timed in turns, so that a passing load hits all candidates; the least counts. */
const ROUNDS = 3;

export interface TuningContext {
  readonly device: Device;
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  readonly choice: KernelChoice;
}

/** One class in a schedule. */
interface TunedClass {
  readonly key: string;
  readonly example: Dispatch<Location>;
  operations: number;
}

/** Where a dispatch's buffers are. */
export type Bind = (location: Location) => GPUBufferBinding;

export class Tuner {
  readonly #context: TuningContext;
  readonly #remembered: KernelChoices;
  #spent = 0;
  /** Of the last measurement: they go one after another. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: TuningContext, remembered = new KernelChoices(context.device.description)) {
    this.#context = context;
    this.#remembered = remembered;
  }

  /** What was measured on this device, now or in earlier runs. */
  async measured(): Promise<MeasuredKernel[]> {
    const choices = await this.#remembered.load();
    return [...choices].map(([key, variant]) => {
      const end = key.lastIndexOf(' ');
      return { kernel: key.slice(0, end), sizes: key.slice(end + 1), variant };
    });
  }

  /** The variants to run, one for each dispatch of the schedule. Measures what is not remembered, as far as time allows. */
  async choose(schedule: Schedule, bind: Bind): Promise<Variant[]> {
    const { choice, device } = this.#context;
    const measured = choice === 'auto' ? await this.#measure(schedule, bind) : new Map<string, VariantName>();
    return schedule.dispatches.map((item) => {
      const name = measured.get(classOf(item, schedule.capacity));
      const isCandidate = name !== undefined && candidates(item.kernel, device).includes(name);
      return variantOf(item.kernel, isCandidate ? name : presumedVariant(item.kernel, choice, device));
    });
  }

  async #measure(schedule: Schedule, bind: Bind): Promise<Choices> {
    const remembered = await this.#remembered.load();
    const turn = this.#turn.then(() => this.#measureMissing(schedule, remembered, bind));
    this.#turn = turn.catch(() => {});
    await turn;
    return remembered;
  }

  async #measureMissing(schedule: Schedule, remembered: Choices, bind: Bind): Promise<void> {
    const missing = this.#classes(schedule).filter(({ key }) => !remembered.has(key));
    const found: Choices = new Map();
    // What the device will spend most of its time in comes first.
    for (const { key, example } of missing.sort((a, b) => b.operations - a.operations)) {
      if (this.#spent > TIME_BUDGET) break;
      const started = performance.now();
      const name = await this.#fastest(example, schedule.capacity, bind);
      this.#spent += performance.now() - started;
      if (name !== undefined) found.set(key, name);
    }
    if (found.size > 0) await this.#remembered.add(found);
  }

  #classes(schedule: Schedule): TunedClass[] {
    const classes = new Map<string, TunedClass>();
    for (const item of schedule.dispatches) {
      if (item.kernel.inner === undefined || candidates(item.kernel, this.#context.device).length < 2)
        continue;
      const key = classOf(item, schedule.capacity);
      const known = classes.get(key) ?? { key, example: item, operations: 0 };
      known.operations += 2 * sizesOf(item, schedule.capacity).reduce((product, size) => product * size, 1);
      classes.set(key, known);
    }
    return [...classes.values()].filter(({ operations }) => operations >= LEAST_OPERATIONS);
  }

  /** `undefined` where no candidate runs. */
  async #fastest(
    item: Dispatch<Location>,
    capacity: BatchShape,
    bind: Bind,
  ): Promise<VariantName | undefined> {
    const { device } = this.#context;
    const tokens = device.isFallback ? Math.min(capacity.tokenCount, SOFTWARE_TOKENS) : capacity.tokenCount;
    const trial = await Trial.prepare(this.#context, item, { ...capacity, tokenCount: tokens }, bind);
    try {
      const names = (
        await Promise.all(
          candidates(item.kernel, device).map(async (name) => ((await trial.add(name)) ? [name] : [])),
        )
      ).flat();
      // Drivers compile and allocate on the first use.
      for (const name of names) await trial.time(name);
      const times = new Map<VariantName, number>();
      for (let round = 0; round < ROUNDS; round++) {
        for (const name of names) {
          times.set(name, Math.min(times.get(name) ?? Number.POSITIVE_INFINITY, await trial.time(name)));
        }
      }
      const [fastest] = [...times].sort(([, a], [, b]) => a - b);
      return fastest?.[0];
    } finally {
      trial.dispose();
    }
  }
}

/** The numbers that decide how long a product takes: rows and columns of the result, and what is summed for each. */
function sizesOf({ kernel, params, work }: Dispatch<Location>, capacity: BatchShape): number[] {
  return [...work(capacity), kernel.inner === undefined ? 1 : (params[kernel.inner] ?? 1)];
}

/** What is chosen together: a kernel at sizes that round to the same powers of two. */
export function classOf(item: Dispatch<Location>, capacity: BatchShape): string {
  const sizes = sizesOf(item, capacity).map((size) => 2 ** Math.round(Math.log2(Math.max(1, size))));
  return `${item.kernel.shader} ${item.kernel.name} ${sizes.join('×')}`;
}

/** One dispatch in several variants, on its own inputs; what it writes goes to buffers of the trial. */
class Trial {
  readonly #context: TuningContext;
  readonly #item: Dispatch<Location>;
  readonly #shape: BatchShape;
  readonly #resources: readonly GPUBufferBinding[];
  readonly #owned: readonly WebGPUBuffer[];
  readonly #ready = new Map<VariantName, { pipeline: GPUComputePipeline; group: GPUBindGroup }>();

  private constructor(
    context: TuningContext,
    item: Dispatch<Location>,
    shape: BatchShape,
    resources: readonly GPUBufferBinding[],
    owned: readonly WebGPUBuffer[],
  ) {
    this.#context = context;
    this.#item = item;
    this.#shape = shape;
    this.#resources = resources;
    this.#owned = owned;
  }

  static async prepare(
    context: TuningContext,
    item: Dispatch<Location>,
    shape: BatchShape,
    bind: Bind,
  ): Promise<Trial> {
    const { memory, device } = context;
    const owned: WebGPUBuffer[] = [];
    const own = async (byteLength: number, usage: GPUBufferUsageFlags) => {
      const buffer = await memory.allocate(byteLength, usage, `measuring ${item.kernel.name}`);
      owned.push(buffer);
      return buffer;
    };
    const { uniform, storage, copyDestination } = BufferUsage;
    try {
      // The batch block as in shaders/lib/batch.wgsl; only its counts matter here.
      const batch = await own(32, uniform | copyDestination);
      const counts = [shape.tokenCount, shape.sequenceCount, shape.tileCount];
      device.gpu.queue.writeBuffer(batch.gpu, 0, Uint32Array.from([...counts, 0, 0, 0, 0, 0]));
      const words = encodeParams(item);
      const params = await own(words.byteLength, uniform | copyDestination);
      device.gpu.queue.writeBuffer(params.gpu, 0, words);
      const resources: GPUBufferBinding[] = [{ buffer: batch.gpu }, { buffer: params.gpu }];
      const accesses = Object.values(item.kernel.bindings);
      for (const [index, location] of item.buffers.entries()) {
        resources.push(
          accesses[index] === 'read'
            ? bind(location)
            : { buffer: (await own(location.byteLength, storage)).gpu },
        );
      }
      return new Trial(context, item, shape, resources, owned);
    } catch (error) {
      for (const buffer of owned) buffer.dispose();
      throw error;
    }
  }

  /** Whether the variant compiles here: one that does not is no candidate. */
  async add(name: VariantName): Promise<boolean> {
    const { device, pipelines } = this.#context;
    const { kernel, constants } = this.#item;
    try {
      const pipeline = await device.guard(() => pipelines.get(kernel, variantOf(kernel, name), constants));
      const group = device.gpu.createBindGroup({
        layout: pipeline.layout,
        entries: this.#resources.map((resource, binding) => ({ binding, resource })),
      });
      this.#ready.set(name, { pipeline: pipeline.gpu, group });
      return true;
    } catch {
      device.check();
      return false;
    }
  }

  /** Milliseconds of one dispatch: by the device's timers, else by the clock. */
  async time(name: VariantName): Promise<number> {
    const ready = this.#ready.get(name);
    if (ready === undefined) throw new RangeError(`${name} is not on trial`);
    const { device, memory } = this.#context;
    const variant = variantOf(this.#item.kernel, name);
    const [x, y, z] = variant.workgroups(this.#item.work(this.#shape));
    const encode = (encoder: GPUCommandEncoder, descriptor: GPUComputePassDescriptor | undefined) => {
      const pass = encoder.beginComputePass(descriptor);
      pass.setPipeline(ready.pipeline);
      pass.setBindGroup(0, ready.group);
      pass.dispatchWorkgroups(x, y, z);
      pass.end();
    };
    const encoder = device.gpu.createCommandEncoder();
    if (device.gpu.features.has('timestamp-query')) {
      const timers = new Timers(device, memory, 1);
      encode(encoder, timers.pass(0));
      const [milliseconds = 0] = await timers.finish(encoder);
      return milliseconds;
    }
    const started = performance.now();
    encode(encoder, undefined);
    device.gpu.queue.submit([encoder.finish()]);
    await device.gpu.queue.onSubmittedWorkDone();
    return performance.now() - started;
  }

  dispose(): void {
    for (const buffer of this.#owned) buffer.dispose();
  }
}
