/** The GPU's peak as WGSL reaches it, on a device of the probes' own. */

import { Device } from '../../src/backends/webgpu/device';
import { BufferUsage, MAP_MODE_READ, SHADER_STAGE_COMPUTE } from '../../src/backends/webgpu/flags';
import { Memory, type WebGPUBuffer } from '../../src/backends/webgpu/memory';
import { GraftError } from '../../src/errors';
import { type Effort, type Repeatable, timeOne } from '../timing';
import copyShader from './copy.wgsl';
import fmaShader from './fma.wgsl';
import type { CopyRate, Peaks } from './peaks';

const WORKGROUP = 64;
/** Chains of four lanes an invocation, two operations a multiply-add: bench/probe/fma.wgsl. */
const FLOPS_PER_ROUND = 8 * 4 * 2;
/** sum · ½ + ½ goes to 1 from anywhere. */
const HALF = 0.5;
/** Of a folded grid, see `fold` in src/backends/webgpu/executor.ts. */
const MOST_WORKGROUPS = 65_535;

/** @throws GraftError where a probe computes a wrong result, NoGPUError */
export async function webgpuPeaks(copySizes: readonly number[], effort: Effort): Promise<Peaks> {
  const device = await Device.request();
  try {
    const probes = new Probes(device, effort);
    const gigaflops = await probes.multiplyAdds();
    const { maxBufferSize, maxStorageBufferBindingSize } = device.gpu.limits;
    const largest = 2 * Math.min(maxBufferSize, maxStorageBufferBindingSize);
    const copies: CopyRate[] = [];
    for (const bytes of copySizes.filter((size) => size <= largest)) copies.push(await probes.copy(bytes));
    return { gigaflops, method: 'fma of vec4f in registers', copies };
  } finally {
    device.dispose();
  }
}

class Probes {
  readonly #device: Device;
  readonly #memory: Memory;
  readonly #effort: Effort;

  constructor(device: Device, effort: Effort) {
    this.#device = device;
    this.#memory = new Memory(device);
    this.#effort = effort;
  }

  /** GFLOP/s */
  async multiplyAdds(): Promise<number> {
    // Enough invocations to fill a large GPU; a software driver is full with fewer and would take seconds.
    const { isFallback } = this.#device.description;
    const invocations = isFallback ? 2 ** 14 : 2 ** 18;
    const rounds = isFallback ? 64 : 256;
    const { storage, uniform, copySource, copyDestination } = BufferUsage;
    const params = await this.#memory.allocate(16, uniform | copyDestination, 'probe parameters');
    const means = await this.#memory.allocate(invocations * 4, storage | copySource, 'probe means');
    try {
      const words = new DataView(new ArrayBuffer(16));
      words.setUint32(0, rounds, true);
      words.setFloat32(4, HALF, true);
      words.setFloat32(8, HALF, true);
      this.#device.gpu.queue.writeBuffer(params.gpu, 0, words.buffer);
      const pass = await this.#pass(fmaShader, 'fma_chains', [
        { type: 'uniform', buffer: params },
        { type: 'storage', buffer: means },
      ]);
      const run = this.#repeating(pass, invocations / WORKGROUP, means, (last) => {
        if (Math.abs((new Float32Array(last)[0] ?? 0) - 1) > 1e-6)
          throw new GraftError('the multiply-add probe is wrong');
      });
      return (invocations * rounds * FLOPS_PER_ROUND) / (await timeOne(run, this.#effort)) / 1e6;
    } finally {
      params.dispose();
      means.dispose();
    }
  }

  async copy(bytes: number): Promise<CopyRate> {
    const half = bytes / 2;
    const { storage, copySource, copyDestination } = BufferUsage;
    const source = await this.#memory.allocate(half, storage | copyDestination, 'probe source');
    const copied = await this.#memory.allocate(half, storage | copySource, 'probe copy');
    try {
      this.#device.gpu.queue.writeBuffer(source.gpu, 0, new Uint32Array(half / 4).fill(0x1234567));
      const pass = await this.#pass(copyShader, 'copy_words', [
        { type: 'read-only-storage', buffer: source },
        { type: 'storage', buffer: copied },
      ]);
      const run = this.#repeating(pass, half / 16 / WORKGROUP, copied, (last) => {
        if (new Uint32Array(last)[0] !== 0x1234567) throw new GraftError('the copy probe copies wrongly');
      });
      return { bytes, gigabytesPerSecond: bytes / (await timeOne(run, this.#effort)) / 1e6 };
    } finally {
      source.dispose();
      copied.dispose();
    }
  }

  /** Compiles a shader and binds its buffers. */
  async #pass(
    code: string,
    entryPoint: string,
    bindings: readonly { readonly type: GPUBufferBindingType; readonly buffer: WebGPUBuffer }[],
  ): Promise<(pass: GPUComputePassEncoder) => void> {
    const { gpu } = this.#device;
    return this.#device.guard(async () => {
      const layout = gpu.createBindGroupLayout({
        entries: bindings.map(({ type }, binding) => ({
          binding,
          visibility: SHADER_STAGE_COMPUTE,
          buffer: { type },
        })),
      });
      const pipeline = await gpu.createComputePipelineAsync({
        layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: gpu.createShaderModule({ code }), entryPoint },
      });
      const group = gpu.createBindGroup({
        layout,
        entries: bindings.map(({ buffer }, binding) => ({ binding, resource: { buffer: buffer.gpu } })),
      });
      return (pass) => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
      };
    });
  }

  /** Many dispatches in one submission; the last four bytes of `result` come back and are checked. */
  #repeating(
    bind: (pass: GPUComputePassEncoder) => void,
    workgroups: number,
    result: WebGPUBuffer,
    check: (last: ArrayBuffer) => void,
  ): (repeats: number) => Promise<Repeatable> {
    const { gpu } = this.#device;
    const x = Math.min(workgroups, MOST_WORKGROUPS);
    return async (repeats) => {
      const staging = await this.#memory.allocate(
        16,
        BufferUsage.mapRead | BufferUsage.copyDestination,
        'probe result',
      );
      return {
        run: async () => {
          const started = performance.now();
          const encoder = gpu.createCommandEncoder();
          const pass = encoder.beginComputePass();
          bind(pass);
          for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(x, Math.ceil(workgroups / x));
          pass.end();
          encoder.copyBufferToBuffer(result.gpu, result.byteLength - 4, staging.gpu, 0, 4);
          gpu.queue.submit([encoder.finish()]);
          await staging.gpu.mapAsync(MAP_MODE_READ);
          const elapsed = performance.now() - started;
          check(staging.gpu.getMappedRange(0, 4).slice(0));
          staging.gpu.unmap();
          this.#device.check();
          return elapsed;
        },
        dispose: () => staging.dispose(),
      };
    };
  }
}
