import { FileFormatError, GraftError, OptionError } from '../errors';
import type { WasmInstance } from '../wasm/instance';
import { instantiate } from '../wasm/module';

/** One trainable tensor inside the arenas. */
export interface ParameterSegment {
  /** First float of the tensor, counted from the start of the arena. */
  readonly offset: number;
  /** In floats. */
  readonly length: number;
  /** Whether weight decay applies: not to biases and LayerNorms. */
  readonly decay: boolean;
}

export interface AdamWOptions {
  /** The trainable tensors. They do not overlap; floats between them are padding, never read nor written by a step. */
  readonly segments: readonly ParameterSegment[];
  /** Floats in one arena, padding included. */
  readonly size: number;
  readonly betas: readonly [number, number];
  /** Added outside the square root. */
  readonly epsilon: number;
  readonly weightDecay: number;
  /** True: torch.optim.AdamW. False: the AdamWeightDecay of the BERT authors, whose first steps are larger. */
  readonly biasCorrection: boolean;
}

export interface AdamWStep {
  readonly learningRate: number;
  /** Largest global norm of the gradient; 0 turns clipping off. */
  readonly clipNorm: number;
}

/** What the authors of BERT and of the adapters train with. */
export const BERT_ADAMW = { betas: [0.9, 0.999], epsilon: 1e-6, weightDecay: 0.01 } as const;

/** An arena is one block of the module's memory, and AssemblyScript's allocator gives at most 1 GiB, less its header. */
const MAX_ARENA_FLOATS = 2 ** 28 - 8;

/** State file: magic, version, floats per arena, fingerprint of the segments, steps done; then m, then v. Little-endian. */
const STATE_MAGIC = 'GRAFTOPT';
const STATE_VERSION = 1;
const STATE_HEADER_BYTES = 24;

/**
 * AdamW over four flat f32 arenas `[size]` of one layout – parameters, gradients, first and second moments – in the
 * linear memory of a WebAssembly instance of its own.
 */
export class AdamW {
  readonly #options: AdamWOptions;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Kernels;
  readonly #parameters: Arena;
  readonly #gradients: Arena;
  readonly #firstMoments: Arena;
  readonly #secondMoments: Arena;
  #steps = 0;

  /**
   * All four arenas start as zeros.
   * @throws OptionError for segments outside the arena or overlapping, or an option out of its range
   * @throws GraftError when the arenas do not fit into memory
   */
  static async create(options: AdamWOptions): Promise<AdamW> {
    checkOptions(options);
    return new AdamW(options, await instantiate());
  }

  private constructor(options: AdamWOptions, instance: WasmInstance) {
    this.#options = options;
    this.#memory = instance.memory;
    this.#kernels = {
      adamw: instance.function('adamw'),
      squaredNorm: instance.function('squared_norm'),
    };
    const allocate = instance.function('allocate_arena');
    try {
      this.#parameters = new Arena(this.#memory, allocate(options.size), options.size);
      this.#gradients = new Arena(this.#memory, allocate(options.size), options.size);
      this.#firstMoments = new Arena(this.#memory, allocate(options.size), options.size);
      this.#secondMoments = new Arena(this.#memory, allocate(options.size), options.size);
    } catch (cause) {
      throw new GraftError(
        `${options.size} trainable parameters need ${Math.ceil((options.size * 16) / 2 ** 20)} MiB of memory for the optimizer, which could not be had`,
        'Train fewer parameters (a smaller bottleneck) or free memory',
        { cause },
      );
    }
  }

  /** `[size]`, over the WebAssembly memory. Ask again rather than keep it: a view dies when the memory grows. */
  get parameters(): Float32Array<ArrayBuffer> {
    return this.#parameters.view();
  }

  /** `[size]`, over the WebAssembly memory: a read-back is copied straight into it. A step leaves it as it is. */
  get gradients(): Float32Array<ArrayBuffer> {
    return this.#gradients.view();
  }

  /** Steps done so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * One step from the current gradients. `gradientNorm` is their global L2 norm over all segments before clipping; it
   * is NaN or infinite if and only if a gradient is, and then nothing was changed: parameters, moments and the number
   * of steps are those of the last good step.
   * @throws OptionError for a learning rate or clip norm that is negative or not finite
   */
  step({ learningRate, clipNorm }: AdamWStep): { gradientNorm: number } {
    requireAtLeastZero('learningRate', learningRate);
    requireAtLeastZero('clipNorm', clipNorm);
    const gradientNorm = this.#gradientNorm();
    if (!Number.isFinite(gradientNorm)) return { gradientNorm };

    this.#steps += 1;
    const { segments, betas, epsilon, weightDecay, biasCorrection } = this.#options;
    const [beta1, beta2] = betas;
    const stepSize = biasCorrection ? learningRate / (1 - beta1 ** this.#steps) : learningRate;
    const denominatorScale = biasCorrection ? 1 / Math.sqrt(1 - beta2 ** this.#steps) : 1;
    const gradientScale = clipScale(gradientNorm, clipNorm);
    for (const { offset, length, decay } of segments) {
      const bytes = offset * 4;
      this.#kernels.adamw(
        this.#parameters.pointer + bytes,
        this.#gradients.pointer + bytes,
        this.#firstMoments.pointer + bytes,
        this.#secondMoments.pointer + bytes,
        length,
        gradientScale,
        beta1,
        beta2,
        epsilon,
        stepSize,
        denominatorScale,
        decay ? learningRate * weightDecay : 0,
      );
    }
    return { gradientNorm };
  }

  /** Both moments and the number of steps, for `restore`. The parameters are not in it. A copy. */
  state(): Uint8Array<ArrayBuffer> {
    const { size, segments } = this.#options;
    const bytes = new Uint8Array(STATE_HEADER_BYTES + 8 * size);
    const header = new DataView(bytes.buffer);
    for (let i = 0; i < STATE_MAGIC.length; i++) bytes[i] = STATE_MAGIC.charCodeAt(i);
    header.setUint32(8, STATE_VERSION, true);
    header.setUint32(12, size, true);
    header.setUint32(16, fingerprint(segments), true);
    header.setUint32(20, this.#steps, true);
    bytes.set(this.#firstMoments.bytes(), STATE_HEADER_BYTES);
    bytes.set(this.#secondMoments.bytes(), STATE_HEADER_BYTES + 4 * size);
    return bytes;
  }

  /**
   * Takes over what `state` gave, of an optimizer with the same segments.
   * @throws FileFormatError for anything else; the optimizer is then unchanged
   */
  restore(state: Uint8Array): void {
    const { size, segments } = this.#options;
    if (state.length < STATE_HEADER_BYTES) {
      throw stateError(undefined, `${state.length} bytes are less than its header of ${STATE_HEADER_BYTES}`);
    }
    const header = new DataView(state.buffer, state.byteOffset, state.byteLength);
    if (String.fromCharCode(...state.subarray(0, 8)) !== STATE_MAGIC) {
      throw stateError('byte 0', `does not begin with ${STATE_MAGIC}`);
    }
    const version = header.getUint32(8, true);
    if (version !== STATE_VERSION) {
      throw stateError('byte 8', `version ${version}; this release reads version ${STATE_VERSION}`);
    }
    const storedSize = header.getUint32(12, true);
    if (storedSize !== size) {
      throw stateError('byte 12', `made for ${storedSize} trainable parameters, not for ${size}`);
    }
    if (header.getUint32(16, true) !== fingerprint(segments)) {
      throw stateError('byte 16', 'made for other trainable tensors');
    }
    const expectedBytes = STATE_HEADER_BYTES + 8 * size;
    if (state.length !== expectedBytes) {
      throw stateError(undefined, `${state.length} bytes, not ${expectedBytes}`);
    }
    for (let i = 0; i < 2 * size; i++) {
      const at = STATE_HEADER_BYTES + 4 * i;
      const moment = header.getFloat32(at, true);
      if (!Number.isFinite(moment) || (i >= size && moment < 0)) {
        throw stateError(`byte ${at}`, `${moment} cannot be a ${i < size ? 'first' : 'second'} moment`);
      }
    }
    this.#firstMoments.bytes().set(state.subarray(STATE_HEADER_BYTES, STATE_HEADER_BYTES + 4 * size));
    this.#secondMoments.bytes().set(state.subarray(STATE_HEADER_BYTES + 4 * size));
    this.#steps = header.getUint32(20, true);
  }

  #gradientNorm(): number {
    let squares = 0;
    for (const { offset, length } of this.#options.segments) {
      squares += this.#kernels.squaredNorm(this.#gradients.pointer + offset * 4, length);
    }
    return Math.sqrt(squares);
  }
}

/** The factor that torch.nn.utils.clip_grad_norm_ multiplies gradients with: min(1, clipNorm / (norm + 1e-6)). */
function clipScale(gradientNorm: number, clipNorm: number): number {
  return clipNorm === 0 ? 1 : Math.min(1, clipNorm / (gradientNorm + 1e-6));
}

interface Kernels {
  readonly adamw: (...values: number[]) => void;
  readonly squaredNorm: (values: number, length: number) => number;
}

/** A block of `size` f32 in linear memory. */
class Arena {
  readonly pointer: number;
  readonly #memory: WebAssembly.Memory;
  readonly #size: number;
  #view: Float32Array<ArrayBuffer>;

  constructor(memory: WebAssembly.Memory, pointer: number, size: number) {
    // A pointer comes back as a signed i32.
    this.pointer = pointer >>> 0;
    this.#memory = memory;
    this.#size = size;
    this.#view = new Float32Array(memory.buffer, this.pointer, size);
  }

  /** The floats; made anew when the memory has grown, which detaches the buffer that older views look at. */
  view(): Float32Array<ArrayBuffer> {
    if (this.#view.buffer !== this.#memory.buffer) {
      this.#view = new Float32Array(this.#memory.buffer, this.pointer, this.#size);
    }
    return this.#view;
  }

  /** The same as bytes, in WebAssembly's order: little-endian. */
  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, this.pointer, this.#size * 4);
  }
}

function checkOptions({ segments, size, betas, epsilon, weightDecay }: AdamWOptions): void {
  if (!Number.isSafeInteger(size) || size < 1 || size > MAX_ARENA_FLOATS) {
    throw new OptionError('size', `${size} trainable parameters; there must be 1 to ${MAX_ARENA_FLOATS}`);
  }
  let end = 0;
  for (const segment of [...segments].sort((a, b) => a.offset - b.offset)) {
    const { offset, length } = segment;
    const place = `the segment of ${length} floats at ${offset}`;
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 1) {
      throw new OptionError('segments', `${place} is not a range of floats`);
    }
    if (offset < end) throw new OptionError('segments', `${place} overlaps one that ends at ${end}`);
    end = offset + length;
    if (end > size) throw new OptionError('segments', `${place} ends after the arena's ${size} floats`);
  }
  for (const beta of betas) {
    if (!(beta >= 0 && beta < 1)) throw new OptionError('betas', `${beta} is not at least 0 and below 1`);
  }
  if (!(epsilon > 0 && Number.isFinite(epsilon)))
    throw new OptionError('epsilon', `${epsilon} is not above 0`);
  requireAtLeastZero('weightDecay', weightDecay);
}

function requireAtLeastZero(option: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value))) throw new OptionError(option, `${value} is not 0 or more`);
}

function stateError(place: string | undefined, problem: string): FileFormatError {
  return new FileFormatError('optimizer state', place, problem, 'Resume with the options the run began with');
}

/** FNV-1a over the words of the segment table: tells a state of another adapter from one of this. */
function fingerprint(segments: readonly ParameterSegment[]): number {
  let hash = 0x811c9dc5;
  for (const { offset, length, decay } of segments) {
    for (const word of [offset, length, decay ? 1 : 0]) hash = Math.imul(hash ^ word, 0x01000193);
  }
  return hash >>> 0;
}
