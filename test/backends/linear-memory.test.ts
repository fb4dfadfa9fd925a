import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearMemory, type WasmBuffer } from '../../src/backends/wasm/memory';
import { OutOfDeviceMemoryError } from '../../src/errors';

describe('linear memory', () => {
  it('hands out zeroed blocks that never overlap, and takes them back', () => {
    const sizes = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 5000 }), free: fc.nat() }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(sizes, (steps) => {
        const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1 }), 1000);
        const live: WasmBuffer[] = [];
        for (const { bytes, free } of steps) {
          const buffer = memory.allocate(bytes, 'block');
          const words = memory.words(buffer.pointer, Math.ceil(bytes / 4));
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

  it('uses a gap again', () => {
    const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1 }), 0);
    const [a] = [memory.allocate(256, 'a'), memory.allocate(256, 'b')];
    a.dispose();
    expect(memory.allocate(128, 'c').pointer).toBe(a.pointer);
  });

  it('says what did not fit', () => {
    const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1, maximum: 2 }), 0);
    expect(() => memory.allocate(200_000, 'the gradients')).toThrow(OutOfDeviceMemoryError);
    expect(() => memory.allocate(200_000, 'the gradients')).toThrow('the gradients needs 200000 bytes');
  });
});
