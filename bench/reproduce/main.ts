/** `npm run reproduce`: tools/bench/reproduce.mjs bundles and starts it. */
import { CommanderError } from 'commander';
import { GraftError } from '../../src/index';
import { createProgram } from './program';
import { reproduce } from './reproduce';

const words = process.argv.slice(2);
const command = ['npm run reproduce', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');

let code = 0;
try {
  await createProgram((options) => reproduce(options, command)).parseAsync(words, { from: 'user' });
} catch (error) {
  // commander has printed its message already; help ends with code 0.
  if (error instanceof CommanderError) {
    code = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof DOMException && error.name === 'AbortError') {
    process.stderr.write('stopped; the next start goes on from here\n');
    code = 130;
  } else {
    const isKnown = error instanceof GraftError;
    process.stderr.write(
      `reproduce: ${isKnown ? error.message : error instanceof Error ? error.stack : error}\n`,
    );
    code = 1;
  }
}
// A native GPU device may keep the process alive, so it is ended, once all output has gone out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
