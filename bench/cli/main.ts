/** `npm run bench`: tools/bench/main.mjs bundles and starts it. */
import { CommanderError } from 'commander';
import { GraftError } from '../../src/errors';
import { createProgram } from './program';
import { runBench } from './run';

let code = 0;
try {
  await createProgram(runBench).parseAsync(process.argv.slice(2), { from: 'user' });
} catch (error) {
  // commander has printed its message already; help ends with code 0.
  if (error instanceof CommanderError) {
    code = error.exitCode === 0 ? 0 : 2;
  } else {
    code = 1;
    const isKnown = error instanceof GraftError;
    process.stderr.write(
      `bench: ${isKnown ? error.message : error instanceof Error ? error.stack : error}\n`,
    );
  }
}
// A native GPU device may keep the process alive, so it is ended, once all output has gone out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
