import { byId } from './dom';

/** Between two announcements of progress: a screen reader that never stops talking cannot be used. */
const PAUSE_BETWEEN = 15_000;

/** What a screen reader is told while something goes on. */
export class Announcer {
  readonly #place = byId('live', HTMLElement);
  #last = Number.NEGATIVE_INFINITY;

  /** At once: a start, an end. */
  say(text: string): void {
    this.#last = performance.now();
    this.#place.textContent = text;
  }

  /** Only where nothing was said for a while. */
  progress(text: string): void {
    if (performance.now() - this.#last >= PAUSE_BETWEEN) this.say(text);
  }
}
