import { dropout, dropoutParams } from '../ops/dropout';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];

/**
 * pcg4d, exactly as in shaders/lib/random.wgsl: Jarzynski and Olano 2020, "Hash Functions for GPU Rendering", Journal of
 * Computer Graphics Techniques 9(3).
 */
export function pcg4d(input: Words): Words {
  const scramble = (word: number) => (Math.imul(word, 1664525) + 1013904223) | 0;
  let x = scramble(input[0]);
  let y = scramble(input[1]);
  let z = scramble(input[2]);
  let w = scramble(input[3]);
  const mix = () => {
    x = (x + Math.imul(y, w)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
    w = (w + Math.imul(y, z)) | 0;
  };
  mix();
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  mix();
  return [x >>> 0, y >>> 0, z >>> 0, w >>> 0];
}

/** Which op draws, in which step of which run. */
export interface Draw {
  readonly seed: number;
  readonly step: number;
  readonly opKey: number;
  readonly probability: number;
}

/** The factors, 0 or 1 / (1 − probability), of elements 4 quad … 4 quad + 3 of a row of the logical batch. */
export function dropoutFactors(draw: Draw, row: number, quad: number): number[] {
  const { threshold, keepScale } = dropoutParams(draw.probability);
  const [k0, k1] = pcg4d([draw.seed, draw.step, draw.opKey, 0]);
  return pcg4d([k0, k1, row, quad]).map((word) => (word >= threshold ? keepScale : 0));
}

/** The mask of `[rows, columns]`. */
export function dropoutMask(draw: Draw, rows: number, columns: number): Float64Array {
  const mask = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) {
      mask[row * columns + c] = given(dropoutFactors(draw, row, Math.floor(c / 4))[c % 4]);
    }
  }
  return mask;
}

function dropoutCase(rows: 'tokens' | 'sequences', columns: number, probability: number): OpCase {
  const lengths = [3, 1, 13];
  const count = rows === 'tokens' ? 17 : lengths.length;
  const seed = 4_000_000_000;
  const step = 3;
  // The op is the first on its tape.
  const mask = dropoutMask({ seed, step, opKey: 1, probability }, count, columns);
  return {
    op: 'dropout',
    name: `${count} ${rows} × ${columns}, probability ${probability}`,
    sequences: sequencesOf(lengths),
    seed,
    step,
    inputs: [
      {
        name: 'x',
        rows,
        columns,
        role: 'activation',
        values: new CaseRandom(columns).values(count * columns),
      },
    ],
    build: (tape, [x]) => dropout(tape, given(x), probability),
    forward: ([x]) => given(x).map((value, i) => value * given(mask[i])),
    backward: (_, outputGradient) => [outputGradient.map((value, i) => value * given(mask[i]))],
  };
}

export const dropoutCases = (): readonly OpCase[] => [
  ...[1, 3, 17, 64, 65].map((columns) => dropoutCase('tokens', columns, 0.1)),
  dropoutCase('sequences', 65, 0.5),
];
