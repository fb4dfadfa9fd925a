import { storageCode } from '../backends/frozen-matrix';
import { defineKernel, dispatch } from '../backends/kernel';
import { batchTokens, matrixOf, type Tape, type Tensor } from '../scheduler/tape';

const embeddingsForward = defineKernel({
  name: 'embeddings',
  shader: 'embeddings',
  params: { columns: 'u32', firstRow: 'u32', sliceRows: 'u32' },
  // `scales` are those of an int8 word table, one a row; with another storage they are not read.
  bindings: { tokens: 'read', word: 'read', position: 'read', type: 'read', scales: 'read', output: 'write' },
  variants: {
    serial: {
      entryPoint: 'embeddings',
      workgroups: ([quads = 0]) => [Math.ceil(quads / 64), 1, 1],
    },
  },
});

/** Some rows of the word table, `[rows, hidden]`: a large vocabulary exceeds some devices' largest binding. */
export interface WordSlice {
  /** A frozen matrix, in any storage. */
  readonly tensor: Tensor;
  /** The token id of its first row. */
  readonly firstRow: number;
}

export interface EmbeddingTables {
  /** Together every row of the table once. */
  readonly word: readonly WordSlice[];
  /** `[positions, hidden]` */
  readonly position: Tensor;
  /** `[types, hidden]` */
  readonly type: Tensor;
}

/**
 * word[id] + position[position] + type[type id] of every token: `[T, hidden]`. Devlin et al. 2018, arXiv 1810.04805, §3.
 * The tables are frozen; throws TypeError where one requires a gradient, or the word table is no frozen matrix. Derivation: docs/derivations/embeddings.md.
 */
export function embeddings(tape: Tape, tables: EmbeddingTables, hidden: number): Tensor {
  const { word, position, type } = tables;
  for (const table of [...word.map(({ tensor }) => tensor), position, type]) {
    if (table.requiresGradient) throw new TypeError(`${table.name}: embeddings have no backward pass`);
  }
  const output = tape.activation('embeddings', 'tokens', hidden);
  tape.record({
    op: 'embeddings',
    output,
    forward: word.map(({ tensor, firstRow }) => {
      const { rows, storage, scales } = matrixOf(tensor);
      return dispatch(embeddingsForward, {
        params: { columns: hidden, firstRow, sliceRows: rows },
        bindings: { tokens: batchTokens, word: tensor, position, type, scales: scales ?? position, output },
        constants: { STORAGE: storageCode(storage) },
        work: ({ tokenCount }) => [tokenCount * Math.ceil(hidden / 4)],
      });
    }),
  });
  return output;
}
