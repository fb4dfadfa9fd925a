import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '../compare';

/** How the contestants are started: the bundles of run.mjs, and scripts in Python. */
export class Contestants {
  readonly #folder: string;

  /** @param folder bench/peers */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param bundle one of run.mjs's entry points */
  node(
    name: string,
    bundle: 'graft' | 'tfjs' | 'jax' | 'onnxruntime' | 'huggingface',
    settings: Entry['settings'] = {},
  ): Entry {
    const script = join(this.#folder, 'build', `${bundle}.mjs`);
    return { name, command: [process.execPath, script], settings };
  }

  /** @param script in peers/python, without `.py` */
  python(name: string, script: string, settings: Entry['settings'] = {}): Entry {
    const path = join(this.#folder, 'peers', 'python', `${script}.py`);
    if (!existsSync(path)) throw new RangeError(`there is no ${path}`);
    return { name, command: [process.env.PYTHON ?? 'python3', path], settings };
  }
}
