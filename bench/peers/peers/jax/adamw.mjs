import { decays, LEARNING_RATE } from '../../step-recipe';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-6;
const DECAY = 0.01;

/** The AdamW of step-recipe.ts. Takes ownership of all arrays; gives { trained, moments }. */
export function adamw({ numpy: np }, trained, moments, gradients) {
  const next = { trained: {}, moments: { m: {}, v: {} } };
  for (const [name, gradient] of Object.entries(gradients)) {
    const m = moments.m[name].mul(BETA1).add(gradient.ref.mul(1 - BETA1));
    const v = moments.v[name].mul(BETA2).add(np.square(gradient).mul(1 - BETA2));
    next.moments.m[name] = m.ref;
    next.moments.v[name] = v.ref;
    const step = m.div(np.sqrt(v).add(EPSILON));
    const parameter = trained[name];
    const update = decays(name) ? step.add(parameter.ref.mul(DECAY)) : step;
    next.trained[name] = parameter.sub(update.mul(LEARNING_RATE));
  }
  return next;
}
