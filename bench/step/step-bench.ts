/** Whole training steps on an encoder of random weights. */
import { houlsby } from '../../src/adapters/houlsby';
import type { Backend, Executable, KernelTime } from '../../src/backends/backend';
import type { WeightStorage } from '../../src/backends/frozen-matrix';
import type { DeviceBuffer, Schedule } from '../../src/backends/schedule';
import type { EncoderConfig } from '../../src/models/config';
import { type FrozenEncoder, uploadEncoder } from '../../src/models/frozen-encoder';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { batches } from '../../src/training/batches';
import { capacityOf, trainingSchedule } from '../../src/training/record-task';
import { initialArena, resolveTask, taskParameters } from '../../src/training/task-spec';
import { runTraining } from '../../src/training/trainer';
import { resolveTraining } from '../../src/training/training-settings';
import type { StepTimings } from '../../src/training/types';
import { SHAPES, type ShapeName } from '../shapes';
import { syntheticCheckpoint, syntheticConfig, syntheticExamples } from '../synthetic';

export interface StepBatch {
  readonly sequences: number;
  /** Tokens of each. */
  readonly length: number;
}

export interface StepBenchOptions {
  readonly tokenBudget: number;
  /** Of any batch that will be run. */
  readonly mostSequences: number;
  /** How the frozen weights are kept. */
  readonly weights: WeightStorage;
  /** Whether layers' activations are computed again in the backward pass. */
  readonly recompute: boolean;
}

/** What was made before the first step. Memory in bytes. */
export interface StepSetup {
  readonly encoder: string;
  readonly trainedParameters: number;
  readonly dispatches: number;
  readonly slots: number;
  readonly prepareMilliseconds: number;
  readonly weightBytes: number;
  readonly scheduleBytes: number;
}

interface Arenas {
  readonly layout: ParameterLayout;
  readonly initial: Float32Array<ArrayBuffer>;
  readonly parameters: DeviceBuffer;
  readonly gradients: DeviceBuffer;
}

/** An encoder and a prepared training schedule, bottleneck 64 and dropout 0.1, that steps of any size can be run on. */
export class StepBench {
  readonly setup: StepSetup;
  readonly #backend: Backend;
  readonly #config: EncoderConfig;
  readonly #encoder: FrozenEncoder;
  readonly #arenas: Arenas;
  readonly #executable: Executable;
  readonly #tokenBudget: number;

  private constructor(made: {
    readonly setup: StepSetup;
    readonly backend: Backend;
    readonly config: EncoderConfig;
    readonly encoder: FrozenEncoder;
    readonly arenas: Arenas;
    readonly executable: Executable;
    readonly tokenBudget: number;
  }) {
    this.setup = made.setup;
    this.#backend = made.backend;
    this.#config = made.config;
    this.#encoder = made.encoder;
    this.#arenas = made.arenas;
    this.#executable = made.executable;
    this.#tokenBudget = made.tokenBudget;
  }

  static async open(
    backend: Backend,
    shape: ShapeName,
    { tokenBudget, mostSequences, weights, recompute }: StepBenchOptions,
  ): Promise<StepBench> {
    const config = syntheticConfig(shape);
    const heldBefore = backend.memory.held;
    const encoder = await uploadEncoder(syntheticCheckpoint(config), backend, { weights });
    const weightBytes = backend.memory.held - heldBefore;
    const spec = resolveTask({ labels: ['a', 'b'], adapter: houlsby({ bottleneck: 64 }) }, encoder);
    const specs = taskParameters(spec, encoder, 0);
    const layout = new ParameterLayout(specs);
    const parameters = await backend.allocate(layout.size * 4, 'parameters');
    const gradients = await backend.allocate(layout.size * 4, 'gradients');
    const schedule: Schedule = trainingSchedule(
      { spec, encoder, layout, parameters, frozenLayerNorms: new Map() },
      gradients,
      capacityOf(tokenBudget, mostSequences),
      { recompute },
    );
    const started = performance.now();
    const executable = await backend.prepare(schedule);
    const setup = {
      encoder: recompute ? `${SHAPES[shape].title}, recomputed` : SHAPES[shape].title,
      trainedParameters: layout.count,
      dispatches: schedule.dispatches.length,
      slots: schedule.slots.length,
      prepareMilliseconds: performance.now() - started,
      weightBytes,
      scheduleBytes: executable.byteLength,
    };
    const arenas = { layout, initial: await initialArena(specs, layout), parameters, gradients };
    return new StepBench({ setup, backend, config, encoder, arenas, executable, tokenBudget });
  }

  /** So many steps of the training loop, in milliseconds; the first of a new schedule warms caches up. */
  async run({ sequences, length }: StepBatch, steps: number): Promise<StepTimings[]> {
    const timings: StepTimings[] = [];
    const run = runTraining({
      ...this.#arenas,
      backend: this.#backend,
      executable: this.#executable,
      labelType: 'u32',
      examples: syntheticExamples(this.#config, sequences * steps, length),
      tokenBudget: this.#tokenBudget,
      settings: resolveTraining({ epochs: 1, batchSize: sequences }),
      conditions: {},
      evaluate: undefined,
      options: {},
    });
    for await (const report of run) if (report.type === 'step') timings.push(report.timings);
    return timings;
  }

  /** Where a micro-batch's time goes. Throws GraftError where the device has no timers. */
  async profile({ sequences, length }: StepBatch): Promise<readonly KernelTime[]> {
    const examples = syntheticExamples(this.#config, sequences, length);
    const order = examples.map((_, index) => index);
    const options = {
      batchSize: sequences,
      tokenBudget: this.#tokenBudget,
      labels: 'u32',
    } as const;
    for (const { microBatches } of batches(examples, order, options)) {
      for (const batch of microBatches) return this.#executable.profile(batch);
    }
    return [];
  }

  dispose(): void {
    this.#executable.dispose();
    this.#arenas.parameters.dispose();
    this.#arenas.gradients.dispose();
    this.#encoder.dispose();
  }
}

/** Of a whole step. */
export function totalOf({ encode, device, readBack, optimizer, upload }: StepTimings): number {
  return encode + device + readBack + optimizer + upload;
}
