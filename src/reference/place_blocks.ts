import { placeBlocks } from '../ops/place_blocks';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

interface Shape {
  readonly height: number;
  readonly width: number;
  readonly bands: readonly number[];
  readonly bandCount: number;
  readonly scale: number;
}

/** Calls `visit` with the place of every element of the source, and with where it goes. */
function eachElement({ height, width, bands }: Shape, visit: (source: number, target: number) => void): void {
  bands.forEach((band, block) => {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const target = (band * height + i) * bands.length * width + block * width + j;
        visit((block * height + i) * width + j, target);
      }
    }
  });
}

function placeBlocksCase(shape: Shape, isTrained = true): OpCase {
  const { height, width, bands, bandCount, scale } = shape;
  const count = bands.length * height * width;
  return {
    op: 'place_blocks',
    name: `${bands.length}×${height}×${width} to bands ${bands.join(', ')} of ${bandCount}, scale ${scale}${isTrained ? '' : ', frozen'}`,
    sequences: sequencesOf([1]),
    inputs: [
      {
        name: 'source',
        rows: bands.length * height,
        columns: width,
        role: isTrained ? 'parameter' : 'frozen',
        values: new CaseRandom(count).values(count),
      },
    ],
    build: (tape, [source]) => placeBlocks(tape, given(source), { bands, bandCount, scale }),
    forward: ([source]) => {
      const output = new Float64Array(bandCount * height * bands.length * width);
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
];
