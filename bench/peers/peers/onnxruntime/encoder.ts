import type { Tensor } from '../../inputs-format';
import { Graph, INT32 } from './graph';

/** Heads of 32, as in MiniLM's config. */
const HEAD_SIZE = 32;

/**
 * BERT and its pooler as an ONNX model: ids `[B, L]` → pooled `[B, hidden]`.
 *
 * @param operators 'standard': ONNX's own, with `mask` `[B, 1, 1, L]`, 0 or a large negative number, added to the scores.
 *   'fused': ONNX Runtime's Attention, SkipLayerNormalization and BiasGelu, to which its optimizer brings a BERT that
 *   was exported the usual way, with `lengths` `[B]`.
 */
export function encoderModel(
  tensors: ReadonlyMap<string, Tensor>,
  operators: 'standard' | 'fused',
): Uint8Array {
  const graph = new Graph();
  const find = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`the encoder has no ${name}`);
    return tensor;
  };
  const constant = (name: string) => graph.tensor(find(name).shape, find(name).data);
  const weight = (name: string) => {
    const { shape, data } = transpose(find(`${name}.weight`));
    return graph.tensor(shape, data);
  };
  const linear = (x: string, name: string) =>
    graph.node('Add', [graph.node('MatMul', [x, weight(name)]), constant(`${name}.bias`)]);
  const layerNorm = (x: string, name: string) =>
    graph.node('LayerNormalization', [x, constant(`${name}.weight`), constant(`${name}.bias`)], {
      epsilon: { float: 1e-12 },
    });
  const hidden = find('pooler.dense.bias').data.length;
  const heads = hidden / HEAD_SIZE;

  const ids = graph.input('ids', INT32, ['B', 'L']);
  const words = graph.node('Gather', [constant('embeddings.word_embeddings.weight'), ids]);
  const positions = graph.input('positions', INT32, ['L']);
  const positioned = graph.node('Gather', [constant('embeddings.position_embeddings.weight'), positions]);
  const type = graph.tensor([hidden], find('embeddings.token_type_embeddings.weight').data.slice(0, hidden));
  const sum = graph.node('Add', [words, graph.node('Add', [positioned, type])]);
  let x = layerNorm(sum, 'embeddings.LayerNorm');

  const standard = () => {
    const mask = graph.input('mask', 1, ['B', 1, 1, 'L']);
    const split = graph.tensor([4], BigInt64Array.of(0n, 0n, BigInt(heads), BigInt(HEAD_SIZE)));
    const join = graph.tensor([3], BigInt64Array.of(0n, 0n, BigInt(hidden)));
    const scale = graph.tensor([1], Float32Array.of(1 / Math.sqrt(HEAD_SIZE)));
    return (prefix: string) => {
      const project = (name: string, perm: number[]) =>
        graph.node('Transpose', [graph.node('Reshape', [linear(x, `${prefix}.self.${name}`), split])], {
          perm,
        });
      const query = project('query', [0, 2, 1, 3]);
      const key = project('key', [0, 2, 3, 1]);
      const value = project('value', [0, 2, 1, 3]);
      const scores = graph.node('Mul', [graph.node('MatMul', [query, key]), scale]);
      const probabilities = graph.node('Softmax', [graph.node('Add', [scores, mask])]);
      const context = graph.node('MatMul', [probabilities, value]);
      return graph.node('Reshape', [graph.node('Transpose', [context], { perm: [0, 2, 1, 3] }), join]);
    };
  };
  const fused = () => {
    const lengths = graph.input('lengths', INT32, ['B']);
    return (prefix: string) => {
      const names = ['query', 'key', 'value'].map((name) => `${prefix}.self.${name}`);
      const all = besideEachOther(names.map((name) => transpose(find(`${name}.weight`))));
      const biases = names.flatMap((name) => [...find(`${name}.bias`).data]);
      const inputs = [
        x,
        graph.tensor(all.shape, all.data),
        graph.tensor([3 * hidden], Float32Array.from(biases)),
        lengths,
      ];
      return graph.node('com.microsoft.Attention', inputs, { num_heads: heads });
    };
  };
  const attend = operators === 'fused' ? fused() : standard();
  const closeBlock = (inner: string, residual: string, prefix: string) => {
    const norm = `${prefix}.LayerNorm`;
    if (operators === 'standard') {
      return layerNorm(graph.node('Add', [linear(inner, `${prefix}.dense`), residual]), norm);
    }
    const product = graph.node('MatMul', [inner, weight(`${prefix}.dense`)]);
    const inputs = [
      product,
      residual,
      constant(`${norm}.weight`),
      constant(`${norm}.bias`),
      constant(`${prefix}.dense.bias`),
    ];
    return graph.node('com.microsoft.SkipLayerNormalization', inputs, { epsilon: { float: 1e-12 } });
  };
  const expand = (inner: string, name: string) => {
    if (operators === 'standard') return graph.node('Gelu', [linear(inner, name)]);
    const product = graph.node('MatMul', [inner, weight(name)]);
    return graph.node('com.microsoft.BiasGelu', [product, constant(`${name}.bias`)]);
  };
  const has = (layer: number) => tensors.has(`encoder.layer.${layer}.output.dense.weight`);
  const zero = graph.tensor([], BigInt64Array.of(0n));
  for (let layer = 0; has(layer); layer++) {
    const prefix = `encoder.layer.${layer}`;
    let context = attend(`${prefix}.attention`);
    if (!has(layer + 1)) {
      // Only the first tokens are asked for, and only attention mixes tokens: the rest is left behind here, as Graft does.
      context = graph.node('Gather', [context, zero], { axis: 1 });
      x = graph.node('Gather', [x, zero], { axis: 1 });
    }
    x = closeBlock(context, x, `${prefix}.attention.output`);
    x = closeBlock(expand(x, `${prefix}.intermediate.dense`), x, `${prefix}.output`);
  }
  graph.output(graph.node('Tanh', [linear(x, 'pooler.dense')]), ['B', hidden]);
  return graph.encode();
}

function transpose({ shape: [rows = 0, columns = 0], data }: Tensor): Tensor {
  const transposed = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      transposed[column * rows + row] = data[row * columns + column] ?? 0;
    }
  }
  return { shape: [columns, rows], data: transposed };
}

/** Matrices of as many rows as one. */
function besideEachOther(parts: readonly Tensor[]): Tensor {
  const rows = parts[0]?.shape[0] ?? 0;
  const columns = parts.reduce((sum, { shape }) => sum + (shape[1] ?? 0), 0);
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    let at = row * columns;
    for (const part of parts) {
      const width = part.shape[1] ?? 0;
      data.set(part.data.subarray(row * width, (row + 1) * width), at);
      at += width;
    }
  }
  return { shape: [rows, columns], data };
}
