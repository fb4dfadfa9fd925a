/**
 * graft-mini, the backbone that comes with the package, as a source of files. A module of its own, so that whoever brings
 * another backbone carries none of it:
 *   import { graftMini } from 'graft-ml/mini';
 *
 * The paths are where the files lie in the repository; tools/build.mjs puts them beside the built module. Each is written out,
 * because bundlers find a file to carry along only as `new URL('…', import.meta.url)`.
 * @module graft-ml/mini
 */

/** graft-mini's files by name: a source for `loadBackbone` and `loadTokenizer`. */
export const graftMini: Readonly<Record<string, URL>> = {
  'config.json': new URL('../models/graft-mini/config.json', import.meta.url),
  'tokenizer_config.json': new URL('../models/graft-mini/tokenizer_config.json', import.meta.url),
  'vocab.txt': new URL('../models/graft-mini/vocab.txt', import.meta.url),
  'model.safetensors': new URL('../models/graft-mini/model.safetensors', import.meta.url),
};
