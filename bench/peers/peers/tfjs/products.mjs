/**
 * The products of the model, twice. The WASM backend multiplies matrices as they lie fast (XNNPACK) and transposed ones slowly, and
 * the gradients of its `matMul` are products of transposed matrices.
 *
 *   frozen(x, W, Wᵀ)   x [N, in] by a weight that gets no gradient, W [in, out], Wᵀ [out, in]
 *   trained(x, W)      x [N, in], W [out, in] as in PyTorch
 *   batched(a, b)      [B, M, K] by [B, K, N]
 */

/** As the documentation has it. */
export function stockProducts(tf) {
  return {
    frozen: (x, weight) => tf.matMul(x, weight),
    trained: (x, weight) => tf.matMul(x, weight, false, true),
    batched: (a, b) => tf.matMul(a, b),
  };
}

/** Gradients of our own, in which every product is of matrices as they lie: what is transposed is transposed first. */
export function bestProducts(tf) {
  const transpose = (matrix) => tf.transpose(matrix, matrix.rank === 3 ? [0, 2, 1] : [1, 0]);
  const frozen = (x, weight, transposed) =>
    tf.customGrad((x) => ({
      value: tf.matMul(x, weight),
      gradFunc: (dy) => tf.matMul(dy, transposed),
    }))(x);
  const product = tf.customGrad((a, b, save) => {
    save([a, b]);
    return {
      value: tf.matMul(a, b),
      gradFunc: (dy, [a, b]) => [tf.matMul(dy, transpose(b)), tf.matMul(transpose(a), dy)],
    };
  });
  return {
    frozen,
    trained: (x, weight) => product(x, transpose(weight)),
    batched: product,
  };
}
