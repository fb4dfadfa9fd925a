import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileAccessError, FileFormatError, GraftError, UnsupportedModelError } from '../../src/errors';
import type { NamedTensor } from '../../src/formats/named-tensor';
import { openSafetensors, writeSafetensors } from '../../src/formats/safetensors';
import { type Checkpoint, openCheckpoint } from '../../src/models/checkpoint';
import { parseEncoderConfig } from '../../src/models/config';
import { encoderTensors, poolerTensors } from '../../src/models/encoder-tensors';
import { blobSource } from '../../src/platform/blobs';
import { directorySource } from '../../src/platform/directory';
import type { FileProgress } from '../../src/platform/files';
import { makeTokenizer } from '../../src/training/load-tokenizer';
import { goldenPath } from '../support/checkpoint';

const GOLDEN = fileURLToPath(new URL('../golden/checkpoints/', import.meta.url));

type Files = Record<string, Uint8Array>;

function goldenFiles(name: string): Files {
  const directory = `${GOLDEN}${name}/`;
  return Object.fromEntries(
    readdirSync(directory).map((file) => [file, readFileSync(`${directory}${file}`)]),
  );
}

async function withCheckpoint<T>(files: Files, use: (checkpoint: Checkpoint) => Promise<T>): Promise<T> {
  const checkpoint = await openCheckpoint(blobSource(files));
  try {
    return await use(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** All tensors that the checkpoint's config asks for. */
async function readAll(checkpoint: Checkpoint): Promise<Map<string, Float32Array>> {
  const result = new Map<string, Float32Array>();
  for (const { name, shape } of encoderTensors(checkpoint.config)) {
    expect(checkpoint.shape(name)).toEqual(shape);
    result.set(name, await checkpoint.read(name));
  }
  return result;
}

async function tensorsOf(bytes: Uint8Array): Promise<NamedTensor[]> {
  const file = await blobSource({ file: bytes }).open('file');
  if (file === undefined) throw new Error('the file was just given');
  const tensors = await openSafetensors(file);
  const floats = tensors.names().filter((name) => tensors.info(name)?.dtype === 'F32');
  return Promise.all(
    floats.map(async (name) => ({
      name,
      shape: tensors.info(name)?.shape ?? [],
      data: await tensors.readFloat32(name),
    })),
  );
}

/** The f32 checkpoint with other tensors. */
async function withTensors(edit: (tensors: NamedTensor[]) => NamedTensor[]): Promise<Files> {
  const files = goldenFiles('f32');
  const tensors = await tensorsOf(files['model.safetensors'] ?? new Uint8Array());
  return { ...files, 'model.safetensors': writeSafetensors(edit(tensors)) };
}

describe('openCheckpoint', () => {
  it('reads names, shapes and values as they are in the file', async () => {
    const files = goldenFiles('f32');
    const stored = await tensorsOf(files['model.safetensors'] ?? new Uint8Array());
    await withCheckpoint(files, async (checkpoint) => {
      const all = await readAll(checkpoint);
      expect(all.size).toBe(5 + 2 * 16);
      for (const { name, data } of stored.filter((tensor) => !tensor.name.startsWith('pooler'))) {
        expect(all.get(name), name).toEqual(data);
      }
      expect(checkpoint.hasPooler).toBe(true);
      expect(checkpoint.has('pooler.dense.weight')).toBe(true);
      // A buffer of older checkpoints, of type I64.
      expect(checkpoint.has('embeddings.position_ids')).toBe(false);
      await expect(checkpoint.read('embeddings.position_ids')).rejects.toThrow(RangeError);
      expect(checkpoint.tokenizer).toMatchObject({
        format: 'vocab.txt',
        tokens: 22,
        lowercase: true,
        stripAccents: undefined,
        handleChineseCharacters: true,
      });
    });
  });

  it('reads the prefix bert., the old names of LayerNorm, and passes over a head', async () => {
    const expected = await withCheckpoint(goldenFiles('f32'), readAll);
    const read = await withCheckpoint(goldenFiles('prefixed_old_names'), readAll);
    expect(read).toEqual(expected);
  });

  it.each(['f16', 'bf16'])('reads %s', async (type) => {
    const files = goldenFiles(type);
    const expected = await tensorsOf(files['expected_f32.safetensors'] ?? new Uint8Array());
    const read = await withCheckpoint(files, readAll);
    for (const [name, values] of read) {
      expect(values, name).toEqual(expected.find((tensor) => tensor.name === name)?.data);
    }
  });

  it('reads shards, without a pooler, with a tokenizer.json, from a directory', async () => {
    const expected = await withCheckpoint(goldenFiles('f32'), readAll);
    const checkpoint = await openCheckpoint(directorySource(`${GOLDEN}sharded`));
    expect(await readAll(checkpoint)).toEqual(expected);
    expect(checkpoint.hasPooler).toBe(false);
    expect(checkpoint.has('pooler.dense.bias')).toBe(false);
    expect(checkpoint.tokenizer).toMatchObject({
      format: 'tokenizer.json',
      tokens: 22,
      lowercase: false,
      stripAccents: true,
      handleChineseCharacters: true,
    });
    await checkpoint.close();
  });

  it('lets tokenizer_config.json say how text is prepared', async () => {
    const config = { do_lower_case: false, strip_accents: false, tokenize_chinese_chars: false };
    const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    const preparation = { lowercase: false, stripAccents: false, handleChineseCharacters: false };
    const files = goldenFiles('f32');
    await withCheckpoint({ ...files, 'tokenizer_config.json': encode(config) }, async ({ tokenizer }) => {
      expect(tokenizer).toMatchObject(preparation);
    });
    // Without a word from it, the normalizer of tokenizer.json is asked.
    const full = goldenFiles('sharded')['tokenizer.json'] ?? new Uint8Array();
    await withCheckpoint({ ...files, 'tokenizer.json': full }, async ({ tokenizer }) => {
      expect(tokenizer).toMatchObject({ format: 'vocab.txt', lowercase: false, stripAccents: true });
    });
    const wrong = { ...files, 'tokenizer_config.json': encode({ do_lower_case: 'yes' }) };
    await expect(openCheckpoint(blobSource(wrong))).rejects.toThrow(/tokenizer_config.json, do_lower_case/);
  });

  it.each([
    ['a\nb\nc\n', 3],
    ['a\nb\nc', 3],
    ['a\r\nb\r\nc\r\n', 3],
    ['a\rb\rc', 3],
    ['\n\n', 2],
    ['', 0],
  ])('counts the tokens of %j as %d', async (text, tokens) => {
    const files = { ...goldenFiles('f32'), 'vocab.txt': new TextEncoder().encode(text) };
    await withCheckpoint(files, async ({ tokenizer }) => expect(tokenizer.tokens).toBe(tokens));
  });

  it('refuses a vocabulary with more tokens than the embedding has rows', async () => {
    const vocabulary = new TextEncoder().encode('token\n'.repeat(25));
    await expect(
      openCheckpoint(blobSource({ ...goldenFiles('f32'), 'vocab.txt': vocabulary })),
    ).rejects.toThrow(/vocab.txt: it has 25 tokens, but config.json says vocab_size 24/);
  });

  it.each(['config.json', 'model.safetensors', 'vocab.txt'])('says that %s is missing', async (name) => {
    const { [name]: _, ...files } = goldenFiles('f32');
    const promise = openCheckpoint(blobSource(files));
    await expect(promise).rejects.toThrow(FileAccessError);
    await expect(promise).rejects.toThrow(name);
  });

  it('names the tensor that is missing, misshapen, of another type or not finite', async () => {
    const target = 'encoder.layer.1.output.dense.weight';
    const missing = await withTensors((tensors) => tensors.filter(({ name }) => name !== target));
    await expect(openCheckpoint(blobSource(missing))).rejects.toThrow(
      `model.safetensors, tensor ${target}: missing; config.json asks for it with shape [8, 16]`,
    );
    const transposed = await withTensors((tensors) =>
      tensors.map((tensor) => (tensor.name === target ? { ...tensor, shape: [16, 8] } : tensor)),
    );
    await expect(openCheckpoint(blobSource(transposed))).rejects.toThrow(
      `tensor ${target}: its shape is [16, 8]; config.json asks for [8, 16]`,
    );
    const files = goldenFiles('f32');
    const text = new TextDecoder('latin1').decode(files['model.safetensors']);
    const retyped = text.replace(new RegExp(`("${target}":{"dtype":"F32")`), (match) =>
      match.replace('F32', 'I32'),
    );
    expect(retyped).not.toBe(text);
    const bytes = Uint8Array.from(retyped, (character) => character.charCodeAt(0));
    await expect(openCheckpoint(blobSource({ ...files, 'model.safetensors': bytes }))).rejects.toThrow(
      /its dtype is I32/,
    );
    const damaged = await withTensors((tensors) => {
      tensors.find(({ name }) => name === target)?.data.fill(Number.POSITIVE_INFINITY, 5, 6);
      return tensors;
    });
    await withCheckpoint(damaged, async (checkpoint) => {
      const promise = checkpoint.read(target);
      await expect(promise).rejects.toThrow(FileFormatError);
      await expect(promise).rejects.toThrow(/element 5: Infinity/);
    });
  });

  it.each([
    ['roberta', 900, { typeVocabularySize: 1, maxPositions: 48 }],
    ['distilbert', 200, { typeVocabularySize: 0, maxPositions: 48 }],
    ['electra', 200, { typeVocabularySize: 2, embeddingSize: 20 }],
  ])("reads a %s under BERT's names", async (family, tokens, config) => {
    const checkpoint = await openCheckpoint(directorySource(goldenPath('families', family, 'checkpoint')));
    expect(checkpoint.config).toMatchObject({ modelType: family, ...config });
    expect(checkpoint.tokenizer.tokens).toBe(tokens);
    expect(checkpoint.hasPooler).toBe(family === 'roberta');
    const query = await checkpoint.read('encoder.layer.1.attention.self.query.weight');
    expect(query.length).toBe(32 * 32);
    expect(checkpoint.has('embeddings.token_type_embeddings.weight')).toBe(family !== 'distilbert');
    expect(checkpoint.has('embeddings_project.bias')).toBe(family === 'electra');
    await checkpoint.close();
  });

  const roberta = (): Files => {
    const path = goldenPath('families', 'roberta', 'checkpoint');
    return Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(join(path, name))]));
  };

  it("says what is missing of a RoBERTa's tokenizer, and refuses SentencePiece by name", async () => {
    const { 'merges.txt': _, ...without } = roberta();
    await expect(openCheckpoint(blobSource(without))).rejects.toThrow(/merges.txt: not in .*has vocab.json/);
    const { 'vocab.json': __, ...neither } = without;
    await expect(openCheckpoint(blobSource(neither))).rejects.toThrow(
      /neither vocab.txt, nor vocab.json and merges.txt/,
    );
    const unigram = new TextEncoder().encode(
      JSON.stringify({ model: { type: 'Unigram', vocab: [['<s>', 0]] } }),
    );
    const loading = openCheckpoint(blobSource({ ...neither, 'tokenizer.json': unigram }));
    await expect(loading).rejects.toThrow(UnsupportedModelError);
    await expect(loading).rejects.toThrow(/tokenizer of type "Unigram"/);
  });

  it('lets tokenizer_config.json say whether a text begins with a space', async () => {
    const config = (value: unknown) => new TextEncoder().encode(JSON.stringify({ add_prefix_space: value }));
    const spaced = { ...roberta(), 'tokenizer_config.json': config(true) };
    await withCheckpoint(spaced, async ({ tokenizer }) => {
      expect(tokenizer.addPrefixSpace).toBe(true);
      const made = await makeTokenizer(tokenizer);
      expect(made.decode(made.encode('film').ids)).toBe('<s> film</s>');
    });
    const wrong = { ...roberta(), 'tokenizer_config.json': config(1) };
    await expect(openCheckpoint(blobSource(wrong))).rejects.toThrow(
      /tokenizer_config.json, add_prefix_space/,
    );
  });

  it('refuses half a pooler, and weights that are no BERT', async () => {
    const half = await withTensors((tensors) => tensors.filter(({ name }) => name !== 'pooler.dense.bias'));
    await expect(openCheckpoint(blobSource(half))).rejects.toThrow(/pooler.dense.bias: missing/);
    const other = await withTensors(() => [{ name: 'wte', shape: [1], data: new Float32Array(1) }]);
    await expect(openCheckpoint(blobSource(other))).rejects.toThrow(/not the weights of a BertModel/);
  });

  it('refuses a checkpoint of which the end is missing', async () => {
    const files = goldenFiles('f32');
    const cut = files['model.safetensors']?.subarray(0, 9000) ?? new Uint8Array();
    await expect(openCheckpoint(blobSource({ ...files, 'model.safetensors': cut }))).rejects.toThrow(
      FileFormatError,
    );
  });

  it('passes progress and the signal on to the source', async () => {
    const inner = blobSource(goldenFiles('f32'));
    const opened: string[] = [];
    const { signal } = new AbortController();
    const onProgress = (_: FileProgress) => {};
    const checkpoint = await openCheckpoint(
      {
        description: 'watched',
        open: (name, options) => {
          expect(options).toMatchObject({ signal, onProgress });
          opened.push(name);
          return inner.open(name);
        },
      },
      { onProgress, signal },
    );
    expect(checkpoint.description).toBe('watched');
    expect(opened.at(-1)).toBe('model.safetensors');
    await checkpoint.close();
  });

  it('knows as many parameters as BERT-base has', () => {
    const config = parseEncoderConfig(
      new TextEncoder().encode(
        '{"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,"vocab_size":30522}',
      ),
      'config.json',
    );
    const count = [...encoderTensors(config), ...poolerTensors(config)]
      .map(({ shape }) => shape.reduce((product, size) => product * size, 1))
      .reduce((sum, size) => sum + size, 0);
    // bert-base-uncased with its pooler.
    expect(count).toBe(109_482_240);
  });

  it('meets mutated files with typed errors only', async () => {
    const kinds = [...['f32', 'sharded'].map(goldenFiles), roberta()];
    const targets = kinds.flatMap((files) => Object.keys(files).map((name) => ({ files, name })));
    const mutation = fc.record({ at: fc.nat(6000), byte: fc.nat(255) });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        fc.option(fc.nat(11_000), { freq: 4 }),
        async ({ files, name }, mutations, cut) => {
          let bytes = Uint8Array.from(files[name] ?? []);
          for (const { at, byte } of mutations) bytes[at % bytes.length] = byte;
          if (cut !== null) bytes = bytes.slice(0, cut % bytes.length);
          try {
            const checkpoint = await openCheckpoint(blobSource({ ...files, [name]: bytes }));
            for (const { name: tensor } of encoderTensors(checkpoint.config)) await checkpoint.read(tensor);
            await checkpoint.close();
          } catch (error) {
            if (!(error instanceof GraftError)) throw error;
            refused++;
          }
        },
      ),
      { numRuns: 2000, seed: 6 },
    );
    expect(refused).toBeGreaterThan(800);
  });
});
