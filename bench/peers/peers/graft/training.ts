import { batches, type EncodedExample, type LabelType } from '../../../../src/training/batches';
import { runTraining } from '../../../../src/training/trainer';
import { resolveTraining } from '../../../../src/training/training-settings';
import { readTrainingData } from '../../inputs-format';
import type { Job } from '../../protocol';
import type { Contestant } from '../../serve';
import { BATCH_SIZE, DROPOUT, STEPS_PER_ROUND } from '../../training-recipe';
import { openBackend } from './runtime';
import { openTask } from './task';

const TOKEN_BUDGET = 4096;

/** The trainer's own loop over data in their natural order. Checked by the first batch's loss without dropout. */
export async function training(job: Job): Promise<Contestant> {
  const backend = await openBackend(job);
  const { kind, outputs, examples: read } = readTrainingData(job.inputs, job.settings.data ?? '');
  const examples = read.map(
    ({ ids, typeIds, label }): EncodedExample => ({
      ids: Uint32Array.from(ids),
      typeIds: Uint8Array.from(typeIds),
      labels: [label],
      weight: 1,
    }),
  );
  const { layout, initial, parameters, gradients, schedule } = await openTask(
    job.inputs,
    backend,
    kind,
    outputs,
  );
  const labelType: LabelType = kind === 'regression' ? 'f32' : 'u32';
  const check = await backend.prepare(schedule(0, TOKEN_BUDGET, BATCH_SIZE));
  const order = Array.from({ length: BATCH_SIZE }, (_, i) => i);
  const split = { batchSize: BATCH_SIZE, tokenBudget: TOKEN_BUDGET, labels: labelType };
  const [first] = batches(examples, order, split);
  const { outputs: losses } = await check.run({
    microBatches: first?.microBatches ?? [],
    seed: 0,
    step: 0,
    lossScale: 1 / BATCH_SIZE,
    clear: [gradients],
  });
  const loss = (losses[0] ?? new Float32Array()).reduce((sum, value) => sum + value, 0) / BATCH_SIZE;
  check.dispose();

  const steps = runTraining({
    backend,
    executable: await backend.prepare(schedule(DROPOUT, TOKEN_BUDGET, BATCH_SIZE)),
    layout,
    parameters,
    gradients,
    initial,
    labelType,
    examples,
    tokenBudget: TOKEN_BUDGET,
    settings: resolveTraining({ epochs: 1, batchSize: BATCH_SIZE, shuffle: false }),
    conditions: {},
    evaluate: undefined,
    options: {},
  });
  return {
    setup: `${backend.device.name}, packed`,
    check: Float32Array.of(loss),
    round: async () => {
      const started = performance.now();
      for (let i = 0; i < STEPS_PER_ROUND; i++) {
        const { value, done } = await steps.next();
        if (done === true || value.type !== 'step') throw new Error('the examples are used up');
      }
      return { milliseconds: performance.now() - started };
    },
  };
}
