import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { benchmarksAt, checkedCases } from '../../bench/kernels';
import { checkKernels } from '../../bench/kernels/check';
import { Inputs } from '../../bench/kernels/inputs';
import { batchOf, sizeOf } from '../../bench/kernels/size';
import { contractBytes, recordBenchmark, select } from '../../bench/kernels/time-kernel';
import { dispatch } from '../../src/backends/kernel';
import { tanh } from '../../src/ops/tanh';
import { runCase } from '../../src/reference/run-case';
import { Tape, type Tensor } from '../../src/scheduler/tape';
import { useBackend } from '../support/backends';

const size = sizeOf('minilm', 2, 32);

describe('the kernels that are measured', () => {
  it('are those of every op that there is, and each has an oracle', () => {
    const measured = new Set(benchmarksAt(size).map(({ op }) => op));
    const files = readdirSync(join(import.meta.dirname, '../../src/ops')).map((file) =>
      file.replace('.ts', ''),
    );
    // The codes of the activations, the shapes of losses and products: no ops.
    const helpers = new Set(['activation', 'loss-rows', 'products']);
    const ops = [...files.filter((file) => !helpers.has(file)), 'add', 'zero'];
    expect([...measured].sort()).toEqual(ops.sort());
    expect([...new Set(checkedCases.map(({ op }) => op))].sort()).toEqual(ops.sort());
  });
});

describe('on the CPU', () => {
  const backend = useBackend('wasm');

  it.each(['minilm', 'base'] as const)('every row of %s finds its kernels', async (shape) => {
    const at = sizeOf(shape, 1, 16);
    const batch = batchOf(at);
    for (const benchmark of benchmarksAt(at)) {
      const inputs = new Inputs(backend(), batch);
      try {
        const recorded = await recordBenchmark(benchmark, inputs);
        for (const row of benchmark.rows) {
          const { measured } = select(recorded, row);
          expect(measured.length, row.kernel).toBeGreaterThan(0);
          expect(contractBytes(measured, batch), row.kernel).toBeGreaterThan(0);
        }
      } finally {
        inputs.dispose();
      }
    }
    expect(backend().memory.held).toBe(0);
  });

  it.each(['add', 'zero'])('%s equals its oracle', async (name) => {
    for (const item of checkedCases.filter(({ op }) => op === name)) {
      const checks = await runCase(backend(), item);
      expect(checks.filter(({ passed }) => !passed)).toEqual([]);
      expect(checks).toHaveLength(1);
    }
  });

  it('a wrong kernel is not timed', async () => {
    const wrong = checkedCases
      .filter(({ op }) => op === 'tanh')
      .map((item) => ({
        ...item,
        forward: (values: readonly Float64Array[]) => item.forward(values).map((y) => -y),
      }));
    await expect(checkKernels(backend(), wrong, () => {})).rejects.toThrow(/checks failed .* tanh/);
  });
});

describe('the bytes of a contract', () => {
  it('count each buffer once, a buffer that is added to twice', () => {
    const tape = new Tape();
    const x: Tensor = tape.activation('x', 'tokens', 5, true);
    tanh(tape, x);
    const forward = tape.forward();
    const batch = batchOf(size);
    expect(contractBytes(forward, batch)).toBe(2 * 64 * 5 * 4);
    const [item] = forward;
    if (item === undefined) throw new Error('nothing was recorded');
    const adding = { ...item.kernel, bindings: { x: 'read', output: 'accumulate' } } as const;
    const given = { params: {}, bindings: { x, output: x }, work: item.work };
    expect(contractBytes([dispatch(adding, given)], batch)).toBe(2 * 64 * 5 * 4);
  });
});
