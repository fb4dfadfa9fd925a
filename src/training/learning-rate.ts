export interface LearningRateSchedule {
  /** The largest learning rate, reached when the warm-up ends. */
  readonly peak: number;
  readonly totalSteps: number;
  readonly warmupSteps: number;
}

/**
 * Steps over which the learning rate rises: `warmupRatio` of all, rounded down as in the BERT authors' run_classifier.py
 * (`int(num_train_steps * warmup_proportion)`). transformers' Trainer rounds up; as the first warm-up step has learning
 * rate 0, that would waste one step of a run of fewer than ten.
 */
export function warmupStepCount(totalSteps: number, warmupRatio: number): number {
  return Math.floor(totalSteps * warmupRatio);
}

/**
 * The learning rate of optimizer step `step`, counted from 0: from 0 linearly up to `peak` at step `warmupSteps`, then
 * linearly down, so that the step after the last would get 0. Equal to transformers' get_linear_schedule_with_warmup;
 * the authors' own decay starts at step 0 instead, below the warm-up, and so jumps from `peak` when the warm-up ends.
 */
export function learningRateAt(
  step: number,
  { peak, totalSteps, warmupSteps }: LearningRateSchedule,
): number {
  if (step < warmupSteps) return peak * (step / warmupSteps);
  return peak * Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
}
