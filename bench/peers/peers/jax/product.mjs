import { readTensors } from '../../inputs-format';
import { timed } from '../../serve';
import { openJax } from './library.mjs';

const REPEATS = 10;

/** x Wᵀ with W laid out as `settings.layout` says: 'out-in' as in PyTorch, or 'in-out'. */
export async function product({ inputs, settings }) {
  const { jax, setup } = await openJax(settings.backend, settings.threads);
  const { numpy: np, jit, blockUntilReady } = jax;
  const tensors = await readTensors(inputs, 'product.safetensors');
  const array = (name) => np.array(tensors.get(name).data).reshape(tensors.get(name).shape);
  const x = array('x');
  const isTransposed = settings.layout === 'in-out';
  const weight = isTransposed ? await contiguousTranspose(jax, array('weight')) : array('weight');
  const multiply = jit((a, b) => np.matmul(a, isTransposed ? b : b.transpose()));
  await blockUntilReady(x.ref);
  const check = await multiply(x.ref, weight.ref).data();
  return {
    setup: `${setup}, jit, weight [${settings.layout}]`,
    check,
    round: async () => {
      const { milliseconds } = await timed(1, async () => {
        // All are held: it computes what is asked for, and an array that is let go never is.
        const products = Array.from({ length: REPEATS }, () => multiply(x.ref, weight.ref));
        await blockUntilReady(products);
        for (const each of products) each.dispose();
      });
      return { milliseconds: milliseconds / REPEATS };
    },
  };
}

/** A transpose that was carried out, not a view. */
async function contiguousTranspose({ numpy: np }, matrix) {
  const [rows, columns] = matrix.shape;
  const values = await matrix.transpose().data();
  return np.array(values).reshape([columns, rows]);
}
