import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeInspection } from '../../src/cli/inspect';
import { FileAccessError, FileFormatError } from '../../src/errors';
import { inspectFiles } from '../../src/index';
import { encodeState } from '../../src/training/state';
import { goldenPath } from '../support/checkpoint';

const adapter = goldenPath('adapterhub', 'bin');
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const filesOf = (directory: string) =>
  Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));

const state = encodeState({
  conditions: { labels: 'a, b', batchSize: 32 },
  progress: {
    step: 7,
    epoch: 1,
    stepInEpoch: 2,
    epochLoss: 0.5,
    epochExamples: 64,
    bestScore: null,
    bestEpoch: 0,
  },
  parameters: new Float32Array(10),
  best: new Float32Array(0),
  optimizer: new Uint8Array(4),
});

describe('inspectFiles', () => {
  it('says what an adapter is', async () => {
    const inspection = await inspectFiles(adapter);
    expect(inspection).toMatchObject({
      kind: 'adapter',
      description: adapter,
      facts: {
        format: 'adapterhub',
        method: 'houlsby',
        bottleneck: 3,
        activation: 'gelu_tanh',
        task: 'classification',
        labels: ['bad', 'fair', 'good'],
        hiddenSize: 8,
        layers: 2,
        adapterLayers: [0, 1],
        layerNorms: false,
      },
      problem: undefined,
    });
    expect(inspection.tensors).toHaveLength(2 * 2 * 4 + 2);
    // Two adapters a layer, 2·3·8 + 8 + 3 each, and a head of 3·8 + 3.
    expect(inspection.parameters).toBe(4 * 59 + 27);
    const text = describeInspection(inspection);
    expect(text).toMatch(/^adapter +\S+bin\nformat +adapterhub\nmethod +houlsby\nbottleneck +3\n/);
    expect(text).toContain('adapter layers  0, 1\n');
    expect(text).toMatch(/tensors +18 of F32\n/);
    expect(text).toMatch(/\n {2}classifier.weight +F32 {2}\[3, 8\]\n/);
  });

  it('says what it cannot run, with its tensors', async () => {
    const files = filesOf(adapter);
    const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
    config.config.non_linearity = 'tanh';
    const inspection = await inspectFiles({ ...files, 'adapter_config.json': encode(config) });
    expect(inspection.problem).toMatch(/config.non_linearity is "tanh"/);
    expect(inspection.tensors).toHaveLength(18);
    expect(describeInspection(inspection)).toMatch(/\nproblem +adapter_config.json: config.non_linearity/);
    const { 'pytorch_model_head.bin': _, ...headless } = files;
    expect((await inspectFiles(headless)).problem).toMatch(
      /model_head.safetensors or pytorch_model_head.bin/,
    );
    const prefix = { 'adapter_config.json': encode({ peft_type: 'PREFIX_TUNING' }) };
    expect((await inspectFiles(prefix)).problem).toMatch(/adapter_model.safetensors or/);
  });

  it.each(['checkpoints/f16', 'torch/bin', 'torch/bin_sharded'])(
    'says what a checkpoint is: %s',
    async (name) => {
      const inspection = await inspectFiles(goldenPath(...name.split('/')));
      expect(inspection).toMatchObject({
        kind: 'checkpoint',
        facts: { modelType: 'bert', hiddenSize: 8, layers: 2, heads: 2, tokenizer: 'vocab.txt', tokens: 22 },
      });
      expect(inspection.problem).toBeUndefined();
      expect(inspection.parameters).toBeGreaterThan(1000);
      const other = { 'config.json': encode({ model_type: 't5' }) };
      const foreign = await inspectFiles(other);
      expect(foreign).toMatchObject({ kind: 'checkpoint', tensors: [] });
      expect(foreign.problem).toMatch(/model_type "t5" is not supported/);
    },
  );

  it.each([
    ['zip.bin', 17],
    ['legacy.bin', 17],
    ['expected.safetensors', 15],
  ])('lists the tensors of one file: %s', async (file, least) => {
    const inspection = await inspectFiles(goldenPath('torch'), { file });
    expect(inspection).toMatchObject({ kind: 'tensors', facts: { bytes: expect.any(Number) } });
    expect(inspection.tensors.length).toBeGreaterThanOrEqual(least);
    const plain = inspection.tensors.find(({ name }) => name === 'plain');
    expect(plain).toMatchObject({ dtype: 'F32', shape: [3, 5] });
  });

  it('says where an unfinished run stands', async () => {
    const inspection = await inspectFiles({ 'checkpoint.graft': state, 'checkpoint.json': encode({}) });
    expect(inspection).toEqual({
      kind: 'training state',
      description: 'checkpoint.graft',
      facts: { step: 7, epoch: 1, bestEpoch: 0, bestScore: null, labels: 'a, b', batchSize: 32 },
      tensors: [],
      parameters: 10,
    });
    expect(await inspectFiles({ other: state }, { file: 'other' })).toMatchObject({ kind: 'training state' });
    const cut = inspectFiles({ 'checkpoint.graft': state.slice(0, -1) });
    await expect(cut).rejects.toThrow(FileFormatError);
  });

  it('knows the backbone that comes along by its name', async () => {
    expect(await inspectFiles('graft-mini')).toMatchObject({
      kind: 'checkpoint',
      facts: { hiddenSize: 224 },
    });
  });

  it('refuses what it does not know, and damaged files', async () => {
    await expect(inspectFiles({ 'a.txt': encode('a') })).rejects.toThrow(FileAccessError);
    await expect(inspectFiles({}, { file: 'a' })).rejects.toThrow(FileAccessError);
    await expect(inspectFiles({ 'a.bin': encode('a') }, { file: 'a.bin' })).rejects.toThrow(FileFormatError);
    const damaged = { ...filesOf(adapter), 'pytorch_adapter.bin': new Uint8Array(100) };
    await expect(inspectFiles(damaged)).rejects.toThrow(FileFormatError);
  });
});
