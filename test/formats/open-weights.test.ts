import { describe, expect, it } from 'vitest';
import { FileAccessError, FileFormatError } from '../../src/errors';
import { openWeights, parseShardIndex } from '../../src/formats/open-weights';
import { writeSafetensors } from '../../src/formats/safetensors';
import { blobSource } from '../../src/platform/blobs';

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const shard = (name: string, value: number) =>
  writeSafetensors([{ name, shape: [1], data: Float32Array.from([value]) }]);

describe('weights in several files', () => {
  it('reads each tensor from its file', async () => {
    const source = blobSource({
      'm.safetensors.index.json': encode({ weight_map: { a: 'one.safetensors', b: 'two.safetensors' } }),
      'one.safetensors': shard('a', 1),
      'two.safetensors': shard('b', 2),
    });
    const tensors = await openWeights(source, ['m.safetensors']);
    expect(tensors?.names()).toEqual(['a', 'b']);
    expect(tensors?.info('b')).toMatchObject({ dtype: 'F32', shape: [1] });
    expect(await tensors?.readFloat32('a')).toEqual(Float32Array.from([1]));
    expect(await tensors?.readFloat32('b')).toEqual(Float32Array.from([2]));
    await expect(tensors?.readFloat32('c')).rejects.toThrow(FileFormatError);
    await tensors?.close();
  });

  it('is undefined where there is neither the file nor an index', async () => {
    expect(await openWeights(blobSource({}), ['m.safetensors'])).toBeUndefined();
  });

  it.each(['../x', '..', '.', '', '/etc/passwd', 'a/b', 'a\\b', 'C:x', 'a\u0000', 1, null])(
    'refuses the file name %j',
    (name) => {
      expect(() => parseShardIndex(encode({ weight_map: { a: name } }), 'index')).toThrow(
        /index, weight_map, tensor "a": a file name without a folder/,
      );
    },
  );

  it('refuses an index without weight_map, with a missing file, with a tensor in the wrong file', async () => {
    expect(() => parseShardIndex(encode({}), 'index')).toThrow(FileFormatError);
    const index = encode({ weight_map: { a: 'one.safetensors', b: 'two.safetensors' } });
    const missing = blobSource({ 'm.safetensors.index.json': index, 'one.safetensors': shard('a', 1) });
    await expect(openWeights(missing, ['m.safetensors'])).rejects.toThrow(FileAccessError);
    const wrong = blobSource({
      'm.safetensors.index.json': index,
      'one.safetensors': shard('a', 1),
      'two.safetensors': shard('c', 1),
    });
    await expect(openWeights(wrong, ['m.safetensors'])).rejects.toThrow(
      /two.safetensors, tensor "b": .*says that it is here/,
    );
  });
});
