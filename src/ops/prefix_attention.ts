import { countRows, defineKernel, dispatch, type Grid } from '../backends/kernel';
import { gradientOf, type Tape, type Tensor } from '../scheduler/tape';
import { type AttentionOptions, attentionPasses, PARAMS } from './attention';

/** Each query's pairs with the prefix lie in registers or local memory while it is computed. */
export const LONGEST_PREFIX = 256;

const byElement = ([elements = 0]: readonly number[]): Grid => [Math.ceil(elements / 64), 1, 1];

const shader = 'prefix_attention';

/** Work is `[tokens × heads]`. */
const prefixForward = defineKernel({
  name: 'prefix_attention_forward',
  shader,
  params: PARAMS,
  bindings: {
    qkv: 'read',
    prefix: 'read',
    ownOutput: 'read',
    ownLogSumExp: 'read',
    output: 'write',
    logSumExp: 'write',
  },
  variants: { serial: { entryPoint: 'prefix_attention_forward', workgroups: byElement } },
});

/** Likewise. */
const prefixBackwardQuery = defineKernel({
  name: 'prefix_attention_backward_query',
  shader,
  params: PARAMS,
  bindings: {
    qkv: 'read',
    prefix: 'read',
    outputGradient: 'read',
    logSumExp: 'read',
    delta: 'read',
    qkvGradient: 'accumulate',
    pairs: 'write',
  },
  variants: { serial: { entryPoint: 'prefix_attention_backward_query', workgroups: byElement } },
});

/** Work is `[2 · length × hidden / 4, 2 · length × heads]`. */
const prefixBackwardKey = defineKernel({
  name: 'prefix_attention_backward_key',
  shader,
  params: PARAMS,
  bindings: { qkv: 'read', outputGradient: 'read', pairs: 'read', prefixGradient: 'accumulate' },
  variants: { serial: { entryPoint: 'prefix_attention_backward_key', workgroups: byElement } },
  cpuItems: ([, rows = 0]) => rows,
});

/**
 * `attention` over `qkv` `[T, 3h]` in which every query also attends to `prefix` `[2p, h]`: p keys, then p values, the same for
 * all sequences. Li and Liang 2021, arXiv 2101.00190. The result is `[T, h]`. Attention within the sequence comes first; its output
 * and log-sum-exp are then joined with the prefix', so the backward pass within the sequence is attention's own.
 * Derivation: docs/derivations/prefix_attention.md.
 *
 * Throws RangeError as `attention` does, and for a prefix of another width or of more than 256 keys.
 */
export function prefixAttention(
  tape: Tape,
  qkv: Tensor,
  prefix: Tensor,
  heads: number,
  options: AttentionOptions = {},
): Tensor {
  const passes = attentionPasses(tape, qkv, heads, options);
  const length = typeof prefix.rows === 'number' ? prefix.rows / 2 : Number.NaN;
  if (!Number.isInteger(length) || length > LONGEST_PREFIX || prefix.columns !== qkv.columns / 3) {
    throw new RangeError(
      `prefix_attention: ${prefix.name} [${prefix.rows}, ${prefix.columns}] is no prefix of up to ${LONGEST_PREFIX} keys for ${qkv.columns} columns`,
    );
  }
  const requiresGradient = qkv.requiresGradient || prefix.requiresGradient;
  const own = tape.activation('attention within the sequence', 'tokens', prefix.columns);
  const ownLogSumExp = tape.activation('its log-sum-exp', 'tokens', heads);
  const output = tape.activation('prefix_attention', 'tokens', prefix.columns, requiresGradient);
  const logSumExp = tape.like(ownLogSumExp, 'prefix_attention log-sum-exp');
  const common = { params: passes.params, constants: { PREFIX: length } };
  const work = (shape: { tokenCount: number; sequenceCount: number; tileCount: number }) => [
    countRows('tokens', shape) * heads,
  ];
  tape.record({
    op: 'prefix_attention',
    output,
    forward: [
      passes.forwardSaving(own, ownLogSumExp),
      dispatch(prefixForward, {
        ...common,
        bindings: { qkv, prefix, ownOutput: own, ownLogSumExp, output, logSumExp },
        work,
      }),
    ],
    backward: requiresGradient
      ? (outputGradient) => {
          const { dispatches, delta, qkvGradient } = passes.backward(outputGradient, output, logSumExp);
          const pairs = tape.activation('prefix_attention pairs', 'tokens', 2 * heads * length);
          const bindings = { qkv, prefix, outputGradient, logSumExp, delta, qkvGradient, pairs };
          dispatches.push(dispatch(prefixBackwardQuery, { ...common, bindings, work }));
          if (prefix.requiresGradient) {
            dispatches.push(
              dispatch(prefixBackwardKey, {
                ...common,
                bindings: { qkv, outputGradient, pairs, prefixGradient: gradientOf(prefix) },
                work: () => [(2 * length * prefix.columns) / 4, 2 * length * heads],
              }),
            );
          }
          return { dispatches, gradients: new Map([[qkv, qkvGradient]]) };
        }
      : undefined,
  });
  return output;
}
