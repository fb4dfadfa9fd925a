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
    this.#show('error', 'alert', describeError(asEngineError(reason)));
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

/** An error and what to do about it, as sentences. The library's messages end with their hint already. */
export function describeError({ message, hint = '' }: EngineError): string {
  const parts = message.includes(hint) ? [message] : [message, hint];
  return parts.map(sentence).join(' ');
}

function sentence(text: string): string {
  // A file's or a field's name stays as it is written.
  const started = /^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?…]$/.test(started) ? started : `${started}.`;
}
