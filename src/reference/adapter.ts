import type { Activation } from '../ops/activation';
import { adapter } from '../ops/adapter';
import { type CaseInput, countTokens, given, type OpCase, sequencesOf } from './case';
import { geluDerivative, geluValue } from './gelu';
import { linearGradients, linearValue } from './linear';
import { CaseRandom } from './random';

interface AdapterCase {
  readonly lengths: readonly number[];
  readonly hidden: number;
  readonly bottleneck: number;
  readonly activation?: Activation;
  readonly weights?: 'parameter' | 'frozen' | 'activation';
  readonly x?: 'activation' | 'frozen';
  /** Where it is not x. */
  readonly residual?: 'activation' | 'frozen';
}

function adapterCase(shape: AdapterCase): OpCase {
  const { lengths, hidden, bottleneck, activation = 'gelu_tanh' } = shape;
  const { weights = 'parameter', x = 'activation', residual } = shape;
  const sequences = sequencesOf(lengths);
  const tokens = countTokens(sequences);
  const random = new CaseRandom(hidden * 31 + bottleneck);
  const input = (name: string, rows: number, columns: number, scale: number): CaseInput => ({
    name,
    rows,
    columns,
    role: weights,
    values: random.values(rows * columns, scale),
  });
  const inputs: readonly CaseInput[] = [
    { name: 'x', rows: 'tokens', columns: hidden, role: x, values: random.values(tokens * hidden) },
    // Scaled so that the activation sees its curved part.
    input('downWeight', bottleneck, hidden, 3 / Math.sqrt(hidden)),
    input('downBias', 1, bottleneck, 1),
    input('upWeight', hidden, bottleneck, 1 / Math.sqrt(bottleneck)),
    input('upBias', 1, hidden, 1),
    ...(residual === undefined
      ? []
      : [
          {
            name: 'residual',
            rows: 'tokens',
            columns: hidden,
            role: residual,
            values: random.values(tokens * hidden),
          } as const,
        ]),
  ];
  return {
    op: 'adapter',
    name: `${tokens}×${hidden}, bottleneck ${bottleneck}, ${activation}, weights ${weights}, x ${x}${residual === undefined ? '' : `, residual ${residual}`}`,
    sequences,
    inputs,
    build: (tape, [xTensor, downWeight, downBias, upWeight, upBias, residualTensor]) =>
      adapter(
        tape,
        given(xTensor),
        {
          downWeight: given(downWeight),
          downBias: given(downBias),
          upWeight: given(upWeight),
          upBias: given(upBias),
        },
        activation,
        residualTensor,
      ),
    forward: ([xValues, downWeight, downBias, upWeight, upBias, residualValues = xValues]) => {
      const a = linearValue(given(xValues), given(downWeight), downBias, hidden);
      const h = a.map((value) => geluValue(activation, value));
      const up = linearValue(h, given(upWeight), upBias, bottleneck);
      return up.map((value, i) => value + (residualValues?.[i] ?? 0));
    },
    backward: ([xValues, downWeight, downBias, upWeight], outputGradient) => {
      const a = linearValue(given(xValues), given(downWeight), downBias, hidden);
      const h = a.map((value) => geluValue(activation, value));
      const up = linearGradients(h, given(upWeight), outputGradient, bottleneck);
      const aGradient = up.x.map((value, i) => value * geluDerivative(activation, a[i] ?? 0));
      const down = linearGradients(given(xValues), given(downWeight), aGradient, hidden);
      const xGradient = down.x.map((value, i) =>
        residual === undefined ? value + (outputGradient[i] ?? 0) : value,
      );
      return [xGradient, down.weight, down.bias, up.weight, up.bias, outputGradient]
        .slice(0, inputs.length)
        .map((gradient, i) => (inputs[i]?.role === 'frozen' ? undefined : gradient));
    },
  };
}

export const adapterCases = (): readonly OpCase[] => [
  ...[1, 3, 17, 65].map((size) => adapterCase({ lengths: [size], hidden: size, bottleneck: size })),
  ...[1, 2, 3, 8, 17, 48, 64].map((bottleneck) =>
    adapterCase({ lengths: [5, 1, 7], hidden: 64, bottleneck, activation: 'gelu' }),
  ),
  adapterCase({ lengths: [3], hidden: 36, bottleneck: 256 }),
  adapterCase({ lengths: [33, 2], hidden: 20, bottleneck: 12, x: 'frozen' }),
  adapterCase({ lengths: [9], hidden: 16, bottleneck: 8, weights: 'frozen' }),
  adapterCase({ lengths: [9], hidden: 16, bottleneck: 8, weights: 'frozen', x: 'frozen' }),
  adapterCase({ lengths: [9, 8], hidden: 32, bottleneck: 8, activation: 'relu', residual: 'activation' }),
  adapterCase({ lengths: [5], hidden: 20, bottleneck: 3, activation: 'swish', residual: 'frozen' }),
  adapterCase({ lengths: [17], hidden: 24, bottleneck: 12, weights: 'activation', residual: 'activation' }),
];
