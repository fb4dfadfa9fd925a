/** The command line of `npm run reproduce`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../../src/cli/options';
import { CONTESTANTS, MOST_RATES } from './contestants';
import { SOURCES } from './data';

export interface ReproduceOptions {
  readonly backbone: string;
  readonly data: string;
  readonly tasks: readonly string[];
  readonly methods: readonly string[];
  readonly minutes: number;
  readonly examples?: number | undefined;
  readonly full: boolean;
  readonly rates?: number | undefined;
  readonly seeds: number;
  readonly backend: 'auto' | 'webgpu' | 'wasm';
  readonly runs: string;
  readonly out: string;
}

const tasks = SOURCES.map(({ name }) => name);
const methods = CONTESTANTS.map(({ name }) => name);

export function createProgram(run: (options: ReproduceOptions) => Promise<void>): Command {
  return new Command('reproduce')
    .description("The paper's comparison of adapters with fine-tuning, on a backbone of one's own.")
    .option('--backbone <source>', 'directory, URL, hub id, or graft-mini', 'graft-mini')
    .option('--data <directory>', 'a folder for each task (bench/reproduce/README.md)', '../shared/data')
    .addOption(new Option('--tasks <names...>', 'which tasks').choices(tasks).default(tasks, 'all'))
    .addOption(new Option('--methods <names...>', 'which methods').choices(methods).default(methods, 'all'))
    .option('--minutes <number>', 'how long all runs of the first seed may take together', minutes, 60)
    .option(
      '--examples <number>',
      'how many a run sees, however long it takes; not --minutes',
      wholeNumber(96),
    )
    .option('--full', 'all training data, and each method with all of its learning rates', false)
    .option(
      '--rates <number>',
      `how many learning rates each method tries; validation chooses (default: 1, with --full ${MOST_RATES})`,
      wholeNumber(1, MOST_RATES),
    )
    .option('--seeds <number>', 'how many seeds', wholeNumber(1, 100), 1)
    .addOption(
      new Option('--backend <name>', 'what computes').choices(['auto', 'webgpu', 'wasm']).default('auto'),
    )
    .option(
      '--runs <directory>',
      'where runs are kept; those that are there are not run again',
      'build/reproduce',
    )
    .option('--out <file>', 'the page; its pictures go into a folder of its name', 'docs/results.md')
    .exitOverride()
    .showHelpAfterError('(npm run reproduce -- --help shows the options)')
    .action((options: ReproduceOptions) => run(options));
}

function minutes(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}
