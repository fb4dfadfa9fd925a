import type { Backend, Executable } from '../backends/backend';
import { type BatchOptions, batches, type EncodedExample } from './batches';
import type { PrefixCache } from './prefix-cache';
import { capacityOf, inferenceSchedule, type RecordedTask } from './record-task';

/** Sequences that are uploaded and read back together. */
export const SEQUENCES_PER_RUN = 256;

export interface InferenceOptions {
  readonly tokenBudget: number;
  readonly signal?: AbortSignal | undefined;
  /** Sequences done so far, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The forward pass of a task, prepared once per token budget and replayed. */
export class Inference {
  readonly #backend: Backend;
  readonly #task: RecordedTask;
  readonly #prefix: PrefixCache | undefined;
  #prepared: { readonly tokenBudget: number; readonly executable: Executable } | undefined;

  /** @param prefix where the lower layers' output is kept, for examples that come again */
  constructor(backend: Backend, task: RecordedTask, prefix?: PrefixCache) {
    this.#backend = backend;
    this.#task = task;
    this.#prefix = prefix;
  }

  /** Logits of every example in their order, `[examples, C]`. Labels are not read. */
  async logits(
    examples: readonly EncodedExample[],
    options: InferenceOptions,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { outputs } = this.#task.spec;
    const all = new Float32Array(examples.length * outputs);
    const executable = await this.#prepare(options.tokenBudget);
    const order = Array.from(examples, (_, index) => index);
    const split: BatchOptions = {
      batchSize: SEQUENCES_PER_RUN,
      tokenBudget: options.tokenBudget,
      labels: 'none',
    };
    let done = 0;
    for (const batch of batches(examples, order, split)) {
      options.signal?.throwIfAborted();
      const { microBatches } = (await this.#prefix?.attach(batch)) ?? batch;
      const { outputs: results } = await executable.run({ microBatches, seed: 0, step: 0, lossScale: 1 });
      all.set(results[0] ?? [], done * outputs);
      done += batch.sequenceCount;
      options.onProgress?.(done, examples.length);
    }
    return all;
  }

  dispose(): void {
    this.#prepared?.executable.dispose();
    this.#prepared = undefined;
  }

  async #prepare(tokenBudget: number): Promise<Executable> {
    if (this.#prepared?.tokenBudget !== tokenBudget) {
      this.dispose();
      const capacity = capacityOf(tokenBudget, SEQUENCES_PER_RUN);
      const start = this.#prefix === undefined ? 'tokens' : 'hidden';
      const schedule = inferenceSchedule(this.#task, capacity, start);
      this.#prepared = { tokenBudget, executable: await this.#backend.prepare(schedule) };
    }
    return this.#prepared.executable;
  }
}
