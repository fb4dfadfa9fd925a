/**
 * BERT with Houlsby adapters in jax-js: the mean cross-entropy as a function of (trained, frozen, embedded, labels), which
 * takes ownership of all four, as its functions do.
 *
 *   trained   name → array, Graft's names          frozen  name → array, BertModel's names
 *   embedded  [B, L, hidden], the sum of the embeddings     labels  [B, C] one-hot
 *
 * Where `frozen` has `ones` [hidden], a product with a rearranged array, attention's heads, is of a copy in the order in which the
 * product reads it: `jit` keeps no copy of what is only looked at in another order, but one of what was computed.
 *
 * @param firstTokensEarly whether the last layer leaves the other tokens behind after its attention, as Graft does
 */
export function model({ numpy: np, nn, lax }, { sequences, length, hidden, layers, firstTokensEarly }) {
  const headSize = 32;
  const heads = hidden / headSize;

  const linear = (x, weights, name) =>
    np.matmul(x, weights[`${name}.weight`].transpose()).add(weights[`${name}.bias`]);
  const layerNorm = (x, trained, name) => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    const normalized = centred.div(np.sqrt(variance.add(1e-12)));
    return normalized.mul(trained[`${name}.weight`]).add(trained[`${name}.bias`]);
  };
  const geluErf = (x) => x.ref.mul(0.5).mul(lax.erf(x.mul(Math.SQRT1_2)).add(1));
  const geluTanh = (x) => nn.gelu(x, { approximate: true });
  const adapted = (projected, x, trained, site) => {
    const down = linear(projected.ref, trained, `${site}.adapter.down`);
    const up = linear(geluTanh(down), trained, `${site}.adapter.up`);
    return layerNorm(projected.add(up).add(x), trained, `${site}.layer_norm`);
  };
  // → [B, heads, L, headSize]
  const splitHeads = (x) => np.transpose(x.reshape([sequences, length, heads, headSize]), [0, 2, 1, 3]);

  return (trained, { ones, ...frozen }, embedded, labels) => {
    const inOrder = (x) => (ones === undefined ? x : x.mul(ones.ref));
    let x = layerNorm(embedded, trained, 'embeddings.layer_norm');
    for (let i = 0; i < layers; i++) {
      const prefix = `encoder.layer.${i}`;
      const project = (name) =>
        splitHeads(inOrder(linear(x.ref, frozen, `${prefix}.attention.self.${name}`)));
      const query = project('query').mul(1 / Math.sqrt(headSize));
      const key = project('key');
      const value = project('value');
      const scores = np.matmul(query, np.transpose(key, [0, 1, 3, 2]));
      const context = np.matmul(nn.softmax(scores, -1), value);
      let joined = np.transpose(context, [0, 2, 1, 3]).reshape(x.shape);
      if (i === layers - 1 && firstTokensEarly) {
        joined = joined.slice([], 0);
        x = x.slice([], 0);
      }
      const attended = linear(inOrder(joined), frozen, `${prefix}.attention.output.dense`);
      x = adapted(attended, x, trained, `layer.${i}.attention`);
      const inner = linear(x.ref, frozen, `${prefix}.intermediate.dense`);
      const projected = linear(geluErf(inner), frozen, `${prefix}.output.dense`);
      x = adapted(projected, x, trained, `layer.${i}.output`);
    }
    ones?.dispose();
    const first = firstTokensEarly ? x : x.slice([], 0);
    const logits = linear(np.tanh(linear(first, frozen, 'pooler.dense')), trained, 'classifier');
    return np.sum(nn.logSoftmax(logits, -1).mul(labels)).mul(-1 / sequences);
  };
}
