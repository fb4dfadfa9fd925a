import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdapterMismatchError, FileFormatError, GraftError, UnsupportedModelError } from '../../src/errors';
import { type GraftFiles, writeGraft } from '../../src/formats/graft';
import { readTaskFiles, writeTaskFiles } from '../../src/formats/task-layouts';
import { FAMILIES } from '../../src/models/families';
import { blobSource } from '../../src/platform/blobs';

const SIZES = { family: FAMILIES.bert, hiddenSize: 4, embeddingSize: 4, layers: 2, hasPooler: true };
const BACKBONE = { ...SIZES, description: 'tiny-bert' };

function makeTask(more: Partial<GraftFiles> = {}): GraftFiles {
  const tensor = (...shape: number[]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { shape, data: Float32Array.from({ length }, (_, i) => Math.sin(i + length)) };
  };
  return {
    ...SIZES,
    name: 'demo.v2',
    adapterLayers: [0, 1],
    method: 'lora',
    options: { rank: 2, alpha: 0.5, targets: ['query', 'value'], note: 'text' },
    layerNorms: false,
    taskKind: 'classification',
    labels: ['no', 'yes'],
    settings: { maxLength: 64 },
    tensors: new Map([
      ['layer.0.attention.query.lora_a', tensor(2, 4)],
      ['layer.0.attention.query.lora_b', tensor(4, 2)],
      ['classifier.weight', tensor(2, 4)],
      ['classifier.bias', tensor(2)],
    ]),
    ...more,
  };
}

const read = (files: Record<string, Uint8Array<ArrayBuffer>>) => readTaskFiles(blobSource(files), BACKBONE);

/** The files with the configuration changed. */
function edited(edit: (json: { graft: Record<string, unknown> } & Record<string, unknown>) => void) {
  const files = writeGraft(makeTask());
  const json = JSON.parse(new TextDecoder().decode(files['adapter_config.json']));
  edit(json);
  return { ...files, 'adapter_config.json': new TextEncoder().encode(JSON.stringify(json)) };
}

describe("files in Graft's own layout", () => {
  it.each<[string, GraftFiles]>([
    ['classification', makeTask()],
    ['regression', makeTask({ taskKind: 'regression', labels: [], settings: {} })],
    ['multi-label', makeTask({ taskKind: 'multi-label' })],
    ['no layers, LayerNorms', makeTask({ method: 'head', options: {}, adapterLayers: [], layerNorms: true })],
  ])('are read as they were written: %s', async (_, task) => {
    const files = writeTaskFiles(task);
    expect(Object.keys(files).sort()).toEqual(['adapter.safetensors', 'adapter_config.json']);
    expect(await read(files)).toEqual(task);
    // Without a backbone, from the files alone.
    expect(await readTaskFiles(blobSource(files), { families: [FAMILIES.roberta, FAMILIES.bert] })).toEqual(
      task,
    );
  });

  it('say what is wrong with them', async () => {
    const graft = (values: Record<string, unknown>) => edited((json) => Object.assign(json.graft, values));
    const refuse = async (
      files: ReturnType<typeof edited>,
      error: typeof FileFormatError | typeof UnsupportedModelError | typeof AdapterMismatchError,
      message: RegExp,
    ) => {
      await expect(read(files)).rejects.toThrow(error);
      await expect(read(files)).rejects.toThrow(message);
    };
    await refuse(graft({ version: 2 }), UnsupportedModelError, /version 2 of Graft's layout/);
    await refuse(graft({ method: 3 }), FileFormatError, /graft.method: a method was expected, found 3/);
    await refuse(graft({ options: { rank: null } }), FileFormatError, /graft.options/);
    await refuse(graft({ labels: ['a', 1] }), FileFormatError, /graft.labels: a list of labels/);
    await refuse(graft({ task: 'ranking' }), FileFormatError, /graft.task/);
    await refuse(graft({ adapter_layers: [-1] }), FileFormatError, /graft.adapter_layers/);
    await refuse(graft({ layer_norms: 'none' }), FileFormatError, /graft.layer_norms/);
    const deeper = edited((json) => Object.assign(json, { num_hidden_layers: 3 }));
    await refuse(
      deeper,
      AdapterMismatchError,
      /3 layers of hidden size 4; the backbone tiny-bert has 2 layers/,
    );
    const { 'adapter.safetensors': _, ...rest } = writeGraft(makeTask());
    await expect(read(rest)).rejects.toThrow(/adapter.safetensors/);
    const broken = makeTask();
    broken.tensors.get('classifier.bias')?.data.fill(Number.NaN, 1, 2);
    await expect(read(writeGraft(broken))).rejects.toThrow(/classifier.bias", element 1: NaN/);
  });

  it('meet mutations with typed errors only', async () => {
    const sound = writeGraft(makeTask());
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(sound)),
        fc.array(fc.record({ at: fc.nat(6000), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 }),
        fc.option(fc.nat(6000), { freq: 4 }),
        async (name, changes, cut) => {
          let bytes = (sound[name] ?? new Uint8Array()).slice();
          for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
          if (cut !== null) bytes = bytes.slice(0, cut % bytes.length);
          try {
            await read({ ...sound, [name]: bytes });
          } catch (error) {
            if (!(error instanceof GraftError)) throw error;
            refused++;
          }
        },
      ),
      { numRuns: 1500, seed: 5 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it('meet any JSON with typed errors only', async () => {
    const value = fc.jsonValue();
    const keys = [
      'version',
      'method',
      'options',
      'labels',
      'task',
      'adapter_layers',
      'layer_norms',
      'settings',
    ];
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...keys), value), value, async (values, size) => {
        const files = edited((json) => {
          Object.assign(json.graft, values);
          if (size !== null) json.hidden_size = size;
        });
        await read(files).catch((error: unknown) => {
          if (!(error instanceof GraftError)) throw error;
        });
      }),
      { numRuns: 1000, seed: 6 },
    );
  });
});
