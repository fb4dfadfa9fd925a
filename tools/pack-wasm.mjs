/**
 * Packs the module's builds into one text, as src/wasm/builds.ts unpacks them: their sizes, then base64 of raw deflate (RFC 1951).
 *
 * The builds are alike but for a few instructions, so blocks of one and of the other take turns: where deflate then comes to a
 * block, its twin lies just before, within the 32 KiB that it can look back. The second build then costs a fortieth of the first.
 */
import { deflateRawSync } from 'node:zlib';

/** Of one build; src/wasm/builds.ts has the same. */
const BLOCK = 8192;

export function packWasm(builds) {
  const blocks = [];
  for (let at = 0; builds.some(({ length }) => at < length); at += BLOCK) {
    blocks.push(...builds.map((build) => build.subarray(at, at + BLOCK)));
  }
  const packed = deflateRawSync(Buffer.concat(blocks), { level: 9, memLevel: 9 });
  return [...builds.map(({ length }) => length), packed.toString('base64')].join(' ');
}
