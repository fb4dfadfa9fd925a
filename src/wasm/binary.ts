/**
 * The module's one import of a memory, in its binary form (WebAssembly core specification 5.5.5, 5.4.5; threads proposal).
 *
 * The module declares a shared memory. One byte of its import section says so; with that byte changed the same code runs on a
 * memory that is not shared, where there is no SharedArrayBuffer. (Its code has no atomics: threads meet in JavaScript.)
 */
import { GraftError } from '../errors';
import type { MemoryLimits } from './instance';

const IMPORT_SECTION = 2;
const MEMORY_IMPORT = 2;
const FUNCTION_IMPORT = 0;
const SHARED_WITH_MAXIMUM = 3;
const UNSHARED_WITH_MAXIMUM = 1;

interface MemoryImport extends MemoryLimits {
  /** Where the byte is that says whether the memory is shared. */
  readonly flags: number;
}

/** The module for a memory that is not shared. */
export function unshared(wasm: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const copy = wasm.slice();
  copy[findMemoryImport(wasm).flags] = UNSHARED_WITH_MAXIMUM;
  return copy;
}

/** Throws GraftError where the bytes are not a module that imports a shared memory. */
export function findMemoryImport(wasm: Uint8Array): MemoryImport {
  const reader = new Reader(wasm, 8);
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const end = reader.number() + reader.at;
    if (id === IMPORT_SECTION) {
      for (let imports = reader.number(); imports > 0; imports--) {
        reader.skip(reader.number());
        reader.skip(reader.number());
        const kind = reader.byte();
        if (kind === MEMORY_IMPORT && wasm[reader.at] === SHARED_WITH_MAXIMUM) {
          const flags = reader.at;
          reader.skip(1);
          return { flags, minimum: reader.number(), maximum: reader.number() };
        }
        if (kind !== FUNCTION_IMPORT) break;
        reader.number();
      }
    }
    reader.at = end;
  }
  throw new GraftError('The WebAssembly module imports no shared memory');
}

class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0;
  }

  /** An unsigned LEB128. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80 || this.isAtEnd) return value;
    }
  }

  skip(bytes: number): void {
    this.at += bytes;
  }
}
