/**
 * The tape: a model is a TypeScript function that calls ops on symbolic tensors, and each call records itself here.
 * Nothing runs. Whether a gradient is needed is known while recording (it spreads from trainable parameters to whatever
 * is computed from them), so an op saves for its backward pass only what that pass will read.
 */
import type { WeightStorage } from '../backends/frozen-matrix';
import type { Dispatch, Rows } from '../backends/kernel';
import type { BatchField, DeviceBuffer } from '../backends/schedule';

/** A symbolic `[rows, columns]` matrix of 4-byte numbers (f32; u32 for the tables of a batch). */
export interface Tensor {
  readonly name: string;
  readonly rows: Rows;
  readonly columns: number;
  readonly requiresGradient: boolean;
  readonly origin: Origin;
  /** Set for pretrained weights: the buffer holds them in an order and a storage of its own. */
  readonly matrix?: FrozenMatrix;
  /**
   * Set for parameters that differ between a batch's sequences: how many of them the tensor holds, one behind the other. A row
   * reads those of its sequence's group, which the batch has in the place of labels. Only inference has them.
   */
  readonly groups?: number | undefined;
}

export interface FrozenMatrix {
  readonly rows: number;
  readonly storage: WeightStorage;
  /** `[rows]`, with int8. */
  readonly scales: Tensor | undefined;
}

export type Origin =
  /** Computed within a step; the planner finds it a place. */
  | { readonly kind: 'activation' }
  /** Part of a buffer that outlives the step. `gradient` is there for trainable parameters and for test inputs. */
  | {
      readonly kind: 'buffer';
      readonly buffer: DeviceBuffer;
      readonly byteOffset: number;
      readonly gradient: { readonly buffer: DeviceBuffer; readonly byteOffset: number } | undefined;
    }
  /** Uploaded with every micro-batch. */
  | { readonly kind: 'batch'; readonly field: BatchField };

/** What an op's backward pass gives back: dispatches in order, and where each input's gradient then lies. */
export interface BackwardPass {
  readonly dispatches: readonly Dispatch<Tensor>[];
  /**
   * Gradients with respect to inputs that are activations (parameters' go straight into the gradient arena). May name a
   * tensor that is another's gradient too: gradients are never changed in place.
   */
  readonly gradients: ReadonlyMap<Tensor, Tensor>;
}

/** One op on the tape. What it saves for its backward pass is its own affair: its backward dispatches read it. */
export interface Step {
  readonly op: string;
  /** The one tensor that other ops read. */
  readonly output: Tensor;
  readonly forward: readonly Dispatch<Tensor>[];
  /**
   * Builds the backward pass from the gradient of the output. Absent where no input requires a gradient.
   * A loss ignores what it is given: its own gradient is 1 by definition.
   */
  readonly backward?: ((outputGradient: Tensor) => BackwardPass) | undefined;
}

/** Steps `first` … `end − 1` of a tape. */
export interface Segment {
  readonly first: number;
  readonly end: number;
}

export class Tape {
  readonly steps: Step[] = [];
  /** In the order of their steps; they do not overlap. */
  readonly segments: Segment[] = [];
  readonly #kept = new Set<Tensor>();
  #isInSegment = false;
  #ops = 0;

  /** A new tensor that lives within the step. */
  activation(name: string, rows: Rows, columns: number, requiresGradient = false): Tensor {
    return { name, rows, columns, requiresGradient, origin: { kind: 'activation' } };
  }

  /** A new tensor of the same shape, for instance a gradient. */
  like(tensor: Tensor, name: string, requiresGradient = false): Tensor {
    return this.activation(name, tensor.rows, tensor.columns, requiresGradient);
  }

  record(step: Step): void {
    this.steps.push(step);
  }

  /**
   * Marks what `record` records as a segment: with recomputation, nothing that is computed within outlives the forward
   * pass but what later steps read, and the rest is computed again before the segment's backward pass (`differentiate`).
   * Throws Error where segments are nested.
   */
  segment<T>(record: () => T): T {
    if (this.#isInSegment) throw new Error('a segment of a tape cannot hold another');
    const first = this.steps.length;
    this.#isInSegment = true;
    try {
      return record();
    } finally {
      this.#isInSegment = false;
      this.segments.push({ first, end: this.steps.length });
    }
  }

  /** Has a segment's tensor saved even with recomputation: one that is small for the work that went into it. */
  keep(tensor: Tensor): Tensor {
    this.#kept.add(tensor);
    return tensor;
  }

  /** What outlives the forward pass of its segment although no later step reads it. */
  get kept(): ReadonlySet<Tensor> {
    return this.#kept;
  }

  /** Forgets the steps so far: what they computed is to come from elsewhere. Later ops keep their keys. */
  dropSteps(): void {
    this.steps.length = 0;
    this.segments.length = 0;
    this.#kept.clear();
  }

  /** All forward dispatches in order. */
  forward(): Dispatch<Tensor>[] {
    return this.steps.flatMap((step) => step.forward);
  }

  /** A number that is this op's own on this tape: part of the key of its random draws. */
  nextOpKey(): number {
    this.#ops += 1;
    return this.#ops;
  }
}

/** The tables of a packed batch, as ops read them. */
export const batchTokens: Tensor = batchTensor('tokens', 'tokens', 4);
export const batchTiles: Tensor = batchTensor('tiles', 'tiles', 4);
/** B + 1 offsets; bound as a whole, so its row count is not asked for. */
export const batchOffsets: Tensor = batchTensor('offsets', 'sequences', 1);

/** What the batch's rows are to be, `[rows, columns]`: class numbers (u32) or target values (f32), as its loss reads them. */
export function batchLabels(rows: Rows, columns: number): Tensor {
  return batchTensor('labels', rows, columns);
}

/** Hidden states `[T, columns]`, or what stands for the sequences `[B, columns]`, that were computed before. */
export function batchHidden(rows: Rows, columns: number): Tensor {
  return batchTensor('hidden', rows, columns);
}

function batchTensor(field: BatchField, rows: Rows, columns: number): Tensor {
  return { name: `batch.${field}`, rows, columns, requiresGradient: false, origin: { kind: 'batch', field } };
}

/** A frozen tensor in a device buffer. */
export function frozen(
  name: string,
  buffer: DeviceBuffer,
  rows: number,
  columns: number,
  byteOffset = 0,
): Tensor {
  return {
    name,
    rows,
    columns,
    requiresGradient: false,
    origin: { kind: 'buffer', buffer, byteOffset, gradient: undefined },
  };
}

/** A frozen matrix in a buffer of the device's own layout, which only some kernels read. */
export function frozenMatrix(
  name: string,
  buffer: DeviceBuffer,
  columns: number,
  matrix: FrozenMatrix,
): Tensor {
  return { ...frozen(name, buffer, matrix.rows, columns), matrix };
}

/** Throws TypeError for a tensor that is no frozen matrix. */
export function matrixOf(tensor: Tensor): FrozenMatrix {
  if (tensor.matrix === undefined) throw new TypeError(`${tensor.name} is not a frozen matrix`);
  return tensor.matrix;
}

/** A tensor with a gradient buffer of the same layout beside it: a trainable parameter, or the input of a test. */
export function trainable(
  name: string,
  place: { readonly buffer: DeviceBuffer; readonly gradient: DeviceBuffer; readonly byteOffset: number },
  rows: Rows,
  columns: number,
): Tensor {
  return {
    name,
    rows,
    columns,
    requiresGradient: true,
    origin: {
      kind: 'buffer',
      buffer: place.buffer,
      byteOffset: place.byteOffset,
      gradient: { buffer: place.gradient, byteOffset: place.byteOffset },
    },
  };
}

/** Where a trainable parameter's gradient accumulates. */
export function gradientOf(parameter: Tensor): Tensor {
  const { origin } = parameter;
  if (origin.kind !== 'buffer' || origin.gradient === undefined) {
    throw new TypeError(`${parameter.name} has no gradient buffer`);
  }
  return {
    name: `gradient of ${parameter.name}`,
    rows: parameter.rows,
    columns: parameter.columns,
    requiresGradient: false,
    origin: {
      kind: 'buffer',
      buffer: origin.gradient.buffer,
      byteOffset: origin.gradient.byteOffset,
      gradient: undefined,
    },
  };
}

/** Whether a tensor's gradient accumulates in a buffer of its own, instead of being passed on. */
export function isParameter(tensor: Tensor): boolean {
  return tensor.origin.kind === 'buffer' && tensor.origin.gradient !== undefined;
}
