import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { decompress as unpackZstd } from 'fzstd';
import { damaged, unsupported } from './problem';
import { unpackSnappy } from './snappy';

/** parquet.thrift: CompressionCodec. */
const CODECS = ['no compression', 'Snappy', 'gzip', 'LZO', 'Brotli', 'LZ4', 'Zstandard', 'LZ4_RAW'] as const;

/** The page's bytes, of which there must be `size`. */
export function unpack(codec: number, bytes: Uint8Array, size: number): Uint8Array {
  // No stream of any codec holds nothing in no bytes, and writers leave an empty one out.
  if (size === 0) return new Uint8Array();
  const unpacked = unpackWith(CODECS[codec], bytes, size);
  if (unpacked.length !== size) {
    throw damaged(`a page has ${unpacked.length} bytes where ${size} are announced`);
  }
  return unpacked;
}

function unpackWith(codec: (typeof CODECS)[number] | undefined, bytes: Uint8Array, size: number): Uint8Array {
  switch (codec) {
    case 'no compression':
      return bytes;
    case 'Snappy':
      return unpackSnappy(bytes, size);
    case 'gzip':
      return sound(codec, () => gunzipSync(bytes, { maxOutputLength: size }));
    case 'Brotli':
      return sound(codec, () => brotliDecompressSync(bytes, { maxOutputLength: size }));
    case 'Zstandard':
      return sound(codec, () => unpackZstd(bytes, outputOf(size)));
    default:
      throw unsupported(`pages compressed by ${codec ?? 'an unknown method'}`);
  }
}

/**
 * fzstd compares its output with 1, which makes a text of all its bytes: gigabytes for a large page. This one is an empty text at
 * once.
 */
function outputOf(size: number): Uint8Array {
  return Object.assign(new Uint8Array(size), { toString: () => '' });
}

function sound(codec: string, work: () => Uint8Array): Uint8Array {
  try {
    return work();
  } catch (cause) {
    throw damaged(`a page is no sound ${codec} (${cause instanceof Error ? cause.message : cause})`);
  }
}
