/** Which variant was measured to be the fastest, for each class of dispatches, on each device: kept between runs. */
import { version } from '../../../package.json';
import { type RememberedText, rememberedText } from '../../platform/remembered';
import type { DeviceDescription } from '../backend';
import { VARIANT_NAMES, type VariantName } from '../kernel';

const FILE = 'kernels.json';

/** A class of dispatches and the variant that was measured to be the fastest for it. */
export interface MeasuredKernel {
  /** Shader and kernel. */
  readonly kernel: string;
  /** Rows × columns of the result × what is summed for each, to the nearest power of two. */
  readonly sizes: string;
  /** The fastest. */
  readonly variant: VariantName;
}

/** Of one device, by class; see `classOf` in tuning.ts. */
export type Choices = Map<string, VariantName>;

interface DeviceRecord {
  /** Of Graft: another version's kernels may be others. */
  readonly version: string;
  readonly choices: Readonly<Record<string, VariantName>>;
}

type Records = Record<string, DeviceRecord>;

/** Names the device and its driver. */
function deviceKey({ name, vendor, architecture }: DeviceDescription): string {
  return [vendor, architecture, name].join(' / ');
}

export class KernelChoices {
  readonly #device: string;
  readonly #text: RememberedText;
  #choices: Promise<Choices> | undefined;

  constructor(device: DeviceDescription, text: RememberedText = rememberedText(FILE)) {
    this.#device = deviceKey(device);
    this.#text = text;
  }

  /** What is remembered of this device; nothing where the file is missing, of another version, or not what it should be. */
  load(): Promise<Choices> {
    this.#choices ??= this.#records().then((records) => {
      const record = records[this.#device];
      return new Map(record?.version === version ? Object.entries(record.choices) : []);
    });
    return this.#choices;
  }

  /** Adds choices, and leaves what other processes have added meanwhile of other devices. */
  async add(found: Choices): Promise<void> {
    const choices = await this.load();
    for (const [key, name] of found) choices.set(key, name);
    const records = await this.#records();
    records[this.#device] = { version, choices: Object.fromEntries(choices) };
    await this.#text.write(`${JSON.stringify({ devices: records }, undefined, 1)}\n`);
  }

  async #records(): Promise<Records> {
    const text = await this.#text.read();
    try {
      return parseRecords(text === undefined ? undefined : JSON.parse(text));
    } catch {
      return {};
    }
  }
}

/** The records that are whole; anything else is dropped, and written anew when it is next measured. */
function parseRecords(value: unknown): Records {
  const records: Records = {};
  if (!isRecord(value) || !isRecord(value.devices)) return records;
  for (const [device, record] of Object.entries(value.devices)) {
    if (!isRecord(record) || typeof record.version !== 'string' || !isRecord(record.choices)) continue;
    const choices: Record<string, VariantName> = {};
    for (const [key, chosen] of Object.entries(record.choices)) {
      const name = VARIANT_NAMES.find((candidate) => candidate === chosen);
      if (name !== undefined) choices[key] = name;
    }
    records[device] = { version: record.version, choices };
  }
  return records;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
