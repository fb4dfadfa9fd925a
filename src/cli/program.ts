import { Command, Option } from 'commander';
import { version } from '../../package.json';
import { KERNEL_CHOICES, METHOD_NAMES, TASK_FORMATS } from '../index';
import {
  type AverageOptions,
  type DoctorOptions,
  decimalNumber,
  type EvalOptions,
  type ExportOptions,
  type InspectOptions,
  layerList,
  nonEmpty,
  numberList,
  orAuto,
  type PredictOptions,
  type TokenizeOptions,
  type TrainOptions,
  targetList,
  wholeNumber,
} from './options';

/** What each command does; handed in, so that reading the command line can be tested alone. */
export interface Actions {
  train(options: TrainOptions): Promise<void>;
  eval(options: EvalOptions): Promise<void>;
  predict(texts: string[], options: PredictOptions): Promise<void>;
  average(options: AverageOptions): Promise<void>;
  tokenize(options: TokenizeOptions): Promise<void>;
  inspect(path: string, options: InspectOptions): Promise<void>;
  export(adapter: string, options: ExportOptions): Promise<void>;
  doctor(options: DoctorOptions): Promise<void>;
}

/** The `graft` program. It throws CommanderError rather than ending the process. */
export function createProgram(actions: Actions): Command {
  const program = new Command('graft')
    .description('Fine-tunes adapters on a frozen BERT, on WebGPU.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(graft COMMAND --help shows the options)');
  addTrain(program, actions);
  addEval(program, actions);
  addPredict(program, actions);
  addAverage(program, actions);
  addTokenize(program, actions);
  addInspect(program, actions);
  addExport(program, actions);
  addDoctor(program, actions);
  return program;
}

function addTrain(program: Command, actions: Actions): void {
  const command = program
    .command('train')
    .description('train an adapter and its head on a labelled file')
    .addOption(backboneOption())
    .requiredOption('--train <file>', LABELLED)
    .option('--dev <file>', 'examples to evaluate on after each epoch; the best epoch is kept')
    .option('--split <name>', 'of --train, where it is hub:owner/name (default: train)')
    .option('--dev-split <name>', 'of --dev, likewise (default: validation)')
    .option('--config <name>', 'of a data set from the hub that has several');
  addColumnOptions(command)
    .addOption(
      new Option('--task <kind>', 'what the labels are')
        .choices([
          'classification',
          'multi-label',
          'regression',
          'token-classification',
          'question-answering',
        ])
        .default('classification'),
    )
    .option(
      '--class-weights <weights>',
      'what labels count in training: balanced, or label:number,label:number, or a .json file with them',
    )
    .addOption(new Option('--adapter <method>', 'what is trained').choices(METHOD_NAMES).default('houlsby'))
    .option('--bottleneck <size>', 'houlsby, pfeiffer, parallel: width (default: 64)', wholeNumber(1))
    .option(
      '--scaling <factor>',
      'parallel: factor of the branch (default: 4)',
      decimalNumber({ least: 0, aboveLeast: true }),
    )
    .option('--rank <r>', 'lora: rank of the updates (default: 8)', wholeNumber(1))
    .option(
      '--alpha <alpha>',
      'lora: updates are multiplied by alpha / rank (default: 8)',
      decimalNumber({ least: 0, aboveLeast: true }),
    )
    .option(
      '--lora-dropout <p>',
      'lora: dropout before the updates (default: 0)',
      decimalNumber({ least: 0, most: 1, belowMost: true }),
    )
    .option('--targets <products>', 'lora: what is updated (default: query,value)', targetList)
    .option('--prefix-length <keys>', 'prefix: how many keys and values (default: 30)', wholeNumber(1))
    .option('--top-k <layers>', 'top-k: how many layers (default: 1)', wholeNumber(1))
    .option(
      '--adapter-layers <layers>',
      'layers that are adapted, from 0: 3-5 or 0,2-3 (default: all)',
      layerList,
    )
    .addOption(
      new Option(
        '--layer-norm <which>',
        "LayerNorms to train too (default: as the method's authors)",
      ).choices(['all', 'none']),
    )
    .option('--epochs <number>', 'passes over the examples', wholeNumber(1), 3)
    .option('--batch-size <number>', 'examples per step', wholeNumber(1), 32)
    .option(
      '--learning-rate <rate>',
      'peak learning rate; full and top-k want 2e-5 to 5e-5',
      decimalNumber({ least: 0, aboveLeast: true }),
      3e-4,
    )
    .option(
      '--warmup <share>',
      'share of the steps over which the learning rate rises',
      decimalNumber({ least: 0, most: 1 }),
      0.1,
    )
    .option('--weight-decay <decay>', 'decoupled weight decay', decimalNumber({ least: 0 }), 0.01)
    .option('--clip <norm>', 'largest norm of the gradient; 0: no clipping', decimalNumber({ least: 0 }), 1)
    .option('--bias-correction', "AdamW with bias correction (the authors' code has none)", false)
    .option(
      '--dropout <p>',
      "dropout, or auto: as the checkpoint's config says",
      orAuto(decimalNumber({ least: 0, most: 1, belowMost: true })),
      'auto',
    )
    .option(
      '--max-length <tokens>',
      'longer texts are cut off, lists of tokens and contexts split (default: 128, question-answering: 384)',
      wholeNumber(3),
    )
    .option(
      '--token-budget <tokens>',
      'most tokens computed at once; bounds memory',
      orAuto(wholeNumber(1)),
      'auto',
    )
    .option(
      '--recompute',
      "less memory, more time: the layers' activations are computed again, not saved",
      false,
    )
    .addOption(
      new Option(
        '--prefix-cache <where>',
        'where the output of the layers below the lowest adapted one is kept',
      )
        .choices(['auto', 'off', 'disk'])
        .default('auto'),
    )
    .option('--limit <number>', 'take only the first training examples', wholeNumber(1))
    .option('--patience <epochs>', 'stop after so many epochs without a better dev score', wholeNumber(1))
    .option(
      '--seed <number>',
      'seed of shuffling, dropout and initial values',
      wholeNumber(0, 2 ** 32 - 1),
      0,
    )
    .addOption(weightsOption());
  addDeviceOptions(command)
    .requiredOption('--out <directory>', 'where the adapter, training.jsonl and report.html go')
    .option('--resume', 'go on with an unfinished run in the --out directory', false)
    .option('--json', 'print one JSON object a line', false)
    .action(async (options: TrainOptions, self: Command) => {
      if (options.patience !== undefined && options.dev === undefined) {
        self.error("error: option '--patience' needs '--dev': without it there is no score to watch");
      }
      const isTable = options.task !== 'token-classification' && options.task !== 'question-answering';
      for (const column of ['text', 'label'] as const) {
        if (isTable && options[column] === undefined) {
          self.error(`error: required option '--${column} <column>' not specified`);
        }
      }
      await actions.train(options);
    });
}

function addEval(program: Command, actions: Actions): void {
  const command = program
    .command('eval')
    .description('evaluate an adapter on a labelled file')
    .addOption(backboneOption())
    .addOption(adapterOption())
    .requiredOption('--data <file>', LABELLED)
    .option('--split <name>', 'of --data, where it is hub:owner/name (default: validation)')
    .option('--config <name>', 'of a data set from the hub that has several');
  addColumnOptions(command).addOption(dropLayersOption()).addOption(weightsOption());
  addDeviceOptions(command)
    .option('--json', 'print one JSON object', false)
    .action(async (options: EvalOptions) => actions.eval(options));
}

function addPredict(program: Command, actions: Actions): void {
  const command = program
    .command('predict')
    .description('predict with an adapter, or several, for the texts given or the lines of stdin')
    .argument('[text...]', 'texts; a tab separates the two of a pair')
    .addOption(backboneOption())
    .addOption(
      adaptersOption('where graft train put the adapter; several times: several adapters, on the same texts'),
    )
    .addOption(dropLayersOption())
    .addOption(weightsOption());
  addDeviceOptions(command)
    .option('--json', 'print one JSON object a line', false)
    .action(async (texts: string[], options: PredictOptions, self: Command) => {
      if (texts.length === 0 && process.stdin.isTTY) {
        self.error('error: nothing to predict: give a TEXT, or lines on stdin');
      }
      await actions.predict(texts, options);
    });
}

function addAverage(program: Command, actions: Actions): void {
  program
    .command('average')
    .description('save the weighted mean of adapters of one method and shape as one')
    .addOption(backboneOption())
    .addOption(adaptersOption('where graft train put one of the adapters; once for each of them'))
    .option('--weights <numbers>', 'one an adapter, such as 1,3 (default: all alike)', numberList)
    .option('--head <directory>', 'the adapter whose head and labels are kept, where labels differ')
    .requiredOption('--out <directory>', 'where the files go')
    .action(async (options: AverageOptions) => actions.average(options));
}

function addTokenize(program: Command, actions: Actions): void {
  program
    .command('tokenize')
    .description("turn the lines of stdin into ids of the backbone's vocabulary")
    .addOption(backboneOption())
    .option('--json', 'print one JSON array a line', false)
    .action(async (options: TokenizeOptions) => actions.tokenize(options));
}

function addInspect(program: Command, actions: Actions): void {
  program
    .command('inspect')
    .description('say what an adapter, a checkpoint, a file of tensors or an unfinished run holds')
    .argument('<path>', 'a directory or a file; of checkpoints also a URL or a hub id')
    .option('--json', 'print one JSON object', false)
    .action(async (path: string, options: InspectOptions) => actions.inspect(path, options));
}

function addExport(program: Command, actions: Actions): void {
  program
    .command('export')
    .description('write a trained adapter in the format of another library, or folded into its backbone')
    .argument('<adapter>', 'where graft train put the adapter, or one that Python saved')
    .requiredOption('--out <directory>', 'where the files go')
    .addOption(
      new Option(
        '--format <name>',
        'auto: adapterhub for bottleneck adapters, else graft; merged: a whole checkpoint',
      )
        .choices([...TASK_FORMATS, 'merged'])
        .default('auto'),
    )
    .option('--half', 'numbers of 16 bits', false)
    .option('--bin', "PyTorch's .bin files in place of safetensors", false)
    .addOption(backboneOption())
    .action(async (adapter: string, options: ExportOptions) => actions.export(adapter, options));
}

function addDoctor(program: Command, actions: Actions): void {
  addDeviceOptions(program.command('doctor').description('show the device, and test every kernel on it'))
    .option('--json', 'print one JSON object', false)
    .action(async (options: DoctorOptions) => actions.doctor(options));
}

const LABELLED =
  'labelled examples: .tsv or .txt (split at tabs), .csv, .jsonl, .parquet, or hub:owner/name, a data set of the hub';

function addColumnOptions(command: Command): Command {
  return command
    .option(
      '--text <column>',
      "the texts: a header's name or a 0-based index; JSONL: a key; Parquet: a name (token-classification: tokens, question-answering: context)",
    )
    .option('--text-pair <column>', 'the second texts, for tasks over pairs (question-answering: question)')
    .option(
      '--label <column>',
      'the labels or scores (token-classification: tags, question-answering: answers)',
    )
    .option('--label-separator <text>', 'multi-label: what stands between labels (default: |)', nonEmpty)
    .option('--no-header', "the file's first line is an example, no header");
}

function backboneOption(): Option {
  return new Option(
    '--backbone <source>',
    'the BERT, RoBERTa, DistilBERT or ELECTRA: a directory, a URL, a hub id, or the small one that comes along',
  ).default('graft-mini');
}

function adapterOption(): Option {
  return new Option('--adapter <directory>', 'where graft train put the adapter').makeOptionMandatory();
}

/** One that may be given several times. */
function adaptersOption(description: string): Option {
  return new Option('--adapter <directory>', description)
    .argParser((directory: string, before: readonly string[] | undefined) => [...(before ?? []), directory])
    .makeOptionMandatory();
}

function dropLayersOption(): Option {
  return new Option(
    '--drop-layers <number>',
    'leave out the adapters of so many layers, from the lowest up (default: 0)',
  ).argParser(wholeNumber(0));
}

function backendOption(): Option {
  return new Option('--backend <name>', 'what computes').choices(['auto', 'webgpu', 'wasm']).default('auto');
}

/** Where the computing happens and how. */
function addDeviceOptions(command: Command): Command {
  return command
    .addOption(backendOption())
    .option(
      '--threads <number>',
      "threads of the CPU's backend; default: as many as cores, at most 8",
      wholeNumber(1, 64),
    )
    .addOption(
      new Option('--kernels <name>', 'which WebGPU kernels run; auto: measured once on this device')
        .choices(KERNEL_CHOICES)
        .default('auto'),
    );
}

function weightsOption(): Option {
  return new Option(
    '--weights <storage>',
    "how the backbone's weights are kept: f16 takes half the memory, int8 a quarter",
  )
    .choices(['f32', 'f16', 'int8'])
    .default('f32');
}
