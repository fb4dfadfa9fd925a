import { coreCount } from '../../platform/worker';
import type { WasmBuild } from '../../wasm/builds';
import type { Host } from './host';
import { InlineHost } from './inline-host';
import { WorkerHost } from './worker-host';

/** Beyond this many threads the memory, not the cores, bounds a step of the sizes that Graft is for. */
const MOST_THREADS = 8;

/**
 * A pool of threads where there are several cores and shared memory, else one thread: in a page or its worker a worker, so
 * that nobody waits; in Node and Deno the calling thread.
 */
export async function createHost(
  build: WasmBuild,
  threads = Math.min(coreCount(), MOST_THREADS),
): Promise<Host> {
  const reasons: string[] = [];
  if (threads > 1) {
    if (hasSharedMemory()) {
      try {
        return await WorkerHost.create({ build, threads, isShared: true });
      } catch (error) {
        reasons.push(`a pool of threads could not be started (${messageOf(error)})`);
      }
    } else {
      reasons.push(
        'the page is not cross-origin isolated, so there is no shared memory ' +
          '(serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)',
      );
    }
  }
  if (isInPage()) {
    try {
      const note = noteOf(reasons);
      return await WorkerHost.create({ build, threads: 1, isShared: false, note });
    } catch (error) {
      reasons.push(`a worker could not be started (${messageOf(error)}): computing blocks the page`);
    }
  }
  return InlineHost.create(build, noteOf(reasons));
}

function hasSharedMemory(): boolean {
  // Where isolation is no question (Node, Deno) the flag is absent.
  return typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;
}

function isInPage(): boolean {
  return typeof document !== 'undefined';
}

function noteOf(reasons: readonly string[]): string | undefined {
  return reasons.length === 0 ? undefined : `one thread: ${reasons.join('; ')}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
