/**
 * The contract between ops and backends: what a kernel is, and what one dispatch of it holds.
 *
 * A kernel has the same name and contract in WGSL and in AssemblyScript. Its bindings are numbered in the order in
 * which they are declared here, after two uniform blocks: `@binding(0)` is the batch (shaders/lib/batch.wgsl), the
 * same for every dispatch of a step; `@binding(1)` is the dispatch's own parameters, in the order of `params`;
 * storage begins at `@binding(2)`.
 */

/** `write` overwrites every element of the live rows; `accumulate` adds to what is there. Both are read_write in WGSL. */
export type Access = 'read' | 'write' | 'accumulate';

/**
 * The shapes of kernels. All variants of a kernel keep one contract.
 *
 * `naive`: one invocation, one element, no tricks; what the others are compared with.
 * `serial`: no workgroup memory and no barriers, one invocation owns a piece of the result; for software drivers.
 * `lanes16`, `lanes24`: the same, but the lanes of a SIMD register share their loads through shuffles.
 * `tiled`: workgroup memory, register tiles, reductions across a workgroup; for GPUs.
 * `blocked`: register tiles without workgroup memory. `wide`: workgroup memory and large register tiles.
 */
export const VARIANT_NAMES = ['naive', 'serial', 'lanes16', 'lanes24', 'tiled', 'blocked', 'wide'] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];

/** Workgroups along x, y and z. The executor folds an x beyond 65,535 into y: see `flat_workgroup` in lib/batch.wgsl. */
export type Grid = readonly [number, number, number];

export interface Variant {
  /** The file in shaders/ where it is not the kernel's own. */
  readonly shader?: string;
  readonly entryPoint: string;
  /** Compiled in beside the dispatch's own: tile sizes. */
  readonly constants?: Readonly<Record<string, number>>;
  /** It runs only where every subgroup has this size. */
  readonly subgroupSize?: number;
  /** From the dispatch's work (its meaning is the kernel's, [rows, columns] for a product) to workgroups. */
  readonly workgroups: (work: readonly number[]) => Grid;
}

export interface Kernel<Param extends string = string, Binding extends string = string> {
  readonly name: string;
  /** The file in shaders/, without `.wgsl`. */
  readonly shader: string;
  /** The 4-byte words of the parameter block, in order; at most 64. */
  readonly params: { readonly [name in Param]: 'u32' | 'f32' };
  /** Storage bindings in order; at most 8 (the smallest limit among browsers). */
  readonly bindings: { readonly [name in Binding]: Access };
  readonly variants: { readonly [name in VariantName]?: Variant };
  /**
   * The parameter that counts what is summed for each element of the result. Kernels that name one are tuned: beside their work,
   * this number decides which variant is fastest.
   */
  readonly inner?: NoInfer<Param>;
  /** Items that the CPU's kernel counts in its ranges; by default the first number of the work. */
  readonly cpuItems?: (work: readonly number[]) => number;
  /**
   * Items that a range of the CPU's kernel should have where each range costs something beside its items, like weights that
   * are unpacked anew: fewer ranges balance worse between threads. Default 1.
   */
  readonly cpuLeastRange?: number;
}

/** Fixes a kernel's parameter and binding names in its type. */
export function defineKernel<Param extends string, Binding extends string>(
  kernel: Kernel<Param, Binding>,
): Kernel<Param, Binding> {
  if (Object.keys(kernel.bindings).length > 8) {
    throw new RangeError(`kernel ${kernel.name} has more than 8 storage bindings`);
  }
  return kernel;
}

/** The numbers of one micro-batch that grids and kernels depend on. Mirrors `Batch` in shaders/lib/batch.wgsl. */
export interface BatchShape {
  /** T: tokens in the micro-batch. */
  readonly tokenCount: number;
  /** B: sequences in the micro-batch. */
  readonly sequenceCount: number;
  /** Rows of the query-tile table. */
  readonly tileCount: number;
}

/** Rows of a tensor that follow the batch, or a fixed number. */
export type Rows = 'tokens' | 'sequences' | 'tiles' | number;

/** How many rows are live in a batch; with a capacity instead of a batch, how many are allocated. */
export function countRows(rows: Rows, shape: BatchShape): number {
  switch (rows) {
    case 'tokens':
      return shape.tokenCount;
    case 'sequences':
      return shape.sequenceCount;
    case 'tiles':
      return shape.tileCount;
    default:
      return rows;
  }
}

/** `Rows` as kernels receive it in a parameter: see `row_count` in shaders/lib/batch.wgsl. */
export function rowsCode(rows: Rows): number {
  return rows === 'tokens' ? 0 : rows === 'sequences' ? 1 : rows === 'tiles' ? 2 : 3 + rows;
}

export type Work = (shape: BatchShape) => readonly number[];

/** One kernel with its parameters, its buffers (of whatever stands for a buffer at this stage) and its work. */
export interface Dispatch<Buffer> {
  readonly kernel: Kernel;
  /** Words of the parameter block by name. */
  readonly params: Readonly<Record<string, number>>;
  /** Compiled into the kernel as `const NAME = …u;`: sizes that must be known for arrays and unrolling. */
  readonly constants: Readonly<Record<string, number>>;
  /** In the order of `kernel.bindings`. */
  readonly buffers: readonly Buffer[];
  readonly work: Work;
}

/** Makes a dispatch; the compiler checks that every parameter and binding of the kernel is given. */
export function dispatch<Param extends string, Binding extends string, Buffer>(
  kernel: Kernel<Param, Binding>,
  given: {
    readonly params: { readonly [name in Param]: number };
    readonly bindings: { readonly [name in Binding]: Buffer };
    readonly constants?: Readonly<Record<string, number>>;
    readonly work: Work;
  },
): Dispatch<Buffer> {
  const bindings: Readonly<Record<string, Buffer>> = given.bindings;
  return {
    kernel,
    params: given.params,
    constants: given.constants ?? {},
    buffers: Object.keys(kernel.bindings).map((name) => {
      const buffer = bindings[name];
      if (buffer === undefined) throw new TypeError(`kernel ${kernel.name}: binding ${name} is missing`);
      return buffer;
    }),
    work: given.work,
  };
}

/** The parameter block of a dispatch as the device reads it, padded to 16 bytes (a uniform block's granularity). */
export function encodeParams(item: Dispatch<unknown>): Uint32Array<ArrayBuffer> {
  const names = Object.keys(item.kernel.params);
  const block = new ArrayBuffer(Math.max(16, Math.ceil(names.length / 4) * 16));
  const view = new DataView(block);
  names.forEach((name, word) => {
    const value = item.params[name];
    if (value === undefined) throw new TypeError(`kernel ${item.kernel.name}: parameter ${name} is missing`);
    if (item.kernel.params[name] === 'f32') view.setFloat32(word * 4, value, true);
    else view.setUint32(word * 4, value, true);
  });
  return new Uint32Array(block);
}
