import { describe, expect, it } from 'vitest';
import { VARIANT_NAMES } from '../../src/backends/kernel';
import { opCases } from '../../src/reference';
import { runCase } from '../../src/reference/run-case';
import { useBackend } from '../support/backends';

// On any device all shapes of WebGPU kernel must be right: the others are what someone else's device runs. A kernel that lacks
// a shape runs the nearest.
// Shapes that only products have: of the other ops they would repeat what `serial` and `tiled` run.
const PRODUCT_SHAPES = new Set<string>(['naive', 'lanes16', 'lanes24', 'blocked', 'wide']);
const PRODUCTS = new Set(['linear', 'frozen_linear', 'adapter']);

describe.each([...VARIANT_NAMES, 'wasm'] as const)('%s kernels equal the oracles', (kind) => {
  const backend = useBackend(kind);

  const cases = PRODUCT_SHAPES.has(kind) ? opCases().filter(({ op }) => PRODUCTS.has(op)) : opCases();
  it.each(cases.map((item) => [`${item.op}: ${item.name}`, item] as const))('%s', async (_, item) => {
    const checks = await runCase(backend(), item);
    expect(checks.length).toBeGreaterThan(0);
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it('give all their memory back', () => {
    expect(backend().memory.held).toBe(0);
  });
});
