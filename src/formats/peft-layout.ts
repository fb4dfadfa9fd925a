/**
 * LoRA and (IA)³ on BERT as Python's `peft` lays them out: src/peft/utils/save_and_load.py of version 0.21. Tensors of the model
 * that the adapter was made on have this prefix, and no adapter's name:
 *   base_model.model.bert.encoder.layer.{i}.attention.self.query.lora_A.weight
 */

export const PEFT_WEIGHTS = 'adapter_model.safetensors';
export const TORCH_PEFT_WEIGHTS = 'adapter_model.bin';
/** What Graft wants to find again; peft warns of keys in adapter_config.json that it does not know. */
export const GRAFT_CONFIG = 'graft.json';

export const PEFT_PREFIX = 'base_model.model.';
/** Of the encoder in BertForSequenceClassification; a bare BertModel has none. */
export const ENCODER_PREFIX = 'bert.';

/** Graft's name of an output of a layer's products, and the module that makes it. */
export const MODULES: ReadonlyMap<string, string> = new Map([
  ['query', 'attention.self.query'],
  ['key', 'attention.self.key'],
  ['value', 'attention.self.value'],
  ['attention.output', 'attention.output.dense'],
  ['intermediate', 'intermediate.dense'],
  ['output', 'output.dense'],
]);

/** In Graft's names 'query' is 'attention.query'. */
export function outputName(layer: number, target: string): string {
  const isAttention = ['query', 'key', 'value'].includes(target);
  return `layer.${layer}.${isAttention ? 'attention.' : ''}${target}`;
}

/** Where a tensor of a method is stored: a target's module, of one layer. */
export interface PeftPlace {
  readonly layer: number;
  /** A key of `MODULES`. */
  readonly target: string;
  /** 'lora_A.weight', 'lora_B.weight', 'ia3_l' */
  readonly part: string;
}

/** Without `PEFT_PREFIX` and `ENCODER_PREFIX`. */
export function storedName({ layer, target, part }: PeftPlace): string {
  return `encoder.layer.${layer}.${MODULES.get(target)}.${part}`;
}

/** The reverse; `undefined` for any other name. */
export function parseStoredName(name: string): PeftPlace | undefined {
  const [, layer, rest = ''] = /^encoder\.layer\.(\d{1,4})\.(.*)$/.exec(name) ?? [];
  for (const [target, module] of MODULES) {
    if (rest.startsWith(`${module}.`)) {
      return { layer: Number(layer), target, part: rest.slice(module.length + 1) };
    }
  }
  return undefined;
}

/** The vectors of (IA)³: Graft's name → where peft has it, and whether it scales the module's input. */
export const IA3_VECTORS = [
  { ours: 'attention.key', target: 'key', scalesInput: false },
  { ours: 'attention.value', target: 'value', scalesInput: false },
  // The product's input is the activation of the intermediate layer.
  { ours: 'intermediate', target: 'output', scalesInput: true },
] as const;

/** A vector as peft has it: a column where it scales a module's output, a row where its input. */
export function vectorShape(length: number, scalesInput: boolean): readonly number[] {
  return scalesInput ? [1, length] : [length, 1];
}
