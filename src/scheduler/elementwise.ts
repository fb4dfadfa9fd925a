import { countRows, type Grid, type Rows, type Work } from '../backends/kernel';

const WORKGROUP = 64;
const ELEMENTS_PER_INVOCATION = 4;

/** Work of an elementwise kernel: `[elements]`. */
export function elements(rows: Rows, columns: number): Work {
  return (shape) => [countRows(rows, shape) * columns];
}

/** Workgroups of an elementwise kernel whose invocations take four elements each. */
export function elementwiseGrid(work: readonly number[]): Grid {
  return [Math.ceil((work[0] ?? 0) / (ELEMENTS_PER_INVOCATION * WORKGROUP)), 1, 1];
}
