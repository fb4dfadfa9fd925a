import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AdapterMismatchError,
  FileAccessError,
  FileFormatError,
  GraftError,
  OptionError,
  UnsupportedModelError,
} from '../../src/errors';
import { openTensorFile } from '../../src/formats/open-weights';
import { writeSafetensors } from '../../src/formats/safetensors';
import type { BackboneSizes, TaskTensor } from '../../src/formats/task';
import { readTaskFiles, type SavedTask, writeTaskFiles } from '../../src/formats/task-layouts';
import { FAMILIES } from '../../src/models/families';
import { bytesFile } from '../../src/platform/blob-file';
import { blobSource } from '../../src/platform/blobs';

const SIZES = { family: FAMILIES.bert, hiddenSize: 8, embeddingSize: 8, layers: 3, hasPooler: true };
const BACKBONE = { ...SIZES, description: 'tiny-bert' };
const ANY = { families: Object.values(FAMILIES) };
const INTERMEDIATE = 16;

type Shapes = Record<string, readonly number[]>;

function makeTask(method: string, shapes: Shapes, more: Partial<SavedTask> = {}): SavedTask {
  let next = 0;
  const all: Shapes = { ...shapes, 'classifier.weight': [3, 8], 'classifier.bias': [3] };
  const tensors = Object.entries(all).map(([name, shape]): [string, TaskTensor] => {
    const length = shape.reduce((product, size) => product * size, 1);
    return [name, { shape, data: Float32Array.from({ length }, () => Math.sin(next++)) }];
  });
  return {
    name: 'demo',
    ...SIZES,
    adapterLayers: [0, 1, 2],
    method,
    options: {},
    layerNorms: false,
    taskKind: 'classification',
    labels: ['bad', 'fair', 'ünclear'],
    settings: { maxLength: 64 },
    ...more,
    tensors: new Map(tensors),
  };
}

function lora(layers: readonly number[], targets: readonly string[]): SavedTask {
  const options = { rank: 2, alpha: 6, loraDropout: 0.25, targets };
  const shapes: Shapes = {};
  for (const layer of layers) {
    for (const target of targets) {
      const name = `layer.${layer}.${['query', 'key', 'value'].includes(target) ? 'attention.' : ''}${target}`;
      shapes[`${name}.lora_a`] = [2, target === 'output' ? INTERMEDIATE : 8];
      shapes[`${name}.lora_b`] = [target === 'intermediate' ? INTERMEDIATE : 8, 2];
    }
  }
  return makeTask('lora', shapes, { options, adapterLayers: layers });
}

function ia3(layers: readonly number[]): SavedTask {
  const shapes: Shapes = {};
  for (const layer of layers) {
    shapes[`layer.${layer}.attention.key.ia3`] = [8];
    shapes[`layer.${layer}.attention.value.ia3`] = [8];
    shapes[`layer.${layer}.intermediate.ia3`] = [INTERMEDIATE];
  }
  return makeTask('ia3', shapes, { adapterLayers: layers });
}

const read = (files: Record<string, Uint8Array>, backbone: BackboneSizes = BACKBONE) =>
  readTaskFiles(blobSource(files), backbone);
const write = (task: SavedTask) => writeTaskFiles(task, { format: 'peft' });
const json = (bytes: Uint8Array | undefined): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(bytes));
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

async function names(files: Record<string, Uint8Array>): Promise<string[]> {
  const name = 'adapter_model.safetensors';
  const file = await openTensorFile(name, bytesFile(name, files[name] ?? new Uint8Array()));
  return file.names();
}

/** The files with other values in adapter_config.json. */
function edited(task: SavedTask, values: Record<string, unknown>): Record<string, Uint8Array> {
  const files = write(task);
  return { ...files, 'adapter_config.json': encode({ ...json(files['adapter_config.json']), ...values }) };
}

/** peft's own files on the given tensors, zeros all. */
function theirs(
  peftType: string,
  tensors: Record<string, readonly number[]>,
  values: Record<string, unknown> = {},
) {
  const all = { ...tensors, 'classifier.weight': [2, 8], 'classifier.bias': [2] };
  return {
    'adapter_config.json': encode({ peft_type: peftType, r: 2, ...values }),
    'adapter_model.safetensors': writeSafetensors(
      Object.entries(all).map(([name, shape]) => {
        const length = shape.reduce((product, size) => product * size, 1);
        const data = new Float32Array(length).fill(name.includes('ia3') ? 2 : 0);
        return { name: `base_model.model.${name}`, shape, data };
      }),
    ),
  };
}

const ALL_TARGETS = ['query', 'key', 'value', 'attention.output', 'intermediate', 'output'];

describe('files of peft', () => {
  it.each<[string, SavedTask]>([
    ['LoRA', lora([0, 1, 2], ['query', 'value'])],
    ['LoRA on every product', lora([0, 1, 2], ALL_TARGETS)],
    ['LoRA in one layer', lora([1], ['output'])],
    ['(IA)³', ia3([0, 1, 2])],
    ['(IA)³ in two layers', ia3([0, 2])],
  ])('are read as they were written: %s', async (_, task) => {
    for (const container of ['safetensors', 'bin'] as const) {
      const files = writeTaskFiles(task, { format: 'peft', container });
      expect(Object.keys(files).sort()).toEqual([
        'adapter_config.json',
        container === 'bin' ? 'adapter_model.bin' : 'adapter_model.safetensors',
        'graft.json',
      ]);
      expect(await read(files)).toEqual(task);
      // Without a backbone, from the files alone.
      expect(await readTaskFiles(blobSource(files), ANY)).toEqual(task);
    }
  });

  it('hold a regression', async () => {
    const shapes = { 'classifier.weight': [1, 8], 'classifier.bias': [1] };
    const task = ia3([0, 1, 2]);
    const tensors = new Map(task.tensors);
    for (const [name, shape] of Object.entries(shapes)) {
      tensors.set(name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
    }
    const files = write({ ...task, tensors, taskKind: 'regression', labels: [] });
    expect(await read(files)).toMatchObject({ taskKind: 'regression', labels: [] });
  });

  it('hold a multi-label task', async () => {
    const task: SavedTask = { ...ia3([0, 1, 2]), taskKind: 'multi-label' };
    expect(await read(write(task))).toEqual(task);
  });

  it('have the names and the configuration that peft expects', async () => {
    const files = write(lora([0, 1, 2], ['query', 'value']));
    expect((await names(files)).slice(0, 2)).toEqual([
      'base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight',
      'base_model.model.bert.encoder.layer.0.attention.self.query.lora_B.weight',
    ]);
    expect((await names(files)).slice(-2)).toEqual([
      'base_model.model.classifier.weight',
      'base_model.model.classifier.bias',
    ]);
    expect(json(files['adapter_config.json'])).toMatchObject({
      peft_type: 'LORA',
      task_type: 'SEQ_CLS',
      r: 2,
      lora_alpha: 6,
      target_modules: ['query', 'value'],
      modules_to_save: ['classifier', 'score'],
    });
    expect(json(write(lora([1], ['output']))['adapter_config.json'])).toMatchObject({
      // 'output.dense' alone would mean attention's, too.
      target_modules: ['layer.1.output.dense'],
    });
    expect(json(write(ia3([0]))['adapter_config.json'])).toMatchObject({
      target_modules: ['layer.0.attention.self.key', 'layer.0.attention.self.value', 'layer.0.output.dense'],
      feedforward_modules: ['layer.0.output.dense'],
    });
  });

  it('of peft alone have no labels, and say nothing of the number of layers', async () => {
    const layer = (index: number) => ({
      [`bert.encoder.layer.${index}.attention.self.query.lora_A.weight`]: [2, 8],
      [`bert.encoder.layer.${index}.attention.self.query.lora_B.weight`]: [8, 2],
    });
    const files = theirs('LORA', layer(1), { lora_alpha: 4 });
    expect(await read(files)).toMatchObject({
      labels: ['LABEL_0', 'LABEL_1'],
      adapterLayers: [1],
      layers: 3,
      options: { rank: 2, alpha: 4, loraDropout: 0, targets: ['query'] },
      settings: {},
    });
    expect(await readTaskFiles(blobSource(files), ANY)).toMatchObject({ layers: 2 });
    expect(await read(theirs('LORA', layer(0), { use_rslora: true, lora_alpha: 3 }))).toMatchObject({
      options: { alpha: 3 * Math.SQRT2 },
    });
    await expect(read(theirs('LORA', layer(3)))).rejects.toThrow(AdapterMismatchError);
    const roberta = read(files, { ...BACKBONE, family: FAMILIES.roberta });
    await expect(roberta).rejects.toThrow(/is for model_type "bert", the backbone is of "roberta"/);
    await expect(read(files, { ...BACKBONE, hasPooler: false })).rejects.toThrow(/which tiny-bert has not/);
    await expect(read(files, { ...BACKBONE, hiddenSize: 16 })).rejects.toThrow(
      /has 3 layers of hidden size 8/,
    );
  });

  it("fold the vector on the input of attention's output into the values'", async () => {
    const files = theirs('IA3', {
      'bert.encoder.layer.0.attention.self.value.ia3_l': [8, 1],
      'bert.encoder.layer.0.attention.output.dense.ia3_l': [1, 8],
      'bert.encoder.layer.0.output.dense.ia3_l': [1, INTERMEDIATE],
    });
    const { tensors } = await read(files);
    expect(tensors.get('layer.0.attention.key.ia3')?.data).toEqual(new Float32Array(8).fill(1));
    expect(tensors.get('layer.0.attention.value.ia3')?.data).toEqual(new Float32Array(8).fill(4));
    expect(tensors.get('layer.0.intermediate.ia3')?.data).toEqual(new Float32Array(INTERMEDIATE).fill(2));
  });

  it.each<[string, Record<string, unknown>]>([
    ['DoRA', { use_dora: true }],
    ['biases', { bias: 'all' }],
    ['ranks of their own', { rank_pattern: { query: 4 } }],
    ['alphas of their own', { alpha_pattern: { query: 4 } }],
    ['layers that occur again', { layer_replication: [[0, 2]] }],
    ['another method', { peft_type: 'PREFIX_TUNING' }],
    ['a method that is a number', { peft_type: 1 }],
  ])('of %s are refused by name', async (_, values) => {
    const reading = read(edited(lora([0, 1, 2], ['query', 'value']), values));
    await expect(reading).rejects.toThrow(UnsupportedModelError);
    await expect(reading).rejects.toThrow(Object.keys(values)[0] ?? '');
  });

  it.each<[string, Record<string, readonly number[]>, RegExp]>([
    [
      'a module in one layer only',
      {
        'bert.encoder.layer.0.attention.self.query.lora_A.weight': [2, 8],
        'bert.encoder.layer.0.attention.self.query.lora_B.weight': [8, 2],
        'bert.encoder.layer.1.attention.self.key.lora_A.weight': [2, 8],
        'bert.encoder.layer.1.attention.self.key.lora_B.weight': [8, 2],
      },
      /4 tensors of the method.*where there should be 8/,
    ],
    [
      'half of an update',
      { 'bert.encoder.layer.0.attention.self.query.lora_A.weight': [2, 8] },
      /1 tensors of the method/,
    ],
    [
      'a trained LayerNorm',
      { 'bert.encoder.layer.0.output.LayerNorm.weight': [8] },
      /LayerNorm.weight" belongs to no product/,
    ],
    [
      'another architecture',
      { 'distilbert.transformer.layer.0.attention.q_lin.lora_A.weight': [2, 8] },
      /belongs to no product/,
    ],
    [
      'another rank',
      {
        'bert.encoder.layer.0.attention.self.query.lora_A.weight': [4, 8],
        'bert.encoder.layer.0.attention.self.query.lora_B.weight': [8, 4],
      },
      /shape \[2, 8\] was expected, found \[4,8\]/,
    ],
    ['nothing', {}, /no tensor of a method/],
  ])('with %s are refused', async (_, tensors, message) => {
    await expect(read(theirs('LORA', tensors))).rejects.toThrow(GraftError);
    await expect(read(theirs('LORA', tensors))).rejects.toThrow(message);
  });

  it('say what is missing or malformed', async () => {
    const files = write(lora([0, 1, 2], ['query']));
    const { 'adapter_model.safetensors': _, ...without } = files;
    await expect(read(without)).rejects.toThrow(FileAccessError);
    await expect(read(without)).rejects.toThrow(/adapter_model.safetensors or adapter_model.bin/);
    const refused: [Record<string, unknown>, RegExp][] = [
      [{ r: 0 }, /r: a rank was expected, found 0/],
      [{ r: '2' }, /r: a rank was expected, found "2"/],
      [{ lora_alpha: '8' }, /numbers were expected, found "8", 0/],
    ];
    for (const [values, message] of refused) {
      const reading = read(edited(lora([0, 1, 2], ['query']), { lora_dropout: 0, ...values }));
      await expect(reading).rejects.toThrow(FileFormatError);
      await expect(reading).rejects.toThrow(message);
    }
    const labels = { ...files, 'graft.json': encode({ labels: ['a', 'b'] }) };
    await expect(read(labels)).rejects.toThrow(/graft.json, labels: 3 labels, each another/);
  });

  it('cannot hold some tasks', () => {
    const task = lora([0, 1, 2], ['query']);
    expect(() => write({ ...task, layerNorms: true })).toThrow(/trained LayerNorms/);
    for (const backbone of [{ family: FAMILIES.roberta }, { hasPooler: false }]) {
      expect(() => write({ ...task, ...backbone })).toThrow(/the head on this (Bert|Roberta) is not that of/);
    }
    for (const method of ['houlsby', 'bitfit', 'full']) {
      expect(() => write({ ...task, method })).toThrow(OptionError);
    }
    expect(() => writeTaskFiles(task, { format: 'adapterhub' })).toThrow(/adapterhub has no method "lora"/);
    const unknown: Record<string, string> = { format: 'onnx' };
    expect(() => writeTaskFiles(task, unknown)).toThrow(/there is no format "onnx"/);
  });

  it('meet mutations with typed errors only', async () => {
    const kinds = [
      write(lora([0, 1, 2], ['query', 'value'])),
      writeTaskFiles(ia3([0, 1, 2]), { format: 'peft', container: 'bin' }),
    ];
    const targets = kinds.flatMap((files) => Object.keys(files).map((name) => ({ files, name })));
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        fc.array(fc.record({ at: fc.nat(6000), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 }),
        fc.option(fc.nat(6000), { freq: 4 }),
        async ({ files, name }, changes, cut) => {
          let bytes = Uint8Array.from(Object.entries(files).find(([file]) => file === name)?.[1] ?? []);
          for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
          if (cut !== null) bytes = bytes.slice(0, cut % bytes.length);
          await read({ ...files, [name]: bytes }).catch((error: unknown) => {
            if (!(error instanceof GraftError)) throw error;
            refused++;
          });
        },
      ),
      { numRuns: 2000, seed: 14 },
    );
    expect(refused).toBeGreaterThan(800);
  });
});
