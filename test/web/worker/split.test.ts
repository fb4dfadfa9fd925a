import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitExamples } from '../../../examples/web/src/worker/data/split';

const rowsOf = (counts: Record<string, number>) =>
  Object.entries(counts).flatMap(([label, count]) =>
    Array.from({ length: count }, (_, i) => ({ text: `${label} ${i}`, label })),
  );

describe('held-out examples', () => {
  it('are each class its share', () => {
    const examples = rowsOf({ a: 50, b: 30, c: 20 });
    const { train, heldOut } = splitExamples(examples, 'classification', { heldOut: 0.2, seed: 1 });
    const count = (label: string) => heldOut.filter((row) => examples[row]?.label === label).length;
    expect([count('a'), count('b'), count('c')]).toEqual([10, 6, 4]);
    expect([...train, ...heldOut].sort((a, b) => a - b)).toEqual(examples.map((_, row) => row));
  });

  it('depend on the seed, and on nothing else', () => {
    const examples = rowsOf({ a: 50, b: 50 });
    const split = (seed: number) => splitExamples(examples, 'classification', { heldOut: 0.2, seed }).heldOut;
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
  });

  it('of a regression are any, in the number that was asked for', () => {
    const examples = Array.from({ length: 101 }, (_, i) => ({ text: `text ${i}`, label: String(i / 7) }));
    const { heldOut } = splitExamples(examples, 'regression', { heldOut: 0.25, seed: 3 });
    expect(heldOut.length).toBe(25);
  });

  it('leave each class one in training, keep equal texts together, and add up', () => {
    const example = fc.record({
      text: fc.integer({ min: 0, max: 30 }).map(String),
      label: fc.constantFrom('a', 'b', 'c', 'd'),
    });
    fc.assert(
      fc.property(
        fc.array(example, { minLength: 2, maxLength: 60 }),
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        fc.nat(1000),
        (examples, heldOutShare, seed) => {
          const { train, heldOut } = splitExamples(examples, 'classification', {
            heldOut: heldOutShare,
            seed,
          });
          expect(train.length + heldOut.length).toBe(examples.length);
          const textsOf = (rows: readonly number[]) => new Set(rows.map((row) => examples[row]?.text));
          const trained = textsOf(train);
          for (const text of textsOf(heldOut)) expect(trained.has(text)).toBe(false);
          // Texts count with the label of their first row.
          const labelOfText = new Map<string, string>();
          for (const { text, label } of examples) if (!labelOfText.has(text)) labelOfText.set(text, label);
          for (const label of new Set(labelOfText.values())) {
            expect([...trained].some((text) => labelOfText.get(text ?? '') === label)).toBe(true);
          }
          expect(heldOut.length).toBeLessThanOrEqual(Math.round(heldOutShare * examples.length) + 1);
        },
      ),
    );
  });
});
