/** The page of browser.test.ts: an engine in its worker, and what it tells. */
import { proxy, type Remote, wrap } from 'comlink';
import type { AppState, Engine, EngineEvent } from '../../../../examples/web/src/engine';

export interface EnginePage {
  readonly engine: Remote<Engine>;
  readonly events: EngineEvent[];
  readonly opened: Promise<AppState>;
  /** Resolves with the first event, past or to come, that `wanted` finds. */
  seen(wanted: (event: EngineEvent) => boolean): Promise<EngineEvent>;
}

declare global {
  var graftPage: EnginePage;
}

const events: EngineEvent[] = [];
const watchers = new Set<() => void>();
const engine = wrap<Engine>(new Worker('worker.js', { type: 'module' }));
globalThis.graftPage = {
  engine,
  events,
  opened: engine.open(
    proxy((event: EngineEvent) => {
      events.push(event);
      for (const watcher of [...watchers]) watcher();
    }),
  ),
  seen: (wanted) =>
    new Promise((resolve) => {
      const look = () => {
        const found = events.find(wanted);
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
    }),
};
