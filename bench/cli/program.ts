import { Argument, Command, Option } from 'commander';
import type { WeightStorage } from '../../src/backends/frozen-matrix';
import { wholeNumber } from '../../src/cli/options';
import { SHAPES, type ShapeName } from '../shapes';

/** What can be measured, in the order in which it is. `kernels` measures the probes along. */
export const PARTS = ['probes', 'kernels', 'step', 'tokens', 'tokenizer', 'optimizer', 'cold-start'] as const;
export type Part = (typeof PARTS)[number];

/** The command line as it was read. */
export interface BenchOptions {
  readonly backend: 'auto' | 'webgpu' | 'wasm';
  readonly threads?: number;
  readonly quick: boolean;
  /** A file, or true for stdout. */
  readonly json?: string | true;
  readonly shape?: readonly ShapeName[];
  readonly op?: readonly string[];
  readonly sequences?: number;
  readonly length: number;
  readonly steps?: number;
  readonly tokenBudget?: number;
  readonly weights: WeightStorage;
  readonly recompute: boolean;
  readonly vocabulary?: string;
  readonly text?: string;
  readonly cased: boolean;
}

/** The program behind `npm run bench`. It throws CommanderError rather than ending the process. */
export function createProgram(
  run: (parts: readonly Part[], options: BenchOptions) => Promise<void>,
): Command {
  return new Command('bench')
    .usage('[PART …] [options]')
    .description('Measures Graft on this machine: bench/README.md says how to read it.')
    .addArgument(new Argument('[part...]', 'what to measure; all where none is named').choices(PARTS))
    .addOption(
      new Option('--backend <name>', 'what computes; auto: WebGPU on a real GPU, else WASM')
        .choices(['auto', 'webgpu', 'wasm'])
        .default('auto'),
    )
    .option('--threads <number>', 'WASM: threads (default: as many as cores, at most 8)', wholeNumber(1, 64))
    .option('--quick', 'small sizes and few runs: whether it works, not how fast', false)
    .option('--json [file]', 'one JSON document, on stdout or into a file beside the tables')
    .addOption(
      new Option('--shape <names...>', 'kernels, step: encoders (default: all; step: minilm)').choices(
        Object.keys(SHAPES),
      ),
    )
    .option('--op <names...>', 'kernels: only these ops')
    .option(
      '--sequences <number>',
      'kernels, step: sequences of a batch (default: 16; step: 32)',
      wholeNumber(1),
    )
    .option('--length <tokens>', 'kernels, step: tokens of a sequence', wholeNumber(1, 512), 32)
    .option('--steps <number>', 'step, tokens: steps that count (default: 3)', wholeNumber(1))
    .option(
      '--token-budget <tokens>',
      'step, tokens: most tokens of a micro-batch (default: as in training)',
      wholeNumber(1),
    )
    .addOption(
      new Option('--weights <storage>', 'step, tokens: how the frozen weights are kept')
        .choices(['f32', 'f16', 'int8'])
        .default('f32'),
    )
    .option('--recompute', 'step: in turn with steps that compute activations again', false)
    .option('--vocabulary <file>', 'tokenizer: a vocab.txt, with --text')
    .option('--text <file>', 'tokenizer: texts, one a line up to the first tab, with --vocabulary')
    .option('--cased', 'tokenizer: the vocabulary is cased', false)
    .exitOverride()
    .showHelpAfterError('(npm run bench -- --help shows the options)')
    .action(async (parts: Part[], options: BenchOptions, self: Command) => {
      if ((options.vocabulary === undefined) !== (options.text === undefined)) {
        self.error("error: '--vocabulary' and '--text' go together");
      }
      await run(parts.length > 0 ? parts : PARTS, options);
    });
}
