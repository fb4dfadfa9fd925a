import { countRows, defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { batchLabels, batchTokens, type Tape, type Tensor } from '../scheduler/tape';
import { tileGrid } from './products';

const contract = {
  shader: 'grouped_linear',
  params: { rows: 'u32', columns: 'u32', inner: 'u32', hasBias: 'u32', hasAddend: 'u32' },
  bindings: {
    left: 'read',
    right: 'read',
    bias: 'read',
    addend: 'read',
    result: 'write',
    tokens: 'read',
    groups: 'read',
  },
  // A range lays the weights out anew for each of its runs.
  cpuLeastRange: 32,
} as const;

/** 4×4 an invocation, of 8×8. */
const workgroups = tileGrid(32, 32);

/** Inner dimension a multiple of 4. */
const groupedForward = defineKernel({
  ...contract,
  name: 'grouped_linear_forward',
  variants: { serial: { entryPoint: 'grouped_linear_forward', workgroups } },
});

const groupedStrided = defineKernel({
  ...contract,
  name: 'grouped_linear_strided',
  variants: { serial: { entryPoint: 'grouped_linear_strided', workgroups } },
});

/**
 * y = x W_gᵀ + b_g + residual, where g is the group of each row's sequence: x `[rows, K]`, rows tokens or sequences, weight G times
 * `[N, K]`, bias G times `[N]`, residual `[rows, N]` → `[rows, N]`. So sequences of several tasks share a batch. Each element is summed
 * as in `linear`. Inference alone: it has no backward pass. Derivation: docs/derivations/grouped_linear.md.
 *
 * Throws RangeError where the shapes do not fit together, TypeError where anything requires a gradient.
 */
export function groupedLinear(
  tape: Tape,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  residual?: Tensor,
): Tensor {
  const outputs = Number(weight.rows) / (weight.groups ?? 1);
  if (weight.columns !== x.columns || (bias !== undefined && bias.columns !== outputs)) {
    throw new RangeError(
      `grouped_linear: ${weight.name} is [${outputs}, ${weight.columns}], but ${x.name} has ${x.columns} columns`,
    );
  }
  checkGrouped('grouped_linear', bias === undefined ? [weight] : [weight, bias], [x, residual]);
  const inner = x.columns;
  const output = tape.activation(`linear by ${weight.name}`, x.rows, outputs);
  tape.record({
    op: 'grouped_linear',
    output,
    forward: [
      dispatch(inner % 4 === 0 ? groupedForward : groupedStrided, {
        params: {
          rows: rowsCode(x.rows),
          columns: outputs,
          inner,
          hasBias: bias === undefined ? 0 : 1,
          hasAddend: residual === undefined ? 0 : 1,
        },
        // What is absent is not read, but something must be bound.
        bindings: {
          left: x,
          right: weight,
          bias: bias ?? weight,
          addend: residual ?? x,
          result: output,
          tokens: batchTokens,
          groups: batchLabels('sequences', 1),
        },
        work: (shape) => [countRows(x.rows, shape), outputs],
      }),
    ],
  });
  return output;
}

/**
 * Throws RangeError where an op's parameters are not of the same number of groups or its rows follow no sequence, TypeError where
 * anything requires a gradient.
 */
export function checkGrouped(
  op: string,
  parameters: readonly Tensor[],
  inputs: readonly (Tensor | undefined)[],
): void {
  const [first] = parameters;
  const other =
    parameters.find(({ groups }) => groups === undefined || groups !== first?.groups) ??
    inputs.find((x) => x !== undefined && x.rows !== 'tokens' && x.rows !== 'sequences');
  if (other !== undefined) {
    throw new RangeError(
      `${op}: ${other.name} [${other.rows}, ${other.columns}] is in ${other.groups} groups`,
    );
  }
  const trained = [...parameters, ...inputs].find((tensor) => tensor?.requiresGradient);
  if (trained !== undefined) throw new TypeError(`${op} has no backward pass for ${trained.name}`);
}
