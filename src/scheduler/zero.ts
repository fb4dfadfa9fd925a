import { type Dispatch, defineKernel, dispatch, rowsCode } from '../backends/kernel';
import { elements, elementwiseGrid } from './elementwise';
import type { Tensor } from './tape';

const zero = defineKernel({
  name: 'zero',
  shader: 'zero',
  params: { rows: 'u32', columns: 'u32' },
  bindings: { output: 'write' },
  variants: { serial: { entryPoint: 'zero', workgroups: elementwiseGrid } },
});

/** output = 0, `[rows, columns]`: what kernels that accumulate begin with, where it is no arena. */
export function zeroDispatch(output: Tensor): Dispatch<Tensor> {
  return dispatch(zero, {
    params: { rows: rowsCode(output.rows), columns: output.columns },
    bindings: { output },
    work: elements(output.rows, output.columns),
  });
}
