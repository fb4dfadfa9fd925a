import type { Engine } from '../engine';
import type { Announcer } from './announce';
import type { Notices } from './notices';
import type { Store } from './store';

/** What every part of the page is given. */
export interface Context {
  readonly engine: Engine;
  readonly store: Store;
  readonly notices: Notices;
  readonly announcer: Announcer;
}
