/** Several tabs of the page: who trains what, and the news of it. */
import type { TrainProgress } from '../engine';
import type { TaskRecord } from './storage/schema';

export type TabMessage =
  /** A task is new or has changed. `isNewAdapter`: loaded copies of it are out of date. */
  | {
      readonly type: 'task';
      readonly record: TaskRecord;
      readonly isTraining: boolean;
      readonly isNewAdapter: boolean;
    }
  | {
      readonly type: 'step';
      readonly taskId: string;
      readonly loss: number;
      readonly progress: TrainProgress;
    }
  | { readonly type: 'task-removed'; readonly taskId: string }
  /** To whoever trains it. */
  | { readonly type: 'pause' | 'cancel'; readonly taskId: string };

export interface Tabs {
  /** Holds `name` until the function is called that it returns; undefined where it is held already. */
  hold(name: string): Promise<(() => void) | undefined>;
  isHeld(name: string): Promise<boolean>;
  /** Resolves when nobody holds `name`: its tab let go, was closed or discarded. */
  whenFree(name: string): Promise<void>;
  /** Tells all other tabs. */
  tell(message: TabMessage): void;
  listen(listener: (message: TabMessage) => void): void;
}

/** Web Locks and a BroadcastChannel; browsers let go of a lock when its tab ends, however it ends. */
export class BrowserTabs implements Tabs {
  readonly #channel = new BroadcastChannel('graft');

  hold(name: string): Promise<(() => void) | undefined> {
    return new Promise((resolve, reject) => {
      navigator.locks
        .request(lockName(name), { ifAvailable: true }, (lock) => {
          if (lock === null) return resolve(undefined);
          return new Promise<void>((release) => resolve(release));
        })
        .catch(reject);
    });
  }

  async isHeld(name: string): Promise<boolean> {
    const { held } = await navigator.locks.query();
    return held?.some((lock) => lock.name === lockName(name)) ?? false;
  }

  async whenFree(name: string): Promise<void> {
    await navigator.locks.request(lockName(name), { mode: 'shared' }, () => undefined);
  }

  tell(message: TabMessage): void {
    this.#channel.postMessage(message);
  }

  listen(listener: (message: TabMessage) => void): void {
    this.#channel.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => listener(data));
  }
}

function lockName(name: string): string {
  return `graft: ${name}`;
}

/** For a page that is alone, or cannot know of others. */
export class OnlyTab implements Tabs {
  readonly #held = new Set<string>();

  async hold(name: string): Promise<(() => void) | undefined> {
    if (this.#held.has(name)) return undefined;
    this.#held.add(name);
    return () => this.#held.delete(name);
  }

  async isHeld(name: string): Promise<boolean> {
    return this.#held.has(name);
  }

  async whenFree(): Promise<void> {}

  tell(): void {}

  listen(): void {}
}
