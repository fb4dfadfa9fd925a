import type { Backend } from '../../src/backends/backend';
import type { FrozenMatrixSpec } from '../../src/backends/frozen-matrix';
import { type BatchShape, countRows, type Rows } from '../../src/backends/kernel';
import { storeRows } from '../../src/backends/quantize';
import type { DeviceBuffer } from '../../src/backends/schedule';
import type { CaseInput } from '../../src/reference/case';
import { CaseRandom } from '../../src/reference/random';
import { frozen, frozenMatrix, type Tensor, trainable } from '../../src/scheduler/tape';

/** Makes the random inputs of an op under test, and frees them. */
export class Inputs {
  readonly #backend: Backend;
  readonly #shape: BatchShape;
  readonly #random = new CaseRandom(1);
  readonly #owned: DeviceBuffer[] = [];

  constructor(backend: Backend, shape: BatchShape) {
    this.#backend = backend;
    this.#shape = shape;
  }

  async tensor(name: string, rows: Rows, columns: number, role: CaseInput['role']): Promise<Tensor> {
    const buffer = await this.#upload(name, rows, columns);
    if (role === 'parameter') {
      const gradient = await this.#upload(`gradient of ${name}`, rows, columns);
      return trainable(name, { buffer, gradient, byteOffset: 0 }, rows, columns);
    }
    return { ...frozen(name, buffer, 1, columns), rows, requiresGradient: role === 'activation' };
  }

  /** A frozen `[rows, columns]` weight or table, laid out and stored as its backend does it. */
  async matrix(
    name: string,
    rows: number,
    columns: number,
    { storage, use }: Pick<FrozenMatrixSpec, 'storage' | 'use'>,
  ): Promise<Tensor> {
    const values = Float32Array.from(this.#random.values(rows * columns));
    const { elements, scales } = storeRows(values, columns, storage);
    const spec = { label: name, rows, columns, storage, use };
    const { buffer, writeRows } = await this.#backend.allocateMatrix(spec);
    this.#owned.push(buffer);
    writeRows(0, elements);
    const scaleTensor = scales.length === 0 ? undefined : await this.tensor('scales', 1, rows, 'frozen');
    return frozenMatrix(name, buffer, columns, { rows, storage, scales: scaleTensor });
  }

  async #upload(name: string, rows: Rows, columns: number): Promise<DeviceBuffer> {
    const floats = countRows(rows, this.#shape) * columns;
    const buffer = await this.#backend.allocate(floats * 4, name);
    this.#owned.push(buffer);
    this.#backend.write(buffer, 0, Float32Array.from(this.#random.values(floats)));
    return buffer;
  }

  dispose(): void {
    for (const buffer of this.#owned) buffer.dispose();
  }
}
