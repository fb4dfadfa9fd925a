/**
 * The page with a training's curves, which `graft train` leaves as `report.html`.
 * @module graft-ml/report
 */
import uplotScript from 'uplot/dist/uPlot.iife.min.js?raw';
import uplotStyle from 'uplot/dist/uPlot.min.css?raw';
import uplotLicence from 'uplot/LICENSE?raw';
import type { DoneReport, EpochReport, TrainingReport } from '../index';
import chartScript from './report/charts.js?raw';
import { confusionSection } from './report/confusion';
import { type Curves, curvesOf } from './report/curves';
import { escapeHtml, scriptJson } from './report/html';
import { labelSection } from './report/labels';
import style from './report/style.css?raw';
import { duration, grouped, megabytes, metricFigures } from './terminal';

/** What a report shows. */
export interface ReportContent {
  /** Its heading. */
  readonly title: string;
  /** Rows of the table of settings. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** Empty for a regression. */
  readonly labels: readonly string[];
  /** Everything in `training.jsonl`; sections whose reports are missing are left out. */
  readonly reports: readonly TrainingReport[];
}

/** `report.html`: one page that needs no other file and no network. Whatever comes from data is escaped. */
export function renderReport({ title, settings, labels, reports }: ReportContent): string {
  const curves = curvesOf(reports);
  const done = reports.find((report) => report.type === 'done');
  const epochs = reports.filter((report) => report.type === 'epoch');
  const heading = escapeHtml(title);
  // The policy makes "no network" a promise that the browser keeps, whatever the page holds.
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading} – training report</title>
<style>${uplotStyle}</style>
<style>${style}</style>
</head>
<body>
<main>
<header><p class="kicker">Graft training report</p><h1>${heading}</h1></header>
${done === undefined ? '' : figures(done)}
${charts(curves)}
${epochs.length === 0 ? '' : epochTable(epochs, done)}
${done?.dev !== undefined && 'confusion' in done.dev ? confusionSection(done.dev.confusion, labels) : ''}
${done?.dev !== undefined && 'labelF1' in done.dev ? labelSection(done.dev.labelF1, labels) : ''}
${settingsSection(settings)}
</main>
<script type="application/json" id="curves">${scriptJson(curves)}</script>
<script>/*
${uplotLicence}*/
${uplotScript}</script>
<script>${chartScript}</script>
</body>
</html>
`;
}

function figures(done: DoneReport): string {
  const dev =
    done.dev === undefined ? [] : metricFigures(done.dev).map(([name, value]) => [`Dev ${name}`, value, '']);
  const tiles = [
    ...dev,
    [
      'Trained parameters',
      grouped(done.trainableParameters),
      `${(100 * done.trainedShare).toFixed(2)}% of the backbone's ${grouped(done.backboneParameters)}`,
    ],
    ['Examples per second', done.examplesPerSecond.toFixed(1), `${grouped(done.tokensPerSecond)} tokens/s`],
    ['Time', duration(done.seconds), `${grouped(done.steps)} steps`],
    ['Device memory', megabytes(done.peakDeviceBytes), `at most, on ${done.device} (${done.backend})`],
    ['Texts cut off', grouped(done.truncatedExamples), 'longer than the longest text allowed'],
  ];
  const items = tiles.map(
    ([name = '', value = '', note = '']) =>
      `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}${note === '' ? '' : `<small>${escapeHtml(note)}</small>`}</dd></div>`,
  );
  return `<section aria-label="Final figures"><dl class="tiles">${items.join('\n')}</dl></section>`;
}

function charts(curves: Curves): string {
  const { steps, loss, smoothedLoss, learningRate, epochs, dev, stepsPerPoint } = curves;
  const parts: string[] = [];
  const first = smoothedLoss[0];
  const last = smoothedLoss.at(-1);
  if (steps.length > 0 && first !== undefined && last !== undefined) {
    const each = stepsPerPoint === 1 ? 'each step' : `the mean of ${stepsPerPoint} steps`;
    const peak = learningRate.reduce((a, b) => Math.max(a, b), 0);
    parts.push(
      chart(
        'loss',
        'Training loss',
        `From ${(loss[0] ?? first).toFixed(3)} at the start to ${last.toFixed(3)} (smoothed) at step ${grouped(steps.at(-1) ?? 0)}. Thin: ${each}.`,
      ),
      chart('learning-rate', 'Learning rate', `Peak ${Number(peak.toPrecision(3))}.`),
    );
  }
  if (epochs.length > 0 && dev.length > 0) {
    const names = dev.map(({ name }) => name).join(', ');
    parts.push(chart('dev', 'Dev metrics by epoch', `${names}; the figures are in the table below.`));
  }
  if (parts.length === 0) return '';
  return `<div class="charts">${parts.join('\n')}</div>
<noscript><p>The curves are drawn with JavaScript; the tables hold the figures.</p></noscript>`;
}

function chart(id: string, title: string, description: string): string {
  return `<figure id="${id}" class="chart"><figcaption><h2>${title}</h2><p>${description}</p></figcaption>
<div class="plot" role="img" aria-label="${escapeHtml(`${title}. ${description}`)}"></div></figure>`;
}

function epochTable(epochs: readonly EpochReport[], done: DoneReport | undefined): string {
  const names = epochs.find(({ dev }) => dev !== undefined)?.dev;
  const heads = names === undefined ? [] : metricFigures(names).map(([name]) => `Dev ${name}`);
  const rows = epochs.map(({ epoch, step, trainLoss, dev }) => {
    const kept = dev !== undefined && epoch === done?.bestEpoch;
    const figures = dev === undefined ? heads.map(() => '–') : metricFigures(dev).map(([, value]) => value);
    const cells = [grouped(step), trainLoss.toFixed(4), ...figures].map(
      (cell) => `<td class="number">${cell}</td>`,
    );
    return `<tr${kept ? ' class="kept"' : ''}><th scope="row">${epoch}${kept ? ' (kept)' : ''}</th>${cells.join('')}</tr>`;
  });
  const columns = ['Step', 'Training loss', ...heads].map(
    (head) => `<th scope="col" class="number">${head}</th>`,
  );
  return `<section aria-labelledby="epochs-title"><h2 id="epochs-title">Epochs</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Figures of each epoch"><table>
<thead><tr><th scope="col">Epoch</th>${columns.join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div></section>`;
}

function settingsSection(settings: ReportContent['settings']): string {
  const rows = settings.map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<section aria-labelledby="settings-title"><h2 id="settings-title">Settings</h2>
<table class="settings"><tbody>${rows.join('\n')}</tbody></table></section>`;
}
