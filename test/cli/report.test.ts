import { describe, expect, it } from 'vitest';
import { renderReport } from '../../src/cli/report';
import { curvesOf, smooth } from '../../src/cli/report/curves';
import { done, epoch, run, step } from './fixtures';

const hostile = `<script>alert("x")</script><img src=x onerror='y'>&amp;</title>`;

describe('the report', () => {
  const labels = ['negative', hostile];
  const page = renderReport({
    title: hostile,
    settings: [['Backbone', hostile]],
    labels,
    reports: run(labels),
  });

  it('escapes whatever comes from data', () => {
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62;');
    // Its own elements and no other: the JSON, uPlot, the charts.
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page.match(/<\/script>/g)).toHaveLength(3);
  });

  it('needs nothing from anywhere else', () => {
    const plain = renderReport({ title: 't', settings: [], labels: ['a', 'b'], reports: run(['a', 'b']) });
    expect(plain).toContain("default-src 'none'");
    expect(plain.match(/<link|<img|@import|url\(|\ssrc=|fetch\(|XMLHttpRequest/)).toBeNull();
  });

  it('holds the style and script of the charts', () => {
    expect(page).toContain('.u-axis');
    expect(page).toContain('uPlot');
    expect(page).toContain('--surface');
  });

  it('tells the curves in words and the figures in tables', () => {
    expect(page).toMatch(/role="img" aria-label="Training loss\. From 0\.\d{3} at the start/);
    expect(page).toContain('3 (kept)');
    expect(page).toContain('0.9000');
    expect(page).toContain('646,274');
  });

  it('shows the confusions of many labels as a list', () => {
    const many = Array.from({ length: 77 }, (_, i) => `intent ${i}`);
    const large = renderReport({ title: 't', settings: [], labels: many, reports: run(many) });
    expect(large).toContain('among 77 labels');
    expect(large).not.toContain('class="matrix"');
  });

  it('shows how well each label of a multi-label task was found, the lowest first', () => {
    const dev = {
      exactMatch: 0.5,
      microF1: 0.8,
      macroF1: 0.75,
      labelF1: [0.9, 0.6],
      loss: 0.1,
      examples: 8,
    };
    const reports = [step(1), epoch(1, { dev }), done({ dev })];
    const page = renderReport({ title: 't', settings: [], labels: ['easy', hostile], reports });
    expect(page).toMatch(/Labels[\s\S]*&#60;script&#62;alert[\s\S]*0\.6000[\s\S]*easy[\s\S]*0\.9000/);
    expect(page).toContain('Dev micro F1');
    expect(page).not.toContain('class="matrix"');
    expect(curvesOf(reports).dev.map(({ name }) => name)).toEqual(['Micro F1', 'Macro F1', 'Exact match']);
  });

  it('is whole without dev metrics, and without any report', () => {
    const reports = run(labels).map((report) =>
      report.type === 'step' ? report : { ...report, dev: undefined },
    );
    const plain = renderReport({ title: 't', settings: [], labels: [], reports });
    expect(plain).toContain('id="loss"');
    expect(plain).not.toContain('id="dev"');
    expect(renderReport({ title: 't', settings: [], labels: [], reports: [] })).toContain('</html>');
  });
});

describe('the curves', () => {
  it('are smoothed without a pull to zero at the start', () => {
    expect(smooth([2, 2, 2], 10)).toEqual([expect.closeTo(2), expect.closeTo(2), expect.closeTo(2)]);
    expect(smooth([1, 3], 2)).toEqual([1, expect.closeTo((0.25 * 1 + 0.5 * 3) / 0.75)]);
    expect(smooth([], 5)).toEqual([]);
  });

  it('are thinned to means where a run is long', () => {
    const curves = curvesOf(Array.from({ length: 4001 }, (_, i) => step(i + 1, { loss: i % 3 })));
    expect(curves.stepsPerPoint).toBe(3);
    expect(curves.loss).toHaveLength(1334);
    expect(curves.loss.slice(0, 1333).every((loss) => loss === 1)).toBe(true);
    expect(curves.steps.slice(0, 2)).toEqual([3, 6]);
    expect(curves.steps.at(-1)).toBe(4001);
  });

  it('leave a gap where a correlation is none', () => {
    const dev = (pearson: number) => ({ pearson, spearman: 0.5, meanSquaredError: 1, loss: 1, examples: 9 });
    const curves = curvesOf([epoch(1, { dev: dev(Number.NaN) }), epoch(2, { dev: dev(0.7) })]);
    expect(curves.dev).toEqual([
      { name: 'Pearson', values: [null, 0.7] },
      { name: 'Spearman', values: [0.5, 0.5] },
    ]);
  });
});
