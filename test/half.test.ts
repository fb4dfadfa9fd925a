import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from '../src/half';

/** IEEE 754's definition, in float64. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) {
    return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

const ALL = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

describe('half precision', () => {
  it('converts every f16', () => {
    const expected = Float64Array.from(ALL, halfValue);
    expect(Float64Array.from(float16ToFloat32(ALL))).toEqual(expected);
  });

  it('converts every bf16 to the f32 of which it is the upper half', () => {
    const result = bfloat16ToFloat32(ALL);
    expect(new Uint32Array(result.buffer)).toEqual(Uint32Array.from(ALL, (bits) => bits * 0x10000));
    expect(result[0x3f80]).toBe(1);
    expect(result[0x0001]).toBe(2 ** -133);
  });

  it('rounds f32 to the nearest f16, ties to even', () => {
    const finite = ALL.filter((bits) => (bits & 0x7c00) !== 0x7c00);
    expect(float32ToFloat16(float16ToFloat32(finite))).toEqual(finite);
    const between: [value: number, bits: number][] = [];
    // Positive neighbours a < b: their middle goes to the even one, what lies beside it to the nearer one.
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (halfValue(bits) + halfValue(bits + 1)) / 2;
      between.push([middle, bits + (bits & 1)]);
      between.push([middle * (1 + 2 ** -23), bits + 1], [middle * (1 - 2 ** -23), bits]);
    }
    const values = Float32Array.from(between, ([value]) => value);
    expect(float32ToFloat16(values)).toEqual(Uint16Array.from(between, ([, bits]) => bits));
    expect(float32ToFloat16(values.map((value) => -value))).toEqual(
      Uint16Array.from(between, ([, bits]) => bits | 0x8000),
    );
  });
});
