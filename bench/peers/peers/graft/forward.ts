import { type EncoderTask, encode, pool } from '../../../../src/models/bert';
import { frozenLinear } from '../../../../src/ops/frozen_linear';
import { buildSchedule } from '../../../../src/scheduler/build-schedule';
import { packBatch } from '../../../../src/scheduler/packed-batch';
import { frozen, Tape } from '../../../../src/scheduler/tape';
import { capacityOf } from '../../../../src/training/record-task';
import { readForwardBatches } from '../../inputs-format';
import type { Job } from '../../protocol';
import { type Contestant, timed } from '../../serve';
import { openBackend } from './runtime';
import { openEncoder } from './task';

/** The bare encoder with its pooler, batches packed. Checked by the pooled output `[sentences, hidden]`. */
export async function forward(job: Job): Promise<Contestant> {
  const backend = await openBackend(job);
  const encoder = await openEncoder(job.inputs, backend);
  const batches = readForwardBatches(job.inputs).map((sequences) =>
    packBatch({
      sequences: sequences.map((ids) => ({ ids, typeIds: new Uint8Array(ids.length) })),
      labels: new Uint32Array(0),
      tokenOffset: 0,
      sequenceOffset: 0,
    }),
  );
  const { hiddenSize } = encoder.config;
  const layerNorms = new Map(
    await Promise.all(
      [...encoder.layerNorms].map(async ([place, { weight, bias }]) => {
        const upload = async (data: Float32Array) => {
          const buffer = await backend.allocate(data.byteLength, place);
          backend.write(buffer, 0, data);
          return frozen(place, buffer, 1, hiddenSize);
        };
        return [place, { gamma: await upload(weight), beta: await upload(bias) }] as const;
      }),
    ),
  );
  const tape = new Tape();
  const bare: EncoderTask = {
    embeddings: () => encoder.embeddings,
    layerNorm: (place) => {
      const parts = layerNorms.get(place);
      if (parts === undefined) throw new Error(`there is no LayerNorm at ${place}`);
      return parts;
    },
    linear: (_, x, { weight, bias }) => frozenLinear(tape, x, weight, bias),
    subLayer: (_, { input, projected, normalize }) => normalize(projected, input),
    dropout: () => ({ hidden: 0, attention: 0 }),
    enter: (_, hidden) => hidden,
  };
  const pooled = pool(tape, encoder, bare, encode(tape, encoder, bare, 'first tokens'));
  const most = (count: (batch: (typeof batches)[number]) => number) => Math.max(...batches.map(count));
  const capacity = capacityOf(
    most(({ tokenCount }) => tokenCount),
    most(({ sequenceCount }) => sequenceCount),
  );
  const executable = await backend.prepare(buildSchedule('forward', tape.forward(), { pooled }, capacity));
  const all = async () => {
    const rows: number[] = [];
    for (const batch of batches) {
      const { outputs } = await executable.run({ microBatches: [batch], seed: 0, step: 0, lossScale: 1 });
      rows.push(...(outputs[0] ?? []));
    }
    return Float32Array.from(rows);
  };
  return {
    setup: `${backend.device.name}, packed`,
    check: await all(),
    round: () => timed(1, all),
  };
}
