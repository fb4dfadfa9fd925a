/** The embedded backbone's files: complete, of one shape, in f16, small. What it is worth stands in its model card. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, type SafetensorsFile } from '../../src/formats/safetensors';
import { graftMini } from '../../src/mini';
import { parseEncoderConfig } from '../../src/models/config';
import { blobSource } from '../../src/platform/blobs';

const directory = join(import.meta.dirname, '..', '..', 'models', 'graft-mini');

describe('models/graft-mini', () => {
  let weights: SafetensorsFile;

  beforeAll(async () => {
    const file = await blobSource(graftMini).open('model.safetensors');
    if (file === undefined) throw new Error('model.safetensors cannot be opened');
    weights = await openSafetensors(file);
  });
  afterAll(() => weights.close());

  it('takes at most 8 MB with its card', () => {
    const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(8_000_000);
  });

  it('has weights of the shapes that its configuration and vocabulary say, and no others', () => {
    const config = parseEncoderConfig(readFileSync(join(directory, 'config.json')), 'config.json');
    const vocabulary = readFileSync(join(directory, 'vocab.txt'), 'utf8').trimEnd().split('\n');
    expect(new Set(vocabulary).size).toBe(config.vocabularySize);
    expect(vocabulary.slice(0, 5)).toEqual(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);

    const { hiddenSize: hidden, intermediateSize: inner } = config;
    const square = [hidden, hidden];
    const layer: Record<string, number[]> = {
      'attention.self.query': square,
      'attention.self.key': square,
      'attention.self.value': square,
      'attention.output.dense': square,
      'attention.output.LayerNorm': [hidden],
      'intermediate.dense': [inner, hidden],
      'output.dense': [hidden, inner],
      'output.LayerNorm': [hidden],
    };
    const expected: Record<string, number[]> = {
      'embeddings.word_embeddings.weight': [config.vocabularySize, hidden],
      'embeddings.position_embeddings.weight': [config.maxPositions, hidden],
      'embeddings.token_type_embeddings.weight': [2, hidden],
      'embeddings.LayerNorm.weight': [hidden],
      'embeddings.LayerNorm.bias': [hidden],
      'pooler.dense.weight': square,
      'pooler.dense.bias': [hidden],
    };
    for (let index = 0; index < config.layers; index++) {
      for (const [name, shape] of Object.entries(layer)) {
        expected[`encoder.layer.${index}.${name}.weight`] = shape;
        expected[`encoder.layer.${index}.${name}.bias`] = shape.slice(0, 1);
      }
    }
    const found = Object.fromEntries(weights.names().map((name) => [name, weights.info(name)?.shape]));
    expect(found).toEqual(expected);
    expect(new Set(weights.names().map((name) => weights.info(name)?.dtype))).toEqual(new Set(['F16']));
  });

  it('holds finite numbers, and a pooler that was trained', async () => {
    for (const name of weights.names()) {
      const values = await weights.readFloat32(name);
      expect(values.every(Number.isFinite), name).toBe(true);
    }
    // transformers draws weights with a deviation of 0.02 and leaves biases at 0.
    const bias = await weights.readFloat32('pooler.dense.bias');
    expect(bias.some((value) => value !== 0)).toBe(true);
  });
});
