import { DeviceLimitError } from '../../errors';
import type { Executable, KernelTime, MicroBatch, ReadBack, RunRequest, RunResult } from '../backend';
import { type BatchLayout, encodeBatch, encodedLength, layOutBatch } from '../batch-layout';
import { type BatchShape, countRows, type Dispatch, encodeParams, type Grid } from '../kernel';
import type { Location, Schedule } from '../schedule';
import type { Device } from './device';
import { BufferUsage, MAP_MODE_READ } from './flags';
import { asWebGPUBuffer, type Memory, type WebGPUBuffer } from './memory';
import type { Pipelines } from './pipelines';
import { Timers } from './timers';
import type { Tuner } from './tuning';

export interface ExecutorContext {
  readonly device: Device;
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  readonly tuner: Tuner;
}

/** A dispatch with everything ready but the grid, which follows the batch. */
interface ReadyDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: (shape: BatchShape) => Grid;
}

/** Parameter blocks lie this far apart: the default alignment of uniform offsets. */
const PARAMS_STRIDE = 256;

/** Compiles a schedule's pipelines, allocates its memory, makes its bind groups. */
export async function prepareSchedule(schedule: Schedule, context: ExecutorContext): Promise<Executable> {
  const { device, memory } = context;
  const owned: WebGPUBuffer[] = [];
  const own = async (byteLength: number, usage: GPUBufferUsageFlags, label: string) => {
    const buffer = await memory.allocate(byteLength, usage, `${schedule.label}: ${label}`);
    owned.push(buffer);
    return buffer;
  };
  try {
    checkBindings(schedule, device);
    const layout = layOutBatch(schedule);
    const { storage, uniform, copyDestination, copySource } = BufferUsage;
    const inputs = await own(layout.byteLength, storage | uniform | copyDestination, 'batch');
    const slots: WebGPUBuffer[] = [];
    for (const [index, bytes] of schedule.slots.entries()) {
      slots.push(await own(bytes, storage | copySource, `slot ${index}`));
    }
    const { blocks, offsets } = packParams(schedule.dispatches);
    const params = await own(blocks.byteLength, uniform | copyDestination, 'parameters');
    device.gpu.queue.writeBuffer(params.gpu, 0, blocks);
    const bind = (location: Location) => bindLocation(location, slots, inputs, layout);
    const variants = await context.tuner.choose(schedule, bind);
    const ready = await device.guard(() =>
      Promise.all(
        schedule.dispatches.map(async (item, index): Promise<ReadyDispatch> => {
          const variant = variants[index];
          if (variant === undefined) throw new RangeError(`nothing was chosen for dispatch ${index}`);
          const pipeline = await context.pipelines.get(item.kernel, variant, item.constants);
          const resources: GPUBufferBinding[] = [
            { buffer: inputs.gpu, offset: 0, size: layout.block.byteLength },
            { buffer: params.gpu, offset: offsets[index] ?? 0, size: encodeParams(item).byteLength },
            ...item.buffers.map(bind),
          ];
          const group = device.gpu.createBindGroup({
            label: variant.entryPoint,
            layout: pipeline.layout,
            entries: resources.map((resource, binding) => ({ binding, resource })),
          });
          return {
            pipeline: pipeline.gpu,
            group,
            grid: (shape) => fold(variant.workgroups(item.work(shape))),
          };
        }),
      ),
    );
    return new WebGPUExecutable(schedule, context, layout, { inputs, slots, ready, owned });
  } catch (error) {
    for (const buffer of owned) buffer.dispose();
    throw error;
  }
}

function checkBindings(schedule: Schedule, device: Device): void {
  const limit = device.gpu.limits.maxStorageBufferBindingSize;
  const largest = Math.max(0, ...schedule.slots);
  if (largest > limit) {
    throw new DeviceLimitError(
      'maxStorageBufferBindingSize',
      `${schedule.label} has a tensor of ${largest} bytes, the device allows ${limit}`,
      'Lower the token budget',
    );
  }
}

/** All parameter blocks in one buffer, equal ones once. */
function packParams(dispatches: readonly Dispatch<Location>[]): { blocks: ArrayBuffer; offsets: number[] } {
  const known = new Map<string, number>();
  const blocks: Uint32Array[] = [];
  const offsets = dispatches.map((item) => {
    const words = encodeParams(item);
    const key = words.join(',');
    let offset = known.get(key);
    if (offset === undefined) {
      offset = blocks.length * PARAMS_STRIDE;
      known.set(key, offset);
      blocks.push(words);
    }
    return offset;
  });
  const packed = new ArrayBuffer(Math.max(1, blocks.length) * PARAMS_STRIDE);
  blocks.forEach((words, index) => {
    new Uint32Array(packed, index * PARAMS_STRIDE, words.length).set(words);
  });
  return { blocks: packed, offsets };
}

function bindLocation(
  location: Location,
  slots: readonly WebGPUBuffer[],
  inputs: WebGPUBuffer,
  layout: BatchLayout,
): GPUBufferBinding {
  switch (location.kind) {
    case 'slot': {
      const slot = slots[location.slot];
      if (slot === undefined) throw new RangeError(`there is no slot ${location.slot}`);
      return { buffer: slot.gpu, offset: 0, size: location.byteLength };
    }
    case 'batch': {
      const field = layout.fields[location.field];
      return { buffer: inputs.gpu, offset: field.byteOffset, size: field.byteLength };
    }
    case 'buffer':
      return {
        buffer: asWebGPUBuffer(location.buffer).gpu,
        offset: location.byteOffset,
        size: location.byteLength,
      };
  }
}

/** WebGPU allows 65,535 workgroups a dimension. `flat_workgroup` in shaders/lib/batch.wgsl undoes the fold. */
function fold(grid: Grid): Grid {
  const limit = 65_535;
  const [x, y, z] = grid;
  if (x <= limit) return grid;
  if (y !== 1) throw new RangeError(`a grid of ${x}×${y} workgroups cannot be folded`);
  return [limit, Math.ceil(x / limit), z];
}

class WebGPUExecutable implements Executable {
  readonly #schedule: Schedule;
  readonly #device: Device;
  readonly #memory: Memory;
  readonly #layout: BatchLayout;
  readonly #inputs: WebGPUBuffer;
  readonly #slots: readonly WebGPUBuffer[];
  readonly #ready: readonly ReadyDispatch[];
  readonly #owned: readonly WebGPUBuffer[];
  #upload: WebGPUBuffer | undefined;
  #staging: WebGPUBuffer | undefined;

  constructor(
    schedule: Schedule,
    context: ExecutorContext,
    layout: BatchLayout,
    made: {
      readonly inputs: WebGPUBuffer;
      readonly slots: readonly WebGPUBuffer[];
      readonly ready: readonly ReadyDispatch[];
      readonly owned: readonly WebGPUBuffer[];
    },
  ) {
    this.#schedule = schedule;
    this.#device = context.device;
    this.#memory = context.memory;
    this.#layout = layout;
    this.#inputs = made.inputs;
    this.#slots = made.slots;
    this.#ready = made.ready;
    this.#owned = made.owned;
  }

  get byteLength(): number {
    return [...this.#owned, this.#upload, this.#staging].reduce(
      (sum, buffer) => sum + (buffer?.byteLength ?? 0),
      0,
    );
  }

  async run(request: RunRequest): Promise<RunResult> {
    this.#device.check();
    const started = performance.now();
    const { microBatches } = request;
    const { gpu } = this.#device;
    const readBack = request.readBack ?? [];
    const reads = this.#planReads(microBatches, readBack);
    const upload = await this.#uploadBatches(request);
    const staging = await this.#ensureStaging(reads.byteLength);

    const encoder = gpu.createCommandEncoder({ label: this.#schedule.label });
    for (const buffer of request.clear ?? []) encoder.clearBuffer(asWebGPUBuffer(buffer).gpu);
    let uploaded = 0;
    for (const [index, batch] of microBatches.entries()) {
      const byteLength = encodedLength(this.#layout, batch);
      encoder.copyBufferToBuffer(upload.gpu, uploaded, this.#inputs.gpu, 0, byteLength);
      uploaded += byteLength;
      this.#encode(encoder, batch);
      for (const copy of reads.outputs[index] ?? []) {
        encoder.copyBufferToBuffer(copy.source, copy.sourceOffset, staging.gpu, copy.offset, copy.byteLength);
      }
    }
    for (const copy of reads.readBack) {
      encoder.copyBufferToBuffer(copy.source, 0, staging.gpu, copy.offset, copy.byteLength);
    }
    gpu.queue.submit([encoder.finish()]);
    const submitted = performance.now();
    try {
      await this.#device.wait(staging.gpu.mapAsync(MAP_MODE_READ, 0, Math.max(4, reads.byteLength)));
    } catch (error) {
      return this.#device.explain(error);
    }
    const mappedAt = performance.now();
    const mapped = staging.gpu.getMappedRange(0, Math.max(4, reads.byteLength));
    reads.readBack.forEach((copy, index) => {
      readBack[index]?.into().set(new Float32Array(mapped, copy.offset, copy.byteLength / 4));
    });
    const outputs = this.#schedule.outputs.map((_, index) =>
      concatenate(
        reads.outputs.map((copies) => {
          const copy = copies[index];
          return copy === undefined
            ? new Float32Array(0)
            : new Float32Array(mapped, copy.offset, copy.byteLength / 4);
        }),
      ),
    );
    staging.gpu.unmap();
    this.#device.check();
    const timings = {
      encode: submitted - started,
      device: mappedAt - submitted,
      readBack: performance.now() - mappedAt,
    };
    return { outputs, timings };
  }

  async profile(batch: MicroBatch): Promise<KernelTime[]> {
    const upload = await this.#uploadBatches({ microBatches: [batch], seed: 0, step: 0, lossScale: 1 });
    const encoder = this.#device.gpu.createCommandEncoder({ label: this.#schedule.label });
    encoder.copyBufferToBuffer(upload.gpu, 0, this.#inputs.gpu, 0, encodedLength(this.#layout, batch));
    const timers = new Timers(this.#device, this.#memory, this.#ready.length);
    this.#ready.forEach((ready, index) => {
      const pass = encoder.beginComputePass(timers.pass(index));
      encodeDispatch(pass, ready, batch);
      pass.end();
    });
    const milliseconds = await timers.finish(encoder);
    const totals = new Map<string, { dispatches: number; milliseconds: number }>();
    this.#schedule.dispatches.forEach(({ kernel }, index) => {
      const total = totals.get(kernel.name) ?? { dispatches: 0, milliseconds: 0 };
      total.dispatches += 1;
      total.milliseconds += milliseconds[index] ?? 0;
      totals.set(kernel.name, total);
    });
    return [...totals].map(([kernel, total]) => ({ kernel, ...total }));
  }

  dispose(): void {
    for (const buffer of [...this.#owned, this.#upload, this.#staging]) buffer?.dispose();
  }

  #encode(encoder: GPUCommandEncoder, batch: MicroBatch): void {
    const pass = encoder.beginComputePass();
    for (const ready of this.#ready) encodeDispatch(pass, ready, batch);
    pass.end();
  }

  /** Where each output and read-back lies in the staging buffer; offsets are multiples of 8, as mapping asks. */
  #planReads(microBatches: readonly MicroBatch[], readBack: readonly ReadBack[]) {
    let byteLength = 0;
    const place = (bytes: number) => {
      const offset = byteLength;
      byteLength += Math.ceil(bytes / 8) * 8;
      return { offset, byteLength: bytes };
    };
    const outputs = microBatches.map((batch) =>
      this.#schedule.outputs.map((output) => {
        const binding = bindLocation(output.location, this.#slots, this.#inputs, this.#layout);
        const bytes = countRows(output.rows, batch) * output.columns * 4;
        return { ...place(bytes), source: binding.buffer, sourceOffset: binding.offset ?? 0 };
      }),
    );
    const copies = readBack.map(({ buffer }) => ({
      ...place(buffer.byteLength),
      source: asWebGPUBuffer(buffer).gpu,
    }));
    return { outputs, readBack: copies, byteLength };
  }

  /** All micro-batches travel in one write: each is copied to its place when its turn comes. */
  async #uploadBatches(request: RunRequest): Promise<WebGPUBuffer> {
    const lengths = request.microBatches.map((batch) => encodedLength(this.#layout, batch));
    const bytes = new ArrayBuffer(lengths.reduce((sum, length) => sum + length, 0));
    let end = 0;
    request.microBatches.forEach((batch, index) => {
      encodeBatch(bytes, end, this.#layout, batch, request);
      end += lengths[index] ?? 0;
    });
    if (this.#upload === undefined || this.#upload.byteLength < bytes.byteLength) {
      this.#upload?.dispose();
      const usage = BufferUsage.copySource | BufferUsage.copyDestination;
      this.#upload = await this.#memory.allocate(bytes.byteLength, usage, `${this.#schedule.label}: upload`);
    }
    this.#device.gpu.queue.writeBuffer(this.#upload.gpu, 0, bytes);
    return this.#upload;
  }

  async #ensureStaging(byteLength: number): Promise<WebGPUBuffer> {
    if (this.#staging === undefined || this.#staging.byteLength < byteLength) {
      this.#staging?.dispose();
      const usage = BufferUsage.mapRead | BufferUsage.copyDestination;
      this.#staging = await this.#memory.allocate(byteLength, usage, `${this.#schedule.label}: read-back`);
    }
    return this.#staging;
  }
}

function encodeDispatch(pass: GPUComputePassEncoder, ready: ReadyDispatch, batch: MicroBatch): void {
  const [x, y, z] = ready.grid(batch);
  if (x * y * z === 0) return;
  pass.setPipeline(ready.pipeline);
  pass.setBindGroup(0, ready.group);
  pass.dispatchWorkgroups(x, y, z);
}

function concatenate(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
