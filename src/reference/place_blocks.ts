import { placeBlocks } from '../ops/place_blocks';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

interface Shape {
  readonly height: number;
  readonly width: number;
  readonly bands: readonly number[];
  readonly bandCount: number;
  readonly scale: number;
  /** Sources of one shape, each placed by itself; frozen ones. */
  readonly groups?: number;
}

/** Calls `visit` with the place of every element of the source, and with where it goes. */
function eachElement(
  { height, width, bands, bandCount, groups = 1 }: Shape,
  visit: (source: number, target: number) => void,
): void {
  const columns = bands.length * width;
  for (let group = 0; group < groups; group++) {
    bands.forEach((band, block) => {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const target = (band * height + i) * columns + block * width + j;
          const source = (block * height + i) * width + j;
          visit(group * height * columns + source, group * bandCount * height * columns + target);
        }
      }
    });
  }
}

function placeBlocksCase(shape: Shape, isTrained = true): OpCase {
  const { height, width, bands, bandCount, scale, groups } = shape;
  const count = (groups ?? 1) * bands.length * height * width;
  return {
    op: 'place_blocks',
    name: `${bands.length}×${height}×${width} to bands ${bands.join(', ')} of ${bandCount}, scale ${scale}${isTrained ? '' : ', frozen'}${groups === undefined ? '' : `, ${groups} groups`}`,
    sequences: sequencesOf([1]),
    inputs: [
      {
        name: 'source',
        rows: count / width,
        columns: width,
        role: isTrained ? 'parameter' : 'frozen',
        values: new CaseRandom(count).values(count),
      },
    ],
    build: (tape, [source]) => placeBlocks(tape, { ...given(source), groups }, { bands, bandCount, scale }),
    forward: ([source]) => {
      const output = new Float64Array((groups ?? 1) * bandCount * height * bands.length * width);
      eachElement(shape, (from, to) => {
        output[to] = scale * given(given(source)[from]);
      });
      return output;
    },
    backward: (_, outputGradient) => {
      if (!isTrained) return [undefined];
      const gradient = new Float64Array(count);
      eachElement(shape, (from, to) => {
        gradient[from] = scale * given(outputGradient[to]);
      });
      return [gradient];
    },
  };
}

export const placeBlocksCases = (): readonly OpCase[] => [
  placeBlocksCase({ height: 1, width: 65, bands: [0], bandCount: 1, scale: 4 }),
  placeBlocksCase({ height: 17, width: 3, bands: [0, 2], bandCount: 3, scale: 0.5 }),
  placeBlocksCase({ height: 64, width: 8, bands: [0, 1, 2], bandCount: 3, scale: 2 }),
  placeBlocksCase({ height: 5, width: 1, bands: [2], bandCount: 3, scale: -1 }),
  placeBlocksCase({ height: 5, width: 4, bands: [1], bandCount: 3, scale: 1 }, false),
  placeBlocksCase({ height: 5, width: 3, bands: [0, 2], bandCount: 3, scale: 2, groups: 3 }, false),
];
