import { OutOfDeviceMemoryError } from '../../errors';
import type { DeviceBuffer } from '../schedule';

/** Buffers begin at multiples of this: a cache line, and more than SIMD asks for. */
const ALIGNMENT = 64;
/** Kernels may load whole vectors at the end of a row: so many bytes behind a buffer can be read. */
const OVERREAD = 64;
/** The most that 32-bit WebAssembly can address. */
const MAX_BYTES = 2 ** 32;

interface Block {
  readonly start: number;
  readonly end: number;
}

/** A piece of linear memory. `pointer` is its address. */
export class WasmBuffer implements DeviceBuffer {
  readonly label: string;
  readonly pointer: number;
  readonly byteLength: number;
  readonly #free: () => void;
  #isDisposed = false;

  constructor(label: string, pointer: number, byteLength: number, free: () => void) {
    this.label = label;
    this.pointer = pointer;
    this.byteLength = byteLength;
    this.#free = free;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#free();
  }
}

export function asWasmBuffer(buffer: DeviceBuffer): WasmBuffer {
  if (buffer instanceof WasmBuffer) return buffer;
  throw new TypeError(`${buffer.label} belongs to another backend`);
}

/** What hands addresses to whoever computes: see Host. */
interface Grower {
  /** The first address that is free for buffers. */
  readonly base: number;
  grow(byteLength: number): Promise<void>;
  clear(pointer: number, byteLength: number): void;
}

/** Hands out a host's linear memory from its base on: first fit among the gaps, else beyond the last block. */
export class LinearMemory {
  readonly #host: Grower;
  /** In the order of their addresses. */
  readonly #blocks: Block[] = [];
  #held = 0;
  #peak = 0;

  constructor(host: Grower) {
    this.#host = host;
  }

  get held(): number {
    return this.#held;
  }

  get peak(): number {
    return this.#peak;
  }

  /** Zero-filled. Throws OutOfDeviceMemoryError. */
  async allocate(byteLength: number, label: string): Promise<WasmBuffer> {
    const size = alignUp(Math.max(16, byteLength));
    let start = alignUp(this.#host.base);
    let index = 0;
    for (; index < this.#blocks.length; index++) {
      const block = this.#blocks[index];
      if (block === undefined || block.start - start >= size) break;
      start = block.end;
    }
    const block = { start, end: start + size };
    const held = this.#held;
    this.#blocks.splice(index, 0, block);
    this.#held += size;
    const free = () => {
      this.#blocks.splice(this.#blocks.indexOf(block), 1);
      this.#held -= size;
    };
    try {
      if (block.end + OVERREAD > MAX_BYTES) throw new RangeError('beyond 4 GiB');
      await this.#host.grow(block.end + OVERREAD);
    } catch (cause) {
      free();
      throw new OutOfDeviceMemoryError(
        `${label} needs ${size} bytes of WebAssembly memory beside the ${held} in use, which could not be had`,
        'Lower the token budget, or use a smaller backbone',
        { cause },
      );
    }
    this.#peak = Math.max(this.#peak, this.#held);
    this.#host.clear(start, size);
    return new WasmBuffer(label, start, byteLength, free);
  }
}

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
