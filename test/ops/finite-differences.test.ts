import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { opCases } from '../../src/reference';
import { given } from '../../src/reference/case';
import { CaseRandom } from '../../src/reference/random';
import { outputGradientOf } from '../../src/reference/run-case';

/** Files in src/ops that hold no op of their own. */
const HELPERS = new Set(['activation', 'index', 'loss-rows', 'products']);

describe('the oracles', () => {
  it('cover every op', () => {
    const ops = readdirSync(new URL('../../src/ops', import.meta.url))
      .map((file) => file.replace(/\.ts$/, ''))
      .filter((name) => !HELPERS.has(name));
    expect(ops.length).toBeGreaterThan(0);
    expect([...new Set(opCases().map(({ op }) => op))].sort()).toEqual(ops.sort());
  });

  // Central differences in float64: the error is about h² f'''/6 + 1e-16/h, so 1e-6 relative leaves a wide margin.
  describe.each(opCases().map((item) => [`${item.op}: ${item.name}`, item] as const))('%s', (_, item) => {
    const inputs = item.inputs.map(({ values }) => values);
    const output = item.forward(inputs);
    const outputGradient = outputGradientOf(item, output.length);
    const gradients = item.backward(inputs, outputGradient);
    const objective = () =>
      item.forward(inputs).reduce((sum, value, i) => sum + value * given(outputGradient[i]), 0) *
      (item.isLoss ? (item.lossScale ?? 1) : 1);

    item.inputs.forEach(({ name, role, values }, index) => {
      const gradient = gradients[index];
      it(`gradient of ${name} ${role === 'frozen' ? 'is not made' : 'equals finite differences'}`, () => {
        if (role === 'frozen') {
          expect(gradient).toBeUndefined();
          return;
        }
        expect(gradient?.length).toBe(values.length);
        const largest = Math.max(1e-3, ...given(gradient).map(Math.abs));
        const random = new CaseRandom(index);
        const sample =
          values.length <= 24
            ? values.map((_, i) => i)
            : Array.from({ length: 24 }, () => random.below(values.length));
        for (const i of sample) {
          const original = given(values[i]);
          const h = 1e-5;
          values[i] = original + h;
          const above = objective();
          values[i] = original - h;
          const below = objective();
          values[i] = original;
          expect(Math.abs((above - below) / (2 * h) - given(given(gradient)[i])) / largest).toBeLessThan(
            1e-6,
          );
        }
      });
    });
  });
});
