import { createRuntime, NoGPUError, type Runtime } from 'graft-ml';
import type { DeviceChoice, DeviceState } from '../engine';
import type { Keeper } from './storage/keeper';

export interface OpenedDevice {
  readonly runtime: Runtime;
  readonly state: DeviceState;
}

export interface DeviceOpenerOptions {
  readonly keeper: Keeper;
  /** The browser and Graft with their versions: a new one brings another compiler of shaders, or other shaders. */
  readonly browser: string;
  /** Cases of the check done, and of how many. */
  readonly onCheck: (done: number, total: number) => void;
  /** Default: the library's. */
  readonly open?: ((backend: DeviceChoice) => Promise<Runtime>) | undefined;
}

/** Opens devices, and trusts a GPU only after its kernels were checked. */
export class DeviceOpener {
  readonly #options: DeviceOpenerOptions;
  readonly #open: (backend: DeviceChoice) => Promise<Runtime>;

  constructor(options: DeviceOpenerOptions) {
    this.#options = options;
    this.#open = options.open ?? ((backend) => createRuntime({ backend }));
  }

  /** The device that was asked for, or the CPU with a note why. `note` goes before what else is to be said. */
  async open(choice: DeviceChoice, note?: string): Promise<OpenedDevice> {
    if (choice === 'wasm') return this.#describe(choice, await this.#open('wasm'), note);
    let runtime: Runtime;
    try {
      runtime = await this.#open(choice);
    } catch (error) {
      if (!(error instanceof NoGPUError)) throw error;
      return this.#openCpu(choice, `WebGPU cannot be used: ${error.message}.`);
    }
    if (runtime.backend !== 'webgpu') return this.#describe(choice, runtime, note);
    const trouble = await this.#check(runtime);
    if (trouble === undefined) return this.#describe(choice, runtime, note);
    runtime.dispose();
    return this.#openCpu(choice, trouble);
  }

  async #openCpu(choice: DeviceChoice, note: string): Promise<OpenedDevice> {
    return this.#describe(choice, await this.#open('wasm'), `${note} The CPU computes instead.`);
  }

  #describe(choice: DeviceChoice, runtime: Runtime, note: string | undefined): OpenedDevice {
    const { name, note: ownNote } = runtime.device;
    const notes = [note, ownNote].filter((part) => part !== undefined);
    const backend = runtime.backend === 'webgpu' ? 'webgpu' : 'wasm';
    return {
      runtime,
      state: { choice, backend, name, note: notes.length === 0 ? undefined : notes.join(' ') },
    };
  }

  /** Why the device is not to be used; undefined where it computes rightly. Checked once per device and browser. */
  async #check(runtime: Runtime): Promise<string | undefined> {
    const { keeper, browser, onCheck } = this.#options;
    const { name, vendor, architecture } = runtime.device;
    const key = [name, vendor, architecture, browser].join(' | ');
    let isRight = await keeper.read('device-checks', key);
    if (isRight === undefined) {
      try {
        isRight = (await runtime.selfTest({ onProgress: onCheck })).passed;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        return `${name} could not be checked (${message}).`;
      }
      await keeper.write([{ store: 'device-checks', key, value: isRight }]);
    }
    return isRight ? undefined : `${name} computes wrongly in this browser.`;
  }
}
