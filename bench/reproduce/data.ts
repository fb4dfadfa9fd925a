/** The seven tasks of the comparison, read from a folder of public data and split. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readExamples } from '../../src/cli/data/examples';
import { readTable } from '../../src/cli/data/read-table';
import { type Example, FileAccessError, type Metrics, type TaskKind } from '../../src/index';
import { Random } from '../../src/training/random';

export interface DataSet {
  readonly name: string;
  readonly title: string;
  readonly isGLUE: boolean;
  readonly kind: TaskKind;
  readonly train: readonly Example[];
  /** Chooses the epoch and the learning rate; from the training file, never trained on. */
  readonly validation: readonly Example[];
  /** Scored once a run, after every choice was made. GLUE's dev set, since its test labels are not public. */
  readonly test: readonly Example[];
  readonly metric: string;
  /** In hundredths, as in the paper's table. */
  score(metrics: Metrics): number;
}

interface Source {
  readonly name: string;
  readonly title: string;
  readonly isGLUE: boolean;
  readonly kind: TaskKind;
  readonly metric: DataSet['metric'];
  readonly score: DataSet['score'];
  read(
    directory: string,
  ): Promise<{ readonly train: readonly Example[]; readonly test?: readonly Example[] }>;
}

const accuracy = { metric: 'accuracy', score: (metrics: Metrics) => 100 * part(metrics, 'accuracy') };
const matthews = { metric: 'Matthews', score: (metrics: Metrics) => 100 * part(metrics, 'matthews') };
const spearman = { metric: 'Spearman', score: (metrics: Metrics) => 100 * part(metrics, 'spearman') };

function part(metrics: Metrics, name: 'accuracy' | 'matthews' | 'spearman'): number {
  const value = new Map(Object.entries(metrics)).get(name);
  return typeof value === 'number' ? value : Number.NaN;
}

const classification = 'classification' as const;
const withHeader = { header: true, kind: classification };

export const SOURCES: readonly Source[] = [
  {
    name: 'sst2',
    title: 'SST-2',
    isGLUE: true,
    kind: classification,
    ...accuracy,
    read: (directory) => trainAndDev(directory, { text: 'sentence', label: 'label', ...withHeader }),
  },
  {
    name: 'cola',
    title: 'CoLA',
    isGLUE: true,
    kind: classification,
    ...matthews,
    async read(directory) {
      const columns = { text: '3', label: '1', header: false, kind: classification };
      const { train, test } = await trainAndDev(directory, columns);
      // Some of the dev sentences are in the training file as well.
      const known = new Set(test.map(({ text }) => text));
      return { train: train.filter(({ text }) => !known.has(text)), test };
    },
  },
  {
    name: 'rte',
    title: 'RTE',
    isGLUE: true,
    kind: classification,
    ...accuracy,
    read: (directory) =>
      trainAndDev(directory, { text: 'sentence1', textPair: 'sentence2', label: 'label', ...withHeader }),
  },
  {
    name: 'stsb',
    title: 'STS-B',
    isGLUE: true,
    kind: 'regression',
    ...spearman,
    read: (directory) =>
      trainAndDev(directory, {
        text: 'sentence1',
        textPair: 'sentence2',
        label: 'score',
        header: true,
        kind: 'regression',
      }),
  },
  {
    name: 'trec',
    title: 'TREC',
    isGLUE: false,
    kind: classification,
    ...accuracy,
    read: async (directory) => ({
      train: await labelThenText(join(directory, 'train.txt')),
      test: await labelThenText(join(directory, 'test.txt')),
    }),
  },
  {
    name: 'banking77',
    title: 'Banking77',
    isGLUE: false,
    kind: classification,
    ...accuracy,
    async read(directory) {
      const columns = { text: 'text', label: 'category', ...withHeader };
      const [train, test] = await Promise.all(
        ['train.csv', 'test.csv'].map((file) => readExamples(join(directory, file), columns)),
      );
      return { train: train ?? [], test: test ?? [] };
    },
  },
  {
    name: 'sms_spam',
    title: 'SMS spam',
    isGLUE: false,
    kind: classification,
    ...accuracy,
    async read(directory) {
      const columns = { text: '1', label: '0', header: false, kind: classification };
      const examples = await readExamples(join(directory, 'sms_spam.tsv'), columns);
      // Messages that occur twice would be trained on and scored.
      return { train: [...new Map(examples.map((example) => [example.text, example])).values()] };
    },
  },
];

/** At most so many examples choose epochs and learning rates. */
const MOST_VALIDATION = 1000;
const VALIDATION_SHARE = 0.1;
/** Of a set that comes in one piece. */
const TEST_SHARE = 0.2;

/**
 * The tasks whose folder is in `root`, split by a generator of fixed seed: all runs see the same examples in each part.
 * @throws DataError for a file that is not as expected, FileAccessError where no task's folder is there
 */
export async function readDataSets(root: string, names: readonly string[]): Promise<DataSet[]> {
  const sets: DataSet[] = [];
  for (const { read, ...about } of SOURCES) {
    const directory = join(root, about.name);
    if (!names.includes(about.name) || !existsSync(directory)) continue;
    const { train: all, test } = await read(directory);
    const shuffled = [...all];
    const order = Uint32Array.from(shuffled, (_, index) => index);
    new Random(0, `parts of ${about.name}`).shuffle(order);
    order.forEach((from, to) => {
      const example = all[from];
      if (example !== undefined) shuffled[to] = example;
    });
    const testSize = test === undefined ? Math.round(shuffled.length * TEST_SHARE) : 0;
    const rest = shuffled.length - testSize;
    const validationSize = Math.min(MOST_VALIDATION, Math.round(rest * VALIDATION_SHARE));
    sets.push({
      ...about,
      test: test ?? shuffled.slice(0, testSize),
      validation: shuffled.slice(testSize, testSize + validationSize),
      train: shuffled.slice(testSize + validationSize),
    });
  }
  if (sets.length === 0) {
    throw new FileAccessError(
      root,
      `none of the folders ${names.join(', ')} is in it`,
      'Say where the data are with --data; bench/reproduce/README.md lists the files',
    );
  }
  return sets;
}

async function trainAndDev(directory: string, columns: Parameters<typeof readExamples>[1]) {
  return {
    train: await readExamples(join(directory, 'train.tsv'), columns),
    test: await readExamples(join(directory, 'dev.tsv'), columns),
  };
}

/** TREC's lines: a number, a space, the question. */
async function labelThenText(file: string): Promise<Example[]> {
  const { rows } = await readTable(file, { columns: ['0'], header: false });
  return rows.map(({ cells: [line] }) => {
    const text = String(line);
    const space = text.indexOf(' ');
    return { label: text.slice(0, space), text: text.slice(space + 1) };
  });
}
