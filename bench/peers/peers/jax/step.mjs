import { readTensors } from '../../inputs-format';
import { stepCheck } from '../../step-recipe';
import { adamw } from './adamw.mjs';
import { openJax } from './library.mjs';
import { model } from './model.mjs';

/**
 * Frozen biases that the best form asks gradients of, and throws them away. `jit` makes what is done to a product's gradient part
 * of the next product's kernel where nothing else reads it: the GELU's derivative, with erf and exp, is then computed
 * in its inner loop, once for every output. A bias's gradient is a second reader, so the product reads a finished array.
 */
const separating = (name) => /^encoder.*\.bias$/.test(name);

/** One training step, forward, gradients and AdamW in one `jit`. */
export async function step({ inputs, settings }) {
  const { jax, setup } = await openJax(settings.backend);
  const { numpy: np, jit, valueAndGrad, tree, blockUntilReady } = jax;
  const array = ({ data, shape }) => np.array(data).reshape(shape);
  const encoder = await readTensors(inputs, 'encoder/model.safetensors');
  const values = await readTensors(inputs, 'parameters-2.safetensors');
  const batch = await readTensors(inputs, 'step.safetensors');
  const [sequences, length] = batch.get('ids').shape;
  const hidden = encoder.get('pooler.dense.bias').data.length;
  const layers = [...encoder.keys()].filter((name) => name.endsWith('.intermediate.dense.weight')).length;

  let trained = Object.fromEntries([...values].map(([name, tensor]) => [name, array(tensor)]));
  const zeros = () =>
    Object.fromEntries([...values].map(([name, { shape }]) => [name, np.zeros([...shape])]));
  let moments = { m: zeros(), v: zeros() };
  const weights = [...encoder].filter(([name]) => name.includes('dense') || name.includes('.self.'));
  const arrays = (chosen) => Object.fromEntries(chosen.map(([name, tensor]) => [name, array(tensor)]));
  const isApart = (name) => settings.form === 'best' && separating(name);
  const apart = arrays(weights.filter(([name]) => isApart(name)));
  const frozen = arrays(weights.filter(([name]) => !isApart(name)));
  if (settings.form === 'best') frozen.ones = np.ones([hidden]);
  // The tables are frozen and nothing is trained below their sum: it is looked up once.
  const embedded = lookUp(np, encoder, batch.get('ids'), hidden);
  const labels = np.array(oneHot(batch.get('labels').data)).reshape([sequences, 2]);
  encoder.clear();

  const firstTokensEarly = settings.form === 'best';
  const lossOf = model(jax, { sequences, length, hidden, layers, firstTokensEarly });
  const gradients = valueAndGrad(({ trained, apart }, frozen, embedded, labels) =>
    lossOf(trained, { ...frozen, ...apart }, embedded, labels),
  );
  const evaluate = jit(gradients);
  const update = jit((trained, moments, apart, frozen, embedded, labels) => {
    const [loss, grads] = gradients({ trained: tree.ref(trained), apart }, frozen, embedded, labels);
    return [loss, adamw(jax, trained, moments, grads.trained), grads.apart];
  });

  const [loss, grads] = evaluate(
    { trained: tree.ref(trained), apart: tree.ref(apart) },
    tree.ref(frozen),
    embedded.ref,
    labels.ref,
  );
  const norms = new Map();
  for (const [name, gradient] of Object.entries(grads.trained)) {
    norms.set(name, Math.hypot(...(await gradient.data())));
  }
  tree.dispose(grads.apart);
  const check = stepCheck((await loss.data())[0], norms);
  return {
    setup: `${setup}, jit, ${settings.form}`,
    check,
    round: async () => {
      const started = performance.now();
      const [loss, next, unused] = update(
        trained,
        moments,
        tree.ref(apart),
        tree.ref(frozen),
        embedded.ref,
        labels.ref,
      );
      ({ trained, moments } = next);
      await blockUntilReady([trained, moments]);
      tree.dispose(unused);
      const [value] = await loss.data();
      return { milliseconds: performance.now() - started, value };
    },
  };
}

function oneHot(labels) {
  return Float32Array.from({ length: labels.length * 2 }, (_, i) => Number(labels[i >> 1] === i % 2));
}

/** [B, L, hidden] */
function lookUp(np, encoder, ids, hidden) {
  const [sequences, length] = ids.shape;
  const row = (table, i) =>
    encoder.get(`embeddings.${table}.weight`).data.subarray(i * hidden, (i + 1) * hidden);
  const sum = new Float32Array(sequences * length * hidden);
  ids.data.forEach((id, token) => {
    const parts = [row('word_embeddings', id), row('position_embeddings', token % length)];
    const type = row('token_type_embeddings', 0);
    for (let i = 0; i < hidden; i++) sum[token * hidden + i] = parts[0][i] + parts[1][i] + type[i];
  });
  return np.array(sum).reshape([sequences, length, hidden]);
}
