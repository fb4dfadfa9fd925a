// sum = a + b, elementwise over [rows, columns]: twin of shaders/add.wgsl. Items are elements.

import { bufferAt } from './lib/batch';

export function add(_params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const a = bufferAt(buffers, 0);
  const b = bufferAt(buffers, 1);
  const sum = bufferAt(buffers, 2);
  let at: usize = (<usize>first) << 2;
  const end: usize = (<usize>last) << 2;
  for (; at + 16 <= end; at += 16) v128.store(sum + at, f32x4.add(v128.load(a + at), v128.load(b + at)));
  for (; at < end; at += 4) store<f32>(sum + at, load<f32>(a + at) + load<f32>(b + at));
}
