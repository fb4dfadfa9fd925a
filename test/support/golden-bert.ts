import { afterAll, beforeAll } from 'vitest';
import type { Backend } from '../../src/backends/backend';
import { openCheckpoint } from '../../src/models/checkpoint';
import { type FrozenEncoder, uploadEncoder } from '../../src/models/frozen-encoder';
import { directorySource } from '../../src/platform/directory';
import { goldenPath } from './checkpoint';

/** The encoder of test/golden/bert on a backend, for the tests of one `describe`. */
export function useGoldenBert(backend: () => Backend): () => FrozenEncoder {
  let encoder: FrozenEncoder | undefined;
  beforeAll(async () => {
    const checkpoint = await openCheckpoint(directorySource(goldenPath('bert', 'checkpoint')));
    encoder = await uploadEncoder(checkpoint, backend());
    await checkpoint.close();
  });
  afterAll(() => encoder?.dispose());
  return () => {
    if (encoder === undefined) throw new Error('the encoder is not loaded yet');
    return encoder;
  };
}
