import { CommanderError } from 'commander';
import { GraftError } from '../index';
import { average } from './average';
import { doctor } from './doctor';
import { evaluate } from './eval';
import { exportFiles } from './export';
import { inspect } from './inspect';
import { Interrupted } from './interrupt';
import { predict } from './predict';
import { createProgram } from './program';
import { printable } from './terminal';
import { tokenize } from './tokenize';
import { train } from './train';

/** Reads the command line, does what it says and returns the exit code. `argv` begins with the first argument. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = createProgram({
    train,
    eval: evaluate,
    predict,
    average,
    tokenize,
    doctor,
    inspect,
    export: exportFiles,
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    return exitCode(error);
  }
}

/** Prints what there is to say about an error, and gives its exit code: 1 failure, 2 usage, 130 stopped by Ctrl-C. */
export function exitCode(error: unknown): number {
  // commander has printed its message already; help and version end with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interrupted) {
    process.stderr.write(`graft: ${error.message}\n`);
    return 130;
  }
  if (error instanceof GraftError) {
    // The message may quote a file that somebody else wrote.
    process.stderr.write(`graft: ${printable(error.message)}\n`);
    return 1;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`graft: unexpected error, please report it: ${detail}\n`);
  return 1;
}
