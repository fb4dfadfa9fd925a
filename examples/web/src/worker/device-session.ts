import {
  type Backbone,
  DeviceLostError,
  type FileProgress,
  loadBackbone,
  type Runtime,
  type SourceLike,
  type Task,
} from 'graft-ml';
import type { BackboneChoice, BackboneState, DeviceChoice, DeviceState } from '../engine';
import { NotReadyError } from './errors';
import { fingerprintOf } from './fingerprint';
import type { DeviceOpener } from './open-device';
import { Queue } from './queue';
import type { BackboneIdentity } from './storage/schema';

/** A device with a backbone on it, and the tasks that are loaded onto that. Replaced as a whole. */
export interface Place {
  readonly runtime: Runtime;
  readonly device: DeviceState;
  readonly backbone: Backbone;
  readonly identity: BackboneIdentity;
  /** By the task's id. */
  readonly tasks: Map<string, Task>;
}

export interface DeviceSessionEvents {
  device(state: DeviceState): void;
  backbone(state: BackboneState): void;
  loading(progress: FileProgress): void;
}

/** Losing a device twice within this time, it is given up for the CPU. */
const TRUST_MILLISECONDS = 10 * 60_000;

/** Where everything computes: one device, one backbone, one thing at a time. A device that was lost is replaced. */
export class DeviceSession {
  readonly #opener: DeviceOpener;
  readonly #events: DeviceSessionEvents;
  readonly #queue = new Queue();
  #device: { readonly runtime: Runtime; readonly state: DeviceState } | undefined;
  #place: Place | undefined;
  #choice: BackboneChoice | undefined;
  /** Of backbones that are loaded, or will be when it is their turn. */
  readonly #loading = new Set<AbortController>();
  /** Opening and loading, one after the other; never rejects. */
  #settled: Promise<unknown> = Promise.resolve();
  #recovery: Promise<void> | undefined;
  #lastLoss = Number.NEGATIVE_INFINITY;

  constructor(opener: DeviceOpener, events: DeviceSessionEvents) {
    this.#opener = opener;
    this.#events = events;
  }

  get device(): DeviceState | undefined {
    return this.#device?.state;
  }

  get place(): Place | undefined {
    return this.#place;
  }

  get backboneState(): BackboneState | undefined {
    return this.#place === undefined ? undefined : stateOf(this.#place);
  }

  /** Opens a device and moves the backbone, where there is one, onto it. */
  openDevice(wanted: DeviceChoice, note?: string): Promise<DeviceState> {
    return this.#exclusively(async () => {
      const opened = await this.#opener.open(wanted, note);
      await this.#queue.run(async () => this.#leave());
      this.#device = opened;
      this.#events.device(opened.state);
      const choice = this.#choice;
      if (choice !== undefined) await this.#cancellable((signal) => this.#load(choice, signal));
      return opened.state;
    });
  }

  /** Replaces the backbone; where loading fails, the former one stays. */
  openBackbone(choice: BackboneChoice): Promise<BackboneState> {
    return this.#cancellable((signal) => this.#exclusively(() => this.#load(choice, signal)));
  }

  cancelLoading(): void {
    for (const loading of this.#loading)
      loading.abort(new DOMException('Loading was cancelled', 'AbortError'));
  }

  /**
   * Runs `work` when nothing else computes, on the place at hand; again where its device is lost meanwhile.
   * Throws NotReadyError where no backbone is loaded.
   */
  async use<T>(work: (place: Place) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#whenSettled();
      let used: Place | undefined;
      try {
        return await this.#queue.run(() => {
          used = this.require();
          return work(used);
        });
      } catch (error) {
        if (!(error instanceof DeviceLostError) || used === undefined) throw error;
        await this.recover(used);
      }
    }
  }

  /** Runs `work`, which computes on a place that the caller knows, when nothing else computes. */
  take<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(work);
  }

  /** Waits for what is being opened. */
  async ready(): Promise<Place> {
    await this.#whenSettled();
    return this.require();
  }

  /** Throws NotReadyError where no backbone is loaded. */
  require(): Place {
    if (this.#place === undefined) throw new NotReadyError('no backbone is loaded', 'Load one first');
    return this.#place;
  }

  /**
   * Replaces a place whose device was lost: by a new device of the same kind, or where that fails or was lost a short while
   * ago, by the CPU. Whoever comes second finds it done.
   */
  async recover(lost: Place): Promise<void> {
    if (this.#place !== lost) return;
    this.#recovery ??= this.#replace(lost).finally(() => {
      this.#recovery = undefined;
    });
    await this.#recovery;
  }

  async #replace(lost: Place): Promise<void> {
    const wasLostBefore = Date.now() - this.#lastLoss < TRUST_MILLISECONDS;
    this.#lastLoss = Date.now();
    const { name, choice } = lost.device;
    if (!wasLostBefore) {
      try {
        await this.openDevice(choice, `${name} was lost and opened again.`);
        return;
      } catch {
        // A device that was lost may not come back for a while.
      }
    }
    const why = wasLostBefore ? 'was lost twice' : 'was lost and could not be opened again';
    await this.openDevice('wasm', `${name} ${why}: the CPU computes instead.`);
  }

  async #load(choice: BackboneChoice, signal: AbortSignal): Promise<BackboneState> {
    const device = this.#device;
    if (device === undefined) throw new NotReadyError('no device is open', 'Choose one first');
    signal.throwIfAborted();
    const backbone = await loadBackbone(sourceOf(choice), {
      runtime: device.runtime,
      signal,
      onProgress: this.#events.loading,
    });
    const identity = { description: backbone.description, fingerprint: fingerprintOf(backbone) };
    const tasks = new Map<string, Task>();
    const place: Place = { runtime: device.runtime, device: device.state, backbone, identity, tasks };
    await this.#queue.run(async () => {
      if (this.#place !== undefined) clear(this.#place);
      this.#place = place;
    });
    this.#choice = choice;
    const state = stateOf(place);
    this.#events.backbone(state);
    return state;
  }

  /** `load` may be cancelled before it begins, too. */
  async #cancellable<T>(load: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const loading = new AbortController();
    this.#loading.add(loading);
    try {
      return await load(loading.signal);
    } finally {
      this.#loading.delete(loading);
    }
  }

  /** Gives the device at hand back, with everything on it. */
  #leave(): void {
    if (this.#place !== undefined) clear(this.#place);
    this.#place = undefined;
    this.#device?.runtime.dispose();
    this.#device = undefined;
  }

  /** A recovery may open devices several times, and has its errors thrown to whoever asked for it. */
  async #whenSettled(): Promise<void> {
    await this.#recovery?.catch(() => undefined);
    await this.#settled;
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#settled.then(work);
    this.#settled = result.catch(() => undefined);
    return result;
  }
}

function clear(place: Place): void {
  for (const task of place.tasks.values()) task.dispose();
  place.tasks.clear();
  place.backbone.dispose();
}

function stateOf({ backbone, identity }: Place): BackboneState {
  const { config, parameterCount, byteLength } = backbone;
  const { layers, hiddenSize, maxPositions } = config;
  return { ...identity, parameters: parameterCount, byteLength, layers, hiddenSize, maxPositions };
}

function sourceOf(choice: BackboneChoice): SourceLike {
  switch (choice.kind) {
    case 'embedded':
      return 'graft-mini';
    case 'hub':
      return choice.id.trim();
    case 'files':
      return Object.fromEntries(choice.files.map((file) => [file.name, file]));
  }
}
