/** What a page's main thread does for how long, from Chromium's trace. */
import type { Page } from 'puppeteer';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of wall time, and of the thread's own. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

export interface LongestTask {
  /** Milliseconds that the thread computed. */
  readonly cpu: number;
  /** Milliseconds from start to end: also those in which the machine did something else. */
  readonly wall: number;
}

/** The longest tasks of main threads while `action` runs, each by its own measure. */
export async function longestTask(page: Page, action: () => Promise<void>): Promise<LongestTask> {
  await page.tracing.start({ categories: ['toplevel'] });
  await action();
  const trace = await page.tracing.stop();
  const { traceEvents }: { readonly traceEvents: readonly TraceEvent[] } = JSON.parse(
    new TextDecoder().decode(trace),
  );
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid}:${tid}`;
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(threadOf),
  );
  const tasks = traceEvents.filter(
    (event) => event.ph === 'X' && event.name.endsWith('RunTask') && mains.has(threadOf(event)),
  );
  if (tasks.length === 0) throw new Error('the trace holds no task of a main thread');
  const longest = (key: 'dur' | 'tdur') => Math.max(...tasks.map((task) => task[key] ?? 0)) / 1000;
  return { cpu: longest('tdur'), wall: longest('dur') };
}
