/** The float64 oracle of AdamW with decay groups and clipping by the global norm, in PyTorch's order of operations. */

export interface ReferenceState {
  readonly parameters: Float64Array;
  readonly firstMoments: Float64Array;
  readonly secondMoments: Float64Array;
  steps: number;
}

export interface ReferenceOptions {
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Of every parameter: 0 for those outside the decay group. */
  readonly weightDecay: ArrayLike<number>;
  readonly biasCorrection: boolean;
}

export function referenceState(parameters: ArrayLike<number>): ReferenceState {
  return {
    parameters: Float64Array.from(parameters),
    firstMoments: new Float64Array(parameters.length),
    secondMoments: new Float64Array(parameters.length),
    steps: 0,
  };
}

/** One step in place; returns the norm before clipping. */
export function referenceAdamW(
  state: ReferenceState,
  gradients: ArrayLike<number>,
  { learningRate, clipNorm, betas, epsilon, weightDecay, biasCorrection }: ReferenceOptions,
): number {
  const norm = Math.sqrt(Array.from(gradients).reduce((total, g) => total + g * g, 0));
  const scale = clipNorm > 0 && norm + 1e-6 > clipNorm ? clipNorm / (norm + 1e-6) : 1;
  state.steps += 1;
  const [beta1, beta2] = betas;
  const correction1 = biasCorrection ? 1 - beta1 ** state.steps : 1;
  const correction2 = biasCorrection ? 1 - beta2 ** state.steps : 1;
  for (let i = 0; i < state.parameters.length; i++) {
    const g = (gradients[i] ?? 0) * scale;
    const m = beta1 * (state.firstMoments[i] ?? 0) + (1 - beta1) * g;
    const v = beta2 * (state.secondMoments[i] ?? 0) + (1 - beta2) * g * g;
    const decayed = (state.parameters[i] ?? 0) * (1 - learningRate * (weightDecay[i] ?? 0));
    const update = m / correction1 / (Math.sqrt(v / correction2) + epsilon);
    state.firstMoments[i] = m;
    state.secondMoments[i] = v;
    state.parameters[i] = decayed - learningRate * update;
  }
  return norm;
}
