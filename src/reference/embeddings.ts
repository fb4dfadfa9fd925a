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
];
