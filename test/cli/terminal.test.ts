import { describe, expect, it } from 'vitest';
import { describeSelfTest } from '../../src/cli/doctor';
import { duration, megabytes, metricLine, table } from '../../src/cli/terminal';

describe('figures for people', () => {
  it.each([
    [0, '0.0 s'],
    [59.94, '59.9 s'],
    [59.96, '1 min 00 s'],
    [185, '3 min 05 s'],
    [3599.7, '1 h 00 min'],
    [7380, '2 h 03 min'],
  ])('%f seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  it('bytes', () => {
    expect(megabytes(1.5 * 2 ** 20)).toBe('1.5 MiB');
    expect(megabytes(212 * 2 ** 20)).toBe('212 MiB');
  });

  it('scores of answers, those of questions with and without one apart', () => {
    const scores = { exactMatch: 0.5, f1: 0.625, loss: 1, examples: 4 };
    const part = { exactMatch: 0.5, f1: 0.75, examples: 2 };
    expect(metricLine(scores)).toBe('exact match 0.5000, F1 0.6250');
    expect(metricLine({ ...scores, withAnswer: part, withoutAnswer: { ...part, f1: 0.5 } })).toBe(
      'exact match 0.5000, F1 0.6250, F1 where there is an answer 0.7500, where there is none 0.5000',
    );
  });

  it('tables are aligned, without blanks at the end', () => {
    const rows = [
      ['a', 'long', ''],
      ['bcd', 'x', 'y'],
    ];
    expect(table(rows)).toBe('a    long\nbcd  x     y\n');
  });
});

describe('the self-test', () => {
  const check = (op: string, error: number, passed = true) =>
    ({ op, case: 'odd sizes', what: 'forward', error, tolerance: 1e-5, passed }) as const;

  it('is told by op, with the check nearest to its tolerance', () => {
    const text = describeSelfTest({
      passed: true,
      checks: [check('gelu', 1e-7), check('gelu', 3e-6), check('linear', 0)],
    });
    expect(text).toMatch(/gelu +2 checks +error 3\.0e-6 of 1\.0e-5 allowed +ok\n/);
    expect(text).toContain('all 3 checks passed');
  });

  it('names every check that failed', () => {
    const checks = [check('gelu', Number.NaN, false), check('gelu', 1e-6)];
    const text = describeSelfTest({ passed: false, checks });
    expect(text).toMatch(/gelu +2 checks +error NaN of 1\.0e-5 allowed +1 FAILED\n/);
    expect(text).toContain('FAILED gelu, odd sizes: forward, error NaN\n');
    expect(text).toContain('1 of 2 checks failed');
  });
});
