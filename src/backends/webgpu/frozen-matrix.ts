import {
  type FrozenMatrixBuffer,
  type FrozenMatrixSpec,
  packRows,
  unpackRows,
  wordsPerRow,
} from '../frozen-matrix';
import type { DeviceBuffer } from '../schedule';

/** What it needs of a backend. */
interface Allocator {
  allocate(byteLength: number, label: string): Promise<DeviceBuffer>;
  write(buffer: DeviceBuffer, byteOffset: number, data: Uint32Array): void;
  read(buffer: DeviceBuffer, floats: number): Promise<Float32Array<ArrayBuffer>>;
}

/** Row after row, each beginning at a multiple of 4 bytes: the order in which shaders read it, whatever the use. */
export async function allocateMatrix(
  spec: FrozenMatrixSpec,
  backend: Allocator,
): Promise<FrozenMatrixBuffer> {
  const rowBytes = wordsPerRow(spec) * 4;
  const buffer = await backend.allocate(spec.rows * rowBytes, spec.label);
  return {
    buffer,
    writeRows: (firstRow, elements) => {
      backend.write(buffer, firstRow * rowBytes, packRows(elements, spec.columns));
    },
    readRows: async () => unpackRows((await backend.read(buffer, (spec.rows * rowBytes) / 4)).buffer, spec),
  };
}
