import { FileFormatError, OptionError } from '../errors';

/** Where a run stands. All counts are of what is done. */
export interface Progress {
  readonly step: number;
  readonly epoch: number;
  /** Steps done in the epoch at hand. */
  readonly stepInEpoch: number;
  /** Sum of the epoch's losses, weighted by examples. */
  readonly epochLoss: number;
  /** Examples in that sum. */
  readonly epochExamples: number;
  readonly bestScore: number | null;
  readonly bestEpoch: number;
}

/** A resumable state of a training run. */
export interface TrainingState {
  /** What the run is made of: data, options, task. A run goes on only under equal conditions. */
  readonly conditions: Readonly<Record<string, string | number>>;
  readonly progress: Progress;
  readonly parameters: Float32Array;
  /** The best epoch's parameters; empty before the first evaluation. */
  readonly best: Float32Array;
  /** As AdamW.state() gives it. */
  readonly optimizer: Uint8Array;
}

// Layout: magic, version, then length-prefixed (u32) sections: JSON, parameters, best, optimizer. Little-endian.
const MAGIC = 'GRAFTRUN';
const VERSION = 1;
const FILE = 'training state';

export function encodeState(state: TrainingState): Uint8Array<ArrayBuffer> {
  const { conditions, progress, parameters, best, optimizer } = state;
  const sections = [
    new TextEncoder().encode(JSON.stringify({ conditions, progress })),
    bytesOf(parameters),
    bytesOf(best),
    optimizer,
  ];
  const bytes = new Uint8Array(12 + sections.reduce((sum, section) => sum + 4 + section.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, VERSION, true);
  let end = 12;
  for (const section of sections) {
    view.setUint32(end, section.length, true);
    bytes.set(section, end + 4);
    end += 4 + section.length;
  }
  return bytes;
}

/** Whether a file that begins with these bytes is a training state, of whatever version. */
export function isState(firstBytes: Uint8Array): boolean {
  return (
    firstBytes.length >= MAGIC.length &&
    new TextDecoder().decode(firstBytes.subarray(0, MAGIC.length)) === MAGIC
  );
}

/** Throws FileFormatError for anything but what `encodeState` wrote. */
export function decodeState(bytes: Uint8Array): TrainingState {
  const fail = (place: string, problem: string): never => {
    throw new FileFormatError(FILE, place, problem, 'Start the run again without resuming');
  };
  if (bytes.length < 12 || !isState(bytes)) {
    fail('byte 0', `does not begin with ${MAGIC}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8, true);
  if (version !== VERSION) fail('byte 8', `version ${version}; this release reads version ${VERSION}`);
  let end = 12;
  const section = (): Uint8Array<ArrayBuffer> => {
    if (end + 4 > bytes.length) fail(`byte ${end}`, 'the file ends here');
    const length = view.getUint32(end, true);
    if (length > bytes.length - end - 4)
      fail(`byte ${end}`, `${length} bytes are said to follow, ${bytes.length - end - 4} do`);
    // A copy, aligned for floats; not `slice`, which for a Node Buffer makes a view.
    const part = new Uint8Array(bytes.subarray(end + 4, end + 4 + length));
    end += 4 + length;
    return part;
  };
  const { conditions, progress } = parseHeader(section(), fail);
  const parameters = floatsOf(section(), fail);
  const best = floatsOf(section(), fail);
  const optimizer = section();
  if (end !== bytes.length) fail(`byte ${end}`, `${bytes.length - end} bytes too many`);
  return { conditions, progress, parameters, best, optimizer };
}

/** Throws OptionError naming the first condition that differs between the run that was begun and the one at hand. */
export function requireEqualConditions(
  begun: TrainingState['conditions'],
  now: TrainingState['conditions'],
): void {
  for (const name of new Set([...Object.keys(begun), ...Object.keys(now)])) {
    if (begun[name] !== now[name]) {
      throw new OptionError(
        name,
        `the run was begun with ${begun[name] ?? 'nothing'}, now it is ${now[name] ?? 'nothing'}`,
        'Resume with what the run began with, or start a new one',
      );
    }
  }
}

type Fail = (place: string, problem: string) => never;

function parseHeader(bytes: Uint8Array, fail: Fail): Pick<TrainingState, 'conditions' | 'progress'> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return fail('header', 'not JSON');
  }
  if (!isRecord(header) || !isRecord(header.conditions) || !isProgress(header.progress)) {
    return fail('header', 'conditions or progress are missing or malformed');
  }
  const conditions: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(header.conditions)) {
    if (typeof value !== 'string' && typeof value !== 'number')
      return fail('header', `condition ${name} is malformed`);
    conditions[name] = value;
  }
  return { conditions, progress: header.progress };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProgress(value: unknown): value is Progress {
  if (!isRecord(value)) return false;
  const counts = [value.step, value.epoch, value.stepInEpoch, value.epochExamples, value.bestEpoch];
  return (
    counts.every((count) => Number.isSafeInteger(count) && Number(count) >= 0) &&
    typeof value.epochLoss === 'number' &&
    (value.bestScore === null || typeof value.bestScore === 'number')
  );
}

function bytesOf(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

function floatsOf(bytes: Uint8Array<ArrayBuffer>, fail: Fail): Float32Array<ArrayBuffer> {
  if (bytes.length % 4 !== 0) fail('parameters', `${bytes.length} bytes are no whole number of floats`);
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  if (!floats.every(Number.isFinite)) fail('parameters', 'a value is not finite');
  return floats;
}
