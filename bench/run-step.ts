/** Training steps on this machine's device:  npm run bench -- step [SHAPE] [SEQUENCES] [LENGTH] [STEPS] [TOKEN_BUDGET] [webgpu|wasm] [recompute] */
import { benchStep } from './step';
import { isShapeName, SHAPES } from './synthetic';

const [
  shape = 'minilm',
  sequences = '32',
  length = '32',
  steps = '4',
  tokenBudget = '2048',
  backend = 'webgpu',
  recompute,
] = process.argv.slice(2);
if (!isShapeName(shape)) {
  throw new RangeError(`there is no shape ${shape}; there are ${Object.keys(SHAPES).join(', ')}`);
}
await benchStep({
  shape,
  sequences: Number(sequences),
  length: Number(length),
  steps: Number(steps),
  tokenBudget: Number(tokenBudget),
  backend: backend === 'wasm' ? 'wasm' : 'webgpu',
  recompute: recompute === 'recompute',
});
