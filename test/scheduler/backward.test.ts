import { describe, expect, it } from 'vitest';
import { gelu } from '../../src/ops/gelu';
import { differentiate } from '../../src/scheduler/backward';
import { Tape, type Tensor } from '../../src/scheduler/tape';

function input(tape: Tape, name: string, requiresGradient: boolean): Tensor {
  return tape.activation(name, 'tokens', 8, requiresGradient);
}

describe('differentiate', () => {
  it('visits nothing that no gradient is needed for', () => {
    const tape = new Tape();
    const frozen = gelu(tape, gelu(tape, input(tape, 'x', false), 'gelu'), 'gelu');
    const seed = tape.like(frozen, 'seed');
    expect(frozen.requiresGradient).toBe(false);
    expect(differentiate(tape, new Map([[frozen, seed]])).dispatches).toEqual([]);
  });

  it('sums the gradients of a tensor that feeds two ops, into a new tensor', () => {
    const tape = new Tape();
    const x = input(tape, 'x', true);
    const [a, b] = [gelu(tape, x, 'gelu'), gelu(tape, x, 'gelu_tanh')];
    const seeds = new Map([
      [a, tape.like(a, 'seed of a')],
      [b, tape.like(b, 'seed of b')],
    ]);
    const { dispatches, gradients } = differentiate(tape, seeds);
    expect(dispatches.map(({ kernel }) => kernel.name)).toEqual(['gelu_backward', 'gelu_backward', 'add']);
    const [ofB, ofA, sum] = dispatches;
    expect(sum?.buffers.slice(0, 2)).toEqual([ofB?.buffers[2], ofA?.buffers[2]]);
    expect(gradients.get(x)).toBe(sum?.buffers[2]);
    expect(sum?.buffers[2]).not.toBe(ofA?.buffers[2]);
  });

  it('leaves out ops that the seeds do not reach', () => {
    const tape = new Tape();
    const x = input(tape, 'x', true);
    const used = gelu(tape, x, 'gelu');
    gelu(tape, x, 'gelu');
    const { dispatches } = differentiate(tape, new Map([[used, tape.like(used, 'seed')]]));
    expect(dispatches.length).toBe(1);
  });
});
