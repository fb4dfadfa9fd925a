/** All runs, one after another, and the page about them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { interruptible } from '../../src/cli/interrupt';
import { createProgress, type Progress } from '../../src/cli/progress';
import { type Backbone, createRuntime, loadBackbone, OptionError } from '../../src/index';
import { type Ablation, ablate } from './ablation';
import { type Effort, effortOf, effortWithin, FULL_EFFORT, type Lengths, shareOf } from './budget';
import { CONTESTANTS, type Contestant, FULL, MOST_RATES } from './contestants';
import { type DataSet, readDataSets } from './data';
import { ablationPicture, parametersPicture, points } from './pictures';
import type { ReproduceOptions } from './program';
import { Records, type RunRecord, type RunSettings } from './records';
import { type Chosen, renderResults } from './results';
import { run } from './run';
import { meanLength, measureSpeeds } from './speed';

/** What is ablated, on which tasks: the paper shows two. */
const ABLATED_CONTESTANT = 'adapters-64';
const MOST_ABLATED_TASKS = 2;
/** A heat map has a cell for every span of layers: 21 evaluations for six layers. */
const ABLATION_EXAMPLES = 400;

/** `command` is what was typed, for the page. Throws what loading and training throw. */
export async function reproduce(options: ReproduceOptions, command: string): Promise<void> {
  await interruptible(async (signal) => {
    const progress = createProgress();
    await using runtime = await createRuntime({ backend: options.backend });
    await using backbone = await loadBackbone(options.backbone, {
      runtime,
      signal,
      onProgress: progress.download,
    });
    try {
      await new Comparison(options, { backbone, progress, signal, command }).run();
    } finally {
      progress.stop();
    }
  });
}

interface Surroundings {
  readonly backbone: Backbone;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly command: string;
}

class Comparison {
  readonly #options: ReproduceOptions;
  readonly #surroundings: Surroundings;
  /** How many learning rates each method tries. */
  readonly #rates: number;

  constructor(options: ReproduceOptions, surroundings: Surroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#rates = options.rates ?? (options.full ? MOST_RATES : 1);
  }

  async run(): Promise<void> {
    const { backbone, progress } = this.#surroundings;
    const { seeds } = this.#options;
    const sets = await readDataSets(this.#options.data, this.#options.tasks);
    const contestants = this.#contestants();
    const records = await Records.open(join(this.#options.runs, basename(backbone.description)));
    const effort = await this.#effort(sets, contestants, records);
    const chosen: Chosen[] = [];
    const total = sets.length * contestants.length * seeds;
    for (let seed = 0; seed < seeds; seed++) {
      for (const set of sets) {
        for (const contestant of contestants) {
          const what = `${chosen.length + 1} of ${total}: ${contestant.title} on ${set.title}`;
          const record = await this.#best({ set, contestant, seed }, effort, records, what);
          chosen.push({ set, contestant, record });
          progress.note(`${what}: ${record.test.toFixed(1)} (${record.seconds.toFixed(0)} s)`);
          await this.#write(sets, contestants, chosen, effort, []);
        }
      }
    }
    const ablations = await this.#ablations(chosen, records);
    await this.#write(sets, contestants, chosen, effort, ablations);
    progress.note(`written: ${this.#options.out}`);
  }

  #contestants(): Contestant[] {
    const { layers } = this.#surroundings.backbone.config;
    // A backbone of three layers has no "top three layers" beside all of them.
    return CONTESTANTS.filter(
      ({ name, method }) =>
        this.#options.methods.includes(name) && (method.kind !== 'top-k' || method.options.topK !== layers),
    ).filter(({ method }) => Number(method.options.topK ?? 0) <= layers);
  }

  /** Remembered with the runs: a later start would measure other speeds, and its runs would be others. */
  async #effort(
    sets: readonly DataSet[],
    contestants: readonly Contestant[],
    records: Records,
  ): Promise<Effort> {
    const { full, minutes, examples } = this.#options;
    if (full) return FULL_EFFORT;
    if (examples !== undefined) return effortOf(examples);
    // Other tasks or methods take other times.
    const names = [sets, contestants].map((all) => all.map(({ name }) => name).join('+'));
    const budget = [`${minutes}-minutes`, `${this.#rates}-rates`, ...names].join('-');
    const known = records.effort(budget);
    if (known !== undefined) return known;
    const { backbone, progress, signal } = this.#surroundings;
    progress.note('measuring how fast each method trains here');
    const [first] = sets;
    if (first === undefined) throw new OptionError('tasks', 'none is chosen');
    const speeds = await measureSpeeds(backbone, contestants, first.train, signal);
    const lengths: Lengths = new Map(sets.map((set) => [set, meanLength(backbone, set.train)]));
    const effort = effortWithin((minutes * 60) / this.#rates, sets, speeds, lengths);
    await records.saveEffort(budget, effort);
    return effort;
  }

  /** The learning rate that validates best of those that are tried. */
  async #best(
    { set, contestant, seed }: { set: DataSet; contestant: Contestant; seed: number },
    effort: Effort,
    records: Records,
    what: string,
  ): Promise<RunRecord> {
    const { backbone, progress, signal } = this.#surroundings;
    const rates = contestant.learningRates.slice(0, this.#rates);
    const { rows, epochs } = shareOf(effort, set.train.length);
    let best: RunRecord | undefined;
    for (const learningRate of rates) {
      const settings: RunSettings = {
        backbone: backbone.description,
        task: set.name,
        contestant: contestant.name,
        learningRate,
        seed,
        rows,
        epochs,
        validationRows: Math.min(set.validation.length, rows),
        testRows: set.test.length,
      };
      const known = records.find(settings);
      if (known === undefined) progress.note(`${what}, learning rate ${learningRate}`);
      const keep = contestant.name === ABLATED_CONTESTANT;
      const record =
        known ??
        (await run({ backbone, set, contestant, settings, records, signal, keep, onStep: progress.step }));
      // A rate at which the loss diverges scores badly and is not taken; NaN is never above.
      if (best === undefined || record.validation > best.validation) best = record;
    }
    if (best === undefined) throw new RangeError(`${contestant.name} has no learning rate`);
    return best;
  }

  async #ablations(chosen: readonly Chosen[], records: Records): Promise<Ablation[]> {
    const { backbone, progress, signal } = this.#surroundings;
    const candidates = chosen.filter(
      ({ set, contestant, record }) =>
        contestant.name === ABLATED_CONTESTANT && set.kind === 'classification' && record.settings.seed === 0,
    );
    const ablations: Ablation[] = [];
    for (const { set, record } of candidates.slice(0, MOST_ABLATED_TASKS)) {
      const examples = set.test.slice(0, ABLATION_EXAMPLES);
      let ablation = records.ablation(record.settings, examples.length);
      if (ablation === undefined) {
        ablation = await ablate({
          backbone,
          set,
          files: records.path(record.settings, ''),
          examples,
          signal,
          onProgress: (done, total) =>
            progress.note(`taking adapters out on ${set.title}: ${done} of ${total}`),
        });
        await records.saveAblation(record.settings, examples.length, ablation);
      }
      ablations.push(ablation);
    }
    return ablations;
  }

  async #write(
    sets: readonly DataSet[],
    contestants: readonly Contestant[],
    chosen: readonly Chosen[],
    effort: Effort,
    ablations: readonly Ablation[],
  ): Promise<void> {
    const { backbone, command } = this.#surroundings;
    const { out, seeds } = this.#options;
    const folder = basename(out, '.md');
    const pictures = { parameters: `${folder}/parameters.svg`, ablation: `${folder}/ablation.svg` };
    const page = renderResults({
      backbone: basename(backbone.description),
      backboneParameters: backbone.parameterCount,
      date: new Date().toISOString().slice(0, 10),
      sets,
      contestants,
      chosen,
      seeds,
      effort: describeEffort(effort),
      learningRates: `Learning rates: ${describeRates(contestants, this.#rates)}.`,
      ablations,
      pictures,
      command,
    });
    await mkdir(join(dirname(out), folder), { recursive: true });
    if (contestants.includes(FULL)) {
      const svg = parametersPicture(points(contestants, sets, chosen));
      await writeFile(join(dirname(out), pictures.parameters), svg);
    }
    if (ablations.length > 0) {
      await writeFile(join(dirname(out), pictures.ablation), ablationPicture(ablations));
    }
    await writeFile(out, page);
  }
}

function describeEffort({ presentations, fewestEpochs, mostEpochs }: Effort): string {
  return presentations === Number.POSITIVE_INFINITY
    ? `All training data, ${fewestEpochs} epochs, batches of 32.`
    : `A run sees at most ${presentations.toLocaleString('en-US')} examples, in ${fewestEpochs} to ${mostEpochs} epochs of batches of 32.`;
}

function describeRates(contestants: readonly Contestant[], count: number): string {
  const groups = new Map<string, string[]>();
  for (const { learningRates, title } of contestants) {
    const rates = learningRates.slice(0, count).join(', ');
    groups.set(rates, [...(groups.get(rates) ?? []), title]);
  }
  return [...groups].map(([rates, titles]) => `${titles.join(', ')} ${rates}`).join('; ');
}
