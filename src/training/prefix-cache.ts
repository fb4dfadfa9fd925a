import type { Backend, Executable, RunTimings } from '../backends/backend';
import { openActivationDisk } from '../platform/activation-disk';
import { type ActivationStore, type TieredPlace, TieredStore } from '../platform/activation-store';
import type { PackedBatch } from '../scheduler/packed-batch';
import { batches, type EncodedExample, type LogicalBatch } from './batches';
import { capacityOf, prefixSchedule, type RecordedTask } from './record-task';
import type { PrefixCacheReport } from './types';

export interface PrefixCacheOptions {
  /** Bytes kept in memory before the disk is used. */
  readonly memoryBytes: number;
  readonly tokenBudget: number;
  /** Sequences in the largest batch. */
  readonly mostSequences: number;
  /** Opens the disk; by default this platform's. */
  readonly openDisk?: (() => Promise<ActivationStore>) | undefined;
}

/**
 * The input of the lowest layer that holds something trainable, or of the head where none does, computed once per example and
 * kept while a training run lasts. Below that layer nothing is random (see `TaskOptions.adapterLayers`), so what is kept is what would be computed
 * again, bit for bit: kernels sum a row's elements in one order, whatever rows lie beside it.
 */
export class PrefixCache {
  readonly #backend: Backend;
  readonly #task: RecordedTask;
  readonly #options: PrefixCacheOptions;
  readonly #store: TieredStore;
  readonly #places = new Map<EncodedExample, TieredPlace>();
  #executable: Executable | undefined;

  constructor(backend: Backend, task: RecordedTask, options: PrefixCacheOptions) {
    this.#backend = backend;
    this.#task = task;
    this.#options = options;
    this.#store = new TieredStore(options.memoryBytes, options.openDisk ?? openActivationDisk);
  }

  get report(): PrefixCacheReport {
    const { memoryBytes, diskBytes, problem } = this.#store;
    const layers = this.#task.spec.frozenLayers;
    const note =
      problem === undefined ? undefined : `${problem}. Texts that are not kept are computed each time`;
    return { layers, examples: this.#places.size, memoryBytes, diskBytes, note };
  }

  /** The batch's micro-batches with their hidden states, for a schedule that starts there. */
  async attach(batch: LogicalBatch): Promise<{ microBatches: PackedBatch[]; timings: RunTimings }> {
    const started = performance.now();
    const { hiddenSize, layers } = this.#task.encoder.config;
    // A head of sequences takes one row of each.
    const { frozenLayers, head } = this.#task.spec;
    const isPooled = frozenLayers === layers && head.rows === 'sequences';
    const wanted: WantedRows[] = [];
    const microBatches = batch.microBatches.map((packed, index): PackedBatch => {
      const hidden = new Float32Array((isPooled ? packed.sequenceCount : packed.tokenCount) * hiddenSize);
      let end = 0;
      for (const example of batch.members[index] ?? []) {
        const start = end;
        end += (isPooled ? 1 : example.ids.length) * hiddenSize;
        wanted.push({ example, rows: hidden.subarray(start, end) });
      }
      return { ...packed, hidden };
    });
    const isKept = await Promise.all(wanted.map((item) => this.#read(item)));
    const missing = wanted.filter((_, index) => isKept[index] === false);
    const device = missing.length === 0 ? undefined : await this.#compute(missing);
    const elapsed = performance.now() - started;
    const timings = {
      encode: elapsed - (device?.device ?? 0) - (device?.readBack ?? 0),
      device: device?.device ?? 0,
      readBack: device?.readBack ?? 0,
    };
    return { microBatches, timings };
  }

  async close(): Promise<void> {
    this.#executable?.dispose();
    this.#executable = undefined;
    this.#places.clear();
    await this.#store.close();
  }

  async #read({ example, rows }: WantedRows): Promise<boolean> {
    const place = this.#places.get(example);
    if (place === undefined) return false;
    if (await this.#store.read(place, rows)) return true;
    this.#places.delete(example);
    return false;
  }

  /** Runs the lower layers on what is missing, hands the rows out and keeps them. */
  async #compute(missing: readonly WantedRows[]): Promise<RunTimings> {
    const { tokenBudget } = this.#options;
    const executable = await this.#prepare();
    const split = { batchSize: missing.length, tokenBudget, labels: 'none' } as const;
    const order = missing.map((_, index) => index);
    const examples = missing.map(({ example }) => example);
    const [batch] = batches(examples, order, split);
    const { outputs, timings } = await executable.run({
      microBatches: batch?.microBatches ?? [],
      seed: 0,
      step: 0,
      lossScale: 1,
    });
    const hidden = outputs[0] ?? new Float32Array(0);
    let end = 0;
    for (const { example, rows } of missing) {
      rows.set(hidden.subarray(end, end + rows.length));
      end += rows.length;
      const place = await this.#store.append(rows);
      if (place !== undefined) this.#places.set(example, place);
    }
    return timings;
  }

  async #prepare(): Promise<Executable> {
    if (this.#executable === undefined) {
      const { tokenBudget, mostSequences } = this.#options;
      const capacity = capacityOf(tokenBudget, mostSequences);
      this.#executable = await this.#backend.prepare(prefixSchedule(this.#task, capacity));
    }
    return this.#executable;
  }
}

/** An example and where its hidden states are to go. */
interface WantedRows {
  readonly example: EncodedExample;
  /** `[length, hidden]`, or `[1, hidden]` */
  readonly rows: Float32Array;
}
