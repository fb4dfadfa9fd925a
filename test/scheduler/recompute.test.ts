import { describe, expect, it } from 'vitest';
import { gelu } from '../../src/ops/gelu';
import { tanh } from '../../src/ops/tanh';
import { differentiate } from '../../src/scheduler/backward';
import { Tape, type Tensor } from '../../src/scheduler/tape';

function input(tape: Tape, requiresGradient = true): Tensor {
  return tape.activation('x', 'tokens', 8, requiresGradient);
}

/** The backward pass from `output` with recomputation: names of its kernels, and its dispatches. */
function backwardOf(tape: Tape, output: Tensor) {
  const seed = tape.like(output, 'seed');
  const { dispatches } = differentiate(tape, new Map([[output, seed]]), { recompute: true });
  return { kernels: dispatches.map(({ kernel }) => kernel.name), dispatches };
}

describe('differentiate with recomputation', () => {
  it('computes a segment again before its backward pass, but not what only later steps read', () => {
    const tape = new Tape();
    const x = input(tape);
    const output = tape.segment(() => gelu(tape, gelu(tape, x, 'gelu'), 'gelu'));
    gelu(tape, output, 'gelu');
    const { kernels, dispatches } = backwardOf(tape, output);
    // GELU's backward pass reads its input: the second one's output is of no use to it.
    expect(kernels).toEqual(['gelu_forward', 'gelu_backward', 'gelu_backward']);
    const [again, second, first] = dispatches;
    const between = tape.steps[0]?.output;
    expect(again?.buffers[0]).toBe(x);
    expect(again?.buffers[1]).not.toBe(between);
    expect(second?.buffers[0]).toBe(again?.buffers[1]);
    expect(first?.buffers[0]).toBe(x);
    expect(dispatches.flatMap(({ buffers }) => buffers)).not.toContain(between);
  });

  it('takes segment after segment, last first', () => {
    const tape = new Tape();
    const twice = (x: Tensor) => gelu(tape, gelu(tape, x, 'gelu'), 'gelu');
    const x = input(tape);
    const middle = tape.segment(() => twice(x));
    const output = tape.segment(() => twice(middle));
    const { kernels, dispatches } = backwardOf(tape, output);
    const segment = ['gelu_forward', 'gelu_backward', 'gelu_backward'];
    expect(kernels).toEqual([...segment, ...segment]);
    expect(dispatches[0]?.buffers[0]).toBe(middle);
    expect(dispatches[3]?.buffers[0]).toBe(x);
  });

  it('reads what later steps read, and what is worth keeping, where it was left', () => {
    const tape = new Tape();
    // The backward pass of tanh reads its output.
    const output = tape.segment(() => tanh(tape, tape.keep(tanh(tape, input(tape)))));
    gelu(tape, output, 'gelu');
    expect(backwardOf(tape, output).kernels).toEqual(['tanh_backward', 'tanh_backward']);
  });

  it('leaves alone what no gradient passes through, and what lies between segments', () => {
    const tape = new Tape();
    const frozen = tape.segment(() => gelu(tape, input(tape, false), 'gelu'));
    const x = { ...frozen, requiresGradient: true };
    const between = gelu(tape, gelu(tape, x, 'gelu'), 'gelu');
    const output = tape.segment(() => gelu(tape, between, 'gelu'));
    expect(backwardOf(tape, output).kernels).toEqual(['gelu_backward', 'gelu_backward', 'gelu_backward']);
  });

  it('without the option, segments change nothing', () => {
    const tape = new Tape();
    const x = input(tape);
    const output = tape.segment(() => gelu(tape, gelu(tape, x, 'gelu'), 'gelu'));
    const { dispatches } = differentiate(tape, new Map([[output, tape.like(output, 'seed')]]));
    expect(dispatches.map(({ kernel }) => kernel.name)).toEqual(['gelu_backward', 'gelu_backward']);
  });

  it('refuses a segment within a segment', () => {
    const tape = new Tape();
    expect(() => tape.segment(() => tape.segment(() => input(tape)))).toThrow('cannot hold another');
  });
});
