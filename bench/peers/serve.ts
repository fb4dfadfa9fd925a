/** A contestant's end of protocol.ts, for those that run in Node. */
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Job, REPLY_MARK, type Reply } from './protocol';

export interface Measured {
  readonly milliseconds: number;
  readonly value?: number;
}

/** A contestant that is set up: see Ready and Round in protocol.ts. */
export interface Contestant {
  readonly setup: string;
  readonly check: Float32Array;
  round(): Promise<Measured>;
}

/** Sets up the work that the process was started for, then runs a round for each line of standard input. */
export async function serve(
  works: Readonly<Record<string, (job: Job) => Promise<Contestant>>>,
): Promise<void> {
  try {
    const job: Job = JSON.parse(process.argv.at(-1) ?? '');
    const work = works[job.work];
    if (work === undefined) throw new RangeError(`there is no work ${job.work}`);
    const contestant = await work(job);
    const { buffer, byteOffset, byteLength } = contestant.check;
    const check = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
    reply({ type: 'ready', setup: contestant.setup, check });
    for await (const _ of createInterface({ input: process.stdin })) {
      reply({ type: 'round', ...(await contestant.round()), peakBytes: peakBytes() });
    }
  } catch (error) {
    reply({
      type: 'failure',
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
  // Threads of the peers would keep the process alive.
  process.stdout.write('', () => process.exit());
}

/** Milliseconds of one call of `work`, the mean over `repeats`. */
export async function timed(repeats: number, work: () => Promise<unknown>): Promise<Measured> {
  const started = performance.now();
  for (let i = 0; i < repeats; i++) await work();
  return { milliseconds: (performance.now() - started) / repeats };
}

function reply(message: Reply): void {
  process.stdout.write(`${REPLY_MARK}${JSON.stringify(message)}\n`);
}

/** Linux's getrusage counts what the parent had resident when it forked; /proc does not. */
function peakBytes(): number {
  const file = '/proc/self/status';
  const line = existsSync(file) ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8')) : null;
  return Number(line?.[1] ?? process.resourceUsage().maxRSS) * 1024;
}
