/** What the page's modules work out without a browser. */
import { describe, expect, it } from 'vitest';
import { verdict } from '../../../examples/web/src/page/comparison';
import { purposeOf } from '../../../examples/web/src/page/files';
import { bytes, duration, timeLeft } from '../../../examples/web/src/page/format';
import { LossHistory } from '../../../examples/web/src/page/loss-history';
import { describeError } from '../../../examples/web/src/page/notices';

const points = (from: number, to: number, loss = 1) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ step: from + index, loss }));

describe('the history of a loss', () => {
  it('lets steps that come again replace those that came before', () => {
    const history = new LossHistory();
    history.replace(points(1, 20));
    history.add(points(16, 25, 0.5));
    const { steps, loss } = history.columns();
    expect(steps).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    expect(loss[14]).toBe(1);
    expect(loss[15]).toBe(0.5);
  });

  it('draws many steps as few points, each the mean of its steps', () => {
    const history = new LossHistory();
    history.add(Array.from({ length: 1001 }, (_, index) => ({ step: index + 1, loss: index % 3 })));
    const { steps, loss, trend } = history.columns();
    expect(steps).toHaveLength(334);
    expect(steps.at(-1)).toBe(1001);
    for (const value of loss.slice(0, -1)) expect(value).toBeCloseTo(1, 12);
    expect(trend.at(-1)).toBeCloseTo(1, 1);
  });

  it('is empty at first', () => {
    expect(new LossHistory().columns()).toEqual({ steps: [], loss: [], trend: [] });
  });
});

describe('the verdict on an adapter', () => {
  it('says who is better, and how much chance may do', () => {
    // √(2 · 0.85 · 0.15 / 100) = 0.0505: two standard errors are 10.1 points.
    expect(verdict(0.9, 0.8, 100, true)).toBe(
      'The adapter is better by 10.0 points; with 100 held-out examples, differences below 10.1 points may be chance.',
    );
    expect(verdict(0.8, 0.9, 100, true)).toMatch(/^The simple model is better by 10\.0 points;.*More epochs/);
    expect(verdict(0.9, 0.9, 50, true)).toMatch(/^No difference;/);
  });

  it('compares correlations without a claim about chance', () => {
    expect(verdict(0.8, 0.7, 50, false)).toBe(
      'The adapter correlates better with the right values, by 0.100.',
    );
    expect(verdict(0.701, 0.7, 50, false)).toMatch(/^Both/);
  });
});

describe('files', () => {
  const named = (...names: string[]) => names.map((name) => new File([''], name));

  it.each([
    ['examples', ['mails.csv']],
    ['examples', ['notes.txt']],
    ['adapter', ['urgency.zip']],
    ['adapter', ['adapter_config.json', 'adapter.safetensors', 'head_config.json', 'model_head.safetensors']],
    ['backbone', ['config.json', 'vocab.txt', 'model.safetensors']],
    ['backbone', ['config.json', 'tokenizer.json', 'model-00001-of-00002.safetensors']],
  ])('are %s: %j', (purpose, names) => {
    expect(purposeOf(named(...names))).toBe(purpose);
  });
});

describe('figures', () => {
  it.each([
    [312_400, '312 KB'],
    [40, '1 KB'],
    [999_600, '1.0 MB'],
    [7_863_184, '7.9 MB'],
    [437_000_000, '437 MB'],
    [1_300_000_000, '1.3 GB'],
  ])('%d bytes are %s', (count, shown) => expect(bytes(count)).toBe(shown));

  it.each([
    [0.42, '0.4 s'],
    [9.97, '10 s'],
    [185, '3 min 5 s'],
    [7380, '2 h 3 min'],
  ])('%d s take %s', (seconds, shown) => expect(duration(seconds)).toBe(shown));

  it.each([
    [3, 'a few seconds left'],
    [41, 'about 45 s left'],
    [200, 'about 3 min left'],
    [9000, 'about 2.5 h left'],
  ])('%d s are %s', (seconds, shown) => expect(timeLeft(seconds)).toBe(shown));
});

describe('an error', () => {
  it('tells its hint once, and leaves names as they are', () => {
    const name = 'FileFormatError';
    expect(
      describeError({ name, message: 'vocab.txt: is empty. Download it again', hint: 'Download it again' }),
    ).toBe('vocab.txt: is empty. Download it again.');
    expect(describeError({ name, message: 'the file is cut off', hint: 'Download it again' })).toBe(
      'The file is cut off. Download it again.',
    );
  });
});
