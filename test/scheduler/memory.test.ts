/** How much memory a training step takes beside the weights: planned, without a device. */
import { describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import type { Schedule } from '../../src/backends/schedule';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { frozen } from '../../src/scheduler/tape';
import { capacityOf, type ScheduleStart, trainingSchedule } from '../../src/training/record-task';
import { resolveTask, taskParameters } from '../../src/training/task-spec';
import { BERT_BASE, nowhere, plannedEncoder } from '../support/planning';

const MIB = 2 ** 20;

interface Planned {
  /** Layers with adapters. Default all. */
  readonly adapterLayers?: number[];
  readonly start?: ScheduleStart;
}

function plan(recompute: boolean, { adapterLayers, start = 'tokens' }: Planned = {}): Schedule {
  const encoder = plannedEncoder(BERT_BASE);
  const adapter = houlsby({ bottleneck: 64 });
  const spec = resolveTask(
    { labels: ['a', 'b'], adapter, ...(adapterLayers === undefined ? {} : { adapterLayers }) },
    encoder,
  );
  const layout = new ParameterLayout(taskParameters(spec, encoder, 0));
  const frozenLayerNorms = new Map(
    [...encoder.layerNorms.keys()].flatMap((place) =>
      ['weight', 'bias'].map((part) => {
        const name = `${place}.layer_norm.${part}`;
        return [name, frozen(name, nowhere, 1, BERT_BASE.hiddenSize)] as const;
      }),
    ),
  );
  const task = { spec, encoder, layout, parameters: nowhere, frozenLayerNorms };
  return trainingSchedule(task, nowhere, capacityOf(2048, 32), { recompute, start });
}

function sizeOf({ slots }: Schedule): number {
  return slots.reduce((sum, bytes) => sum + bytes, 0);
}

function count(schedule: Schedule, kernel: string): number {
  return schedule.dispatches.filter((item) => item.kernel.name === kernel).length;
}

describe('a training step of BERT-base, Houlsby 64, 2,048 tokens', () => {
  it('takes at most 900 MiB', () => {
    const bytes = sizeOf(plan(false));
    expect(bytes).toBeLessThan(900 * MIB);
    // What must be saved: inputs of GELU, queries, keys and values, and more, in the eleven layers that compute all tokens.
    expect(bytes).toBeGreaterThan(11 * (3072 + 3 * 768) * 2048 * 4);
  });

  it('takes at most 265 MiB with recomputation', () => {
    expect(sizeOf(plan(true))).toBeLessThan(265 * MIB);
  });

  it('computes again eleven layers, but not their second feed-forward products', () => {
    const [saved, again] = [plan(false), plan(true)];
    // The last layer's backward pass follows its forward pass.
    expect(count(again, 'attention_forward_saving') - count(saved, 'attention_forward_saving')).toBe(11);
    expect(count(again, 'gelu_forward')).toBe(count(saved, 'gelu_forward'));
    // Queries, keys and values, attention's output, the intermediate product; the second products of two adapters.
    expect(count(again, 'frozen_linear_forward') - count(saved, 'frozen_linear_forward')).toBe(11 * 3);
    expect(count(again, 'linear_forward') - count(saved, 'linear_forward')).toBe(11 * 2);
  });

  it.each(['tokens', 'hidden'] as const)(
    'computes no layer again below the lowest adapter: from the %s on',
    (start) => {
      const upper = { adapterLayers: [8, 9, 10, 11], start };
      const [saved, again] = [plan(false, upper), plan(true, upper)];
      expect(count(again, 'frozen_linear_forward') - count(saved, 'frozen_linear_forward')).toBe(3 * 3);
      expect(sizeOf(again)).toBeLessThan(0.7 * sizeOf(saved));
    },
  );
});
