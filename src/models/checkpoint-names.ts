/** From Graft's names of an encoder's parameters (encoder-parameters.ts, layer norms) to those of Hugging Face's BertModel. */

const TABLES: Readonly<Record<string, string>> = {
  word: 'word_embeddings',
  position: 'position_embeddings',
  type: 'token_type_embeddings',
};

/** 'layer.0.attention.query.weight' → 'encoder.layer.0.attention.self.query.weight'; `undefined` where it names no tensor of BertModel. */
export function checkpointName(name: string): string | undefined {
  const [, module = '', part = ''] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  const stored = checkpointModule(module);
  return stored === undefined ? undefined : `${stored}.${part}`;
}

function checkpointModule(module: string): string | undefined {
  if (module === 'pooler') return 'pooler.dense';
  if (module === 'embeddings.layer_norm') return 'embeddings.LayerNorm';
  const [, table = ''] = /^embeddings\.(word|position|type)$/.exec(module) ?? [];
  if (table !== '') return `embeddings.${TABLES[table]}`;
  const [, layer, inner = ''] = /^layer\.(\d+)\.(.*)$/.exec(module) ?? [];
  const stored = LAYER_MODULES.get(inner);
  return stored === undefined ? undefined : `encoder.layer.${layer}.${stored}`;
}

const LAYER_MODULES: ReadonlyMap<string, string> = new Map([
  ['attention.query', 'attention.self.query'],
  ['attention.key', 'attention.self.key'],
  ['attention.value', 'attention.self.value'],
  ['attention.output', 'attention.output.dense'],
  ['attention.layer_norm', 'attention.output.LayerNorm'],
  ['intermediate', 'intermediate.dense'],
  ['output', 'output.dense'],
  ['output.layer_norm', 'output.LayerNorm'],
]);
