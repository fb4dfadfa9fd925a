/**
 * The shapes that a matrix product is computed in, with their tile sizes: all tuning constants of products are here and in the
 * shaders' lib/product_*.wgsl. Which shape runs is the device's choice: src/backends/webgpu/variants.ts.
 */
import type { Grid, Kernel, Variant } from '../backends/kernel';

/** Grid of a kernel whose workgroups own `height` × `width` of a result; its work is `[rows, columns]`. */
export function tileGrid(height: number, width: number): (work: readonly number[]) => Grid {
  return ([rows = 0, columns = 0]) => [Math.ceil(columns / width), Math.ceil(rows / height), 1];
}

type Variants = Kernel['variants'];

/** Of a family of shaders `family`_naive, `family`_serial, …, each with the entry points of an op. */
type Family = 'linear' | 'linear_f16' | 'linear_int8' | 'adapter';

/** Left times a row-major right, or times its transpose. */
export type Orientation = 'nn' | 'nt';

/** `groups` × 8 rows by 32 columns a subgroup of 8. */
function lanes(family: Family, entryPoint: string, groups: number): Variant {
  return {
    shader: `${family}_lanes`,
    entryPoint,
    workgroups: tileGrid(groups * 8, 32),
    constants: { GROUPS: groups },
    subgroupSize: 8,
  };
}

function naive(family: Family, entryPoint: string): Variant {
  return { shader: `${family}_naive`, entryPoint, workgroups: tileGrid(8, 8) };
}

/** 8×8 an invocation; of two and sixteen invocations where both operands go by rows, so that few lines are read at once. */
function serial(family: Family, entryPoint: string, orientation: Orientation): Variant {
  const workgroups = orientation === 'nt' ? tileGrid(128, 16) : tileGrid(32, 64);
  return { shader: `${family}_serial`, entryPoint, workgroups };
}

/** 16×16 a workgroup, the inner dimension cut into 16 slices. */
function split(family: Family, entryPoint: string): Variant {
  return { shader: `${family}_tiled`, entryPoint, workgroups: tileGrid(16, 16) };
}

/** Any sizes. `tiled`: 64×64 a workgroup, 4×4 an invocation. */
export function strideVariants(family: Exclude<Family, 'adapter'>): Variants {
  return {
    naive: naive(family, 'linear_product'),
    serial: {
      shader: `${family}_serial`,
      entryPoint: 'linear_product_strided',
      workgroups: tileGrid(16, 32),
    },
    tiled: { shader: `${family}_tiled`, entryPoint: 'linear_product', workgroups: tileGrid(64, 64) },
  };
}

/** For inner dimensions and columns that are multiples of 4. */
export function productVariants(
  family: Exclude<Family, 'adapter'>,
  entryPoint: string,
  orientation: Orientation,
): Variants {
  return {
    ...strideVariants(family),
    serial: serial(family, entryPoint, orientation),
    lanes16: lanes(family, entryPoint, 2),
    lanes24: lanes(family, entryPoint, 3),
    // 4×4 an invocation, from storage.
    blocked: { shader: `${family}_blocked`, entryPoint, workgroups: tileGrid(32, 32) },
    // 8×8 an invocation, through workgroup memory.
    wide: { shader: `${family}_wide`, entryPoint, workgroups: tileGrid(64, 64) },
  };
}

/** Results with few tiles, which a GPU computes in slices of the inner dimension; sizes that are multiples of 4. */
export function narrowVariants(family: Family, entryPoint: string, orientation: Orientation): Variants {
  return {
    naive: naive(family, entryPoint),
    serial: serial(family, entryPoint, orientation),
    lanes16: lanes(family, entryPoint, 2),
    tiled: split(family, entryPoint),
  };
}

/** The same for any sizes. */
export function narrowStrideVariants(family: Family, entryPoint: string): Variants {
  return {
    naive: naive(family, entryPoint),
    serial: {
      shader: `${family}_serial`,
      entryPoint: `${entryPoint}_strided`,
      workgroups: tileGrid(16, 32),
    },
    tiled: split(family, entryPoint),
  };
}
