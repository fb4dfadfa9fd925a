import {
  BYTES_PER_ELEMENT,
  type FrozenMatrixBuffer,
  type FrozenMatrixSpec,
  packRows,
  type StoredElements,
  wordsPerRow,
} from '../frozen-matrix';
import type { Host } from './host';
import type { LinearMemory } from './memory';

/** Rows of a weight that lie side by side: the columns of a tile in assembly/kernels/lib/tile.ts. */
const PANEL = 8;

/** Memory for a frozen matrix. Throws OutOfDeviceMemoryError. */
export async function allocateMatrix(
  spec: FrozenMatrixSpec,
  host: Host,
  memory: LinearMemory,
): Promise<FrozenMatrixBuffer> {
  const { rows, columns, storage, use } = spec;
  const paddedRows = Math.ceil(rows / PANEL) * PANEL;
  const byteLength =
    use === 'table' ? rows * wordsPerRow(spec) * 4 : paddedRows * columns * BYTES_PER_ELEMENT[storage];
  const buffer = await memory.allocate(byteLength, spec.label);
  return {
    buffer,
    writeRows: (firstRow, elements) => {
      const isTable = use === 'table';
      const words = isTable
        ? packRows(elements, columns)
        : new Uint32Array(toPanels(elements, columns).buffer);
      const rowBytes = isTable ? wordsPerRow(spec) * 4 : columns * BYTES_PER_ELEMENT[storage];
      host.write(buffer.pointer + firstRow * rowBytes, words);
    },
  };
}

/** `[rows, columns]` to `[rows / 8][columns][8]`, the last panel filled up with zeros: as assembly/kernels/lib/frozen.ts reads it. */
function toPanels(elements: StoredElements, columns: number): StoredElements {
  const rows = elements.length / columns;
  const panels = likeElements(elements, Math.ceil(rows / PANEL) * PANEL * columns);
  for (let row = 0; row < rows; row++) {
    const panel = Math.floor(row / PANEL) * PANEL * columns + (row % PANEL);
    const source = row * columns;
    for (let k = 0; k < columns; k++) panels[panel + k * PANEL] = elements[source + k] ?? 0;
  }
  return panels;
}

function likeElements(elements: StoredElements, length: number): StoredElements {
  if (elements instanceof Float32Array) return new Float32Array(length);
  return elements instanceof Uint16Array ? new Uint16Array(length) : new Int8Array(length);
}
