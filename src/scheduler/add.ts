import { type Dispatch, defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { elements, elementwiseGrid } from './elementwise';
import type { Tensor } from './tape';

const add = defineKernel({
  name: 'add',
  shader: 'add',
  params: { rows: 'u32', columns: 'u32' },
  bindings: { a: 'read', b: 'read', sum: 'write' },
  variants: { serial: { entryPoint: 'add', workgroups: elementwiseGrid } },
});

/** sum = a + b, all `[rows, columns]`. */
export function addDispatch(a: Tensor, b: Tensor, sum: Tensor): Dispatch<Tensor> {
  return dispatch(add, {
    params: { rows: rowsCode(sum.rows), columns: sum.columns },
    bindings: { a, b, sum },
    work: elements(sum.rows, sum.columns),
  });
}
