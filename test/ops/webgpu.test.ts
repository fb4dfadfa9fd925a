import { describe, expect, it } from 'vitest';
import { opCases } from '../../src/reference';
import { runCase } from '../../src/reference/run-case';
import { useWebGPU } from '../support/webgpu';

// On any device both shapes of kernel must be right: the other one is what someone else's device runs.
describe.each(['serial', 'tiled'] as const)('%s kernels equal the oracles', (variant) => {
  const backend = useWebGPU(variant);
  it.each(opCases.map((item) => [`${item.op}: ${item.name}`, item] as const))('%s', async (_, item) => {
    const checks = await runCase(backend(), item);
    expect(checks.length).toBeGreaterThan(0);
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  });
});
