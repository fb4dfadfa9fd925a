import {
  BYTES_PER_ELEMENT,
  type FrozenMatrixBuffer,
  type FrozenMatrixSpec,
  packRows,
  type StoredElements,
  storedElements,
  unpackRows,
  type WeightStorage,
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
        : new Uint32Array(toPanels(elements, columns, storage).buffer);
      const rowBytes = isTable ? wordsPerRow(spec) * 4 : columns * BYTES_PER_ELEMENT[storage];
      host.write(buffer.pointer + firstRow * rowBytes, words);
    },
    readRows: async () => {
      const { buffer: words } = await host.read(buffer.pointer, byteLength / 4);
      return use === 'table' ? unpackRows(words, spec) : fromPanels(words, spec);
    },
  };
}

/** `[rows, columns]` to `[rows / 8][columns][8]`, the last panel filled up with zeros: as assembly/kernels/lib/frozen.ts reads it. */
function toPanels(elements: StoredElements, columns: number, storage: WeightStorage): StoredElements {
  const rows = elements.length / columns;
  const panels = storedElements(storage, Math.ceil(rows / PANEL) * PANEL * columns);
  for (let row = 0; row < rows; row++) {
    const panel = Math.floor(row / PANEL) * PANEL * columns + (row % PANEL);
    const source = row * columns;
    for (let k = 0; k < columns; k++) panels[panel + k * PANEL] = elements[source + k] ?? 0;
  }
  return panels;
}

/** The other way round. */
function fromPanels(words: ArrayBuffer, { rows, columns, storage }: FrozenMatrixSpec): StoredElements {
  const panels = storedElements(storage, Math.ceil(rows / PANEL) * PANEL * columns);
  new Uint8Array(panels.buffer).set(new Uint8Array(words, 0, panels.byteLength));
  const elements = storedElements(storage, rows * columns);
  for (let row = 0; row < rows; row++) {
    const panel = Math.floor(row / PANEL) * PANEL * columns + (row % PANEL);
    for (let k = 0; k < columns; k++) elements[row * columns + k] = panels[panel + k * PANEL] ?? 0;
  }
  return elements;
}
