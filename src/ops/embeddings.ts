import { storageCode } from '../backends/frozen-matrix';
import { defineKernel, dispatch } from '../backends/kernel';
import { batchTokens, gradientOf, type Tape, type Tensor } from '../scheduler/tape';

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

/** An invocation a column: it adds the tokens one after the other, so that the order of a sum is theirs. Work is `[columns]`. */
const tableGradient = defineKernel({
  name: 'embeddings_gradient',
  shader: 'embeddings_gradient',
  params: { columns: 'u32', field: 'u32' },
  bindings: { tokens: 'read', outputGradient: 'read', tableGradient: 'accumulate' },
  variants: {
    serial: {
      entryPoint: 'embeddings_gradient',
      workgroups: ([columns = 0]) => [Math.ceil(columns / 64), 1, 1],
    },
  },
});

/** Some rows of the word table, `[rows, hidden]`: a large vocabulary exceeds some devices' largest binding. */
export interface WordSlice {
  /** A frozen matrix, in any storage, or a trained one. */
  readonly tensor: Tensor;
  /** The token id of its first row. */
  readonly firstRow: number;
}

export interface EmbeddingTables {
  /** Together every row of the table once; a trained table is one slice. */
  readonly word: readonly WordSlice[];
  /** `[positions, hidden]` */
  readonly position: Tensor;
  /** `[types, hidden]` */
  readonly type: Tensor;
}

function countTableRows({ name, rows }: Tensor): number {
  if (typeof rows === 'number') return rows;
  throw new TypeError(`${name} is no table`);
}

/**
 * word[id] + position[position] + type[type id] of every token: `[T, hidden]`. Devlin et al. 2018, arXiv 1810.04805, §3.
 * Each table is frozen or trained; saves nothing. Throws TypeError where a slice of several is trained.
 * Derivation: docs/derivations/embeddings.md.
 */
export function embeddings(tape: Tape, tables: EmbeddingTables, hidden: number): Tensor {
  const { word, position, type } = tables;
  const wordTables = word.map(({ tensor }) => tensor);
  if (word.length > 1 && wordTables.some(({ requiresGradient }) => requiresGradient)) {
    throw new TypeError('embeddings: a trained word table has one slice');
  }
  // Columns 0 to 2 of a token: id, position, type.
  const trained = [wordTables[0], position, type].flatMap((table, field) =>
    table?.requiresGradient === true ? [{ table, field }] : [],
  );
  const output = tape.activation('embeddings', 'tokens', hidden, trained.length > 0);
  tape.record({
    op: 'embeddings',
    output,
    forward: word.map(({ tensor, firstRow }) => {
      // A trained table lies as an f32 one does: row after row.
      const { storage, scales } = tensor.matrix ?? { storage: 'f32', scales: undefined };
      return dispatch(embeddingsForward, {
        params: { columns: hidden, firstRow, sliceRows: countTableRows(tensor) },
        bindings: { tokens: batchTokens, word: tensor, position, type, scales: scales ?? position, output },
        constants: { STORAGE: storageCode(storage) },
        work: ({ tokenCount }) => [tokenCount * Math.ceil(hidden / 4)],
      });
    }),
    backward:
      trained.length > 0
        ? (outputGradient) => ({
            dispatches: trained.map(({ table, field }) =>
              dispatch(tableGradient, {
                params: { columns: hidden, field },
                bindings: { tokens: batchTokens, outputGradient, tableGradient: gradientOf(table) },
                work: () => [hidden],
              }),
            ),
            gradients: new Map(),
          })
        : undefined,
  });
  return output;
}
