/**
 * The demo: two tasks, trained one after the other on one frozen backbone.  npm run demo
 * It writes each task's adapter, and a report with the curves, to build/demo/.
 */
import { statSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import cliProgress from 'cli-progress';
import { createRuntime, houlsby, loadBackbone, writeFilesAtomic } from 'graft-ml';
import { graftMini } from 'graft-ml/mini';
import { renderReport } from 'graft-ml/report';
import { readExamples } from './read-examples.mjs';

const TASKS = [
  {
    name: 'messages',
    about: 'messages to a shop, by topic',
    fresh: [
      'The box has been at the depot since Tuesday, will it ever reach me?',
      'I was billed for two seats and I have only one.',
      'These gloves are too big, can I swap them for a smaller pair?',
      'The screen freezes whenever I open the settings.',
    ],
  },
  {
    name: 'reviews',
    about: 'reviews of anything, by sentiment',
    fresh: [
      'We had a great time and the food was excellent.',
      'The remote broke after a day and nobody answers the phone.',
      'A slow, boring film.',
    ],
  },
];
const RECIPE = { epochs: 6, batchSize: 16, learningRate: 1e-3 };
const BOTTLENECK = 16;

const start = performance.now();
const runtime = await createRuntime();
const backbone = await loadBackbone({ runtime });
const backboneBytes = Object.values(graftMini).reduce((sum, file) => sum + statSync(file).size, 0);

console.log('One frozen backbone, an adapter for each task.\n');
row('backbone', `${backbone.description}, ${number(backbone.parameterCount)} parameters`);
row('device', `${runtime.device.name} (${runtime.backend})`);

const adapterBytes = [];
for (const task of TASKS) adapterBytes.push(await run(task));

console.log('\nOn the disk');
row('backbone', `${bytes(backboneBytes)}, once`);
for (const [i, { name }] of TASKS.entries()) row(name, `${bytes(adapterBytes[i])}, adapter and head`);
console.log(`\nAll of it took ${seconds(start)}. Now a text of your own:`);
console.log('  npm run graft -- predict --adapter build/demo/messages "Where is my parcel?"');
runtime.dispose();

/** Trains, saves and tries one task; returns the size of its files. */
async function run({ name, about, fresh }) {
  const train = readExamples(`${name}.train`);
  const dev = readExamples(`${name}.dev`);
  const labels = [...new Set(train.map(({ label }) => label))].sort();
  console.log(`\n${name}: ${about}`);
  row('examples', `${train.length} to train on, ${dev.length} to test on`);
  row('labels', labels.join(', '));

  const task = await backbone.createTask({ name, labels, adapter: houlsby({ bottleneck: BOTTLENECK }) });
  const before = await task.evaluate(dev);
  const reports = await trained(task, train, dev);
  const done = reports.at(-1);
  row('dev accuracy', `${percent(before.accuracy)} before, ${percent(done.dev.accuracy)} after training`);
  row('trained', `${number(done.trainableParameters)} parameters in ${done.seconds.toFixed(1)} s`);

  const files = await task.save();
  const settings = [
    ['Backbone', backbone.description],
    ['Adapter', `houlsby, bottleneck ${BOTTLENECK}`],
    ...Object.entries(RECIPE).map(([setting, value]) => [setting, String(value)]),
  ];
  const report = renderReport({ title: `Demo: ${name}`, settings, labels, reports });
  const directory = fileURLToPath(new URL(`../build/demo/${name}`, import.meta.url));
  await writeFilesAtomic(directory, { ...files, 'report.html': new TextEncoder().encode(report) });
  row('report', `${relative('.', directory)}/report.html`);

  const predictions = await task.predict(fresh);
  for (const [i, text] of fresh.entries()) showPrediction(text, predictions[i]);
  task.dispose();
  return Object.values(files).reduce((sum, file) => sum + file.length, 0);
}

/** Trains with a bar, or lines where there is no terminal to draw it on; returns all reports, the last one being the run's. */
async function trained(task, train, dev) {
  const bar = new cliProgress.SingleBar({
    format: '  training       {bar} step {value} of {total}, loss {loss}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
  });
  const reports = [];
  for await (const report of task.train(train, { ...RECIPE, dev })) {
    reports.push(report);
    if (report.type !== 'step') continue;
    const payload = { loss: report.loss.toFixed(3) };
    if (report.step === 1) bar.start(report.totalSteps, 1, payload);
    else bar.update(report.step, payload);
  }
  bar.stop();
  return reports;
}

/** The labels' probabilities as bars, the likeliest first. */
function showPrediction(text, { scores }) {
  console.log(`\n  ${text}`);
  const width = Math.max(...Object.keys(scores).map((label) => label.length));
  for (const [label, score] of Object.entries(scores).sort(([, a], [, b]) => b - a)) {
    const bar = '█'.repeat(Math.round(24 * score)).padEnd(24, '░');
    console.log(`    ${label.padEnd(width)}  ${bar} ${score.toFixed(2)}`);
  }
}

function row(name, value) {
  console.log(`  ${name.padEnd(14)} ${value}`);
}

function number(value) {
  return value.toLocaleString('en-US');
}

function bytes(count) {
  return `${number(count)} bytes`;
}

function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
