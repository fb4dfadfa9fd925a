import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileFormatError, GraftError, UnsupportedModelError } from '../../src/errors';
import { parseEncoderConfig } from '../../src/models/config';
import { FAMILIES } from '../../src/models/families';

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const parse = (value: unknown) => parseEncoderConfig(encode(value), 'config.json');

const BASE = {
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  vocab_size: 30522,
};

describe('parseEncoderConfig', () => {
  it('reads the config of a checkpoint that transformers saved', () => {
    const path = new URL('../golden/checkpoints/f32/config.json', import.meta.url);
    expect(existsSync(path)).toBe(true);
    expect(parseEncoderConfig(readFileSync(path), 'config.json')).toEqual({
      modelType: 'bert',
      hiddenSize: 8,
      embeddingSize: 8,
      layers: 2,
      heads: 2,
      headSize: 4,
      intermediateSize: 16,
      vocabularySize: 24,
      maxPositions: 12,
      positionOffset: 0,
      typeVocabularySize: 2,
      layerNormEpsilon: 1e-12,
      activation: 'gelu',
      hiddenDropout: 0.1,
      attentionDropout: 0.1,
      classifierDropout: 0.1,
    });
  });

  it("gives missing keys the defaults of transformers' BertConfig", () => {
    expect(parse(BASE)).toMatchObject({
      headSize: 64,
      maxPositions: 512,
      typeVocabularySize: 2,
      layerNormEpsilon: 1e-12,
      activation: 'gelu',
      hiddenDropout: 0.1,
      attentionDropout: 0.1,
      classifierDropout: 0.1,
    });
  });

  it('lets the classifier dropout follow the hidden dropout only where it is not given', () => {
    expect(parse({ ...BASE, hidden_dropout_prob: 0.2 }).classifierDropout).toBe(0.2);
    expect(parse({ ...BASE, hidden_dropout_prob: 0.2, classifier_dropout: null }).classifierDropout).toBe(
      0.2,
    );
    expect(parse({ ...BASE, hidden_dropout_prob: 0.2, classifier_dropout: 0 }).classifierDropout).toBe(0);
  });

  it.each([
    ['gelu', 'gelu'],
    ['gelu_python', 'gelu'],
    ['gelu_new', 'gelu_tanh'],
    ['gelu_fast', 'gelu_tanh'],
    ['gelu_pytorch_tanh', 'gelu_tanh'],
  ])('knows hidden_act %s as %s', (name, activation) => {
    expect(parse({ ...BASE, hidden_act: name }).activation).toBe(activation);
  });

  it("reads RoBERTa's positions from the padding's id on", () => {
    const roberta = { ...BASE, model_type: 'roberta', max_position_embeddings: 514, type_vocab_size: 1 };
    expect(parse(roberta)).toMatchObject({ modelType: 'roberta', maxPositions: 512, positionOffset: 2 });
    expect(parse({ ...roberta, model_type: 'xlm-roberta', pad_token_id: 5 })).toMatchObject({
      modelType: 'xlm-roberta',
      maxPositions: 508,
      positionOffset: 6,
      typeVocabularySize: 1,
    });
    expect(parse({ ...roberta, pad_token_id: null }).positionOffset).toBe(2);
    for (const wrong of [-1, 1.5, 'x', 513]) {
      expect(() => parse({ ...roberta, pad_token_id: wrong })).toThrow(FileFormatError);
    }
    // BERT has a padding, too, and counts from 0.
    expect(parse({ ...BASE, pad_token_id: 1 }).positionOffset).toBe(0);
  });

  it("reads DistilBERT's names and its own defaults", () => {
    const sizes = { dim: 768, n_layers: 6, n_heads: 12, hidden_dim: 3072, vocab_size: 30522 };
    expect(parse({ ...sizes, model_type: 'distilbert' })).toEqual({
      modelType: 'distilbert',
      hiddenSize: 768,
      embeddingSize: 768,
      layers: 6,
      heads: 12,
      headSize: 64,
      intermediateSize: 3072,
      vocabularySize: 30522,
      maxPositions: 512,
      positionOffset: 0,
      typeVocabularySize: 0,
      layerNormEpsilon: 1e-12,
      activation: 'gelu',
      hiddenDropout: 0.1,
      attentionDropout: 0.1,
      classifierDropout: 0.2,
    });
    const changed = { dropout: 0.3, attention_dropout: 0, seq_classif_dropout: 0.4, activation: 'gelu_new' };
    expect(parse({ ...sizes, ...changed, model_type: 'distilbert' })).toMatchObject({
      hiddenDropout: 0.3,
      attentionDropout: 0,
      classifierDropout: 0.4,
      activation: 'gelu_tanh',
    });
    expect(() => parse({ ...sizes, model_type: 'distilbert', activation: 'relu' })).toThrow(
      /activation "relu"/,
    );
    expect(() => parse({ ...BASE, model_type: 'distilbert' })).toThrow(/config.json, dim: /);
  });

  it("reads the size of ELECTRA's embeddings", () => {
    expect(parse({ ...BASE, model_type: 'electra' })).toMatchObject({ hiddenSize: 768, embeddingSize: 128 });
    expect(parse({ ...BASE, model_type: 'electra', embedding_size: 64 }).embeddingSize).toBe(64);
    expect(parse({ ...BASE, embedding_size: 64 }).embeddingSize).toBe(768);
    expect(() => parse({ ...BASE, model_type: 'electra', embedding_size: 0 })).toThrow(FileFormatError);
  });

  it.each<[string, unknown, RegExp]>([
    ['model_type', 'gpt2', /config.json: model_type "gpt2".*bert, roberta/],
    ['model_type', 'constructor', /model_type "constructor"/],
    ['model_type', 5, /model_type 5/],
    ['hidden_act', 'relu', /hidden_act "relu"/],
    ['hidden_act', 'constructor', /hidden_act "constructor"/],
    ['position_embedding_type', 'relative_key', /"relative_key".*"absolute"/],
    ['is_decoder', true, /is_decoder/],
    ['num_attention_heads', 256, /heads of 3/],
    ['num_attention_heads', 3, /heads of 256/],
  ])('does not support %s %j', (key, value, message) => {
    expect(() => parse({ ...BASE, [key]: value })).toThrow(UnsupportedModelError);
    expect(() => parse({ ...BASE, [key]: value })).toThrow(message);
  });

  it.each<[string, unknown]>([
    ['hidden_size', undefined],
    ['hidden_size', 0],
    ['hidden_size', -768],
    ['hidden_size', 768.5],
    ['hidden_size', '768'],
    ['hidden_size', 1e12],
    ['num_hidden_layers', 1e9],
    ['num_attention_heads', 7],
    ['intermediate_size', 1e9],
    ['vocab_size', 1e9],
    ['vocab_size', true],
    ['max_position_embeddings', 0],
    ['type_vocab_size', {}],
    ['layer_norm_eps', 0],
    ['layer_norm_eps', '1e-12'],
    ['hidden_dropout_prob', 1],
    ['attention_probs_dropout_prob', -0.1],
    ['classifier_dropout', 'no'],
  ])('refuses %s %j, naming the file and the key', (key, value) => {
    const run = () => parse({ ...BASE, [key]: value });
    expect(run).toThrow(FileFormatError);
    expect(run).toThrow(`config.json, ${key}: `);
  });

  it('refuses what is no JSON object', () => {
    for (const text of ['', '[]', 'null', '3', '{', '{"a": 1,}']) {
      expect(() => parseEncoderConfig(new TextEncoder().encode(text), 'c')).toThrow(FileFormatError);
    }
    expect(() => parseEncoderConfig(Uint8Array.from([0x7b, 0xc0]), 'c')).toThrow(/not valid UTF-8/);
  });

  it('meets any values with typed errors only, and returns only sound sizes', () => {
    const keys = [
      ...Object.keys(BASE),
      'model_type',
      'hidden_act',
      'layer_norm_eps',
      'hidden_dropout_prob',
      'pad_token_id',
      'embedding_size',
    ];
    const value = fc.oneof(
      fc.jsonValue(),
      fc.integer(),
      fc.nat(4096),
      fc.double(),
      fc.constantFrom(...Object.keys(FAMILIES)),
    );
    let sound = 0;
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 2 }), (changes) => {
        try {
          const config = parse({ ...BASE, ...changes });
          expect(config.headSize * config.heads).toBe(config.hiddenSize);
          expect(config.headSize % 4).toBe(0);
          expect(Number.isSafeInteger(config.vocabularySize * config.hiddenSize)).toBe(true);
          sound++;
        } catch (error) {
          if (!(error instanceof GraftError)) throw error;
        }
      }),
      { numRuns: 3000, seed: 5 },
    );
    expect(sound).toBeGreaterThan(100);
  });
});
