import type { TabMessage, Tabs } from '../../../../examples/web/src/worker/tabs';

/** Several tabs in one process. */
export class TabHub {
  readonly held = new Map<string, Promise<void>>();
  readonly tabs: FakeTab[] = [];

  open(): FakeTab {
    const tab = new FakeTab(this);
    this.tabs.push(tab);
    return tab;
  }
}

export class FakeTab implements Tabs {
  readonly #hub: TabHub;
  readonly #releases = new Map<string, () => void>();
  readonly heard: TabMessage[] = [];
  readonly #listeners: ((message: TabMessage) => void)[] = [];

  constructor(hub: TabHub) {
    this.#hub = hub;
  }

  async hold(name: string): Promise<(() => void) | undefined> {
    if (this.#hub.held.has(name)) return undefined;
    let resolve = () => {};
    const free = new Promise<void>((done) => {
      resolve = done;
    });
    this.#hub.held.set(name, free);
    const release = () => {
      this.#hub.held.delete(name);
      this.#releases.delete(name);
      resolve();
    };
    this.#releases.set(name, release);
    return release;
  }

  async isHeld(name: string): Promise<boolean> {
    return this.#hub.held.has(name);
  }

  async whenFree(name: string): Promise<void> {
    await this.#hub.held.get(name);
  }

  tell(message: TabMessage): void {
    for (const tab of this.#hub.tabs) if (tab !== this) tab.#hear(structuredClone(message));
  }

  listen(listener: (message: TabMessage) => void): void {
    this.#listeners.push(listener);
  }

  /** The browser closes or discards the tab: its locks are let go, it says and hears nothing more. */
  close(): void {
    this.#hub.tabs.splice(this.#hub.tabs.indexOf(this), 1);
    for (const release of [...this.#releases.values()]) release();
  }

  #hear(message: TabMessage): void {
    this.heard.push(message);
    for (const listener of this.#listeners) listener(message);
  }
}
