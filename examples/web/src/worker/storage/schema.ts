/** What is kept between visits, by store. Everything here can be cloned, and is never changed in place. */
import type {
  Curves,
  DeviceChoice,
  ExampleRow,
  TaskKind,
  TaskResult,
  TrainOptions,
  TrainProgress,
} from '../../engine';

/** Which backbone an adapter belongs to. */
export interface BackboneIdentity {
  readonly description: string;
  readonly fingerprint: string;
}

/** The adapter that a task has, and how it came about. Its files lie in the store 'adapters'. */
export interface TrainedRecord {
  readonly backbone: BackboneIdentity;
  readonly labels: readonly string[];
  readonly takesPairs: boolean;
  readonly byteLength: number;
  readonly trainableParameters: number;
  /** Absent for an adapter that was uploaded, as is `result`. */
  readonly options?: TrainOptions | undefined;
  readonly curves: Curves;
  readonly result?: TaskResult | undefined;
}

/** A training run that has not ended. Its state lies in the store 'states', once there is one. */
export interface RunRecord {
  readonly backbone: BackboneIdentity;
  readonly options: TrainOptions;
  readonly labels: readonly string[];
  readonly progress: TrainProgress;
  readonly curves: Curves;
  /** Spent on it so far. */
  readonly seconds: number;
  readonly hasState: boolean;
}

export interface TaskRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: TaskKind;
  readonly bottleneck: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Of the examples at hand. */
  readonly exampleCount: number;
  readonly exampleLabels: readonly string[];
  readonly examplesArePairs: boolean;
  readonly trained?: TrainedRecord | undefined;
  readonly run?: RunRecord | undefined;
  readonly note?: string | undefined;
}

export type KeptBackboneChoice =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'hub'; readonly id: string }
  /** They lie in the store 'backbone-files'. */
  | { readonly kind: 'files' };

export interface Settings {
  readonly device: DeviceChoice;
  readonly backbone: KeptBackboneChoice;
}

export type FilesByName = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** Values by store. */
export interface Schema {
  /** By the task's id, as 'examples', 'adapters' and 'states' are. */
  readonly tasks: TaskRecord;
  readonly examples: readonly ExampleRow[];
  readonly adapters: FilesByName;
  readonly states: Uint8Array<ArrayBuffer>;
  /** Under SETTINGS_KEY. */
  readonly settings: Settings;
  /** Under SETTINGS_KEY. */
  readonly 'backbone-files': Readonly<Record<string, Blob>>;
  /** Whether a device computes rightly, by its name and the browser's. */
  readonly 'device-checks': boolean;
}

export type StoreName = keyof Schema;

export const STORE_NAMES: readonly StoreName[] = [
  'tasks',
  'examples',
  'adapters',
  'states',
  'settings',
  'backbone-files',
  'device-checks',
];

export const SETTINGS_KEY = 'current';
