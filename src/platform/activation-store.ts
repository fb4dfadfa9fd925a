/** Places for activations that are computed once and read many times: memory, and behind it a disk. */
import { FileAccessError, FileWriteError } from '../errors';

/** Takes rows of floats and gives them back until it is closed. Nothing of it is left behind then. */
export interface ActivationStore {
  /** In bytes. */
  readonly size: number;
  /** Keeps a copy and returns where it lies. Throws FileWriteError where there is no room for it. */
  append(values: Float32Array): Promise<number>;
  /** What was appended at `position`, whose length `into` has. Throws FileAccessError where it cannot be read any more. */
  read(position: number, into: Float32Array): Promise<void>;
  close(): Promise<void>;
}

export class MemoryStore implements ActivationStore {
  size = 0;
  readonly #limit: number;
  #kept: Float32Array[] = [];

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  async append(values: Float32Array): Promise<number> {
    if (this.size + values.byteLength > this.#limit) {
      throw new FileWriteError('memory', `the ${this.#limit} bytes set aside are used up`);
    }
    try {
      this.#kept.push(values.slice());
    } catch (cause) {
      // The engine's RangeError where it has no memory left for an array.
      throw new FileWriteError('memory', `${values.byteLength} bytes could not be had`, undefined, { cause });
    }
    this.size += values.byteLength;
    return this.#kept.length - 1;
  }

  async read(position: number, into: Float32Array): Promise<void> {
    const values = this.#kept[position];
    if (values === undefined) throw new FileAccessError('memory', `nothing was kept at ${position}`);
    into.set(values);
  }

  async close(): Promise<void> {
    this.#kept = [];
  }
}

/** Where a `TieredStore` put something. */
export interface TieredPlace {
  readonly store: ActivationStore;
  readonly position: number;
}

/** Memory up to a limit, then the disk. What fits in neither, or cannot be read back, is the caller's to compute again. */
export class TieredStore {
  readonly #memory: MemoryStore;
  readonly #openDisk: () => Promise<ActivationStore>;
  #disk: ActivationStore | undefined;
  #tier: 'memory' | 'disk' | 'none' = 'memory';
  #problem: string | undefined;

  constructor(memoryLimit: number, openDisk: () => Promise<ActivationStore>) {
    this.#memory = new MemoryStore(memoryLimit);
    this.#openDisk = openDisk;
  }

  get memoryBytes(): number {
    return this.#memory.size;
  }

  get diskBytes(): number {
    return this.#disk?.size ?? 0;
  }

  /** What last went wrong with the disk. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** `undefined` where there is no room. Once a tier is full it takes nothing more. */
  async append(values: Float32Array): Promise<TieredPlace | undefined> {
    if (this.#tier === 'memory') {
      const place = await this.#tryAppend(async () => this.#memory, values);
      if (place !== undefined) return place;
      // That is no problem yet: the disk comes next.
      this.#problem = undefined;
      this.#tier = 'disk';
    }
    if (this.#tier === 'disk') {
      const place = await this.#tryAppend(async () => {
        this.#disk ??= await this.#openDisk();
        return this.#disk;
      }, values);
      if (place !== undefined) return place;
      this.#tier = 'none';
    }
    return undefined;
  }

  /** False where it cannot be read any more; `into` then holds anything. */
  async read({ store, position }: TieredPlace, into: Float32Array): Promise<boolean> {
    try {
      await store.read(position, into);
      return true;
    } catch (error) {
      if (!(error instanceof FileAccessError)) throw error;
      this.#problem = error.message;
      return false;
    }
  }

  async close(): Promise<void> {
    this.#tier = 'none';
    await this.#memory.close();
    await this.#disk?.close();
  }

  async #tryAppend(
    open: () => Promise<ActivationStore>,
    values: Float32Array,
  ): Promise<TieredPlace | undefined> {
    try {
      const store = await open();
      return { store, position: await store.append(values) };
    } catch (error) {
      if (!(error instanceof FileWriteError)) throw error;
      this.#problem = error.message;
      return undefined;
    }
  }
}
