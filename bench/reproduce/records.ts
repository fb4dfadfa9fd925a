/** What a run came to, one JSON file a run, so that the next start goes on where this one ended. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileFormatError, writeFileAtomic } from '../../src/index';
import type { Ablation } from './ablation';
import type { Effort } from './budget';

/** What makes a run: equal settings, equal result. */
export interface RunSettings {
  readonly backbone: string;
  readonly task: string;
  readonly contestant: string;
  readonly learningRate: number;
  readonly seed: number;
  readonly rows: number;
  readonly epochs: number;
  readonly validationRows: number;
  readonly testRows: number;
}

export interface RunRecord {
  readonly settings: RunSettings;
  /** In hundredths. */
  readonly validation: number;
  readonly test: number;
  readonly bestEpoch: number;
  readonly trainedParameters: number;
  readonly backboneParameters: number;
  readonly seconds: number;
  readonly device: string;
  readonly date: string;
}

export class Records {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<Records> {
    await mkdir(directory, { recursive: true });
    return new Records(directory);
  }

  /** Where a run keeps what it leaves beside its record. */
  path(settings: RunSettings, suffix: string): string {
    const { task, contestant, learningRate, seed, rows, epochs } = settings;
    return join(this.#directory, `${task}-${contestant}-${learningRate}-${seed}-${rows}x${epochs}${suffix}`);
  }

  /** Throws FileFormatError for a record that is not one. */
  find(settings: RunSettings): RunRecord | undefined {
    const path = this.path(settings, '.json');
    if (!existsSync(path)) return undefined;
    const record: unknown = parse(path);
    if (!isRecord(record)) throw new FileFormatError(path, undefined, 'not the record of a run', 'Remove it');
    return JSON.stringify(record.settings) === JSON.stringify(settings) ? record : undefined;
  }

  /** Seconds that a run took before it was stopped; 0 for one that begins. */
  spent(settings: RunSettings): number {
    const path = this.path(settings, '.seconds');
    const seconds = existsSync(path) ? parse(path) : 0;
    return typeof seconds === 'number' ? seconds : 0;
  }

  async saveSpent(settings: RunSettings, seconds: number): Promise<void> {
    await writeFileAtomic(this.path(settings, '.seconds'), new TextEncoder().encode(JSON.stringify(seconds)));
  }

  /** What was found to fit into a budget: so many minutes for these tasks and methods. Throws FileFormatError. */
  effort(budget: string): Effort | undefined {
    const path = this.#effortPath(budget);
    if (!existsSync(path)) return undefined;
    const effort: unknown = parse(path);
    if (!isEffort(effort)) throw new FileFormatError(path, undefined, 'not an effort', 'Remove it');
    return effort;
  }

  async saveEffort(budget: string, effort: Effort): Promise<void> {
    await writeFileAtomic(this.#effortPath(budget), new TextEncoder().encode(JSON.stringify(effort)));
  }

  #effortPath(budget: string): string {
    return join(this.#directory, `effort-${budget}.json`);
  }

  /** What taking adapters out of the task of a run came to, on so many examples. Throws FileFormatError. */
  ablation(settings: RunSettings, examples: number): Ablation | undefined {
    const path = this.#ablationPath(settings, examples);
    if (!existsSync(path)) return undefined;
    const ablation: unknown = parse(path);
    if (!isAblation(ablation)) throw new FileFormatError(path, undefined, 'not an ablation', 'Remove it');
    return ablation;
  }

  async saveAblation(settings: RunSettings, examples: number, ablation: Ablation): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(ablation)}\n`);
    await writeFileAtomic(this.#ablationPath(settings, examples), bytes);
  }

  #ablationPath(settings: RunSettings, examples: number): string {
    return this.path(settings, `.without-${examples}.json`);
  }

  async save(record: RunRecord): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`);
    await writeFileAtomic(this.path(record.settings, '.json'), bytes);
  }
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function isEffort(value: unknown): value is Effort {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map(Object.entries(value));
  const numbers = ['presentations', 'fewestEpochs', 'mostEpochs'];
  return numbers.every((name) => Number.isSafeInteger(fields.get(name)));
}

function isRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map(Object.entries(value));
  const numbers = ['validation', 'test', 'bestEpoch', 'trainedParameters', 'backboneParameters', 'seconds'];
  return (
    typeof fields.get('settings') === 'object' &&
    numbers.every((name) => typeof fields.get(name) === 'number')
  );
}

function isAblation(value: unknown): value is Ablation {
  if (typeof value !== 'object' || value === null) return false;
  const { title, layers, whole, cells } = Object.fromEntries(Object.entries(value));
  return (
    typeof title === 'string' &&
    Number.isSafeInteger(layers) &&
    typeof whole === 'number' &&
    Array.isArray(cells) &&
    cells.every((cell) => Array.isArray(cell) && cell.length === 3 && cell.every(Number.isFinite))
  );
}
