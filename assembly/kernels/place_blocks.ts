// Blocks of a small matrix put into a larger one, scaled: twin of shaders/place_blocks.wgsl. Items are elements of what is written.
// Parameters: height, width, columns, count, band0, band1, band2, scale, each.

import { bufferAt } from './lib/batch';

function bandOf(params: usize, block: u32): u32 {
  return load<u32>(params + ((<usize>block) << 2), 16);
}

/** target = scale · source's blocks, each in its band, else 0: of each group, `each` elements of target. Buffers: source, target. */
export function place_blocks_forward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const height = load<u32>(params);
  const width = load<u32>(params, 4);
  const columns = load<u32>(params, 8);
  const scale = load<f32>(params, 28);
  const each = load<u32>(params, 32);
  const source = bufferAt(buffers, 0);
  const target = bufferAt(buffers, 1);
  for (let i = first; i < last; i++) {
    const group = i / each;
    const row = (i % each) / columns;
    const column = i % columns;
    const block = column / width;
    let value: f32 = 0;
    if (row / height === bandOf(params, block)) {
      const at = group * height * columns + (block * height + (row % height)) * width + (column % width);
      value = scale * load<f32>(source + ((<usize>at) << 2));
    }
    store<f32>(target + ((<usize>i) << 2), value);
  }
}

/** sourceGradient += scale · the blocks of targetGradient. Buffers: targetGradient, sourceGradient. */
export function place_blocks_backward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const height = load<u32>(params);
  const width = load<u32>(params, 4);
  const columns = load<u32>(params, 8);
  const scale = load<f32>(params, 28);
  const targetGradient = bufferAt(buffers, 0);
  const sourceGradient = bufferAt(buffers, 1);
  for (let i = first; i < last; i++) {
    const row = i / width;
    const block = row / height;
    const targetRow = bandOf(params, block) * height + (row % height);
    const at = targetRow * columns + block * width + (i % width);
    const gradient = sourceGradient + ((<usize>i) << 2);
    store<f32>(gradient, load<f32>(gradient) + scale * load<f32>(targetGradient + ((<usize>at) << 2)));
  }
}
