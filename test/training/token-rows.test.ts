/** A head with a row of logits for each token, on the encoder of test/golden/bert_step.py. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headOnly } from '../../src/adapters/head';
import { houlsby } from '../../src/adapters/houlsby';
import type { AdapterMethod } from '../../src/adapters/method';
import { openCheckpoint } from '../../src/models/checkpoint';
import { type FrozenEncoder, uploadEncoder } from '../../src/models/frozen-encoder';
import { uploadLayerNorms } from '../../src/models/layer-norms';
import { directorySource } from '../../src/platform/directory';
import { ParameterLayout } from '../../src/scheduler/parameters';
import type { EncodedExample } from '../../src/training/batches';
import { Inference } from '../../src/training/inference';
import { PrefixCache } from '../../src/training/prefix-cache';
import { inferenceSchedule, type RecordedTask, type ScheduleStart } from '../../src/training/record-task';
import { resolveTask, taskParameters } from '../../src/training/task-spec';
import { useBackend } from '../support/backends';
import { goldenPath, readGolden } from '../support/checkpoint';
import { relativeError } from '../support/compare';

const HIDDEN = 64;
const { sequences }: { sequences: { ids: number[]; typeIds: number[] }[] } = JSON.parse(
  readFileSync(goldenPath('bert', 'batch.json'), 'utf8'),
);
const examples = sequences.map((sequence): EncodedExample => ({ ...sequence, labels: [], weight: 0 }));
const options = { tokenBudget: 64 };

describe.each(['serial', 'tiled', 'wasm'] as const)('a row for each token, %s kernels', (kind) => {
  const backend = useBackend(kind);
  let encoder: FrozenEncoder;
  let start: Map<string, Float32Array>;

  beforeAll(async () => {
    const checkpoint = await openCheckpoint(directorySource(goldenPath('bert', 'checkpoint')));
    encoder = await uploadEncoder(checkpoint, backend());
    await checkpoint.close();
    start = await readGolden('bert', 'parameters.safetensors');
  });
  afterAll(() => encoder.dispose());

  async function record(adapter: AdapterMethod): Promise<RecordedTask> {
    const labels = ['a', 'b', 'c'];
    const perText = resolveTask({ labels, adapter, dropout: 0 }, encoder);
    const spec = { ...perText, head: { ...perText.head, rows: 'tokens' as const } };
    const layout = new ParameterLayout(taskParameters(spec, encoder, 0));
    const upload = async (values: Float32Array, label: string) => {
      const buffer = await backend().allocate(values.byteLength, label);
      backend().write(buffer, 0, values);
      return buffer;
    };
    const arena = new Float32Array(layout.size);
    for (const { name } of layout.places) layout.slice(arena, name).set(start.get(name) ?? []);
    return {
      spec,
      encoder,
      layout,
      parameters: await upload(arena, 'parameters'),
      frozenLayerNorms: await uploadLayerNorms(encoder, upload, (name) => !layout.has(name)),
    };
  }

  function inferenceOf(task: RecordedTask, from: ScheduleStart, prefix?: PrefixCache): Inference {
    const { outputs: columns, rows } = task.spec.head;
    const schedule = (capacity: Parameters<typeof inferenceSchedule>[1]) =>
      inferenceSchedule(task, capacity, from);
    return new Inference(backend(), { columns, rows, schedule }, prefix);
  }

  it("logits are a linear of PyTorch's last hidden states, without the pooler", async () => {
    const inference = inferenceOf(await record(houlsby({ bottleneck: 8 })), 'tokens');
    const logits = await inference.rows(examples, options);
    inference.dispose();
    const hidden = (await readGolden('bert', 'hidden.safetensors')).get('hidden.2') ?? new Float32Array();
    const weight = start.get('classifier.weight') ?? new Float32Array();
    const bias = start.get('classifier.bias') ?? new Float32Array();
    const wanted = Array.from({ length: 107 * 3 }, (_, at) => {
      const [token, output] = [Math.floor(at / 3), at % 3];
      const row = hidden.subarray(token * HIDDEN, (token + 1) * HIDDEN);
      return row.reduce(
        (sum, value, i) => sum + value * (weight[output * HIDDEN + i] ?? Number.NaN),
        bias[output] ?? Number.NaN,
      );
    });
    expect(logits.length).toBe(107 * 3);
    expect(relativeError(logits, wanted)).toBeLessThan(1e-5);
  });

  it('on layers that are all frozen, kept hidden states give the same bits', async () => {
    const task = await record(headOnly());
    expect(task.spec.frozenLayers).toBe(2);
    const plain = inferenceOf(task, 'tokens');
    const wanted = await plain.rows(examples, options);
    const prefix = new PrefixCache(backend(), task, { memoryBytes: 1e6, tokenBudget: 64, mostSequences: 8 });
    const upper = inferenceOf(task, 'hidden', prefix);
    expect(await upper.rows(examples, options)).toEqual(wanted);
    expect(await upper.rows(examples, options)).toEqual(wanted);
    expect(prefix.report).toMatchObject({ layers: 2, examples: 5, memoryBytes: 107 * HIDDEN * 4 });
    await prefix.close();
    plain.dispose();
    upper.dispose();
  });
});
