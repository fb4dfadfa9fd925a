import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { gelu } from '../../src/ops/gelu';
import { layerNorm } from '../../src/ops/layer_norm';
import { opCases } from '../../src/reference';
import { given, type OpCase, sequencesOf } from '../../src/reference/case';
import { geluDerivative, geluValue } from '../../src/reference/gelu';
import { layerNormBackward, layerNormForward } from '../../src/reference/layer_norm';
import { CaseRandom } from '../../src/reference/random';
import { runCase } from '../../src/reference/run-case';
import { createSplitBackend } from '../support/split-host';

/** What the module exports beside kernels. */
const OTHERS = /^(tokenizer_|set_scratch|heap_base|adamw|allocate_arena|squared_norm)/;

/** LN(gelu(x) + x): x feeds two ops, so its gradient is a sum, which no op's own case has. */
function residualCase(): OpCase {
  const [tokens, columns, epsilon] = [7, 33, 1e-5];
  const random = new CaseRandom(1);
  const sum = (x: Float64Array) => x.map((value) => value + geluValue('gelu', value));
  const vector = (name: string) => ({
    name,
    rows: 1,
    columns,
    role: 'frozen' as const,
    values: random.values(columns),
  });
  return {
    op: 'add',
    name: 'a residual',
    sequences: sequencesOf([3, 4]),
    inputs: [
      { name: 'x', rows: 'tokens', columns, role: 'activation', values: random.values(tokens * columns) },
      vector('gamma'),
      vector('beta'),
    ],
    build: (tape, [x, gamma, beta]) =>
      layerNorm(tape, gelu(tape, given(x), 'gelu'), x, given(gamma), given(beta), epsilon),
    forward: ([x, gamma, beta]) => layerNormForward(sum(given(x)), given(gamma), given(beta), epsilon),
    backward: ([x, gamma], outputGradient) => {
      const { input } = layerNormBackward(sum(given(x)), given(gamma), epsilon, outputGradient);
      const gradient = input.map((value, i) => value * (1 + geluDerivative('gelu', given(given(x)[i]))));
      return [gradient, undefined, undefined];
    },
  };
}

it('gives the same bits however the items of a kernel are split', async () => {
  const { backend, split } = await createSplitBackend();
  for (const item of [...opCases(), residualCase()]) {
    const checks = await runCase(backend, item);
    expect(checks.length).toBeGreaterThan(0);
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  }
  const module = await WebAssembly.compile(readFileSync(new URL('../../build/graft.wasm', import.meta.url)));
  const kernels = WebAssembly.Module.exports(module)
    .map(({ name }) => name)
    .filter((name) => !OTHERS.test(name));
  // attention_backward_query does the work of attention_backward_key.
  expect([...split].sort()).toEqual(kernels.filter((name) => name !== 'attention_backward_key').sort());
});
