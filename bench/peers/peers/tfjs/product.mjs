import { readTensors } from '../../inputs-format';
import { timed } from '../../serve';
import { openTfjs } from './backend.mjs';

const REPEATS = 10;

/** x Wᵀ with W laid out [in, out], which its product takes fastest. */
export async function product({ inputs, settings }) {
  const { tf, setup } = await openTfjs(settings.backend, settings.threads);
  const tensors = await readTensors(inputs, 'product.safetensors');
  const tensor = (name) => tf.tensor(tensors.get(name).data, tensors.get(name).shape);
  const x = tensor('x');
  const weight = tf.transpose(tensor('weight'));
  const check = await tf.matMul(x, weight).data();
  return {
    setup,
    check,
    round: async () => {
      const { milliseconds } = await timed(1, async () => {
        let last;
        for (let i = 0; i < REPEATS; i++) {
          last?.dispose();
          last = tf.matMul(x, weight);
        }
        // One element read back: waits for all that was queued, and copies next to nothing.
        const element = tf.slice(last, [0, 0], [1, 1]);
        await element.data();
        tf.dispose([last, element]);
      });
      return { milliseconds: milliseconds / REPEATS };
    },
  };
}
