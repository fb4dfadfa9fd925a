import { type Dispatch, defineKernel, dispatch, type Variant, type VariantName } from '../backends/kernel';
import { batchTiles, type Tape, type Tensor } from '../scheduler/tape';
import { dropoutParams } from './dropout';

/** The tiled kernels' workgroup memory is laid out for head sizes up to this; beyond it the serial ones run everywhere. */
const LARGEST_TILED_HEAD = 64;
const LARGEST_HEAD = 128;

export const PARAMS = {
  heads: 'u32',
  headQuads: 'u32',
  scale: 'f32',
  opKey: 'u32',
  threshold: 'u32',
  keepScale: 'f32',
} as const;

/** Work is `[tiles, heads]`: a workgroup for a tile and four heads, or for each. */
const serialGrid: Variant['workgroups'] = ([tiles = 0, heads = 0]) => [tiles * Math.ceil(heads / 4), 1, 1];
const tiledGrid: Variant['workgroups'] = ([tiles = 0, heads = 0]) => [tiles * heads, 1, 1];

const cpuItems = ([tiles = 0, heads = 0]: readonly number[]) => tiles * heads;

function kernelsOf(isTiled: boolean) {
  const variants = (entryPoint: string): { readonly [name in VariantName]?: Variant } => ({
    serial: { entryPoint, workgroups: serialGrid },
    ...(isTiled ? { tiled: { entryPoint: `${entryPoint}_tiled`, workgroups: tiledGrid } } : {}),
  });
  return {
    forward: defineKernel({
      name: 'attention_forward',
      shader: 'attention',
      params: PARAMS,
      bindings: { qkv: 'read', tiles: 'read', output: 'write' },
      variants: variants('attention_forward'),
      cpuItems,
    }),
    forwardSaving: defineKernel({
      name: 'attention_forward_saving',
      shader: 'attention',
      params: PARAMS,
      bindings: { qkv: 'read', tiles: 'read', output: 'write', logSumExp: 'write' },
      variants: variants('attention_forward_saving'),
      cpuItems,
    }),
    backwardQuery: defineKernel({
      name: 'attention_backward_query',
      shader: 'attention_backward',
      params: PARAMS,
      bindings: {
        qkv: 'read',
        tiles: 'read',
        outputGradient: 'read',
        logSumExp: 'read',
        qkvGradient: 'write',
        output: 'read',
        delta: 'write',
      },
      variants: variants('attention_backward_query'),
      cpuItems,
    }),
    backwardKey: defineKernel({
      name: 'attention_backward_key',
      shader: 'attention_backward',
      params: PARAMS,
      bindings: {
        qkv: 'read',
        tiles: 'read',
        outputGradient: 'read',
        logSumExp: 'read',
        qkvGradient: 'write',
        delta: 'read',
      },
      variants: variants('attention_backward_key'),
      // On the CPU attention_backward_query writes dk and dv too.
      cpuItems: () => 0,
    }),
  };
}

const tiledKernels = kernelsOf(true);
const serialKernels = kernelsOf(false);

export interface AttentionOptions {
  /** Of the probabilities, after the softmax. Default 0. */
  readonly dropout?: number;
}

/** What attention within sequences is made of; which tensors the passes join is the op's affair. */
export interface AttentionPasses {
  readonly params: Readonly<Record<keyof typeof PARAMS, number>>;
  forward(output: Tensor): Dispatch<Tensor>;
  /** With the log-sum-exp `[T, heads]`. */
  forwardSaving(output: Tensor, logSumExp: Tensor): Dispatch<Tensor>;
  /** The gradient of qkv with respect to the pairs within sequences, and D = do · o `[T, heads]`. */
  backward(
    outputGradient: Tensor,
    output: Tensor,
    logSumExp: Tensor,
  ): { readonly dispatches: Dispatch<Tensor>[]; readonly qkvGradient: Tensor; readonly delta: Tensor };
}

/** Throws RangeError unless headSize is a multiple of 4 up to 128. */
export function attentionPasses(
  tape: Tape,
  qkv: Tensor,
  heads: number,
  { dropout: probability = 0 }: AttentionOptions,
): AttentionPasses {
  const headSize = qkv.columns / 3 / heads;
  if (!Number.isInteger(headSize) || headSize % 4 !== 0 || headSize > LARGEST_HEAD) {
    throw new RangeError(
      `attention over ${qkv.columns} columns in ${heads} heads: a head's size must be a multiple of 4 up to ${LARGEST_HEAD}, not ${headSize}`,
    );
  }
  const kernels = headSize <= LARGEST_TILED_HEAD ? tiledKernels : serialKernels;
  const params = {
    heads,
    headQuads: headSize / 4,
    scale: 1 / Math.sqrt(headSize),
    opKey: tape.nextOpKey(),
    ...dropoutParams(probability),
  };
  const common = {
    params,
    constants: { TILED_QUADS: headSize <= LARGEST_TILED_HEAD / 2 ? 8 : 16 },
    work: ({ tileCount }: { tileCount: number }) => [tileCount, heads],
  };
  const tables = { qkv, tiles: batchTiles };
  return {
    params,
    forward: (output) => dispatch(kernels.forward, { ...common, bindings: { ...tables, output } }),
    forwardSaving: (output, logSumExp) =>
      dispatch(kernels.forwardSaving, { ...common, bindings: { ...tables, output, logSumExp } }),
    backward(outputGradient, output, logSumExp) {
      const delta = tape.activation('attention do · o', 'tokens', heads);
      const qkvGradient = tape.like(qkv, 'gradient of qkv');
      const shared = { ...tables, outputGradient, logSumExp, qkvGradient, delta };
      // Each writes its own columns of the one gradient.
      const dispatches = [
        dispatch(kernels.backwardQuery, { ...common, bindings: { ...shared, output } }),
        dispatch(kernels.backwardKey, { ...common, bindings: shared }),
      ];
      return { dispatches, qkvGradient, delta };
    },
  };
}

/**
 * Multi-head self-attention within each sequence of the packed batch: softmax(q kᵀ / √headSize) v.
 * Vaswani et al. 2017, arXiv 1706.03762, §3.2. `qkv` is `[T, 3h]`: h columns of queries, h of keys, h of values, head i in
 * columns i·headSize… of each; the result is `[T, h]`. Where a gradient is needed, the log-sum-exp `[T, heads]` is saved
 * and the backward pass recomputes the probabilities (Dao et al. 2022, arXiv 2205.14135).
 * Throws RangeError unless headSize is a multiple of 4 up to 128. Derivation: docs/derivations/attention.md.
 */
export function attention(tape: Tape, qkv: Tensor, heads: number, options: AttentionOptions = {}): Tensor {
  const passes = attentionPasses(tape, qkv, heads, options);
  const output = tape.activation('attention', 'tokens', qkv.columns / 3, qkv.requiresGradient);
  if (!qkv.requiresGradient) {
    tape.record({ op: 'attention', output, forward: [passes.forward(output)] });
    return output;
  }
  const logSumExp = tape.activation('attention log-sum-exp', 'tokens', heads);
  tape.record({
    op: 'attention',
    output,
    forward: [passes.forwardSaving(output, logSumExp)],
    backward: (outputGradient) => {
      const { dispatches, qkvGradient } = passes.backward(outputGradient, output, logSumExp);
      return { dispatches, gradients: new Map([[qkv, qkvGradient]]) };
    },
  });
  return output;
}
