import { ACTIVATIONS, type Activation } from '../ops/activation';
import { gelu } from '../ops/gelu';
import { given, type OpCase, sequencesOf } from './case';
import { erf } from './erf';
import { CaseRandom } from './random';

const TANH_SCALE = Math.sqrt(2 / Math.PI);

export function geluValue(activation: Activation, x: number): number {
  if (activation === 'gelu') return 0.5 * x * (1 + erf(x / Math.SQRT2));
  if (activation === 'relu') return Math.max(0, x);
  if (activation === 'swish') return x / (1 + Math.exp(-x));
  return 0.5 * x * (1 + Math.tanh(TANH_SCALE * (x + 0.044715 * x ** 3)));
}

export function geluDerivative(activation: Activation, x: number): number {
  if (activation === 'gelu') {
    return 0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
  }
  if (activation === 'relu') return x > 0 ? 1 : 0;
  if (activation === 'swish') {
    const gate = 1 / (1 + Math.exp(-x));
    return gate + x * gate * (1 - gate);
  }
  const t = Math.tanh(TANH_SCALE * (x + 0.044715 * x ** 3));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * TANH_SCALE * (1 + 3 * 0.044715 * x * x);
}

export const geluCases = (): readonly OpCase[] =>
  ACTIVATIONS.flatMap((activation) =>
    [1, 3, 17, 65].map((columns): OpCase => {
      const sequences = sequencesOf([3]);
      return {
        op: 'gelu',
        name: `${activation}, 3×${columns}`,
        sequences,
        inputs: [
          {
            name: 'x',
            rows: 'tokens',
            columns,
            role: 'activation',
            values: new CaseRandom(columns).values(3 * columns, 6),
          },
        ],
        build: (tape, [x]) => gelu(tape, given(x), activation),
        forward: ([x]) => given(x).map((value) => geluValue(activation, value)),
        backward: ([x], outputGradient) => [
          given(x).map((value, i) => (outputGradient[i] ?? 0) * geluDerivative(activation, value)),
        ],
      };
    }),
  );
