import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileFormatError, OptionError, type TaskExample, writeFileAtomic, writeFilesAtomic } from '../index';
import { accessError, systemCode } from './system-error';

const STATE = 'checkpoint.graft';
const RECORD = 'checkpoint.json';
const RECORD_VERSION = 1;

/** What a run must have in common with the one it resumes: flags and the values that they had. */
export type RunSettings = Readonly<Record<`--${string}`, string | number | boolean | null>>;

/**
 * The resumable state of a run in its output directory: `checkpoint.graft` is the trainer's, `checkpoint.json` says with
 * which options and data it was made. Both go when the run is done.
 */
export class UnfinishedRun {
  /** The state to go on from; undefined where there is none, or it was not asked for. */
  readonly state: Uint8Array | undefined;
  readonly #directory: string;
  readonly #settings: RunSettings;

  private constructor(directory: string, settings: RunSettings, state: Uint8Array | undefined) {
    this.#directory = directory;
    this.#settings = settings;
    this.state = state;
  }

  /**
   * Looks into `directory`. Nothing is written yet.
   * @throws OptionError where an unfinished run is there that `resume` does not ask for, or that was made otherwise.
   */
  static async open(directory: string, settings: RunSettings, resume: boolean): Promise<UnfinishedRun> {
    const state = await readIfThere(join(directory, STATE));
    if (state === undefined) return new UnfinishedRun(directory, settings, undefined);
    if (!resume) {
      throw new OptionError(
        '--out',
        `${directory} holds an unfinished run`,
        `Add --resume to go on with it, choose another --out, or delete ${join(directory, STATE)}`,
      );
    }
    await checkRecord(join(directory, RECORD), settings);
    return new UnfinishedRun(directory, settings, state);
  }

  /** Makes the directory and says in it how the run that begins was set up. */
  async begin(): Promise<void> {
    const record = { version: RECORD_VERSION, settings: this.#settings };
    await writeFilesAtomic(this.#directory, {
      [RECORD]: new TextEncoder().encode(`${JSON.stringify(record)}\n`),
    });
  }

  /** Replaces the state on the disk; a crash meanwhile leaves the former one whole. */
  async save(state: Uint8Array): Promise<void> {
    await writeFileAtomic(join(this.#directory, STATE), state);
  }

  /** Removes the state, and what a killed process left of one while it was writing. */
  async clear(): Promise<void> {
    // The state first: without it, the record means nothing.
    await rm(join(this.#directory, STATE), { force: true });
    await rm(join(this.#directory, RECORD), { force: true });
    const names = await readdir(this.#directory).catch(() => []);
    for (const name of names) {
      if (name.startsWith('checkpoint.') && name.endsWith('.tmp')) {
        await rm(join(this.#directory, name), { force: true });
      }
    }
  }
}

/** A digest of everything in the examples, and their order. */
export function digestOf(examples: readonly TaskExample[]): string {
  const hash = createHash('sha256');
  for (const example of examples) {
    const isText = 'label' in example;
    hash.update(JSON.stringify(isText ? [example.text, example.pair ?? null, example.label] : example));
  }
  return hash.digest('hex');
}

async function checkRecord(path: string, settings: RunSettings): Promise<void> {
  const earlier = await readRecord(path);
  for (const [flag, value] of Object.entries(settings)) {
    const before = earlier.get(flag);
    if (before === value) continue;
    if (flag === '--train' || flag === '--dev') {
      throw new OptionError(
        flag,
        'the examples are not those that the unfinished run began with',
        'Give the same file, or start anew with another --out',
      );
    }
    throw new OptionError(
      flag,
      `is ${describe(value)}, and the unfinished run began with ${describe(before)}`,
      'Resume with the same options, or start anew with another --out',
    );
  }
}

async function readRecord(path: string): Promise<Map<string, unknown>> {
  const bytes = await readIfThere(path);
  const hint = 'Start anew with another --out';
  if (bytes === undefined) {
    throw new FileFormatError(path, undefined, 'is missing, so that the run cannot be resumed', hint);
  }
  let record: unknown;
  try {
    record = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FileFormatError(path, undefined, 'is not JSON', hint, { cause });
  }
  if (typeof record === 'object' && record !== null && 'version' in record && 'settings' in record) {
    const { version, settings } = record;
    if (version === RECORD_VERSION && typeof settings === 'object' && settings !== null) {
      return new Map(Object.entries(settings));
    }
  }
  throw new FileFormatError(path, undefined, 'is not the record of a run of this version', hint);
}

function describe(value: unknown): string {
  return value === null || value === undefined ? 'not given' : String(value);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw accessError(path, error);
  }
}
