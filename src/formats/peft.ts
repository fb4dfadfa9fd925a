/** Writing a task in the layout of Python's `peft`. */
import { OptionError } from '../errors';
import { ADAPTER_CONFIG, readsTokens } from './adapterhub-layout';
import type { GraftFiles } from './graft';
import type { NamedTensor } from './named-tensor';
import {
  ENCODER_PREFIX,
  GRAFT_CONFIG,
  IA3_VECTORS,
  MODULES,
  outputName,
  PEFT_PREFIX,
  PEFT_WEIGHTS,
  storedName,
  TORCH_PEFT_WEIGHTS,
  vectorShape,
} from './peft-layout';
import { type PythonValue, pythonJson } from './python-json';
import type { WeightsOptions } from './save-options';
import { writeWeights } from './write-weights';

/** What every configuration of peft has here. */
const COMMON: Readonly<Record<string, PythonValue>> = {
  auto_mapping: null,
  base_model_name_or_path: null,
  fan_in_fan_out: false,
  inference_mode: true,
  // Heads of transformers' models for classification, as peft itself names them.
  modules_to_save: ['classifier', 'score'],
  task_type: 'SEQ_CLS',
};

/**
 * adapter_config.json and adapter_model.safetensors for `PeftModel.from_pretrained(BertForSequenceClassification, …)`, and
 * graft.json for what peft has no place for.
 * Throws OptionError for a method, or trained LayerNorms, that the layout cannot hold, and for a number that f16 cannot.
 */
export function writePeft(
  task: GraftFiles,
  options: WeightsOptions = {},
): Record<string, Uint8Array<ArrayBuffer>> {
  if (readsTokens(task.taskKind)) {
    throw new OptionError(
      'format',
      `files of peft hold no head for ${task.taskKind} here`,
      "Save it in Graft's own format, or a bottleneck adapter in AdapterHub's",
    );
  }
  if (task.family.modelType !== 'bert' || !task.hasPooler) {
    throw new OptionError(
      'format',
      `the head on this ${task.family.className} is not that of transformers' …ForSequenceClassification, with which peft saves`,
      "Save it in Graft's own format",
    );
  }
  if (task.layerNorms) {
    throw new OptionError(
      'format',
      'the task has trained LayerNorms, which files of peft do not hold',
      "Train it without, or save it in Graft's own format",
    );
  }
  const { config, tensors } = layOut(task);
  const head = ['weight', 'bias'].map((part) => named(task, `classifier.${part}`, `classifier.${part}`));
  const stored = [
    ...tensors.map((tensor) => ({ ...tensor, name: `${ENCODER_PREFIX}${tensor.name}` })),
    ...head,
  ].map((tensor) => ({ ...tensor, name: `${PEFT_PREFIX}${tensor.name}` }));
  return {
    [options.container === 'bin' ? TORCH_PEFT_WEIGHTS : PEFT_WEIGHTS]: writeWeights(stored, options),
    [ADAPTER_CONFIG]: encodeJson({ ...COMMON, ...config }),
    [GRAFT_CONFIG]: encodeJson({
      hidden_size: task.hiddenSize,
      labels: task.labels,
      name: task.name,
      num_hidden_layers: task.layers,
      settings: task.settings,
      task: task.taskKind,
    }),
  };
}

interface Layout {
  /** Of the method, in peft's words. */
  readonly config: Readonly<Record<string, PythonValue>>;
  /** Named as in the encoder. */
  readonly tensors: readonly NamedTensor[];
}

function layOut(task: GraftFiles): Layout {
  switch (task.method) {
    case 'lora':
      return layOutLora(task);
    case 'ia3':
      return layOutIa3(task);
    default:
      throw new OptionError('format', `peft has no method "${task.method}"`, 'It has lora and ia3');
  }
}

function layOutLora(task: GraftFiles): Layout {
  const { rank, alpha, loraDropout = 0, targets } = task.options;
  if (typeof rank !== 'number' || typeof alpha !== 'number' || typeof targets !== 'object') {
    throw new TypeError(`lora: ${JSON.stringify(task.options)} lack a rank, alpha or targets`);
  }
  return {
    config: {
      bias: 'none',
      init_lora_weights: true,
      lora_alpha: alpha,
      lora_dropout: loraDropout,
      peft_type: 'LORA',
      r: rank,
      target_modules: targetModules(task, targets),
    },
    tensors: task.adapterLayers.flatMap((layer) =>
      targets.flatMap((target) =>
        ['A', 'B'].map((half) => {
          const ours = `${outputName(layer, target)}.lora_${half.toLowerCase()}`;
          return named(task, ours, storedName({ layer, target, part: `lora_${half}.weight` }));
        }),
      ),
    ),
  };
}

function layOutIa3(task: GraftFiles): Layout {
  const targetsOf = (vectors: readonly (typeof IA3_VECTORS)[number][]) =>
    targetModules(
      task,
      vectors.map(({ target }) => target),
    );
  return {
    config: {
      feedforward_modules: targetsOf(IA3_VECTORS.filter(({ scalesInput }) => scalesInput)),
      init_ia3_weights: true,
      peft_type: 'IA3',
      target_modules: targetsOf(IA3_VECTORS),
    },
    tensors: task.adapterLayers.flatMap((layer) =>
      IA3_VECTORS.map(({ ours, target, scalesInput }) => {
        const vector = named(
          task,
          `layer.${layer}.${ours}.ia3`,
          storedName({ layer, target, part: 'ia3_l' }),
        );
        return { ...vector, shape: vectorShape(vector.data.length, scalesInput) };
      }),
    ),
  };
}

/**
 * peft takes every module whose name ends in one of these, after a dot. The short names mean all layers, and 'output.dense' is
 * the end of attention's output, too; where that is not what was trained, each module is named with its layer.
 */
function targetModules({ adapterLayers, layers }: GraftFiles, targets: readonly string[]): readonly string[] {
  const isShort =
    adapterLayers.length === layers &&
    targets.every((target) => /^(query|key|value|intermediate)$/.test(target));
  if (isShort) return targets.map((target) => (target === 'intermediate' ? 'intermediate.dense' : target));
  return adapterLayers.flatMap((layer) => targets.map((target) => `layer.${layer}.${MODULES.get(target)}`));
}

function named(task: GraftFiles, ours: string, name: string): NamedTensor {
  const tensor = task.tensors.get(ours);
  if (tensor === undefined) throw new RangeError(`${ours} is needed, and the task has no such tensor`);
  return { name, shape: tensor.shape, data: tensor.data };
}

function encodeJson(value: PythonValue): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(pythonJson(value));
}
