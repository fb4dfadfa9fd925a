import { describe, expect, it } from 'vitest';
import { opCases } from '../../src/reference';
import { runCase } from '../../src/reference/run-case';
import { useBackend } from '../support/backends';

// On any device both shapes of WebGPU kernel must be right: the other one is what someone else's device runs.
describe.each(['serial', 'tiled', 'wasm'] as const)('%s kernels equal the oracles', (kind) => {
  const backend = useBackend(kind);

  it.each(opCases.map((item) => [`${item.op}: ${item.name}`, item] as const))('%s', async (_, item) => {
    const checks = await runCase(backend(), item);
    expect(checks.length).toBeGreaterThan(0);
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it('give all their memory back', () => {
    expect(backend().memory.held).toBe(0);
  });
});
