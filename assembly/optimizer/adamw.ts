/**
 * One AdamW step over `length` parameters that share a weight decay (Kingma & Ba 2015; decoupled decay: Loshchilov &
 * Hutter 2019, arXiv 1711.05101, algorithm 2). The four pointers address `length` f32 each, of the same layout.
 *
 *   g ← gradientScale · g                       clipping by the global norm; the gradient itself is left as it is
 *   m ← β₁·m + (1 − β₁)·g
 *   v ← β₂·v + (1 − β₂)·g²
 *   p ← p − (stepSize · m / (denominatorScale · √v + ε) + decay · p)
 *
 * The caller folds the bias correction into two numbers: with it, stepSize = lr / (1 − β₁ᵗ) and denominatorScale =
 * 1 / √(1 − β₂ᵗ), as in torch.optim.AdamW; without it, lr and 1, as in the AdamWeightDecay of the BERT authors.
 *
 * `decay` is lr · weightDecay. PyTorch writes p ← (1 − decay)·p first, then subtracts the update; the BERT authors
 * subtract lr · (update + weightDecay · p). m and v do not depend on p, and both decays read the old p, so the two are
 * the same number. In f32 they are not equally good: 1 − 3e-6 is rounded to a multiple of 6e-8, which makes the decay up
 * to 1% wrong in the same direction at every step. So this is the authors' form.
 *
 * Every element is computed by the same roundings whether it falls into a vector or into the tail of up to three, so a
 * result does not depend on where in a segment a parameter lies.
 */
export function adamw(
  parameters: usize,
  gradients: usize,
  firstMoments: usize,
  secondMoments: usize,
  length: i32,
  gradientScale: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  stepSize: f32,
  denominatorScale: f32,
  decay: f32,
): void {
  // 1 − β is taken in f64: f32(0.999) is off by 1e-8, which would be 1e-5 of 1 − β₂.
  const keep1 = <f32>beta1;
  const take1 = <f32>(1 - beta1);
  const keep2 = <f32>beta2;
  const take2 = <f32>(1 - beta2);

  const gradientScales = f32x4.splat(gradientScale);
  const keeps1 = f32x4.splat(keep1);
  const takes1 = f32x4.splat(take1);
  const keeps2 = f32x4.splat(keep2);
  const takes2 = f32x4.splat(take2);
  const epsilons = f32x4.splat(epsilon);
  const stepSizes = f32x4.splat(stepSize);
  const denominatorScales = f32x4.splat(denominatorScale);
  const decays = f32x4.splat(decay);

  const bytes = (<usize>length) << 2;
  const vectorBytes = (<usize>(length & ~3)) << 2;
  let at: usize = 0;
  for (; at < vectorBytes; at += 16) {
    const g = f32x4.mul(v128.load(gradients + at), gradientScales);
    const m = f32x4.add(f32x4.mul(v128.load(firstMoments + at), keeps1), f32x4.mul(g, takes1));
    const v = f32x4.add(f32x4.mul(v128.load(secondMoments + at), keeps2), f32x4.mul(f32x4.mul(g, g), takes2));
    const p = v128.load(parameters + at);
    const denominator = f32x4.add(f32x4.mul(f32x4.sqrt(v), denominatorScales), epsilons);
    const change = f32x4.add(f32x4.div(f32x4.mul(stepSizes, m), denominator), f32x4.mul(decays, p));
    v128.store(firstMoments + at, m);
    v128.store(secondMoments + at, v);
    v128.store(parameters + at, f32x4.sub(p, change));
  }
  for (; at < bytes; at += 4) {
    const g = load<f32>(gradients + at) * gradientScale;
    const m = load<f32>(firstMoments + at) * keep1 + g * take1;
    const v = load<f32>(secondMoments + at) * keep2 + g * g * take2;
    const p = load<f32>(parameters + at);
    const change = (stepSize * m) / (sqrt<f32>(v) * denominatorScale + epsilon) + decay * p;
    store<f32>(firstMoments + at, m);
    store<f32>(secondMoments + at, v);
    store<f32>(parameters + at, p - change);
  }
}
