import { type FrozenMatrixBuffer, type FrozenMatrixSpec, packRows, wordsPerRow } from '../frozen-matrix';
import type { DeviceBuffer } from '../schedule';

/** What it needs of a backend. */
interface Allocator {
  allocate(byteLength: number, label: string): Promise<DeviceBuffer>;
  write(buffer: DeviceBuffer, byteOffset: number, data: Uint32Array): void;
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
  };
}
