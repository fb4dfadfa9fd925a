/** The module's builds, which the library carries in itself, packed by tools/pack-wasm.mjs. */
import packed from '../../build/wasm-builds.txt';

/** Relaxed SIMD has fused multiply-add, whose last bits may differ from one machine to another. */
export type WasmBuild = 'simd' | 'relaxed-simd';

/** Of one build; tools/pack-wasm.mjs has the same. */
const BLOCK = 8192;

/** Unpacks the builds: a millisecond. */
export async function unpackBuilds(): Promise<Readonly<Record<WasmBuild, Uint8Array<ArrayBuffer>>>> {
  const [simdSize, relaxedSize, base64 = ''] = packed.split(' ');
  const bytes = await inflate(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  const simd = new Uint8Array(Number(simdSize));
  const relaxed = new Uint8Array(Number(relaxedSize));
  let from = 0;
  for (let at = 0; from < bytes.length; at += BLOCK) {
    for (const build of [simd, relaxed]) {
      const block = bytes.subarray(from, from + Math.min(BLOCK, build.length - at));
      build.set(block, at);
      from += block.length;
    }
  }
  return { simd, 'relaxed-simd': relaxed };
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
