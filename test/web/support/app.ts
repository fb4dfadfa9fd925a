/** The page as a user works it: what is typed and pressed, and what is then to be read. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, EvaluateFunc, Page } from 'puppeteer';
import { type BrowserName, isStalled, openPage } from '../../support/browser';

const root = join(import.meta.dirname, '..', '..', '..');
const screenshots = join(root, 'build', 'screenshots');

/** For whatever the page is waited for, in milliseconds: long, for a busy machine. */
const PATIENCE = 30_000;

export interface TrainSettings {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly heldOut?: number;
}

/** `perLabel` examples of each label of one of the example sets, as CSV with a header. */
export function someExamples(set: 'messages' | 'reviews' | 'requests', perLabel: number): string {
  const lines = readFileSync(join(root, 'examples', 'data', `${set}.train.tsv`), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const counts = new Map<string, number>();
  const kept = lines.filter((line) => {
    const label = line.split('\t')[1] ?? '';
    const count = (counts.get(label) ?? 0) + 1;
    counts.set(label, count);
    return count <= perLabel;
  });
  const rows = kept.map((line) =>
    line
      .split('\t')
      .map((cell) => `"${cell.replaceAll('"', '""')}"`)
      .join(','),
  );
  return `${['text,label', ...rows].join('\n')}\n`;
}

export class App {
  #page: Page;
  readonly #browser: Pick<Browser, 'newPage'>;
  readonly #name: BrowserName;

  private constructor(page: Page, browser: Pick<Browser, 'newPage'>, name: BrowserName) {
    this.#page = page;
    this.#browser = browser;
    this.#name = name;
  }

  /** A new tab on `url`, once the backbone is there. */
  static open(
    browser: Pick<Browser, 'newPage'>,
    url: string,
    patience = PATIENCE,
    name: BrowserName = 'chrome',
  ): Promise<App> {
    return openPage(browser, name, async (page) => {
      await page.setViewport({ width: 1280, height: 900 });
      page.setDefaultTimeout(patience);
      const app = new App(page, browser, name);
      await page.goto(url);
      await app.ready();
      return app;
    });
  }

  get page(): Page {
    return this.#page;
  }

  async ready(): Promise<void> {
    await this.until("document.getElementById('backbone-name')?.textContent?.startsWith('graft-mini')");
  }

  /** In Firefox, where it stalls (see openPage), in another tab. */
  async reload(): Promise<void> {
    const url = this.page.url();
    const reloading = this.page.reload().then(() => this.ready());
    if (this.#name === 'firefox' && (await isStalled(reloading))) {
      reloading.catch(() => undefined);
      await this.page.close();
      const again = await App.open(this.#browser, url, PATIENCE, this.#name);
      this.#page = again.page;
    } else {
      await reloading;
    }
  }

  /** Looks again and again: in a tab behind another one no frames are drawn, by which puppeteer would wait. */
  private until<Args extends unknown[]>(condition: string | EvaluateFunc<Args>, ...args: Args) {
    return this.page.waitForFunction(condition, { polling: 100 }, ...args);
  }

  /** Until the element's text is this. */
  shown(selector: string, text: string): Promise<unknown> {
    return this.until(
      (place: string, wanted: string) => document.querySelector(place)?.textContent === wanted,
      selector,
      text,
    );
  }

  /** Until the element's text is of this pattern. */
  matches(selector: string, pattern: string): Promise<unknown> {
    return this.until(
      (place: string, wanted: string) =>
        new RegExp(wanted).test(document.querySelector(place)?.textContent ?? ''),
      selector,
      pattern,
    );
  }

  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (found) => found.textContent ?? '');
  }

  isHidden(selector: string): Promise<boolean> {
    return this.page.$eval(selector, (found) => found.closest('[hidden]') !== null);
  }

  /** Puts text into a field at once, as pasting does, and tells the page. */
  async fill(selector: string, value: string): Promise<void> {
    await this.page.$eval(
      selector,
      (field, given) => {
        if (!('value' in field)) throw new TypeError('not a field');
        field.value = given;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      },
      value,
    );
  }

  async newTask(name: string, examples: string): Promise<void> {
    await this.page.click('#new-task');
    await this.page.waitForSelector('#import-source', { visible: true });
    await this.fill('#paste', examples);
    await this.page.click('#read-paste');
    await this.page.waitForSelector('#review-check .bar', { visible: true });
    await this.fill('#task-name', name);
    await this.page.click('#import-submit');
    await this.shows(name);
    await this.page.waitForSelector('#rows tr');
  }

  async choose(name: string): Promise<void> {
    await this.page.$$eval(
      '#task-list a',
      (links, wanted) => {
        const found = links.find((link) => link.querySelector('.task-name')?.textContent === wanted);
        if (found === undefined) throw new Error(`no task ${wanted}`);
        found.click();
      },
      name,
    );
    await this.shows(name);
  }

  async shows(name: string): Promise<void> {
    await this.until(
      (wanted: string) =>
        document.getElementById('task-title')?.textContent === wanted &&
        document.getElementById('task-view')?.hidden === false,
      name,
    );
  }

  /** Names and what is said of them. */
  tasks(): Promise<{ readonly name: string; readonly about: string }[]> {
    return this.page.$$eval('#task-list a', (links) =>
      links.map((link) => ({
        name: link.querySelector('.task-name')?.textContent ?? '',
        about: link.querySelector('.task-about')?.textContent ?? '',
      })),
    );
  }

  async startTraining(settings: TrainSettings = {}): Promise<void> {
    for (const [name, value] of Object.entries(settings)) {
      await this.fill(`#train-form input[name=${name}]`, String(value));
    }
    await this.until("document.querySelector('#train:enabled') !== null");
    await this.page.click('#train');
  }

  /** Once a step was shown, and so many of them done. */
  async reached(step: number): Promise<void> {
    await this.until((wanted: number) => {
      const shown = /step ([\d,]+)/.exec(document.getElementById('progress-text')?.textContent ?? '')?.[1];
      return Number(shown?.replaceAll(',', '') ?? 0) >= wanted;
    }, step);
  }

  /** Waits for the end of a training, and fails with what the page says if it comes otherwise. */
  async trained(): Promise<void> {
    await this.until(
      () =>
        document.getElementById('train')?.textContent === 'Train again' ||
        document.querySelector('#notices .error') !== null,
    );
    const errors = await this.errors();
    if (errors.length > 0) throw new Error(errors.join('\n'));
  }

  errors(): Promise<string[]> {
    return this.page.$$eval('#notices .error .notice-text', (found) =>
      found.map(({ textContent }) => textContent ?? ''),
    );
  }

  /** Accuracy in percent, as the result shows it. */
  async accuracy(): Promise<number> {
    return Number.parseFloat(await this.text('#result-figures dd'));
  }

  /** Types a text and reads the label and the probabilities in percent. */
  async predict(text: string): Promise<{ readonly label: string; readonly scores: Record<string, number> }> {
    await this.fill('#try-text', '');
    await this.until("document.querySelectorAll('#scores li').length === 0");
    await this.fill('#try-text', text);
    return this.prediction();
  }

  async prediction(): Promise<{ readonly label: string; readonly scores: Record<string, number> }> {
    await this.page.waitForSelector('#scores .best');
    return this.page.$$eval('#scores li', (bars) => {
      const part = (bar: Element, name: string) => bar.querySelector(`.bar-${name}`)?.textContent ?? '';
      const best = bars.find((bar) => bar.classList.contains('best'));
      return {
        label: best === undefined ? '' : part(best, 'label'),
        scores: Object.fromEntries(
          bars.map((bar) => [part(bar, 'label'), Number.parseFloat(part(bar, 'figure'))]),
        ),
      };
    });
  }

  /** Loads an adapter by the button at the side. */
  async upload(path: string): Promise<void> {
    const [chooser] = await Promise.all([this.page.waitForFileChooser(), this.page.click('#upload-button')]);
    await chooser.accept([path]);
  }

  /** Written for people to look at; nothing compares them. */
  async shoot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
  }
}
