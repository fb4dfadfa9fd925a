import { readTensors } from '../../inputs-format';
import { stepCheck } from '../../step-recipe';
import { AdamW } from './adamw.mjs';
import { openTfjs } from './backend.mjs';
import { model } from './model.mjs';
import { bestProducts, stockProducts } from './products.mjs';

/** One training step; `settings.form` says which products: see products.mjs. */
export async function step({ inputs, settings }) {
  const { tf, setup } = await openTfjs(settings.backend);
  const products = settings.form === 'best' ? bestProducts(tf) : stockProducts(tf);
  const encoder = await readTensors(inputs, 'encoder/model.safetensors');
  const trained = await readTensors(inputs, 'parameters-2.safetensors');
  const batch = await readTensors(inputs, 'step.safetensors');
  const { ids, labels } = { ids: batch.get('ids'), labels: batch.get('labels') };

  const variables = new Map(
    [...trained].map(([name, { data, shape }]) => [name, tf.variable(tf.tensor(data, shape), true, name)]),
  );
  const tensors = {
    ids: tf.tensor(Int32Array.from(ids.data), ids.shape, 'int32'),
    labels: tf.oneHot(tf.tensor(Int32Array.from(labels.data), labels.shape, 'int32'), 2).toFloat(),
  };
  const lossOf = model(tf, products, encoder, variables, tensors, settings.form === 'best');
  // The tables are on the device now.
  encoder.clear();
  const optimizer = new AdamW(tf, variables);
  const backward = () => tf.variableGrads(lossOf, [...variables.values()]);

  const { value, grads } = backward();
  const norms = new Map();
  for (const [name, gradient] of Object.entries(grads)) {
    norms.set(name, (await tf.norm(gradient).data())[0]);
  }
  const check = stepCheck((await value.data())[0], norms);
  tf.dispose([value, grads]);
  return {
    setup: `${setup}, ${settings.form}`,
    check,
    round: async () => {
      const started = performance.now();
      const { value, grads } = backward();
      optimizer.step(grads);
      const [loss] = await value.data();
      // The queue of a device is in order, but the loss comes before the update: one of its results waits for it.
      await optimizer.finished();
      tf.dispose([value, grads]);
      return { milliseconds: performance.now() - started, value: loss };
    },
  };
}
