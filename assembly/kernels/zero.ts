// output = 0 over [rows, columns]: twin of shaders/zero.wgsl. Items are elements.

import { bufferAt } from './lib/batch';

export function zero(_params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  memory.fill(bufferAt(buffers, 0) + ((<usize>first) << 2), 0, (<usize>(last - first)) << 2);
}
