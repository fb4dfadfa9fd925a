/** docs/results.md: the paper's table on a backbone of one's own. */
import type { Ablation } from './ablation';
import { type Contestant, FULL } from './contestants';
import type { DataSet } from './data';
import type { RunRecord } from './records';

/** The run whose learning rate validation chose, of one seed. */
export interface Chosen {
  readonly set: DataSet;
  readonly contestant: Contestant;
  readonly record: RunRecord;
}

export interface ResultsContent {
  readonly backbone: string;
  readonly backboneParameters: number;
  readonly date: string;
  readonly sets: readonly DataSet[];
  readonly contestants: readonly Contestant[];
  readonly chosen: readonly Chosen[];
  readonly seeds: number;
  /** In words: how much of the data was trained on. */
  readonly effort: string;
  readonly learningRates: string;
  readonly ablations: readonly Ablation[];
  /** Files of the pictures, relative to the page. */
  readonly pictures: { readonly parameters: string; readonly ablation: string };
  /** How the page is made again. */
  readonly command: string;
}

export function renderResults(content: ResultsContent): string {
  const { sets, contestants, chosen, pictures, ablations } = content;
  const devices = [...new Set(chosen.map(({ record }) => record.device))];
  const lines = [
    '# The paper’s comparison',
    '',
    `Houlsby et al. (2019) compare adapters with fine-tuning; this is their table on ${content.backbone}`,
    `(${grouped(content.backboneParameters)} parameters), made on ${content.date} by`,
    '```sh',
    content.command,
    '```',
    `on ${devices.join('; ')}.`,
    content.effort,
    content.learningRates,
    'Epoch and learning rate are chosen on a tenth of the training file that is not trained on; scores are of the test part, in GLUE of the',
    `dev set, whose labels are public. ${content.seeds === 1 ? 'One seed' : `Medians of ${content.seeds} seeds, with the range`}.`,
    '',
    '## Scores',
    table(content),
    '',
    '*Trained*: numbers trained per task, head included, over those of the backbone; means over the tasks. *Total*: all numbers that',
    `are kept for ${sets.length === 1 ? 'the task' : `all ${sets.length} tasks`}, in backbones.`,
  ];
  if (tableRows(content).length > contestants.length) {
    lines.push('“Adapters, best size” takes each task’s size by validation, as the paper does.');
  }
  if (contestants.includes(FULL)) {
    lines.push(
      '',
      `![Score relative to full fine-tuning against trained numbers per task](${pictures.parameters})`,
      '',
      'Each point is the median over the tasks, with the span from the 20th to the 80th percentile.',
    );
  }
  if (ablations.length > 0) {
    lines.push(
      '',
      '## Taking adapters out',
      `![Score lost where the adapters of a span of layers are taken out](${pictures.ablation})`,
      '',
      'The change of the score when the trained adapters from one layer to another are taken out, without training anew. The diagonal is one',
      'layer alone; the corner is all of them.',
      '',
      '| task | all adapters | worst single layer | without any |',
      '|---|---|---|---|',
      ...ablations.map(ablationRow),
    );
  }
  lines.push('', '## Time', 'Seconds a run, training, validation and test together.', '', timeTable(content));
  const missing = contestants.flatMap((contestant) =>
    sets
      .filter((set) => find(chosen, set, contestant).length === 0)
      .map((set) => `${contestant.title} on ${set.title}`),
  );
  if (missing.length > 0) lines.push('', `Not run yet: ${missing.join(', ')}.`);
  return `${lines.join('\n')}\n`;
}

/** Rows of the table: the contestants, and the best size of those of one family. */
interface TableRow {
  readonly title: string;
  readonly runs: (set: DataSet) => readonly RunRecord[];
}

export function tableRows({
  contestants,
  chosen,
}: Pick<ResultsContent, 'contestants' | 'chosen'>): TableRow[] {
  const rows = contestants.map(
    (contestant): TableRow => ({
      title: contestant.title,
      runs: (set) => find(chosen, set, contestant),
    }),
  );
  const adapters = contestants.filter(({ family }) => family === 'adapters');
  const afterFull = contestants.indexOf(FULL) + 1;
  if (adapters.length > 1) {
    rows.splice(afterFull, 0, { title: 'Adapters, best size', runs: (set) => bestOf(adapters, chosen, set) });
  }
  return rows;
}

function bestOf(
  family: readonly Contestant[],
  chosen: readonly Chosen[],
  set: DataSet,
): readonly RunRecord[] {
  const all = family.map((contestant) => find(chosen, set, contestant)).filter(({ length }) => length > 0);
  const validation = (runs: readonly RunRecord[]) => median(runs.map((run) => run.validation));
  return all.reduce<readonly RunRecord[]>(
    (best, runs) => (best.length === 0 || validation(runs) > validation(best) ? runs : best),
    [],
  );
}

export function find(chosen: readonly Chosen[], set: DataSet, contestant: Contestant): RunRecord[] {
  return chosen.filter((run) => run.set === set && run.contestant === contestant).map(({ record }) => record);
}

function table(content: ResultsContent): string {
  const { sets } = content;
  const glue = sets.filter(({ isGLUE }) => isGLUE);
  const heads = ['', 'Total', 'Trained', ...sets.map(({ title, metric }) => `${title}, ${metric}`)];
  if (glue.length > 1) heads.push('GLUE mean');
  if (sets.length > glue.length) heads.push('Mean');
  const rows = tableRows(content).map(({ title, runs }) => {
    const scores = sets.map((set) => runs(set).map(({ test }) => test));
    const shares = sets.map((set) => median(runs(set).map(shareOf)));
    const total = (title === FULL.title ? 0 : 1) + shares.reduce((sum, share) => sum + share, 0);
    const meanOf = (some: readonly DataSet[]) =>
      mean(some.map((set) => median(runs(set).map(({ test }) => test))));
    const cells = [
      title,
      figure(total, (value) => `${value.toFixed(2)}×`),
      figure(mean(shares), (value) => `${(100 * value).toFixed(2)}%`),
      ...scores.map(scoreCell),
    ];
    if (glue.length > 1) cells.push(figure(meanOf(glue), (value) => value.toFixed(1)));
    if (sets.length > glue.length) cells.push(figure(meanOf(sets), (value) => value.toFixed(1)));
    return `| ${cells.join(' | ')} |`;
  });
  return ['', `| ${heads.join(' | ')} |`, `|${heads.map(() => '---|').join('')}`, ...rows].join('\n');
}

function scoreCell(scores: readonly number[]): string {
  const middle = figure(median(scores), (value) => value.toFixed(1));
  if (scores.length < 2) return middle;
  return `${middle} (${Math.min(...scores).toFixed(1)}–${Math.max(...scores).toFixed(1)})`;
}

function timeTable({ sets, contestants, chosen }: ResultsContent): string {
  const rows = contestants.map((contestant) => {
    const cells = sets.map((set) =>
      figure(median(find(chosen, set, contestant).map(({ seconds }) => seconds)), (value) =>
        value.toFixed(0),
      ),
    );
    return `| ${[contestant.title, ...cells].join(' | ')} |`;
  });
  const heads = ['', ...sets.map(({ title }) => title)];
  return [`| ${heads.join(' | ')} |`, `|${heads.map(() => '---|').join('')}`, ...rows].join('\n');
}

function ablationRow({ title, whole, cells, layers }: Ablation): string {
  const single = cells.filter(([first, last]) => first === last).map(([, , change]) => change);
  const none = cells.find(([first, last]) => first === 0 && last === layers - 1)?.[2] ?? Number.NaN;
  return `| ${title} | ${whole.toFixed(1)} | ${signed(Math.min(...single))} | ${signed(none)} |`;
}

/** Trained numbers per task over the backbone's. */
export function shareOf({ trainedParameters, backboneParameters }: RunRecord): number {
  return trainedParameters / backboneParameters;
}

function figure(value: number, show: (value: number) => string): string {
  return Number.isNaN(value) ? '–' : show(value);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** NaN of nothing; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two values linearly. NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
