import type { Rows } from '../backends/kernel';
import { linear } from '../ops/linear';
import { type CaseInput, countTokens, given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

/** x `[rows, K]` · weightᵀ + bias in float64; weight `[N, K]`. */
export function linearValue(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | undefined,
  inputs: number,
): Float64Array {
  const outputs = weight.length / inputs;
  const rows = x.length / inputs;
  const y = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let n = 0; n < outputs; n++) {
      let sum = bias?.[n] ?? 0;
      for (let k = 0; k < inputs; k++) sum += (x[row * inputs + k] ?? 0) * (weight[n * inputs + k] ?? 0);
      y[row * outputs + n] = sum;
    }
  }
  return y;
}

/** The gradients of x `[rows, K]`, weight `[N, K]` and bias `[N]` from that of y `[rows, N]`. */
export function linearGradients(
  x: Float64Array,
  weight: Float64Array,
  outputGradient: Float64Array,
  inputs: number,
): { x: Float64Array; weight: Float64Array; bias: Float64Array } {
  const outputs = weight.length / inputs;
  const rows = x.length / inputs;
  const gradients = {
    x: new Float64Array(x.length),
    weight: new Float64Array(weight.length),
    bias: new Float64Array(outputs),
  };
  for (let row = 0; row < rows; row++) {
    for (let n = 0; n < outputs; n++) {
      const gradient = outputGradient[row * outputs + n] ?? 0;
      gradients.bias[n] = (gradients.bias[n] ?? 0) + gradient;
      for (let k = 0; k < inputs; k++) {
        const xAt = row * inputs + k;
        const weightAt = n * inputs + k;
        gradients.x[xAt] = (gradients.x[xAt] ?? 0) + gradient * (weight[weightAt] ?? 0);
        gradients.weight[weightAt] = (gradients.weight[weightAt] ?? 0) + gradient * (x[xAt] ?? 0);
      }
    }
  }
  return gradients;
}

interface LinearCase {
  readonly lengths: readonly number[];
  readonly inputs: number;
  readonly outputs: number;
  readonly rows?: Rows;
  /** As an activation: one that was computed in the step. */
  readonly weight?: 'parameter' | 'frozen' | 'activation';
  /** Default: as the weight. */
  readonly bias?: 'parameter' | 'frozen' | 'activation' | 'none';
  readonly x?: 'activation' | 'frozen';
  readonly residual?: 'activation' | 'frozen';
}

function linearCase(shape: LinearCase): OpCase {
  const {
    lengths,
    inputs,
    outputs,
    rows = 'tokens',
    weight = 'parameter',
    x = 'activation',
    residual,
  } = shape;
  const bias = shape.bias ?? weight;
  const sequences = sequencesOf(lengths);
  const count = rows === 'tokens' ? countTokens(sequences) : sequences.length;
  const random = new CaseRandom(inputs * 31 + outputs);
  const caseInputs: CaseInput[] = [
    { name: 'x', rows, columns: inputs, role: x, values: random.values(count * inputs) },
    {
      name: 'weight',
      rows: outputs,
      columns: inputs,
      role: weight,
      values: random.values(outputs * inputs),
    },
  ];
  if (bias !== 'none') {
    caseInputs.push({ name: 'bias', rows: 1, columns: outputs, role: bias, values: random.values(outputs) });
  }
  if (residual !== undefined) {
    const values = random.values(count * outputs);
    caseInputs.push({ name: 'residual', rows, columns: outputs, role: residual, values });
  }
  const roles = [
    x === 'activation' ? '' : 'x frozen',
    `weight ${weight}`,
    `bias ${bias}`,
    residual === undefined ? '' : `residual ${residual}`,
  ].filter(Boolean);
  /** The last of the inputs, where there is one. */
  const residualOf = <T>(values: readonly T[]) => (residual === undefined ? undefined : values.at(-1));
  const biasOf = <T>(values: readonly T[]) => (bias === 'none' ? undefined : values[2]);
  return {
    op: 'linear',
    name: `${count} ${rows}, ${inputs} → ${outputs}, ${roles.join(', ')}`,
    sequences,
    inputs: caseInputs,
    build: (tape, tensors) =>
      linear(tape, given(tensors[0]), given(tensors[1]), biasOf(tensors), residualOf(tensors)),
    forward: (values) => {
      const addend = residualOf(values);
      const product = linearValue(given(values[0]), given(values[1]), biasOf(values), inputs);
      return product.map((value, i) => value + (addend?.[i] ?? 0));
    },
    backward: (values, outputGradient) => {
      const gradients = linearGradients(given(values[0]), given(values[1]), outputGradient, inputs);
      return caseInputs.map(({ name, role }) => {
        if (role === 'frozen') return undefined;
        switch (name) {
          case 'x':
            return gradients.x;
          case 'weight':
            return gradients.weight;
          case 'bias':
            return gradients.bias;
          default:
            return outputGradient;
        }
      });
    },
  };
}

export const linearCases = (): readonly OpCase[] => [
  ...[1, 3, 17, 65].map((size) => linearCase({ lengths: [size], inputs: size, outputs: size })),
  // Every kernel's edges: sizes that are even, multiples of 4 but not of 8, and the head's.
  linearCase({ lengths: [2, 3], inputs: 4, outputs: 12 }),
  linearCase({ lengths: [9], inputs: 12, outputs: 6 }),
  linearCase({ lengths: [7, 1, 5], inputs: 6, outputs: 4 }),
  linearCase({ lengths: [33], inputs: 20, outputs: 28, weight: 'frozen' }),
  linearCase({ lengths: [3, 65, 1], inputs: 64, outputs: 64, weight: 'frozen', x: 'frozen' }),
  linearCase({ lengths: [65, 3], inputs: 64, outputs: 192, weight: 'frozen' }),
  linearCase({ lengths: [7, 10], inputs: 128, outputs: 68, bias: 'none' }),
  linearCase({ lengths: [129], inputs: 36, outputs: 20, bias: 'none', weight: 'frozen' }),
  linearCase({ lengths: [4], inputs: 32, outputs: 8, weight: 'frozen', bias: 'parameter', x: 'frozen' }),
  ...[1, 2, 3, 77].map((outputs) =>
    linearCase({ lengths: [2, 1, 4, 3, 1], inputs: 64, outputs, rows: 'sequences' }),
  ),
  linearCase({ lengths: [5, 12], inputs: 768, outputs: 24, weight: 'frozen' }),
  linearCase({ lengths: [5, 12], inputs: 16, outputs: 24, bias: 'none', residual: 'activation' }),
  linearCase({ lengths: [5, 12], inputs: 3, outputs: 7, residual: 'frozen' }),
  linearCase({ lengths: [33, 2], inputs: 8, outputs: 48, weight: 'activation', residual: 'activation' }),
  linearCase({ lengths: [9], inputs: 5, outputs: 13, weight: 'activation', x: 'frozen' }),
];
