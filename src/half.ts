/**
 * Half precision to f32 and back. On the way to f32 values go through their bit patterns, never through a number, so that a
 * NaN keeps its payload. Like typed arrays everywhere that Graft runs, this is little-endian. This file imports nothing, so
 * that every room may use it.
 */

/** The largest finite f16. */
export const LARGEST_HALF = 65_504;

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

/**
 * f32 → bit patterns of the nearest halves, ties to even (IEEE 754-2019, 4.3.1). No value may be NaN or beyond
 * `LARGEST_HALF`: a caller looks first, and says which of its numbers it was.
 */
export function float32ToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word, index) => {
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    // Below 2⁻¹⁴ halves are subnormal, multiples of 2⁻²⁴: adding 2⁻¹ in f32 rounds to just these.
    if (magnitude < 0x38800000) {
      const shifted = Math.fround(Math.abs(values[index] ?? 0) + 0.5);
      return sign | Math.round((shifted - 0.5) * 2 ** 24);
    }
    const roundBit = (magnitude >>> 13) & 1;
    return sign | ((magnitude - 0x38000000 + 0xfff + roundBit) >>> 13);
  });
}
