import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dispatch, defineKernel, dispatch } from '../../src/backends/kernel';
import { planSlots } from '../../src/scheduler/plan';
import { Tape, type Tensor } from '../../src/scheduler/tape';

const kernel = defineKernel({
  name: 'test',
  shader: 'test',
  params: {},
  bindings: { input: 'read', output: 'write' },
  variants: {},
});
const capacity = { tokenCount: 7, sequenceCount: 3, tileCount: 4 };
const tape = new Tape();

function step(input: Tensor, output: Tensor): Dispatch<Tensor> {
  return dispatch(kernel, { params: {}, bindings: { input, output }, work: () => [1] });
}

describe('planSlots', () => {
  it('gives tensors that are alive at once different slots, each large enough', () => {
    const random = fc.array(
      fc.record({ from: fc.nat(), columns: fc.integer({ min: 1, max: 400 }), keep: fc.boolean() }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(random, (ops) => {
        const tensors = [tape.activation('first', 'tokens', 5)];
        const source = {
          ...tape.activation('source', 1, 1),
          origin: { kind: 'batch', field: 'labels' } as const,
        };
        const dispatches = [step(source, tensors[0] ?? source)];
        const kept = new Set<Tensor>();
        for (const { from, columns, keep } of ops) {
          const output = tape.activation('t', 'tokens', columns);
          dispatches.push(step(tensors[from % tensors.length] ?? source, output));
          tensors.push(output);
          if (keep) kept.add(output);
        }
        const { slots, slotOf } = planSlots(dispatches, kept, capacity);
        const life = tensors.map((tensor) => {
          const uses = dispatches.flatMap(({ buffers }, time) => (buffers.includes(tensor) ? [time] : []));
          const last = kept.has(tensor) ? Number.POSITIVE_INFINITY : Math.max(...uses);
          return { tensor, first: Math.min(...uses), last, slot: slotOf.get(tensor) ?? -1 };
        });
        for (const { tensor, slot } of life) {
          expect(slots[slot]).toBeGreaterThanOrEqual(tensor.columns * 4 * 7);
        }
        for (const a of life) {
          for (const b of life) {
            const overlap = a !== b && a.first <= b.last && b.first <= a.last;
            if (overlap) expect(a.slot).not.toBe(b.slot);
          }
        }
      }),
    );
  });

  it('a chain of equal tensors takes two slots', () => {
    const chain = Array.from({ length: 20 }, (_, i) => tape.activation(`t${i}`, 'tokens', 100));
    const source = {
      ...tape.activation('source', 1, 1),
      origin: { kind: 'batch', field: 'labels' } as const,
    };
    const dispatches = chain.map((tensor, i) => step(chain[i - 1] ?? source, tensor));
    expect(planSlots(dispatches, new Set(), capacity).slots).toEqual([2816, 2816]);
  });

  it('refuses a tensor that nothing wrote', () => {
    const lost = tape.activation('lost', 'tokens', 4);
    const output = tape.activation('output', 'tokens', 4);
    expect(() => planSlots([step(lost, output)], new Set(), capacity)).toThrow(
      'test uses lost before anything wrote it',
    );
  });
});
