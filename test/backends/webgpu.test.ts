import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MicroBatch } from '../../src/backends/backend';
import { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { findGPU } from '../../src/backends/webgpu/gpu';
import { DeviceLimitError, DeviceLostError, NoGPUError } from '../../src/errors';
import { gelu } from '../../src/ops/gelu';
import { buildSchedule } from '../../src/scheduler/build-schedule';
import { packBatch } from '../../src/scheduler/packed-batch';
import { frozen, Tape } from '../../src/scheduler/tape';
import { useWebGPU } from '../support/backends';

function batchOf(tokenCount: number): MicroBatch {
  const sequence = { ids: new Uint32Array(tokenCount), typeIds: new Uint8Array(tokenCount) };
  return packBatch({ sequences: [sequence], labels: new Uint32Array(1), tokenOffset: 0, sequenceOffset: 0 });
}

/** GELU of a buffer of ones, `[tokens, columns]`. */
async function geluOfOnes(backend: WebGPUBackend, tokens: number, columns: number) {
  const buffer = await backend.allocate(tokens * columns * 4, 'ones');
  backend.write(buffer, 0, new Float32Array(tokens * columns).fill(1));
  const tape = new Tape();
  const output = gelu(tape, { ...frozen('ones', buffer, tokens, columns), rows: 'tokens' }, 'gelu');
  const schedule = buildSchedule('ones', tape.forward(), { output }, batchOf(tokens));
  return backend.prepare(schedule);
}

/** A GPU that offers what a test wants. */
function gpuOf(requestAdapter: GPU['requestAdapter']): GPU {
  const wgslLanguageFeatures = Object.assign(new Set<string>(), { __brand: 'WGSLLanguageFeatures' as const });
  return {
    __brand: 'GPU',
    requestAdapter,
    getPreferredCanvasFormat: () => 'rgba8unorm',
    wgslLanguageFeatures,
  };
}

describe('the WebGPU backend', () => {
  const backend = useWebGPU();

  it('counts the memory that it holds', async () => {
    const before = backend().memory.held;
    const buffer = await backend().allocate(4096, 'counted');
    expect(backend().memory.held).toBe(before + 4096);
    expect(backend().memory.peak).toBeGreaterThanOrEqual(before + 4096);
    buffer.dispose();
    buffer.dispose();
    expect(backend().memory.held).toBe(before);
  });

  it('folds grids of more than 65,535 workgroups', { timeout: 120_000 }, async () => {
    // 256 elements a workgroup: 70,000 of them.
    const [tokens, columns] = [70_000, 256];
    const executable = await geluOfOnes(backend(), tokens, columns);
    const { outputs } = await executable.run({
      microBatches: [batchOf(tokens)],
      seed: 0,
      step: 0,
      lossScale: 1,
    });
    executable.dispose();
    const [output = new Float32Array()] = outputs;
    expect(output.length).toBe(tokens * columns);
    expect(output.every((value) => Math.abs(value - 0.841345) < 1e-5)).toBe(true);
  });

  it('a smaller batch than the schedule allows computes its own rows only', async () => {
    const executable = await geluOfOnes(backend(), 64, 16);
    const { outputs } = await executable.run({
      microBatches: [batchOf(3), batchOf(5)],
      seed: 0,
      step: 0,
      lossScale: 1,
    });
    executable.dispose();
    expect(outputs[0]?.length).toBe((3 + 5) * 16);
  });

  it('times its kernels', async () => {
    const executable = await geluOfOnes(backend(), 64, 16);
    const times = await executable.profile(batchOf(64));
    executable.dispose();
    expect(times).toMatchObject([{ kernel: 'gelu_forward', dispatches: 1 }]);
    expect(times[0]?.milliseconds).toBeGreaterThanOrEqual(0);
  });

  it('refuses a buffer above the limit, naming both sizes', async () => {
    const limit = backend().device.limits.maxBufferSize ?? 0;
    const allocation = backend().allocate(limit + 4, 'too large');
    await expect(allocation).rejects.toThrow(DeviceLimitError);
    await expect(allocation).rejects.toThrow(
      `maxBufferSize: too large needs ${limit + 4} bytes, the device allows ${limit}`,
    );
  });

  it('refuses a schedule with a tensor above the largest binding', async () => {
    const limit = backend().device.limits.maxStorageBufferBindingSize ?? 0;
    const tokens = Math.ceil(limit / 4 / 1024) + 1;
    const buffer = await backend().allocate(16, 'stand-in');
    const tape = new Tape();
    const output = gelu(tape, { ...frozen('x', buffer, 1, 1024), rows: 'tokens' }, 'gelu');
    const capacity = { tokenCount: tokens, sequenceCount: 1, tileCount: 1 };
    const before = backend().memory.held;
    const prepared = backend().prepare(buildSchedule('huge', tape.forward(), { output }, capacity));
    await expect(prepared).rejects.toThrow(DeviceLimitError);
    expect(backend().memory.held).toBe(before);
  });
});

describe('a lost device', () => {
  it('is a typed error, for the step at hand and for every later one', async () => {
    const devices: GPUDevice[] = [];
    const real = await findGPU();
    const gpu = gpuOf(async (options) => {
      const gpuAdapter = await real.requestAdapter(options);
      const requestDevice = gpuAdapter?.requestDevice.bind(gpuAdapter);
      if (gpuAdapter === null || requestDevice === undefined) return null;
      Object.defineProperty(gpuAdapter, 'requestDevice', {
        value: async (descriptor: GPUDeviceDescriptor) => {
          const device = await requestDevice(descriptor);
          devices.push(device);
          return device;
        },
      });
      return gpuAdapter;
    });
    const backend = await WebGPUBackend.create({ gpu });
    const executable = await geluOfOnes(backend, 4096, 256);
    const request = { microBatches: [batchOf(4096)], seed: 0, step: 0, lossScale: 1 };
    await executable.run(request);
    const step = executable.run(request);
    expect(devices.length).toBe(1);
    devices[0]?.destroy();
    await expect(step).rejects.toThrow(DeviceLostError);
    await expect(executable.run(request)).rejects.toThrow(DeviceLostError);
    await expect(backend.allocate(16, 'late')).rejects.toThrow(DeviceLostError);
  });
});

describe('no GPU', () => {
  it('is a typed error that says what to do', async () => {
    const created = WebGPUBackend.create({ gpu: gpuOf(async () => null) });
    await expect(created).rejects.toThrow(NoGPUError);
    await expect(created).rejects.toThrow('mesa-vulkan-drivers');
  });

  it('ends the command with one line and status 1', async () => {
    const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');
    const nowhere = '/nowhere.json';
    const env = { ...process.env, VK_ICD_FILENAMES: nowhere, VK_DRIVER_FILES: nowhere };
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(process.execPath, [cli, 'doctor', '--backend', 'webgpu'], { env }, (error, _, text) => {
        resolve({ code: error?.code, stderr: text });
      });
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^graft: WebGPU is there but offers no GPUAdapter\. .+\n$/m);
  });
});
