import type { WeightStorage } from '../backends/frozen-matrix';
import { embeddings } from '../ops/embeddings';
import { type CaseInput, type CaseSequence, given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

const VOCABULARY = 50;
const POSITIONS = 20;
const TYPES = 2;

/** Sums the rows of the three tables; `word` is the whole table. */
function embed(
  sequences: readonly CaseSequence[],
  columns: number,
  word: Float64Array,
  position: Float64Array,
  type: Float64Array,
): Float64Array {
  const rows = sequences.flatMap(({ ids, typeIds }) =>
    ids.map((id, place) =>
      Array.from(
        { length: columns },
        (_, c) =>
          given(word[id * columns + c]) +
          given(position[place * columns + c]) +
          given(type[given(typeIds[place]) * columns + c]),
      ),
    ),
  );
  return Float64Array.from(rows.flat());
}

function embeddingsCase(
  columns: number,
  firstRows: readonly number[],
  storage: WeightStorage = 'f32',
): OpCase {
  const sequences = sequencesOf([1, 17, 3], VOCABULARY);
  const random = new CaseRandom(columns);
  const table = (name: string, rows: number): CaseInput => ({
    name,
    rows,
    columns,
    role: 'frozen',
    values: random.values(rows * columns),
  });
  const slices = firstRows.map((first, i) => {
    const end = firstRows[i + 1] ?? VOCABULARY;
    return {
      ...table(`word rows ${first} to ${end}`, end - first),
      matrix: { storage, use: 'table' },
    } as const;
  });
  return {
    op: 'embeddings',
    name: `21×${columns}, ${firstRows.length} slices, ${storage}`,
    sequences,
    inputs: [table('position', POSITIONS), table('type', TYPES), ...slices],
    build: (tape, [position, type, ...words]) =>
      embeddings(
        tape,
        {
          word: words.map((tensor, i) => ({ tensor, firstRow: given(firstRows[i]) })),
          position: given(position),
          type: given(type),
        },
        columns,
      ),
    forward: ([position, type, ...words]) => {
      const word = Float64Array.from(words.flatMap((slice) => [...slice]));
      return embed(sequences, columns, word, given(position), given(type));
    },
    backward: (inputs) => inputs.map(() => undefined),
  };
}

/** The three tables, some of them trained. */
function trainedEmbeddingsCase(columns: number, trained: readonly ('word' | 'position' | 'type')[]): OpCase {
  // Fewer words than tokens, so that most of them come more than once.
  const words = 7;
  const sequences = sequencesOf([1, 17, 3], words);
  const random = new CaseRandom(columns);
  const rows = { word: words, position: POSITIONS, type: TYPES };
  const names = ['word', 'position', 'type'] as const;
  const inputs = names.map((name): CaseInput => {
    const input = { name, rows: rows[name], columns, values: random.values(rows[name] * columns) };
    if (trained.includes(name)) return { ...input, role: 'parameter' };
    return name === 'word'
      ? { ...input, role: 'frozen', matrix: { storage: 'f32', use: 'table' } }
      : { ...input, role: 'frozen' };
  });
  const rowsOf = sequences.flatMap(({ ids, typeIds }) =>
    ids.map((id, position) => ({ word: id, position, type: given(typeIds[position]) })),
  );
  return {
    op: 'embeddings',
    name: `21×${columns}, gradients of ${trained.join(', ')}`,
    sequences,
    inputs,
    build: (tape, [word, position, type]) =>
      embeddings(
        tape,
        { word: [{ tensor: given(word), firstRow: 0 }], position: given(position), type: given(type) },
        columns,
      ),
    forward: ([word, position, type]) => embed(sequences, columns, given(word), given(position), given(type)),
    backward: (_, outputGradient) =>
      names.map((name) => {
        if (!trained.includes(name)) return undefined;
        const gradient = new Float64Array(rows[name] * columns);
        rowsOf.forEach((row, token) => {
          for (let c = 0; c < columns; c++) {
            const at = row[name] * columns + c;
            gradient[at] = given(gradient[at]) + given(outputGradient[token * columns + c]);
          }
        });
        return gradient;
      }),
  };
}

export const embeddingsCases = (): readonly OpCase[] => [
  embeddingsCase(1, [0]),
  embeddingsCase(3, [0, 20]),
  embeddingsCase(17, [0, 1, 49]),
  embeddingsCase(65, [0]),
  embeddingsCase(64, [0, 25]),
  embeddingsCase(64, [0, 24], 'f16'),
  embeddingsCase(7, [0, 8], 'f16'),
  embeddingsCase(64, [0, 24], 'int8'),
  embeddingsCase(7, [0, 8], 'int8'),
  ...[1, 3, 64, 65].map((columns) => trainedEmbeddingsCase(columns, ['word', 'position', 'type'])),
  trainedEmbeddingsCase(17, ['position']),
  trainedEmbeddingsCase(17, ['word', 'type']),
];
