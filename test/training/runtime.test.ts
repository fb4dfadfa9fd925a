import { expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend';
import { WasmBackend } from '../../src/backends/wasm/backend';
import { OptionError } from '../../src/errors';
import { createRuntime, Runtime } from '../../src/training/runtime';

it('auto takes WebGPU on a real GPU, else the CPU', async () => {
  const webgpu = await createRuntime({ backend: 'webgpu' });
  const expected = webgpu.device.isFallback ? 'wasm' : 'webgpu';
  webgpu.dispose();
  const chosen = await createRuntime();
  expect(chosen.backend).toBe(expected);
  chosen.dispose();
});

it('a backend that does not exist is an OptionError', async () => {
  const options = JSON.parse('{ "backend": "cuda" }');
  await expect(createRuntime(options)).rejects.toThrow(OptionError);
});

it.each(['webgpu', 'wasm'] as const)(
  'the self-test passes on %s and checks every op both ways',
  async (backend) => {
    const runtime = await createRuntime({ backend });
    let last = 0;
    const report = await runtime.selfTest({
      onProgress: (done) => {
        last = done;
      },
    });
    runtime.dispose();
    expect(report.passed).toBe(true);
    expect(last).toBeGreaterThan(50);
    expect(report.checks.some(({ what }) => what === 'gradient of qkv')).toBe(true);
  },
);

it('the self-test fails on a device that computes slightly wrong', async () => {
  const right = await WasmBackend.create();
  const wrong: Backend = {
    name: 'wrong',
    device: right.device,
    largestBinding: right.largestBinding,
    memory: right.memory,
    allocate: (bytes, label) => right.allocate(bytes, label),
    allocateMatrix: (spec) => right.allocateMatrix(spec),
    write: (buffer, offset, data) => right.write(buffer, offset, data),
    read: (buffer, floats) => right.read(buffer, floats),
    prepare: async (schedule) => {
      const executable = await right.prepare(schedule);
      return {
        byteLength: executable.byteLength,
        run: async (request) => {
          const result = await executable.run(request);
          return {
            ...result,
            outputs: result.outputs.map((output) => output.map((value) => value * 1.0001)),
          };
        },
        profile: (batch) => executable.profile(batch),
        dispose: () => executable.dispose(),
      };
    },
    dispose: () => right.dispose(),
  };
  const report = await new Runtime(wrong).selfTest();
  expect(report.passed).toBe(false);
  expect(report.checks.filter(({ passed }) => !passed).length).toBeGreaterThan(100);
});
