import type { EngineError } from '../engine';
import { asEngineError } from './client';
import { byId, element } from './dom';

interface Action {
  readonly label: string;
  run(): void;
}

/** Messages at the top of the page that stay until they are closed. */
export class Notices {
  readonly #place = byId('notices', HTMLElement);

  /** An error is read out at once. The same message is not shown twice. */
  error(reason: unknown): void {
    const { message, hint } = asEngineError(reason);
    this.#show('error', 'alert', sentences(message, hint));
  }

  info(message: string, action?: Action): void {
    this.#show('', 'status', message, action);
  }

  /** The result of `work`; where it fails, the error is shown and the result is undefined. */
  async attempt<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (reason) {
      this.error(reason);
      return undefined;
    }
  }

  #show(kind: string, role: string, message: string, action?: Action): void {
    const same = [...this.#place.querySelectorAll('.notice-text')].some(
      (text) => text.textContent === message,
    );
    if (same) return;
    const close = element(
      'button',
      { type: 'button', class: 'button small plain', 'aria-label': 'Close' },
      '×',
    );
    const notice = element(
      'div',
      { class: `notice ${kind}`, role },
      element('span', { class: 'notice-text' }, message),
    );
    if (action !== undefined) {
      const button = element('button', { type: 'button', class: 'button small' }, action.label);
      button.addEventListener('click', () => action.run());
      notice.append(button);
    }
    notice.append(close);
    close.addEventListener('click', () => notice.remove());
    this.#place.append(notice);
  }
}

/** An error and what to do about it, as text. */
export function describeError({ message, hint }: EngineError): string {
  return sentences(message, hint);
}

function sentences(...parts: readonly (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined && part !== '')
    .map((part) => {
      const text = String(part);
      // A file's or a field's name stays as it is written.
      const started = /^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
      return /[.!?…]$/.test(started) ? started : `${started}.`;
    })
    .join(' ');
}
