import type { Backend } from '../backends/backend';
import type { FrozenMatrixSpec } from '../backends/frozen-matrix';
import { restoreRows, storeRows } from '../backends/quantize';
import type { DeviceBuffer } from '../backends/schedule';
import { frozen, frozenMatrix, type Tensor } from '../scheduler/tape';

/** A matrix on the device, in its storage. */
export interface UploadedMatrix {
  readonly tensor: Tensor;
  /** What it takes: the matrix, and int8's scales. Whoever asked for it disposes of them. */
  readonly buffers: readonly DeviceBuffer[];
  /** `[rows, columns]` as the device computes with it: in f16 and int8 some digits are lost. */
  read(): Promise<Float32Array<ArrayBuffer>>;
}

/** Stores `[rows, columns]` on the device. Throws DeviceLimitError or OutOfDeviceMemoryError, with nothing left behind. */
export async function uploadMatrix(
  backend: Backend,
  spec: FrozenMatrixSpec,
  values: Float32Array<ArrayBuffer>,
): Promise<UploadedMatrix> {
  const { label, rows, columns, storage } = spec;
  const { elements, scales } = storeRows(values, columns, storage);
  const { buffer, writeRows, readRows } = await backend.allocateMatrix(spec);
  writeRows(0, elements);
  const read = async () => restoreRows({ elements: await readRows(), scales }, columns);
  if (scales.length === 0) {
    const tensor = frozenMatrix(label, buffer, columns, { rows, storage, scales: undefined });
    return { tensor, buffers: [buffer], read };
  }
  try {
    const scaleBuffer = await backend.allocate(scales.byteLength, `scales of ${label}`);
    backend.write(scaleBuffer, 0, scales);
    const scaleTensor = frozen(`scales of ${label}`, scaleBuffer, 1, rows);
    const tensor = frozenMatrix(label, buffer, columns, { rows, storage, scales: scaleTensor });
    return { tensor, buffers: [buffer, scaleBuffer], read };
  } catch (error) {
    buffer.dispose();
    throw error;
  }
}
