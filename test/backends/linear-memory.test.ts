import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearMemory, type WasmBuffer } from '../../src/backends/wasm/memory';
import { OutOfDeviceMemoryError } from '../../src/errors';

/** A memory of its own in place of a host's. */
class Memory {
  readonly base: number;
  readonly #memory: WebAssembly.Memory;

  constructor(base: number, maximum?: number) {
    this.base = base;
    this.#memory = new WebAssembly.Memory({ initial: 1, ...(maximum === undefined ? {} : { maximum }) });
  }

  async grow(byteLength: number): Promise<void> {
    const missing = Math.ceil(byteLength / 65_536) - this.#memory.buffer.byteLength / 65_536;
    if (missing > 0) this.#memory.grow(missing);
  }

  clear(pointer: number, byteLength: number): void {
    new Uint8Array(this.#memory.buffer, pointer, byteLength).fill(0);
  }

  words(pointer: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, pointer, length);
  }
}

describe('linear memory', () => {
  it('hands out zeroed blocks that never overlap, and takes them back', async () => {
    const sizes = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 5000 }), free: fc.nat() }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (steps) => {
        const host = new Memory(1000);
        const memory = new LinearMemory(host);
        const live: WasmBuffer[] = [];
        for (const { bytes, free } of steps) {
          const buffer = await memory.allocate(bytes, 'block');
          const words = host.words(buffer.pointer, Math.ceil(bytes / 4));
          expect(words.every((word) => word === 0)).toBe(true);
          words.fill(0xffffffff);
          expect(buffer.pointer % 64).toBe(0);
          expect(buffer.pointer).toBeGreaterThanOrEqual(1000);
          for (const other of live) {
            const apart =
              buffer.pointer + bytes <= other.pointer || other.pointer + other.byteLength <= buffer.pointer;
            expect(apart).toBe(true);
          }
          live.push(buffer);
          if (free % 2 === 0) live.splice(free % live.length, 1)[0]?.dispose();
        }
        for (const buffer of live) buffer.dispose();
        expect(memory.held).toBe(0);
      }),
    );
  });

  it('uses a gap again', async () => {
    const memory = new LinearMemory(new Memory(0));
    const [a] = [await memory.allocate(256, 'a'), await memory.allocate(256, 'b')];
    a.dispose();
    expect((await memory.allocate(128, 'c')).pointer).toBe(a.pointer);
  });

  it('says what did not fit', async () => {
    const memory = new LinearMemory(new Memory(0, 2));
    const failed = memory.allocate(200_000, 'the gradients');
    await expect(failed).rejects.toThrow(OutOfDeviceMemoryError);
    await expect(failed).rejects.toThrow('the gradients needs 200000 bytes');
    expect(memory.held).toBe(0);
  });
});
