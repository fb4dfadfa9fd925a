/** How busy other programs kept the machine while something was measured: ratios are worth little when they did. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Linux counts time in hundredths of a second, whatever the kernel's own tick (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Starts to count; the function that it gives tells the share of all cores, 0 to 1, that others had since. Linux only. */
export function watchOtherLoad(ownProcesses: readonly number[]): () => number | undefined {
  if (!existsSync('/proc/stat')) return () => undefined;
  const others = () => busyTicks() - ownTicks([process.pid, ...ownProcesses]);
  const before = others();
  const started = performance.now();
  return () => {
    const possible = ((performance.now() - started) / 1000) * TICKS_PER_SECOND * cpus().length;
    return Math.max(0, others() - before) / possible;
  };
}

/** All that is not idle or waiting for a disk, all cores together. */
function busyTicks(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = line.split(/\s+/).slice(1).map(Number);
  return user + nice + system + irq + softIrq;
}

function ownTicks(processes: readonly number[]): number {
  return processes.reduce((sum, pid) => {
    const file = `/proc/${pid}/stat`;
    if (!existsSync(file)) return sum;
    // The program's name, in parentheses, may hold blanks; utime and stime are fields 14 and 15.
    const fields = readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return sum + Number(fields[11]) + Number(fields[12]);
  }, 0);
}
