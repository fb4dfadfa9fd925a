import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnsupportedModelError } from '../../src/errors';
import { openTensorFile } from '../../src/formats/open-weights';
import {
  type AdapterMethod,
  adapterMethod,
  type Backbone,
  createRuntime,
  exportTask,
  inspectFiles,
  loadBackbone,
  type Runtime,
  type Task,
} from '../../src/index';
import { bytesFile } from '../../src/platform/blob-file';
import { goldenPath } from '../support/checkpoint';

const adapter = goldenPath('adapterhub', 'bin');
const checkpoint = goldenPath('bert', 'checkpoint');
const texts = ['love', 'never see an old end', 'too new', 'watch it'];
const labels = ['bad', 'fair', 'good'];

describe('exportTask', () => {
  it('writes another container and type', async () => {
    const halves = await exportTask(adapter, { dtype: 'f16' });
    expect(Object.keys(halves).sort()).toEqual([
      'adapter.safetensors',
      'adapter_config.json',
      'head_config.json',
      'model_head.safetensors',
    ]);
    const inspection = await inspectFiles(halves);
    expect(new Set(inspection.tensors.map(({ dtype }) => dtype))).toEqual(new Set(['F16']));
    const before = await inspectFiles(adapter);
    expect(inspection.facts).toEqual(before.facts);
    expect(inspection.parameters).toBe(before.parameters);
  });

  it('refuses what a format does not have, and what cannot be folded', async () => {
    await expect(exportTask(adapter, { format: 'peft' })).rejects.toThrow(/peft has no method "houlsby"/);
    await expect(exportTask(adapter, { format: 'merged' })).rejects.toThrow(/backbone: is missing/);
    const merging = exportTask(adapter, { format: 'merged', backbone: goldenPath('checkpoints', 'f32') });
    await expect(merging).rejects.toThrow(UnsupportedModelError);
    await expect(merging).rejects.toThrow(/houlsby cannot be folded into the backbone/);
    const other = exportTask(adapter, { format: 'merged', backbone: checkpoint });
    await expect(other).rejects.toThrow(/has hidden size 8; the backbone .* of hidden size 64/);
    const headless = exportTask(adapter, {
      format: 'merged',
      backbone: goldenPath('checkpoints', 'sharded'),
    });
    await expect(headless).rejects.toThrow(/has no pooler/);
  });
});

describe('a merged checkpoint', () => {
  let runtime: Runtime;
  let backbone: Backbone;
  beforeAll(async () => {
    runtime = await createRuntime({ backend: 'wasm', threads: 1 });
    backbone = await loadBackbone(checkpoint, { runtime });
  });
  afterAll(() => runtime.dispose());

  it.each<[string, AdapterMethod, number[] | undefined]>([
    ['LoRA', adapterMethod('lora', { rank: 3, targets: ['query', 'value', 'output'] }), undefined],
    ['LoRA in the upper layer', adapterMethod('lora'), [1]],
    ['(IA)³', adapterMethod('ia3'), undefined],
    ['biases', adapterMethod('bitfit'), undefined],
    ['everything', adapterMethod('full'), undefined],
  ])('answers as the task does: %s', async (_, method, adapterLayers) => {
    const task = await backbone.createTask({ labels, adapter: method, adapterLayers });
    let next = 0;
    // Nothing that a method starts from is left.
    task.setParameters((_, present) => present.map((value) => value + 0.1 * Math.sin(next++)));
    const expected = await scores(task);
    const files = await task.save();
    task.dispose();
    const merged = await exportTask(files, { format: 'merged', backbone: checkpoint });
    expect(Object.keys(merged).sort()).toEqual(['config.json', 'model.safetensors', 'vocab.txt']);
    const config = JSON.parse(new TextDecoder().decode(merged['config.json']));
    expect(config).toMatchObject({
      architectures: ['BertForSequenceClassification'],
      id2label: { 0: 'bad', 1: 'fair', 2: 'good' },
      problem_type: 'single_label_classification',
    });
    // As a backbone, with its classifier on it.
    const whole = await loadBackbone(merged, { runtime });
    const name = 'model.safetensors';
    const weights = await openTensorFile(name, bytesFile(name, merged[name] ?? new Uint8Array()));
    const head = await whole.createTask({ labels, adapter: adapterMethod('head') });
    const classifier = new Map<string, Float32Array>();
    for (const part of ['classifier.weight', 'classifier.bias']) {
      classifier.set(part, await weights.readFloat32(part));
    }
    head.setParameters((parameter) => classifier.get(parameter));
    const found = await scores(head);
    head.dispose();
    whole.dispose();
    found.forEach((score, i) => {
      expect(score).toBeCloseTo(expected[i] ?? Number.NaN, 5);
    });
    // Not what the backbone says without the task.
    const bare = await backbone.createTask({ labels, adapter: adapterMethod('head') });
    bare.setParameters((parameter) => classifier.get(parameter));
    const without = await scores(bare);
    bare.dispose();
    expect(Math.max(...without.map((score, i) => Math.abs(score - (expected[i] ?? 0))))).toBeGreaterThan(
      1e-3,
    );
  });

  it('is made of a BERT alone', async () => {
    const path = goldenPath('families', 'roberta', 'checkpoint');
    const roberta = await loadBackbone(path, { runtime });
    const task = await roberta.createTask({ labels, adapter: adapterMethod('lora') });
    const files = await task.save();
    expect(await inspectFiles(files)).toMatchObject({ facts: { modelType: 'roberta', method: 'lora' } });
    const merging = exportTask(files, { format: 'merged', backbone: path });
    await expect(merging).rejects.toThrow(UnsupportedModelError);
    await expect(merging).rejects.toThrow(/is a "roberta"/);
    await expect(task.save({ format: 'peft' })).rejects.toThrow(/the head on this Roberta is not that of/);
    task.dispose();
    roberta.dispose();
  });
});

/** Of every label, text by text. */
async function scores(task: Task): Promise<number[]> {
  const predictions = await task.predict(texts);
  return predictions.flatMap((prediction) =>
    'scores' in prediction ? Object.values(prediction.scores) : [],
  );
}
