/** Whole training steps on an encoder of random weights: where the time goes, on this thread and on the device. */
import { houlsby } from '../src/adapters/houlsby';
import { uploadEncoder } from '../src/models/frozen-encoder';
import { ParameterLayout } from '../src/scheduler/parameters';
import { batches } from '../src/training/batches';
import { capacityOf, trainingSchedule } from '../src/training/record-task';
import { createRuntime } from '../src/training/runtime';
import { initialArena, resolveTask, taskParameters } from '../src/training/task-spec';
import { runTraining } from '../src/training/trainer';
import { resolveTraining } from '../src/training/training-settings';
import type { StepReport } from '../src/training/types';
import { type ShapeName, syntheticCheckpoint, syntheticConfig, syntheticExamples } from './synthetic';

export interface StepBenchOptions {
  readonly shape: ShapeName;
  readonly sequences: number;
  readonly length: number;
  readonly steps: number;
  readonly tokenBudget?: number;
  readonly backend?: 'webgpu' | 'wasm';
  readonly recompute?: boolean;
}

export async function benchStep({
  shape,
  sequences,
  length,
  steps,
  tokenBudget = 2048,
  backend: backendName = 'webgpu',
  recompute = false,
}: StepBenchOptions): Promise<void> {
  const backend = (await createRuntime({ backend: backendName })).compute;
  const config = syntheticConfig(shape);
  const encoder = await uploadEncoder(syntheticCheckpoint(config), backend);
  const weights = backend.memory.held;
  const spec = resolveTask({ labels: ['a', 'b'], adapter: houlsby({ bottleneck: 64 }) }, encoder);
  const specs = taskParameters(spec, encoder, 0);
  const layout = new ParameterLayout(specs);
  const initial = initialArena(specs, layout);
  const parameters = await backend.allocate(layout.size * 4, 'parameters');
  const gradients = await backend.allocate(layout.size * 4, 'gradients');
  const schedule = trainingSchedule(
    { spec, encoder, layout, parameters, frozenLayerNorms: new Map() },
    gradients,
    capacityOf(tokenBudget, sequences),
    { recompute },
  );
  const started = performance.now();
  const executable = await backend.prepare(schedule);
  const prepared = performance.now() - started;
  const examples = syntheticExamples(config, sequences * steps, length);
  const reports: StepReport[] = [];
  const run = runTraining({
    backend,
    executable,
    layout,
    parameters,
    gradients,
    initial,
    kind: 'classification',
    examples,
    tokenBudget,
    settings: resolveTraining({ epochs: 1, batchSize: sequences }),
    conditions: {},
    evaluate: undefined,
    options: {},
  });
  for await (const report of run) if (report.type === 'step') reports.push(report);

  const tokens = sequences * length;
  console.log(
    `${backend.device.name}: ${shape}, ${sequences} sequences of ${length} = ${tokens} tokens a step`,
  );
  console.log(
    `trained parameters ${layout.count}; dispatches ${schedule.dispatches.length}; prepared in ${prepared.toFixed(0)} ms`,
  );
  const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(
    `memory: weights ${megabytes(weights)}, schedule for ${tokenBudget} tokens ${megabytes(executable.byteLength)} in ${schedule.slots.length} slots, peak ${megabytes(backend.memory.peak)}`,
  );
  // The first step warms caches up.
  const kept = reports.slice(Math.min(1, reports.length - 1));
  const median = (values: number[]) =>
    values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  const parts = ['encode', 'readBack', 'optimizer', 'upload', 'device'] as const;
  const medians = parts.map((part) => median(kept.map(({ timings }) => timings[part])));
  parts.forEach((part, i) => {
    console.log(`  ${part.padEnd(10)} ${(medians[i] ?? 0).toFixed(2).padStart(10)} ms`);
  });
  const host = medians.slice(0, 4).reduce((sum, value) => sum + value, 0);
  const total = medians.reduce((sum, value) => sum + value, 0);
  console.log(
    `  host total ${host.toFixed(2).padStart(10)} ms; ${((tokens * 1000) / total).toFixed(0)} tokens/s`,
  );

  const order = examples.slice(0, sequences).map((_, i) => i);
  const [first] = [
    ...batches(examples, order, { batchSize: sequences, tokenBudget, labels: 'classification' }),
  ];
  const micro = first?.microBatches[0];
  if (micro !== undefined) {
    const times = await executable.profile(micro);
    const sum = times.reduce((all, { milliseconds }) => all + milliseconds, 0);
    console.log(`kernels of one micro-batch of ${micro.tokenCount} tokens, ${sum.toFixed(0)} ms:`);
    for (const { kernel, dispatches, milliseconds } of [...times].sort(
      (a, b) => b.milliseconds - a.milliseconds,
    )) {
      const share = ((100 * milliseconds) / sum).toFixed(1);
      console.log(
        `  ${kernel.padEnd(28)} ${String(dispatches).padStart(4)} × ${milliseconds.toFixed(1).padStart(9)} ms ${share.padStart(6)}%`,
      );
    }
  }
  executable.dispose();
  encoder.dispose();
  backend.dispose();
}
