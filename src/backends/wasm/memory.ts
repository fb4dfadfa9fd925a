import { OutOfDeviceMemoryError } from '../../errors';
import type { DeviceBuffer } from '../schedule';

/** Buffers begin at multiples of this: a cache line, and more than SIMD asks for. */
const ALIGNMENT = 64;
const PAGE = 65_536;
/** The most that 32-bit WebAssembly can address. */
const MAX_PAGES = 65_536;

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

/** Hands out linear memory from `base` on: first fit among the gaps, else beyond the last block. */
export class LinearMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #base: number;
  /** In the order of their addresses. */
  readonly #blocks: Block[] = [];
  #held = 0;
  #peak = 0;

  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory;
    this.#base = alignUp(base);
  }

  get held(): number {
    return this.#held;
  }

  get peak(): number {
    return this.#peak;
  }

  /** Zero-filled. Throws OutOfDeviceMemoryError. */
  allocate(byteLength: number, label: string): WasmBuffer {
    const size = alignUp(Math.max(16, byteLength));
    let start = this.#base;
    let index = 0;
    for (; index < this.#blocks.length; index++) {
      const block = this.#blocks[index];
      if (block === undefined || block.start - start >= size) break;
      start = block.end;
    }
    const end = start + size;
    this.#grow(end, label, size);
    const block = { start, end };
    this.#blocks.splice(index, 0, block);
    this.#held += size;
    this.#peak = Math.max(this.#peak, this.#held);
    new Uint8Array(this.#memory.buffer, start, size).fill(0);
    return new WasmBuffer(label, start, byteLength, () => {
      this.#blocks.splice(this.#blocks.indexOf(block), 1);
      this.#held -= size;
    });
  }

  floats(pointer: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, pointer, length);
  }

  words(pointer: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#memory.buffer, pointer, length);
  }

  #grow(end: number, label: string, size: number): void {
    const pages = Math.ceil(end / PAGE) - this.#memory.buffer.byteLength / PAGE;
    if (pages <= 0) return;
    try {
      if (end > MAX_PAGES * PAGE) throw new RangeError('beyond 4 GiB');
      this.#memory.grow(pages);
    } catch (cause) {
      throw new OutOfDeviceMemoryError(
        `${label} needs ${size} bytes of WebAssembly memory beside the ${this.#held} in use, which could not be had`,
        'Lower the token budget, or use a smaller backbone',
        { cause },
      );
    }
  }
}

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
