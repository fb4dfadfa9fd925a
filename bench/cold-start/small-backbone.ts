/** A small backbone of random weights as files, in a directory that is removed again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/formats/safetensors';
import { parseEncoderConfig } from '../../src/models/config';
import { encoderTensors, poolerTensors } from '../../src/models/encoder-tensors';
import { exampleMessages } from '../example-texts';
import { syntheticCheckpoint } from '../synthetic';
import { syntheticVocabulary } from '../synthetic-vocabulary';

const CONFIG = {
  model_type: 'bert',
  hidden_size: 224,
  num_hidden_layers: 4,
  num_attention_heads: 7,
  intermediate_size: 896,
  vocab_size: 7000,
  max_position_embeddings: 128,
  type_vocab_size: 2,
};

export async function withSmallBackbone<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'graft-bench-'));
  try {
    const config = new TextEncoder().encode(JSON.stringify(CONFIG));
    writeFileSync(join(directory, 'config.json'), config);
    writeFileSync(
      join(directory, 'vocab.txt'),
      syntheticVocabulary(exampleMessages().map(({ text }) => text)),
    );
    writeFileSync(join(directory, 'model.safetensors'), await randomWeights(config));
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function randomWeights(configFile: Uint8Array): Promise<Uint8Array> {
  const config = parseEncoderConfig(configFile, 'config.json');
  const checkpoint = syntheticCheckpoint(config);
  const tensors = [];
  for (const { name, shape } of [...encoderTensors(config), ...poolerTensors(config)]) {
    tensors.push({ name, shape, data: await checkpoint.read(name) });
  }
  return writeSafetensors(tensors);
}
