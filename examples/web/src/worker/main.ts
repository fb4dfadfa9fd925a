/** The worker's entry: an engine on the browser's storage, offered over Comlink. */
import { expose } from 'comlink';
import { version } from '../../../../package.json';
import { GraftEngine } from './engine';
import { throwingEngineErrors } from './errors';
import { openIndexedDb } from './storage/indexed-db';
import { BrowserTabs, OnlyTab } from './tabs';

// At once and without an await before: a message that finds nobody listening is lost.
expose(
  throwingEngineErrors(
    new GraftEngine({
      openStorage: () => openIndexedDb(),
      // Both absent outside secure contexts.
      tabs: 'locks' in navigator ? new BrowserTabs() : new OnlyTab(),
      browser: `${navigator.userAgent}, Graft ${version}`,
      estimate: async () => ('storage' in navigator ? (await navigator.storage.estimate()).usage : undefined),
    }),
  ),
);
