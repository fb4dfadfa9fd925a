/**
 * BERT with Houlsby adapters in tfjs: returns the function of no arguments that computes the mean cross-entropy.
 *
 * @param products see products.mjs
 * @param encoder the frozen tensors by BertModel's names
 * @param variables the trained ones by Graft's names
 * @param batch ids [B, L] int32, labels [B, C] one-hot
 * @param firstTokensEarly whether the last layer leaves the other tokens behind after its attention, as Graft does
 */
export function model(tf, products, encoder, variables, { ids, labels }, firstTokensEarly) {
  const [sequences, length] = ids.shape;
  const tokens = sequences * length;
  const tensor = (name) => tf.tensor(encoder.get(name).data, encoder.get(name).shape);
  const hidden = encoder.get('pooler.dense.bias').data.length;
  // Heads of 32, as in MiniLM's config.
  const headSize = 32;
  const heads = hidden / headSize;

  const frozenLinear = (name) => {
    const transposed = tensor(`${name}.weight`);
    const weight = tf.transpose(transposed);
    const bias = tensor(`${name}.bias`);
    return (x) => tf.add(products.frozen(x, weight, transposed), bias);
  };
  const trainedLinear = (name) => (x) =>
    tf.add(products.trained(x, variables.get(`${name}.weight`)), variables.get(`${name}.bias`));
  const layerNorm = (name) => (x) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const normalized = tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-12)));
    return tf.add(tf.mul(normalized, variables.get(`${name}.weight`)), variables.get(`${name}.bias`));
  };
  const geluErf = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  const geluTanh = (x) => {
    const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
  };
  // [B·L, hidden] ↔ [B·heads, L, headSize]
  const splitHeads = (x) =>
    tf.reshape(tf.transpose(tf.reshape(x, [sequences, length, heads, headSize]), [0, 2, 1, 3]), [
      sequences * heads,
      length,
      headSize,
    ]);
  const joinHeads = (x) =>
    tf.reshape(tf.transpose(tf.reshape(x, [sequences, heads, length, headSize]), [0, 2, 1, 3]), [
      tokens,
      hidden,
    ]);

  // [B·L, hidden] → [B, hidden]
  const firstTokens = (x) => {
    const rows = tf.slice(tf.reshape(x, [sequences, length, hidden]), [0, 0, 0], [sequences, 1, hidden]);
    return tf.reshape(rows, [sequences, hidden]);
  };

  const layers = [];
  for (let i = 0; encoder.has(`encoder.layer.${i}.output.dense.weight`); i++) {
    const prefix = `encoder.layer.${i}`;
    const site = (name) => {
      const down = trainedLinear(`layer.${i}.${name}.adapter.down`);
      const up = trainedLinear(`layer.${i}.${name}.adapter.up`);
      const normalize = layerNorm(`layer.${i}.${name}.layer_norm`);
      return (projected, x) => normalize(tf.add(tf.add(projected, up(geluTanh(down(projected)))), x));
    };
    layers.push({
      query: frozenLinear(`${prefix}.attention.self.query`),
      key: frozenLinear(`${prefix}.attention.self.key`),
      value: frozenLinear(`${prefix}.attention.self.value`),
      attentionOutput: frozenLinear(`${prefix}.attention.output.dense`),
      closeAttention: site('attention'),
      intermediate: frozenLinear(`${prefix}.intermediate.dense`),
      output: frozenLinear(`${prefix}.output.dense`),
      closeOutput: site('output'),
    });
  }
  const pooler = frozenLinear('pooler.dense');
  const classifier = trainedLinear('classifier');
  const normalizeEmbeddings = layerNorm('embeddings.layer_norm');
  // The tables are frozen and nothing is trained below their sum: it is looked up once.
  const embedded = tf.tidy(() => {
    const words = tf.gather(tensor('embeddings.word_embeddings.weight'), tf.reshape(ids, [tokens]));
    const positions = tf.slice(tensor('embeddings.position_embeddings.weight'), [0, 0], [length, hidden]);
    const type = tf.slice(tensor('embeddings.token_type_embeddings.weight'), [0, 0], [1, hidden]);
    return tf.add(words, tf.tile(tf.add(positions, type), [sequences, 1]));
  });

  return () => {
    let x = normalizeEmbeddings(embedded);
    for (const layer of layers) {
      const isLast = layer === layers.at(-1);
      const query = splitHeads(tf.mul(layer.query(x), 1 / Math.sqrt(headSize)));
      const key = splitHeads(layer.key(x));
      const value = splitHeads(layer.value(x));
      const probabilities = tf.softmax(products.batched(query, tf.transpose(key, [0, 2, 1])));
      let context = joinHeads(products.batched(probabilities, value));
      if (isLast && firstTokensEarly) {
        context = firstTokens(context);
        x = firstTokens(x);
      }
      x = layer.closeAttention(layer.attentionOutput(context), x);
      x = layer.closeOutput(layer.output(geluErf(layer.intermediate(x))), x);
    }
    const first = firstTokensEarly ? x : firstTokens(x);
    const logits = classifier(tf.tanh(pooler(first)));
    return tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1)));
  };
}
