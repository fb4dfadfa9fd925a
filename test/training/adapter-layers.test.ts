/** Adapters in some layers: what is trained, what the schedules hold, what the lower layers compute. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticCheckpoint, syntheticConfig, syntheticExamples } from '../../bench/synthetic';
import { bitfit } from '../../src/adapters/bitfit';
import { houlsby } from '../../src/adapters/houlsby';
import type { Backend } from '../../src/backends/backend';
import type { Schedule } from '../../src/backends/schedule';
import { OptionError } from '../../src/errors';
import type { EncoderConfig } from '../../src/models/config';
import { type FrozenEncoder, uploadEncoder } from '../../src/models/frozen-encoder';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { frozen, type Tensor } from '../../src/scheduler/tape';
import { batches } from '../../src/training/batches';
import {
  capacityOf,
  prefixSchedule,
  type RecordedTask,
  trainingSchedule,
} from '../../src/training/record-task';
import { initialArena, resolveTask, type TaskOptions, taskParameters } from '../../src/training/task-spec';
import { useBackend } from '../support/backends';

/** Five layers that are quick to compute; a width and a vocabulary that fit no tile. */
const config: EncoderConfig = {
  ...syntheticConfig('minilm', 100),
  hiddenSize: 40,
  embeddingSize: 40,
  headSize: 20,
  heads: 2,
  layers: 5,
  intermediateSize: 72,
};
const labels = ['a', 'b'];

function resolve(options: Partial<TaskOptions>) {
  return resolveTask({ labels, adapter: houlsby({ bottleneck: 4 }), ...options }, { config });
}

async function record(
  backend: Backend,
  encoder: FrozenEncoder,
  options: Partial<TaskOptions>,
): Promise<RecordedTask> {
  const spec = resolve(options);
  const specs = taskParameters(spec, encoder, 0);
  const layout = new ParameterLayout(specs);
  const parameters = await backend.allocate(layout.size * 4, 'parameters');
  backend.write(parameters, 0, await initialArena(specs, layout));
  const frozenLayerNorms = new Map<string, Tensor>();
  for (const [place, values] of encoder.layerNorms) {
    for (const part of ['weight', 'bias'] as const) {
      const name = `${place}.layer_norm.${part}`;
      const buffer = await backend.allocate(values[part].byteLength, name);
      backend.write(buffer, 0, values[part]);
      if (!layout.has(name)) frozenLayerNorms.set(name, frozen(name, buffer, 1, values[part].length));
    }
  }
  return { spec, encoder, layout, parameters, frozenLayerNorms };
}

describe('adapterLayers', () => {
  it.each<[readonly number[], RegExp]>([
    [[], /no layer is given/],
    [[5], /5 is no layer of the backbone.*from 0 to 4/],
    [[0, 17], /17 is no layer/],
    [[-1], /-1 is no layer/],
    [[1.5], /1.5 is no layer/],
    [[Number.NaN], /NaN is no layer/],
    [[Number.POSITIVE_INFINITY], /Infinity is no layer/],
    [[2, 3, 2], /layer 2 is there twice/],
  ])('refuses %j', (adapterLayers, message) => {
    expect(() => resolve({ adapterLayers })).toThrow(OptionError);
    expect(() => resolve({ adapterLayers })).toThrow(message);
  });

  it('is taken in any order; left out, it is all layers', () => {
    expect(resolve({ adapterLayers: [4, 2, 3] })).toMatchObject({
      adapterLayers: [2, 3, 4],
      frozenLayers: 2,
    });
    expect(resolve({})).toMatchObject({ adapterLayers: [0, 1, 2, 3, 4], frozenLayers: 0 });
  });
});

describe.each(['serial', 'tiled', 'wasm'] as const)('on %s kernels', (kind) => {
  const backend = useBackend(kind);
  let encoder: FrozenEncoder;
  beforeAll(async () => {
    encoder = await uploadEncoder(syntheticCheckpoint(config), backend());
  });
  afterAll(() => encoder.dispose());

  async function train(options: Partial<TaskOptions>, start?: 'tokens' | 'hidden') {
    const task = await record(backend(), encoder, options);
    const gradients = await backend().allocate(task.layout.size * 4, 'gradients');
    const schedule = trainingSchedule(
      task,
      gradients,
      capacityOf(256, 8),
      start === undefined ? {} : { start },
    );
    return { task, gradients, schedule };
  }

  it('trains the adapters of those layers and the LayerNorms from the lowest up, nothing else', async () => {
    const adapter = 2 * 4 * 40 + 4 + 40;
    const head = 2 * 40 + 2;
    const counts = async (options: Partial<TaskOptions>) => (await train(options)).task.layout.count;
    expect(await counts({})).toBe(10 * adapter + 11 * 80 + head);
    expect(await counts({ adapterLayers: [0, 1, 2, 3, 4] })).toBe(10 * adapter + 11 * 80 + head);
    expect(await counts({ adapterLayers: [0] })).toBe(2 * adapter + 11 * 80 + head);
    expect(await counts({ adapterLayers: [1, 3] })).toBe(4 * adapter + 8 * 80 + head);
    expect(await counts({ adapterLayers: [4] })).toBe(2 * adapter + 2 * 80 + head);
    expect(await counts({ adapterLayers: [1, 3], layerNorm: 'none' })).toBe(4 * adapter + head);
    const { task } = await train({ adapterLayers: [3] });
    const names = task.layout.places.map(({ name }) => name).filter((name) => name !== undefined);
    expect(names.filter((name) => !/^layer\.[34]\.|^classifier\./.test(name))).toEqual([]);
    expect(names).toContain('layer.3.attention.layer_norm.weight');
  });

  it('trains the product that follows narrow embeddings only with the lowest layer', async () => {
    const narrow = { ...config, modelType: 'electra', embeddingSize: 24 } as const;
    const electra = await uploadEncoder(syntheticCheckpoint(narrow), backend());
    const below = (adapterLayers: number[]) =>
      taskParameters(
        resolveTask({ labels, adapter: bitfit(), adapterLayers }, { config: narrow }),
        electra,
        0,
      ).flatMap(({ name }) => (name.startsWith('embeddings') ? [name] : []));
    expect(below([0, 3])).toEqual(['embeddings_project.bias', 'embeddings.layer_norm.bias']);
    expect(below([1, 3])).toEqual([]);
    electra.dispose();
  });

  it('the same parameters start from the same values, whichever layers have adapters', async () => {
    const specs = (adapterLayers?: number[]) => taskParameters(resolve({ adapterLayers }), encoder, 7);
    const all = new Map(specs().map(({ name, initialize }) => [name, initialize()]));
    for (const { name, initialize } of specs([2, 4])) expect(initialize()).toEqual(all.get(name));
  });

  it('the backward pass ends at the lowest adapter', async () => {
    const backward = async (options: Partial<TaskOptions>) => {
      const { schedule } = await train(options);
      const count = (name: string) => schedule.dispatches.filter(({ kernel }) => kernel.name === name).length;
      return { queries: count('attention_backward_query'), gelus: count('gelu_backward') };
    };
    // With all layers the LayerNorm of the embeddings is trained: every layer is passed. Else the lowest layer's attention
    // lies below its adapter.
    expect(await backward({})).toEqual({ queries: 5, gelus: 5 });
    expect(await backward({ adapterLayers: [1, 3] })).toEqual({ queries: 3, gelus: 4 });
    expect(await backward({ adapterLayers: [4] })).toEqual({ queries: 0, gelus: 1 });
    expect(await backward({ adapterLayers: [4], layerNorm: 'none' })).toEqual({ queries: 0, gelus: 1 });
  });

  it('started from hidden states, the schedule lacks the lower layers and is otherwise the same', async () => {
    const options = { adapterLayers: [2, 3], dropout: 0.1 };
    const { schedule: whole, task } = await train(options);
    const { schedule: upper } = await train(options, 'hidden');
    const lower = prefixSchedule(task, capacityOf(256, 8));
    const describeAll = ({ dispatches }: Schedule) =>
      dispatches.map(({ kernel, params, constants }) => ({ kernel: kernel.name, params, constants }));
    expect([...describeAll(lower), ...describeAll(upper)]).toEqual(describeAll(whole));
    expect(describeAll(lower).filter(({ kernel }) => kernel.startsWith('attention')).length).toBe(2);
    expect(describeAll(lower).filter(({ kernel }) => kernel === 'dropout')).toEqual([]);
    expect([whole, upper, lower].map(({ hidden }) => hidden.columns)).toEqual([0, 40, 0]);
  });

  it('an example has the same hidden states, bit for bit, whatever is computed beside it', async () => {
    const task = await record(backend(), encoder, { adapterLayers: [3] });
    const executable = await backend().prepare(prefixSchedule(task, capacityOf(256, 32)));
    const lengths = [1, 2, 5, 16, 17, 33, 64, 3, 31];
    const examples = lengths.flatMap((length) => syntheticExamples(config, 1, length));
    const run = async (order: readonly number[]) => {
      const split = { batchSize: order.length, tokenBudget: 256, labels: 'none' } as const;
      const [batch] = batches(examples, order, split);
      const { outputs } = await executable.run({
        microBatches: batch?.microBatches ?? [],
        seed: order.length,
        step: 3,
        lossScale: 1,
      });
      let end = 0;
      return order.map((index) => {
        const start = end;
        end += (lengths[index] ?? 0) * 40;
        return outputs[0]?.slice(start, end);
      });
    };
    const alone: (Float32Array | undefined)[] = [];
    for (const index of examples.keys()) alone.push((await run([index]))[0]);
    for (const order of [[...examples.keys()], [8, 6, 4, 2, 0, 1, 3, 5, 7], [5, 1, 7]]) {
      const together = await run(order);
      order.forEach((index, place) => {
        expect(together[place]).toEqual(alone[index]);
      });
    }
    expect(alone[6]?.length).toBe(64 * 40);
    expect(new Set(alone[6]).size).toBeGreaterThan(2000);
    executable.dispose();
  });

  it('refuses a batch without the hidden states that the schedule takes, or with others, or other labels', async () => {
    const { schedule } = await train({ adapterLayers: [3] }, 'hidden');
    const executable = await backend().prepare(schedule);
    const split = { batchSize: 2, tokenBudget: 256, labels: 'u32' } as const;
    const [batch] = batches(syntheticExamples(config, 2, 5), [0, 1], split);
    const [micro] = batch?.microBatches ?? [];
    if (micro === undefined) throw new Error('no batch');
    const run = (hidden: Float32Array | undefined) =>
      executable.run({ microBatches: [{ ...micro, hidden }], seed: 0, step: 1, lossScale: 1 });
    await expect(run(undefined)).rejects.toThrow('takes hidden states of 400 numbers, the batch has 0');
    await expect(run(new Float32Array(360))).rejects.toThrow('the batch has 360');
    await run(new Float32Array(400));
    const labels = new Uint32Array(3);
    const hidden = new Float32Array(400);
    const otherwise = { microBatches: [{ ...micro, hidden, labels }], seed: 0, step: 1, lossScale: 1 };
    await expect(executable.run(otherwise)).rejects.toThrow('the schedule takes 2 labels, the batch has 3');
    executable.dispose();
  });
});
