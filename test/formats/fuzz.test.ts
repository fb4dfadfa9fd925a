/** Sound files, changed in ten thousand ways each: what is read of them is refused by a typed error or sound again. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { GraftError } from '../../src/errors';
import { unpickle } from '../../src/formats/pickle';
import { openSafetensors } from '../../src/formats/safetensors';
import { isFloatType, type TensorFile } from '../../src/formats/tensor-file';
import { openTorchFile } from '../../src/formats/torch-file';
import { torchObjects } from '../../src/formats/torch-objects';
import { openStoredZip } from '../../src/formats/zip';
import { parseEncoderConfig } from '../../src/models/config';
import { bytesFile } from '../../src/platform/blob-file';
import type { RandomAccessFile } from '../../src/platform/files';
import { BERT_TOKEN_NAMES, checkVocabulary, splitVocabulary } from '../../src/tokenizer/vocabulary';
import { goldenPath } from '../support/checkpoint';

const RUNS = 10_000;

type Bytes = Uint8Array<ArrayBuffer>;

/** What the reader asked of the file at hand. */
let bytesRead = 0;

function watched(data: Bytes): RandomAccessFile {
  const inner = bytesFile('fuzzed', data);
  return {
    ...inner,
    read: (offset, length) => {
      bytesRead += length;
      return inner.read(offset, length);
    },
  };
}

async function readAll(file: TensorFile): Promise<void> {
  for (const name of file.names()) {
    if (isFloatType(file.info(name)?.dtype ?? '')) await file.readFloat32(name);
  }
}

interface Target {
  readonly name: string;
  readonly sound: () => Bytes | Promise<Bytes>;
  /** Throws nothing but GraftErrors. */
  readonly read: (data: Bytes) => void | Promise<void>;
  /** Some part of the mutations must be refused: else they would not reach what is checked. */
  readonly leastRefused: number;
}

const file = (...path: string[]): Bytes => new Uint8Array(readFileSync(goldenPath(...path)));

const targets: readonly Target[] = [
  {
    name: 'safetensors',
    sound: () => file('torch', 'expected.safetensors'),
    read: async (data) => readAll(await openSafetensors(watched(data))),
    leastRefused: 5000,
  },
  {
    name: "torch.save's ZIP archive",
    sound: () => file('torch', 'zip.bin'),
    read: async (data) => readAll(await openTorchFile(watched(data))),
    leastRefused: 3000,
  },
  {
    name: "torch.save's older format",
    sound: () => file('torch', 'legacy.bin'),
    read: async (data) => readAll(await openTorchFile(watched(data))),
    leastRefused: 5000,
  },
  {
    name: 'the pickle in it',
    sound: async () => {
      const entry = (await openStoredZip(bytesFile('zip.bin', file('torch', 'zip.bin')))).get('zip/data.pkl');
      if (entry === undefined) throw new Error('zip.bin has no zip/data.pkl');
      return entry.read(0, entry.size);
    },
    read: (data) => {
      unpickle(data, 'fuzzed', 'data.pkl', torchObjects);
    },
    leastRefused: 5000,
  },
  {
    name: 'vocab.txt',
    sound: () => file('bert', 'checkpoint', 'vocab.txt'),
    read: (data) => {
      checkVocabulary(splitVocabulary(data, 'fuzzed'), BERT_TOKEN_NAMES, 'fuzzed');
    },
    leastRefused: 2000,
  },
  {
    name: 'config.json',
    sound: () => file('bert', 'checkpoint', 'config.json'),
    read: (data) => {
      parseEncoderConfig(data, 'fuzzed');
    },
    leastRefused: 5000,
  },
];

/** Another byte, bytes that are put in, taken out or copied, or the end cut off. Places are shares of the length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const kind = <K extends string>(name: K) => fc.constant(name);
const mutation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind('set'), place, byte: fc.nat(255) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('bit'), place, bit: fc.nat(7) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('insert'), place, bytes: fc.uint8Array({ maxLength: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('remove'), place, length: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('copy'), place, to: place, length: fc.nat(64) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('cut'), place }) },
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(data: Bytes, change: Mutation): Bytes {
  const at = Math.floor(change.place * data.length);
  switch (change.kind) {
    case 'set':
      return at < data.length ? data.with(at, change.byte) : data;
    case 'bit':
      return at < data.length ? data.with(at, (data[at] ?? 0) ^ (1 << change.bit)) : data;
    case 'insert':
      return joined(data.subarray(0, at), change.bytes, data.subarray(at));
    case 'remove':
      return joined(data.subarray(0, at), data.subarray(at + change.length));
    case 'copy': {
      const result = data.slice();
      const to = Math.floor(change.to * data.length);
      result.set(data.subarray(at, Math.min(at + change.length, at + data.length - to)), to);
      return result;
    }
    case 'cut':
      return data.slice(0, at);
  }
}

function joined(...parts: readonly Uint8Array[]): Bytes {
  return new Uint8Array(Buffer.concat(parts));
}

describe.each(targets)('$name', ({ sound, read, leastRefused }) => {
  let original: Bytes;
  beforeAll(async () => {
    original = await sound();
  });

  it('is read as it is', async () => {
    await read(original);
  });

  it(`is refused by a typed error, or read, after any of ${RUNS} mutations`, async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (changes) => {
        const data = changes.reduce(mutate, original);
        bytesRead = 0;
        try {
          await read(data);
        } catch (error) {
          if (!(error instanceof GraftError)) throw error;
          refused++;
        }
        // Views may share a storage; a file that claims to hold more than it does makes nobody read it.
        if (bytesRead > 4 * data.length + 1024)
          throw new Error(`${bytesRead} bytes of ${data.length} were read`);
      }),
      { numRuns: RUNS, seed: 20190615 },
    );
    expect(refused).toBeGreaterThan(leastRefused);
  });
});
