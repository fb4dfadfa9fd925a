/** A head with a row of logits for each token, on the encoder of test/golden/bert_step.py. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headOnly } from '../../src/adapters/head';
import { houlsby } from '../../src/adapters/houlsby';
import type { AdapterMethod } from '../../src/adapters/method';
import { openCheckpoint } from '../../src/models/checkpoint';
import { type FrozenEncoder, uploadEncoder } from '../../src/models/frozen-encoder';
import { uploadLayerNorms } from '../../src/models/layer-norms';
import { IGNORED_LABEL } from '../../src/ops/cross_entropy';
import { directorySource } from '../../src/platform/directory';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { batches, type EncodedExample } from '../../src/training/batches';
import { Inference } from '../../src/training/inference';
import { PrefixCache } from '../../src/training/prefix-cache';
import {
  capacityOf,
  inferenceSchedule,
  type RecordedTask,
  type ScheduleStart,
  trainingSchedule,
} from '../../src/training/record-task';
import { resolveTask, taskParameters } from '../../src/training/task-spec';
import { runTraining } from '../../src/training/trainer';
import { resolveTraining } from '../../src/training/training-settings';
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

  /** PyTorch's last ones, packed `[107, hidden]`. */
  async function hiddenStates(): Promise<Float32Array> {
    return (await readGolden('bert', 'hidden.safetensors')).get('hidden.2') ?? new Float32Array();
  }

  /** `[tokens][3]` of these hidden states, in float64. */
  function wantedLogits(hidden: Float32Array): number[][] {
    const weight = start.get('classifier.weight') ?? new Float32Array();
    const bias = start.get('classifier.bias') ?? new Float32Array();
    return Array.from({ length: hidden.length / HIDDEN }, (_, token) =>
      [0, 1, 2].map((output) => {
        let sum = bias[output] ?? Number.NaN;
        for (let i = 0; i < HIDDEN; i++) {
          sum += (hidden[token * HIDDEN + i] ?? Number.NaN) * (weight[output * HIDDEN + i] ?? Number.NaN);
        }
        return sum;
      }),
    );
  }

  it("logits are a linear of PyTorch's last hidden states, without the pooler", async () => {
    const inference = inferenceOf(await record(houlsby({ bottleneck: 8 })), 'tokens');
    const logits = await inference.rows(examples, options);
    inference.dispose();
    expect(logits.length).toBe(107 * 3);
    expect(relativeError(logits, wantedLogits(await hiddenStates()).flat())).toBeLessThan(1e-5);
  });

  describe('in training', () => {
    // Every third token has no label.
    const labelled = sequences.map((sequence, index): EncodedExample => {
      const labels = sequence.ids.map((_, t) => (t % 3 === 1 ? IGNORED_LABEL : (t + index) % 3));
      return { ...sequence, labels, weight: labels.filter((label) => label !== IGNORED_LABEL).length };
    });

    async function run(given: readonly EncodedExample[]) {
      const task = await record(houlsby({ bottleneck: 8 }));
      const gradients = await backend().allocate(task.layout.size * 4, 'gradients');
      const executable = await backend().prepare(trainingSchedule(task, gradients, capacityOf(64, 5)));
      const found = new Float32Array(task.layout.size);
      const split = { batchSize: 5, tokenBudget: 64, labels: 'u32' } as const;
      const [logical] = batches(given, [...given.keys()], split);
      const weight = logical?.weight ?? Number.NaN;
      const { outputs } = await executable.run({
        microBatches: logical?.microBatches ?? [],
        seed: 0,
        step: 1,
        lossScale: 1 / weight,
        clear: [gradients],
        readBack: [{ buffer: gradients, into: () => found }],
      });
      const loss = (outputs[0] ?? []).reduce((sum, value) => sum + value, 0) / weight;
      const count = logical?.microBatches.length;
      return { task, gradients, executable, loss, found, count };
    }

    it("the loss is the mean over tokens with a label, and so are the head's gradients", async () => {
      const { task, executable, loss, found, count } = await run(labelled);
      executable.dispose();
      expect(count).toBe(2);
      const hidden = await hiddenStates();
      const labels = labelled.flatMap((one) => Array.from(one.labels));
      const counted = labels.filter((label) => label !== IGNORED_LABEL).length;
      expect(counted).toBe(labelled.reduce((sum, { weight }) => sum + weight, 0));
      let wantedLoss = 0;
      const weightGradient = new Float64Array(3 * HIDDEN);
      const biasGradient = new Float64Array(3);
      wantedLogits(hidden).forEach((row, token) => {
        const label = labels[token] ?? IGNORED_LABEL;
        if (label === IGNORED_LABEL) return;
        const sum = row.reduce((total, logit) => total + Math.exp(logit), 0);
        wantedLoss += (Math.log(sum) - (row[label] ?? Number.NaN)) / counted;
        row.forEach((logit, output) => {
          const difference = (Math.exp(logit) / sum - (output === label ? 1 : 0)) / counted;
          biasGradient[output] = (biasGradient[output] ?? 0) + difference;
          for (let i = 0; i < HIDDEN; i++) {
            const at = output * HIDDEN + i;
            const value = hidden[token * HIDDEN + i] ?? Number.NaN;
            weightGradient[at] = (weightGradient[at] ?? 0) + difference * value;
          }
        });
      });
      expect(Math.abs(loss / wantedLoss - 1)).toBeLessThan(1e-5);
      const gradientOf = (name: string) => task.layout.slice(found, name);
      expect(relativeError(gradientOf('classifier.weight'), weightGradient)).toBeLessThan(1e-4);
      expect(relativeError(gradientOf('classifier.bias'), biasGradient)).toBeLessThan(1e-4);
      // It goes on into the encoder, of every token.
      expect(Math.max(...gradientOf('layer.1.output.adapter.down.weight').map(Math.abs))).toBeGreaterThan(
        1e-4,
      );
    });

    it('a batch in which no token has a label has the loss 0 and changes nothing', async () => {
      const silent = labelled.map((one) => ({
        ...one,
        labels: Array.from(one.labels, () => IGNORED_LABEL),
        weight: 0,
      }));
      const { task, gradients, executable } = await run(labelled);
      const initial = await backend().read(task.parameters, task.layout.size);
      const training = runTraining({
        backend: backend(),
        executable,
        layout: task.layout,
        parameters: task.parameters,
        gradients,
        initial,
        labelType: 'u32',
        examples: silent,
        tokenBudget: 64,
        settings: resolveTraining({ epochs: 1, batchSize: 5, weightDecay: 0 }),
        conditions: {},
        evaluate: undefined,
        options: {},
      });
      const { value } = await training.next();
      expect(value).toMatchObject({ type: 'step', loss: 0, gradientNorm: 0 });
      await training.next();
      expect((await training.next()).value).toMatchObject({ parameters: initial });
      executable.dispose();
    });
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
