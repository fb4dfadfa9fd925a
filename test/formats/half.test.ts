import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, float16ToFloat32 } from '../../src/formats/half';

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
});
