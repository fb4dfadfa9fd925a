/**
 * Half precision to f32. Values go through their bit patterns, never through a number, so that a NaN keeps its payload.
 * Like typed arrays everywhere that Graft runs, this is little-endian.
 */

let table: Uint32Array<ArrayBuffer> | undefined;

/** The f32 bits of every one of the 65,536 f16 values: 256 KiB, made when the first f16 tensor is read. */
function halfTable(): Uint32Array<ArrayBuffer> {
  if (table !== undefined) {
    return table;
  }
  const bits = new Uint32Array(0x10000);
  for (let half = 0; half < 0x10000; half++) {
    bits[half] = halfBitsToFloatBits(half);
  }
  table = bits;
  return bits;
}

/** f16: 1 sign, 5 exponent (bias 15), 10 mantissa bits. f32: 1, 8 (bias 127), 23. */
function halfBitsToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) {
    return sign | 0x7f800000 | (mantissa << 13);
  }
  if (exponent !== 0) {
    return sign | ((exponent + 127 - 15) << 23) | (mantissa << 13);
  }
  if (mantissa === 0) {
    return sign;
  }
  // A subnormal: mantissa · 2^-24. Shift its leading one to bit 10, which f32 leaves implicit.
  const shift = Math.clz32(mantissa) - 21;
  return sign | ((127 - 14 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
}

/** f16 bit patterns → f32, exact for every value. */
export function float16ToFloat32(source: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = halfTable();
  const result = new Uint32Array(source.length);
  for (let i = 0; i < source.length; i++) {
    result[i] = bits[source[i] ?? 0] ?? 0;
  }
  return new Float32Array(result.buffer);
}

/** bf16 bit patterns → f32, exact: bf16 is the upper half of an f32. */
export function bfloat16ToFloat32(source: Uint16Array): Float32Array<ArrayBuffer> {
  const result = new Uint32Array(source.length);
  for (let i = 0; i < source.length; i++) {
    result[i] = (source[i] ?? 0) << 16;
  }
  return new Float32Array(result.buffer);
}
