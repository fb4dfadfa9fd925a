import { afterEach, describe, expect, it } from 'vitest';
import type { MicroBatch } from '../../src/backends/backend';
import { defineKernel, dispatch } from '../../src/backends/kernel';
import type { Location, Schedule } from '../../src/backends/schedule';
import { WasmBackend } from '../../src/backends/wasm/backend';
import { InlineHost } from '../../src/backends/wasm/inline-host';
import { Meeting } from '../../src/backends/wasm/meeting';
import { WorkerHost } from '../../src/backends/wasm/worker-host';
import { opCases } from '../../src/reference';
import { runCase } from '../../src/reference/run-case';

const open: { dispose(): void }[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item.dispose();
});
async function backendOf(threads: number): Promise<WasmBackend> {
  const backend = await WasmBackend.create({ threads });
  open.push(backend);
  return backend;
}

/** y = x + x over 1,000 elements, by a kernel of any name. */
function doubling(kernelName: string, x: Location = { kind: 'slot', slot: 0, byteLength: 4000 }): Schedule {
  const kernel = defineKernel({
    name: kernelName,
    shader: '',
    params: { rows: 'u32', columns: 'u32' },
    bindings: { a: 'read', b: 'read', sum: 'write' },
    variants: {},
  });
  const y = { kind: 'slot', slot: 1, byteLength: 4000 } as const;
  return {
    label: 'doubling',
    capacity: { tokenCount: 16, sequenceCount: 1, tileCount: 1 },
    labels: { rows: 'sequences', columns: 0 },
    hidden: { rows: 'tokens', columns: 0 },
    slots: [4000, 4000],
    dispatches: [
      dispatch(kernel, {
        params: { rows: 3, columns: 1000 },
        bindings: { a: x, b: x, sum: y },
        work: () => [1000],
      }),
    ],
    outputs: [{ name: 'y', location: y, rows: 1, columns: 1000 }],
  };
}

const batch: MicroBatch = {
  tokenCount: 0,
  sequenceCount: 0,
  tileCount: 0,
  tokens: new Uint32Array(0),
  offsets: new Uint32Array(1),
  tiles: new Uint32Array(0),
  labels: new Uint32Array(0),
  tokenOffset: 0,
  sequenceOffset: 0,
};
const request = { microBatches: [batch], seed: 0, step: 0, lossScale: 1 };

describe('a pool of threads', () => {
  it('passes every check of the oracles with three threads', async () => {
    const backend = await backendOf(3);
    expect(backend.device.name).toContain('3 threads');
    for (const item of opCases()) {
      expect((await runCase(backend, item)).filter(({ passed }) => !passed)).toEqual([]);
    }
  });

  it('runs one program a thousand times without a thread being left behind', async () => {
    const backend = await backendOf(3);
    const executable = await backend.prepare(doubling('add'));
    for (let step = 0; step < 1000; step++) {
      const { outputs } = await executable.run(request);
      expect(outputs[0]?.length).toBe(1000);
    }
  });

  it('lets runs that are asked for at once wait for each other', async () => {
    const backend = await backendOf(2);
    const [a, b] = [await backend.prepare(doubling('add')), await backend.prepare(doubling('add'))];
    const runs = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? a : b).run(request));
    expect(await Promise.all(runs)).toHaveLength(20);
  });

  it('fails where a kernel does, and goes on with the next run', async () => {
    const backend = await backendOf(3);
    const right = await backend.prepare(doubling('add'));
    // An address beyond the memory: the kernel traps at its first load, in whichever thread gets there first.
    const buffer = await backend.allocate(4000, 'x');
    const beyond = { kind: 'buffer', buffer, byteOffset: 3e9, byteLength: 4000 } as const;
    const wrong = await backend.prepare(doubling('add', beyond));
    for (let i = 0; i < 3; i++) {
      await expect(wrong.run(request)).rejects.toThrow(/A kernel failed: RuntimeError/);
      expect((await right.run(request)).outputs).toHaveLength(1);
    }
  });

  it('rejects what is under way when it is disposed of', async () => {
    const backend = await WasmBackend.create({ threads: 2 });
    const executable = await backend.prepare(doubling('add'));
    const run = executable.run(request);
    // The run has been asked for, not yet begun.
    backend.dispose();
    await expect(run).rejects.toThrow('disposed of');
    await expect(executable.run(request)).rejects.toThrow('disposed of');
  });

  it('says which kernel there is not', async () => {
    const backend = await backendOf(1);
    await expect(backend.prepare(doubling('no_such_kernel'))).rejects.toThrow('no function no_such_kernel');
  });

  it('gives the threads that wait free when one aborts', () => {
    const meeting = Meeting.forCalls(2);
    meeting.abort();
    expect(meeting.complete(0, 2)).toBe(false);
    expect(meeting.leave(2)).toBe(false);
    expect(meeting.leave(2)).toBe(true);
  });
});

describe('one worker with a memory of its own, as in a page that is not isolated', () => {
  it('computes what the calling thread does', async () => {
    const worker = await WorkerHost.create({ build: 'simd', threads: 1, isShared: false });
    const inline = await InlineHost.create('simd');
    open.push(worker, inline);
    const results = [];
    for (const host of [worker, inline]) {
      const at = host.base;
      await host.grow(at + 2 ** 20);
      host.clear(at, 4096);
      host.write(at, new Uint32Array(new Float32Array([1, 2, 3, 4]).buffer));
      // Parameters (unused), then the buffers a, b, sum.
      host.write(at + 512, Uint32Array.of(0, 0, at, at, at + 256));
      const program = host.prepare([{ kernel: 'add', params: at + 512, buffers: at + 520 }]);
      await program.run({
        batch: at + 1024,
        items: Uint32Array.of(4),
        chunks: Uint32Array.of(4),
        isTimed: false,
      });
      results.push([...(await host.read(at + 256, 4))]);
    }
    expect(results).toEqual([
      [2, 4, 6, 8],
      [2, 4, 6, 8],
    ]);
  });
});
