import { packBatch } from '../../../../src/scheduler/packed-batch';
import { AdamW, BERT_ADAMW } from '../../../../src/training/optimizer';
import { readTensors } from '../../inputs-format';
import type { Job } from '../../protocol';
import type { Contestant } from '../../serve';
import { LEARNING_RATE, stepCheck } from '../../step-recipe';
import { openBackend } from './runtime';
import { openTask } from './task';

/** Forward, loss, backward, AdamW, upload: what a step of Task.train does. */
export async function step(job: Job): Promise<Contestant> {
  const backend = await openBackend(job);
  const { ids, labels, sequences, length } = await readStep(job.inputs);
  const { layout, initial, parameters, gradients, schedule } = await openTask(
    job.inputs,
    backend,
    'classification',
    2,
  );
  const executable = await backend.prepare(schedule(0, sequences * length, sequences));
  const optimizer = await AdamW.create({
    segments: layout.places,
    size: layout.size,
    ...BERT_ADAMW,
    biasCorrection: false,
  });
  optimizer.parameters.set(initial);
  const batch = packBatch({
    sequences: Array.from({ length: sequences }, (_, i) => ({
      ids: ids.subarray(i * length, (i + 1) * length),
      typeIds: new Uint8Array(length),
    })),
    labels,
    tokenOffset: 0,
    sequenceOffset: 0,
  });
  const backward = async () => {
    const { outputs } = await executable.run({
      microBatches: [batch],
      seed: 0,
      step: 0,
      lossScale: 1 / sequences,
      clear: [gradients],
      readBack: [{ buffer: gradients, into: () => optimizer.gradients }],
    });
    return (outputs[0] ?? new Float32Array()).reduce((sum, value) => sum + value, 0) / sequences;
  };

  const loss = await backward();
  const norms = new Map(
    layout.places.map(({ name }) => [name, Math.hypot(...layout.slice(optimizer.gradients, name))]),
  );
  return {
    setup: backend.device.name,
    check: stepCheck(loss, norms),
    round: async () => {
      const started = performance.now();
      const value = await backward();
      optimizer.step({ learningRate: LEARNING_RATE, clipNorm: 0 });
      backend.write(parameters, 0, optimizer.parameters);
      return { milliseconds: performance.now() - started, value };
    },
  };
}

async function readStep(inputs: string) {
  const tensors = await readTensors(inputs, 'step.safetensors');
  const ids = tensors.get('ids');
  const labels = tensors.get('labels');
  const [sequences = 0, length = 0] = ids?.shape ?? [];
  return {
    ids: Uint32Array.from(ids?.data ?? []),
    labels: Uint32Array.from(labels?.data ?? []),
    sequences,
    length,
  };
}
