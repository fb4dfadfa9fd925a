import type { Backend, Executable } from '../backends/backend';
import type { BatchShape } from '../backends/kernel';
import type { Schedule } from '../backends/schedule';
import { type BatchOptions, batches, type EncodedExample } from './batches';
import type { PrefixCache } from './prefix-cache';
import { capacityOf } from './record-task';

/** Sequences that are uploaded and read back together. */
export const SEQUENCES_PER_RUN = 256;

export interface InferenceOptions {
  readonly tokenBudget: number;
  readonly signal?: AbortSignal | undefined;
  /** Sequences done so far, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A forward pass that gives a row for each sequence, or for each token; of each of several tasks where it has several outputs. */
export interface InferenceModel {
  /** Numbers in a row; where the schedule has several outputs, of each. */
  readonly columns: number | readonly number[];
  readonly rows: 'sequences' | 'tokens';
  /** Whether the batches carry the examples' labels: where those say which task a sequence is for. Default 'none'. */
  readonly labels?: BatchOptions['labels'];
  /** Its outputs are `[rows, columns]`. */
  schedule(capacity: BatchShape): Schedule;
}

/** A forward pass, prepared once per token budget and replayed. */
export class Inference {
  readonly #backend: Backend;
  readonly #model: InferenceModel;
  readonly #prefix: PrefixCache | undefined;
  #prepared: { readonly tokenBudget: number; readonly executable: Executable } | undefined;
  /** Runs that are under way or wait. */
  #runs = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param prefix where the lower layers' output is kept, for examples that come again; `model` then starts from it */
  constructor(backend: Backend, model: InferenceModel, prefix?: PrefixCache) {
    this.#backend = backend;
    this.#model = model;
    this.#prefix = prefix;
  }

  /** The rows of every example in their order, `[examples, columns]` or `[tokens, columns]`: of the only output, or of the first. */
  async rows(
    examples: readonly EncodedExample[],
    options: InferenceOptions,
  ): Promise<Float32Array<ArrayBuffer>> {
    const [rows = new Float32Array(0)] = await this.outputs(examples, options);
    return rows;
  }

  /** Likewise of each output. Calls wait for each other: one with another token budget would take away the schedule that one is using. */
  outputs(
    examples: readonly EncodedExample[],
    options: InferenceOptions,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    this.#runs += 1;
    const result = this.#last
      .then(() => this.#run(examples, options))
      .finally(() => {
        this.#runs -= 1;
      });
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Frees its memory, at the end of the runs that were asked for. */
  dispose(): void {
    if (this.#runs === 0) this.#free();
    else void this.#last.then(() => this.#free());
  }

  #free(): void {
    this.#prepared?.executable.dispose();
    this.#prepared = undefined;
  }

  async #run(
    examples: readonly EncodedExample[],
    options: InferenceOptions,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const { rows, labels = 'none' } = this.#model;
    const columns = [this.#model.columns].flat();
    const rowCount =
      rows === 'sequences' ? examples.length : examples.reduce((sum, { ids }) => sum + ids.length, 0);
    const all = columns.map((count) => new Float32Array(rowCount * count));
    const executable = await this.#prepare(options.tokenBudget);
    const order = Array.from(examples, (_, index) => index);
    const split: BatchOptions = {
      batchSize: SEQUENCES_PER_RUN,
      tokenBudget: options.tokenBudget,
      labels,
    };
    let done = 0;
    let rowsDone = 0;
    for (const batch of batches(examples, order, split)) {
      options.signal?.throwIfAborted();
      const { microBatches } = (await this.#prefix?.attach(batch)) ?? batch;
      const { outputs } = await executable.run({ microBatches, seed: 0, step: 0, lossScale: 1 });
      all.forEach((values, index) => {
        values.set(outputs[index] ?? [], rowsDone * (columns[index] ?? 0));
      });
      rowsDone += rows === 'sequences' ? batch.sequenceCount : batch.tokenCount;
      done += batch.sequenceCount;
      options.onProgress?.(done, examples.length);
    }
    return all;
  }

  async #prepare(tokenBudget: number): Promise<Executable> {
    if (this.#prepared?.tokenBudget !== tokenBudget) {
      this.#free();
      const schedule = this.#model.schedule(capacityOf(tokenBudget, SEQUENCES_PER_RUN));
      this.#prepared = { tokenBudget, executable: await this.#backend.prepare(schedule) };
    }
    return this.#prepared.executable;
  }
}
