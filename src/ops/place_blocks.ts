import { defineKernel, dispatch } from '../backends/kernel';
import { elements, elementwiseGrid } from '../scheduler/elementwise';
import { gradientOf, type Tape, type Tensor } from '../scheduler/tape';

const params = {
  height: 'u32',
  width: 'u32',
  columns: 'u32',
  count: 'u32',
  band0: 'u32',
  band1: 'u32',
  band2: 'u32',
  scale: 'f32',
  each: 'u32',
} as const;

const placeForward = defineKernel({
  name: 'place_blocks_forward',
  shader: 'place_blocks',
  params,
  bindings: { source: 'read', target: 'write' },
  variants: { serial: { entryPoint: 'place_blocks_forward', workgroups: elementwiseGrid } },
});

const placeBackward = defineKernel({
  name: 'place_blocks_backward',
  shader: 'place_blocks',
  params,
  bindings: { targetGradient: 'read', sourceGradient: 'accumulate' },
  variants: { serial: { entryPoint: 'place_blocks_backward', workgroups: elementwiseGrid } },
});

export interface Placing {
  /** The band of rows that each block goes to; as many as there are blocks, at most three. Default: one block, band 0. */
  readonly bands?: readonly number[];
  /** How many bands the result has. Default 1. */
  readonly bandCount?: number;
  readonly scale: number;
}

/**
 * A trained matrix as part of a larger one: `source` `[blocks · height, width]`, blocks below each other, becomes
 * `[bandCount · height, blocks · width]`, in which block i is the i-th of the columns and the `bands[i]`-th of the rows, times
 * `scale`; the rest is 0. So low-rank updates of some of a product's outputs are one product, and a branch's scale costs
 * nothing per token. Of grouped sources (`Tensor.groups`) each is placed in a target of its own. Derivation: docs/derivations/place_blocks.md.
 *
 * Throws RangeError where the shapes do not fit together.
 */
export function placeBlocks(tape: Tape, source: Tensor, placing: Placing): Tensor {
  const { bands = [0], bandCount = 1, scale } = placing;
  const { rows, columns: width, groups = 1 } = source;
  const height = typeof rows === 'number' ? rows / groups / bands.length : Number.NaN;
  const [band0 = 0, band1 = 0, band2 = 0] = bands;
  if (!Number.isInteger(height) || bands.length > 3 || bands.some((band) => band >= bandCount)) {
    throw new RangeError(
      `place_blocks: ${source.name} [${rows}, ${width}] has no ${bands.length} blocks for bands ${bands.join(', ')} of ${bandCount}`,
    );
  }
  const output = {
    ...tape.activation(
      `${source.name}, placed`,
      groups * bandCount * height,
      bands.length * width,
      source.requiresGradient,
    ),
    groups: source.groups,
  };
  const each = bandCount * height * output.columns;
  const common = { height, width, columns: output.columns, band0, band1, band2, scale, each };
  const targetCount = groups * each;
  const sourceCount = bands.length * height * width;
  tape.record({
    op: 'place_blocks',
    output,
    forward: [
      dispatch(placeForward, {
        params: { ...common, count: targetCount },
        bindings: { source, target: output },
        work: elements(targetCount, 1),
      }),
    ],
    backward: source.requiresGradient
      ? (targetGradient) => ({
          dispatches: [
            dispatch(placeBackward, {
              params: { ...common, count: sourceCount },
              bindings: { targetGradient, sourceGradient: gradientOf(source) },
              work: elements(sourceCount, 1),
            }),
          ],
          gradients: new Map(),
        })
      : undefined,
  });
  return output;
}
