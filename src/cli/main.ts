import { run } from './run';

// `graft predict … | head` closes the pipe early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const code = await run(process.argv.slice(2));
// A native GPU device may keep the process alive, so it is ended, once all output has gone out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
