import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors';
import { type PackedBatch, packBatch, QUERY_TILE } from '../../src/scheduler/packed-batch';
import { type BatchOptions, batchCount, batches, type EncodedExample } from '../../src/training/batches';
import { Random } from '../../src/training/random';

/** An example whose tokens are unlike those of any other. */
function example(number: number, length: number): EncodedExample {
  return {
    ids: Uint32Array.from({ length }, (_, i) => number * 1000 + i),
    typeIds: Uint8Array.from({ length }, (_, i) => (i * 2 >= length ? 1 : 0)),
    labels: [number],
    weight: 1,
  };
}

function rows(table: Uint32Array): number[][] {
  return Array.from({ length: table.length / 4 }, (_, i) => Array.from(table.subarray(i * 4, i * 4 + 4)));
}

const arbitrary = fc
  .record({
    lengths: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 0, maxLength: 60 }),
    batchSize: fc.integer({ min: 1, max: 20 }),
    spare: fc.integer({ min: 0, max: 200 }),
    seed: fc.nat(),
  })
  .map(({ lengths, batchSize, spare, seed }) => {
    const order = Uint32Array.from(lengths, (_, i) => i);
    new Random(seed, 'order').shuffle(order);
    const options: BatchOptions = {
      batchSize,
      tokenBudget: Math.max(1, ...lengths) + spare,
      labels: 'u32',
    };
    return { examples: lengths.map((length, number) => example(number, length)), order, options };
  });

describe('batches', () => {
  it('hold every token of every example once, in the order asked for', () => {
    fc.assert(
      fc.property(arbitrary, ({ examples, order, options }) => {
        const micro = [...batches(examples, order, options)].flatMap((batch) => batch.microBatches);
        const wanted = Array.from(order, (index) => examples[index]).flatMap((one) =>
          Array.from(one?.ids ?? [], (id, position) => [id, position, one?.typeIds[position]]),
        );
        const found = micro.flatMap(({ tokens }) =>
          rows(tokens).map(([id, position, type]) => [id, position, type]),
        );
        expect(found).toEqual(wanted);
        expect(micro.flatMap(({ labels }) => Array.from(labels))).toEqual(Array.from(order));
      }),
    );
  });

  it('hold batchSize sequences, the last what is left, and micro-batches within the budget, never cut too early', () => {
    fc.assert(
      fc.property(arbitrary, ({ examples, order, options: { batchSize, tokenBudget, labels } }) => {
        const all = [...batches(examples, order, { batchSize, tokenBudget, labels })];
        expect(all.length).toBe(batchCount(examples.length, batchSize));
        all.forEach((batch, i) => {
          expect(batch.sequenceCount).toBe(Math.min(batchSize, examples.length - i * batchSize));
          let tokens = 0;
          let sequences = 0;
          batch.microBatches.forEach((micro, j) => {
            expect(micro.tokenOffset).toBe(tokens);
            expect(micro.sequenceOffset).toBe(sequences);
            expect(micro.tokenCount).toBeLessThanOrEqual(tokenBudget);
            expect(micro.sequenceCount).toBeGreaterThan(0);
            const firstOfNext = batch.microBatches[j + 1]?.offsets[1];
            if (firstOfNext !== undefined)
              expect(micro.tokenCount + firstOfNext).toBeGreaterThan(tokenBudget);
            tokens += micro.tokenCount;
            sequences += micro.sequenceCount;
          });
          expect([batch.tokenCount, batch.sequenceCount]).toEqual([tokens, sequences]);
        });
      }),
    );
  });

  it('can begin in the middle of a pass', () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(10), ({ examples, order, options }, first) => {
        expect([...batches(examples, order, options, first)]).toEqual(
          [...batches(examples, order, options)].slice(first),
        );
      }),
    );
  });

  it('carry labels as u32 for classes, as f32 for values, and none for prediction', () => {
    const examples = [
      { ...example(0, 2), labels: [1] },
      { ...example(1, 3), labels: [0] },
    ];
    const labels = (type: BatchOptions['labels'], of = examples) =>
      [...batches(of, [0, 1], { batchSize: 2, tokenBudget: 9, labels: type })][0]?.microBatches[0]?.labels;
    expect(labels('u32')).toEqual(new Uint32Array([1, 0]));
    const values = examples.map((one) => ({ ...one, labels: one.labels.map((label) => label + 0.5) }));
    expect(labels('f32', values)).toEqual(new Float32Array([1.5, 0.5]));
    expect(labels('none')?.length).toBe(0);
  });

  it('lay several labels of an example, or one for each of its tokens, one behind the other', () => {
    const examples = [
      { ...example(0, 2), labels: [4, 5] },
      { ...example(1, 3), labels: [6, 7, 8] },
    ];
    const [batch] = batches(examples, [1, 0], { batchSize: 2, tokenBudget: 9, labels: 'u32' });
    expect(batch?.microBatches[0]?.labels).toEqual(new Uint32Array([6, 7, 8, 4, 5]));
  });

  it("carry the sum of their examples' weights over all micro-batches", () => {
    const examples = [0.5, 2, 3].map((weight, number) => ({ ...example(number, 4), weight }));
    const all = [...batches(examples, [0, 1, 2], { batchSize: 2, tokenBudget: 4, labels: 'u32' })];
    expect(all.map(({ weight, microBatches }) => [weight, microBatches.length])).toEqual([
      [2.5, 2],
      [3, 1],
    ]);
  });

  it('refuse a sequence longer than the budget, at once, naming both numbers', () => {
    const examples = [example(0, 5), example(1, 70)];
    const call = () => batches(examples, [0, 1], { batchSize: 1, tokenBudget: 64, labels: 'none' });
    expect(call).toThrow(OptionError);
    expect(call).toThrow(/tokenBudget: a sequence of 70 tokens does not fit into a budget of 64/);
  });

  it.each([
    { batchSize: 0, tokenBudget: 64 },
    { batchSize: 1.5, tokenBudget: 64 },
    { batchSize: 8, tokenBudget: Number.NaN },
    { batchSize: 8, tokenBudget: 0 },
  ])('refuse %o', (wrong) => {
    expect(() => batches([example(0, 1)], [0], { ...wrong, labels: 'none' })).toThrow(OptionError);
  });

  it('refuse an order that names an example that is not there', () => {
    expect(() => batches([example(0, 1)], [1], { batchSize: 1, tokenBudget: 8, labels: 'none' })).toThrow(
      /order: 1 is not one of 1 examples/,
    );
  });
});

describe('a packed batch', () => {
  const pack = (lengths: readonly number[]): PackedBatch =>
    packBatch({
      sequences: lengths.map((length, number) => example(number, length)),
      labels: new Uint32Array(0),
      tokenOffset: 0,
      sequenceOffset: 0,
    });
  const lengthLists = fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 40 });

  it('has offsets that agree with the sequence column of its tokens', () => {
    fc.assert(
      fc.property(lengthLists, (lengths) => {
        const { tokens, offsets, tokenCount, sequenceCount } = pack(lengths);
        expect(sequenceCount).toBe(lengths.length);
        expect(offsets.length).toBe(lengths.length + 1);
        expect(offsets[0]).toBe(0);
        expect(offsets[sequenceCount]).toBe(tokenCount);
        expect(tokens.length).toBe(tokenCount * 4);
        lengths.forEach((length, i) => {
          const start = offsets[i] ?? Number.NaN;
          expect((offsets[i + 1] ?? Number.NaN) - start).toBe(length);
          const sequences = rows(tokens.subarray(start * 4, (start + length) * 4)).map((row) => row[3]);
          expect(sequences).toEqual(new Array(length).fill(i));
        });
      }),
    );
  });

  it('has tiles that cover every query exactly once', () => {
    fc.assert(
      fc.property(lengthLists, (lengths) => {
        const { tiles, offsets, tokenCount } = pack(lengths);
        const covered = new Array<number>(tokenCount).fill(0);
        for (const [start = -1, length = -1, tileStart = -1, sequence = -1] of rows(tiles)) {
          expect(start).toBe(offsets[sequence]);
          expect(length).toBe(lengths[sequence]);
          expect(tileStart).toBeLessThan(length);
          for (let query = tileStart; query < Math.min(tileStart + QUERY_TILE, length); query++) {
            covered[start + query] = (covered[start + query] ?? Number.NaN) + 1;
          }
        }
        expect(covered).toEqual(new Array(tokenCount).fill(1));
      }),
    );
  });

  it('cuts 16 queries into one tile and 17 into two', () => {
    expect(rows(pack([16, 17, 1]).tiles)).toEqual([
      [0, 16, 0, 0],
      [16, 17, 0, 1],
      [16, 17, 16, 1],
      [33, 1, 0, 2],
    ]);
  });
});
