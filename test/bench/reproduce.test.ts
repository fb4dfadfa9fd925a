/** The paper's comparison: what fits into a time, what the page says, and small runs that are stopped and go on. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ablate } from '../../bench/reproduce/ablation';
import { effortWithin, estimate, FULL_EFFORT, shareOf } from '../../bench/reproduce/budget';
import { CONTESTANTS, type Contestant, FULL } from '../../bench/reproduce/contestants';
import { type DataSet, readDataSets, SOURCES } from '../../bench/reproduce/data';
import { ablationPicture, parametersPicture, points } from '../../bench/reproduce/pictures';
import type { ReproduceOptions } from '../../bench/reproduce/program';
import { Records, type RunRecord, type RunSettings } from '../../bench/reproduce/records';
import { reproduce } from '../../bench/reproduce/reproduce';
import { type Chosen, quantile, renderResults } from '../../bench/reproduce/results';
import { run } from '../../bench/reproduce/run';
import { type Backbone, createRuntime, loadBackbone, type Runtime } from '../../src/index';
import { sharedPath } from '../support/shared';

const TEXTS = {
  fruit: ['a ripe pear', 'two apples', 'sour cherries', 'a bowl of plums'],
  tool: ['a hammer', 'the old saw', 'a box of nails', 'two chisels'],
};

/** 32 examples of two classes that are told apart by their words. */
function examples() {
  return Array.from({ length: 32 }, (_, index) => {
    const label = index % 2 === 0 ? 'fruit' : 'tool';
    return { text: `${TEXTS[label][(index >> 1) % 4]} number ${index}`, label };
  });
}

function dataSet(name = 'goods', isGLUE = true): DataSet {
  return {
    name,
    title: name,
    isGLUE,
    kind: 'classification',
    metric: 'accuracy',
    train: examples(),
    validation: examples().slice(0, 8),
    test: examples().slice(0, 16),
    score: (metrics) => ('accuracy' in metrics ? 100 * metrics.accuracy : Number.NaN),
  };
}

function contestant(name: string): Contestant {
  const found = CONTESTANTS.find((candidate) => candidate.name === name);
  if (found === undefined) throw new RangeError(name);
  return found;
}

function settingsOf(task: string, name: string): RunSettings {
  return {
    backbone: 'graft-mini',
    task,
    contestant: name,
    learningRate: 1e-3,
    seed: 0,
    rows: 32,
    epochs: 2,
    validationRows: 8,
    testRows: 16,
  };
}

describe('what fits into a time', () => {
  const sets = [dataSet()];
  const lengths = new Map(sets.map((set) => [set, 10]));
  const speeds = new Map(CONTESTANTS.map((each) => [each, 1000]));

  it('repeats small sets and takes a part of large ones', () => {
    const effort = { presentations: 3000, fewestEpochs: 3, mostEpochs: 20 };
    expect(shareOf(effort, 50)).toEqual({ rows: 50, epochs: 20 });
    expect(shareOf(effort, 600)).toEqual({ rows: 600, epochs: 5 });
    expect(shareOf(effort, 67_000)).toEqual({ rows: 1000, epochs: 3 });
    expect(shareOf(FULL_EFFORT, 67_000)).toEqual({ rows: 67_000, epochs: 3 });
  });

  it('finds the largest effort within it', () => {
    const effort = effortWithin(60, sets, speeds, lengths);
    expect(estimate(effort, sets, speeds, lengths)).toBeLessThanOrEqual(60);
    const more = { ...effort, presentations: effort.presentations + 32 };
    expect(estimate(more, sets, speeds, lengths)).toBeGreaterThan(60);
  });
});

describe('the page', () => {
  const sets = [dataSet('one'), dataSet('two'), dataSet('three', false)];
  const contestants = [FULL, contestant('adapters-8'), contestant('adapters-64')];
  const scores: Record<string, number[]> = {
    full: [90, 80, 70],
    'adapters-8': [88, 79, 71],
    'adapters-64': [89, 77, 70.5],
  };
  const chosen: Chosen[] = contestants.flatMap((each) =>
    sets.map((set, index): Chosen => {
      const test = scores[each.name]?.[index] ?? 0;
      const record: RunRecord = {
        settings: settingsOf(set.name, each.name),
        validation: test + 1,
        test,
        bestEpoch: 1,
        trainedParameters: each === FULL ? 1000 : 10 * Number(each.method.options.bottleneck),
        backboneParameters: 1000,
        seconds: 12,
        device: 'a device',
        date: '2026-01-01',
      };
      return { set, contestant: each, record };
    }),
  );
  const content = {
    backbone: 'a backbone',
    backboneParameters: 1000,
    date: '2026-01-01',
    sets,
    contestants,
    seeds: 1,
    effort: 'Some data.',
    learningRates: 'One each.',
    ablations: [],
    pictures: { parameters: 'p.svg', ablation: 'a.svg' },
    command: 'npm run reproduce',
  };

  it('has scores, sizes and means, and the best size by validation', () => {
    const page = renderResults({ ...content, chosen });
    expect(page).toContain('| Full fine-tuning | 3.00× | 100.00% | 90.0 | 80.0 | 70.0 | 85.0 | 80.0 |');
    expect(page).toContain('| Adapters, 8 | 1.24× | 8.00% | 88.0 | 79.0 | 71.0 | 83.5 | 79.3 |');
    expect(page).toContain('| Adapters, best size | 1.80× | 26.67% | 89.0 | 79.0 | 71.0 | 84.0 | 79.7 |');
    expect(page).toContain('```sh\nnpm run reproduce\n```\non a device.');
    expect(page).not.toContain('Not run yet');
  });

  it('says what has not been run', () => {
    const page = renderResults({ ...content, chosen: chosen.slice(0, -1) });
    expect(page).toContain('Not run yet: Adapters, 64 on three.');
  });

  it('draws differences to full fine-tuning', () => {
    const drawn = points(contestants, sets, chosen);
    expect(drawn.map(({ middle }) => middle)).toEqual([0, -1, -1]);
    expect(drawn[1]).toMatchObject({ trainedParameters: 80, low: quantile([-2, -1, 1], 0.2) });
    expect(parametersPicture(drawn)).toMatch(
      /^<svg[\s\S]*Adapters \(8, 64\)[\s\S]*Full fine-tuning[\s\S]*<\/svg>/,
    );
    const cells = [
      [0, 0, -1.5],
      [0, 1, -9],
      [1, 1, 0],
    ] as const;
    const picture = ablationPicture([{ title: 'one', layers: 2, whole: 90, cells }]);
    expect(picture).toContain('-1.5');
    expect(picture).toContain('First layer taken out');
  });
});

describe('a run', () => {
  const directory = mkdtempSync(join(tmpdir(), 'graft-reproduce-'));
  let runtime: Runtime;
  let backbone: Backbone;

  beforeAll(async () => {
    runtime = await createRuntime({ backend: 'wasm' });
    backbone = await loadBackbone({ runtime });
  });

  afterAll(() => {
    backbone.dispose();
    runtime.dispose();
    rmSync(directory, { recursive: true });
  });

  async function runs(folder: string) {
    const records = await Records.open(join(directory, folder));
    const set = dataSet();
    const settings = settingsOf(set.name, 'adapters-64');
    const request = { backbone, set, contestant: contestant('adapters-64'), settings, records, keep: true };
    return { records, settings, request };
  }

  it('that was stopped goes on to the same result, and is then known', async () => {
    const whole = await runs('whole');
    const record = await run({ ...whole.request, signal: new AbortController().signal, onStep: () => {} });
    expect(record.trainedParameters).toBeGreaterThan(0);

    const stopped = await runs('stopped');
    const controller = new AbortController();
    const onStep = () => controller.abort();
    await expect(run({ ...stopped.request, signal: controller.signal, onStep })).rejects.toThrow();
    expect(stopped.records.find(stopped.settings)).toBeUndefined();
    expect(existsSync(stopped.records.path(stopped.settings, '.state'))).toBe(true);
    // As if it had taken long: it counts.
    expect(stopped.records.spent(stopped.settings)).toBeGreaterThan(0);
    await stopped.records.saveSpent(stopped.settings, 1000);
    const resumed = await run({
      ...stopped.request,
      signal: new AbortController().signal,
      onStep: () => {},
    });
    expect(resumed).toMatchObject({ test: record.test, validation: record.validation });
    expect(stopped.records.find(stopped.settings)).toEqual(resumed);
    expect(stopped.records.find({ ...stopped.settings, seed: 1 })).toBeUndefined();
    expect(resumed.seconds).toBeGreaterThan(1000);
    expect(readdirSync(join(directory, 'stopped')).filter((file) => /state|seconds/.test(file))).toEqual([]);
  });

  it('of adapters has the identity in the place of those that are taken out', async () => {
    const { records, settings, request } = await runs('whole');
    const { layers } = backbone.config;
    const files = records.path(settings, '');
    const { test } = request.set;
    // The loss and not the accuracy: it tells adapters apart that change no label.
    const set: DataSet = { ...request.set, score: ({ loss }) => loss };
    const { signal } = new AbortController();
    const ablation = await ablate({ backbone, set, files, examples: test, signal, onProgress: () => {} });
    expect(ablation.cells.length).toBe((layers * (layers + 1)) / 2);
    expect(records.ablation(settings, test.length)).toBeUndefined();
    await records.saveAblation(settings, test.length, ablation);
    expect(records.ablation(settings, test.length)).toEqual(ablation);
    expect(records.ablation(settings, test.length + 1)).toBeUndefined();

    await using task = await backbone.loadTask(files);
    expect(ablation.whole).toBe((await task.evaluate(test)).loss);
    for (const [first, last, change] of ablation.cells) {
      await using without = await backbone.loadTask(files);
      without.setParameters((name, present) => {
        const [, layer, part] = /^layer\.(\d+)\.\w+\.adapter\.(\w+)\./.exec(name) ?? [];
        const isOut = part === 'up' && first <= Number(layer) && Number(layer) <= last;
        return isOut ? present.map(() => 0) : present;
      });
      expect(ablation.whole + change).toBeCloseTo((await without.evaluate(test)).loss, 6);
      expect(change).not.toBe(0);
    }
  });
});

describe('a comparison', () => {
  it('tries the learning rates that it is told to, and scores the one that validates best', {
    timeout: 60_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'graft-comparison-'));
    const data = join(directory, 'sms_spam');
    mkdirSync(data);
    const rows = [0, 1, 2].flatMap((copy) =>
      examples().map(({ text, label }) => `${label === 'tool' ? 'spam' : 'ham'}\t${text}, ${copy}`),
    );
    writeFileSync(join(data, 'sms_spam.tsv'), `${rows.join('\n')}\n`);
    const options: ReproduceOptions = {
      backbone: 'graft-mini',
      data: directory,
      tasks: ['sms_spam'],
      methods: ['layer-norm'],
      minutes: 1,
      examples: 96,
      full: false,
      rates: 2,
      seeds: 1,
      backend: 'wasm',
      runs: join(directory, 'runs'),
      out: join(directory, 'page.md'),
    };
    const command = 'npm run reproduce -- --rates 2';
    await reproduce(options, command);
    const runs = join(directory, 'runs', 'graft-mini');
    const files = readdirSync(runs).filter((file) => file.endsWith('.json'));
    const tried = files.map((file): RunRecord => JSON.parse(readFileSync(join(runs, file), 'utf8')));
    const rates = contestant('layer-norm').learningRates.slice(0, 2);
    expect(tried.map(({ settings }) => settings.learningRate).sort()).toEqual([...rates].sort());

    // What has been run is not run again: these scores are none that it can come to.
    for (const [index, record] of tried.entries()) {
      const isSecond = record.settings.learningRate === rates[1];
      const scores = isSecond ? { validation: 101, test: 12.3 } : { validation: 100, test: 45.6 };
      writeFileSync(join(runs, files[index] ?? ''), JSON.stringify({ ...record, ...scores }));
    }
    await reproduce(options, command);
    const page = readFileSync(options.out, 'utf8');
    expect(page).toMatch(/\| LayerNorm only \| 1\.\d+× \| 0\.\d+% \| 12\.3 \|/);
    expect(page).toContain('Learning rates: LayerNorm only 0.003, 0.001.');
    expect(page).not.toContain('parameters.svg');
    rmSync(directory, { recursive: true });
  });
});

const shared = sharedPath('data');
if (shared === undefined) {
  console.warn('skipped: the parts of the public data; the shared data are not beside the repository');
}

describe.skipIf(shared === undefined)('the public data', () => {
  it('come in parts that share no text', { timeout: 60_000 }, async () => {
    const sets = await readDataSets(
      shared ?? '',
      SOURCES.map(({ name }) => name),
    );
    expect(sets.map(({ name }) => name)).toEqual(SOURCES.map(({ name }) => name));
    const sizes = new Map(sets.map((set) => [set.name, set]));
    // Rows of the files, SOURCES.md: a tenth, and at most 1,000, are for validation.
    expect(sizes.get('sst2')?.train.length).toBe(67_349 - 1000);
    expect(sizes.get('trec')?.test.length).toBe(500);
    const cola = sizes.get('cola');
    const trained = new Set([...(cola?.train ?? []), ...(cola?.validation ?? [])].map(({ text }) => text));
    expect(cola?.test.length).toBe(1043);
    expect(cola?.test.filter(({ text }) => trained.has(text))).toEqual([]);
    const spam = sizes.get('sms_spam');
    const all = [...(spam?.train ?? []), ...(spam?.validation ?? []), ...(spam?.test ?? [])];
    expect(all.length).toBe(new Set(all.map(({ text }) => text)).size);
    expect(sizes.get('trec')?.train[0]?.text).not.toMatch(/^\d/);
  });
});
