/** Files that were chosen or dropped: what they are for. */

export type FilesPurpose = 'examples' | 'adapter' | 'backbone';

const EXAMPLES = /\.(csv|tsv|tab|jsonl|ndjson|txt)$/i;
/** What only a backbone has: an adapter's files are named otherwise (docs/formats.md). */
const BACKBONE =
  /^(config\.json|vocab\.(txt|json)|merges\.txt|tokenizer\.json|(pytorch_)?model(-\d+-of-\d+)?\.(safetensors|bin)|.*\.index\.json)$/i;

export function purposeOf(files: readonly File[]): FilesPurpose {
  const names = files.map(({ name }) => name);
  const isAdapter = names.some((name) => /\.zip$/i.test(name) || name === 'adapter_config.json');
  if (isAdapter) return 'adapter';
  if (names.length > 1 && names.some((name) => BACKBONE.test(name))) return 'backbone';
  return names.some((name) => EXAMPLES.test(name)) ? 'examples' : 'adapter';
}
