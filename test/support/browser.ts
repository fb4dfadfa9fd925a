/** Real browsers for tests: where they are, and how they are started. */
import { existsSync } from 'node:fs';
import { type Browser, launch, type Page } from 'puppeteer';

export type BrowserName = 'chrome' | 'firefox';

const places: Readonly<Record<BrowserName, readonly (string | undefined)[]>> = {
  chrome: [
    process.env.CHROME_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ],
  firefox: [process.env.FIREFOX_PATH, '/usr/bin/firefox-esr', '/usr/bin/firefox'],
};

/** WebGPU on SwiftShader, no sandbox (root has none), and no connections of the browser's own. */
const chromeFlags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** The browser's program; where it is not here, says that `what` is skipped. */
export function findBrowser(name: BrowserName, what: string): string | undefined {
  const path = places[name].find((candidate) => candidate !== undefined && existsSync(candidate));
  if (path === undefined) {
    console.warn(
      `skipped: ${what}; there is no ${name} here. \`node tools/setup.mjs --browser\` says how to get one`,
    );
  }
  return path;
}

/** @param firefoxDownloads where Firefox puts downloads, unasked; Chromium is told by `downloadBy` */
export function launchBrowser(
  name: BrowserName,
  executablePath: string,
  firefoxDownloads?: string,
): Promise<Browser> {
  const preferences = {
    'browser.download.folderList': 2,
    'browser.download.dir': firefoxDownloads,
    'browser.download.alwaysOpenPanel': false,
  };
  return launch({
    browser: name,
    executablePath,
    args: name === 'chrome' ? chromeFlags : [],
    ...(firefoxDownloads === undefined ? {} : { extraPrefsFirefox: preferences }),
  });
}

/** Longer than any page has taken to open on a busy machine. */
const STALLED_MILLISECONDS = 20_000;
const MOST_STALLS = 6;

/**
 * Opens a page by `open`: in Firefox on another new one where the first does not open in time, up to six times.
 *
 * While WebDriver BiDi is connected, Firefox (153) now and then never returns from `new Worker` in a worker: its agent listens for
 * workers (WebDriverWorkerListenerChild). A page without any code of ours, whose worker starts twelve more, stalled at 15 of 24 visits, and
 * at none of 60 in a Firefox that nothing drove. firefox-alone.test.ts sees to it that ours open there.
 */
export async function openPage<T>(
  browser: Pick<Browser, 'newPage'>,
  name: BrowserName,
  open: (page: Page) => Promise<T>,
): Promise<T> {
  for (let stalls = 0; ; stalls++) {
    const page = await browser.newPage();
    const opening = open(page);
    if (name === 'firefox' && stalls < MOST_STALLS && (await isStalled(opening))) {
      console.warn('Firefox stalled in starting workers: trying in a new tab');
      opening.catch(() => undefined);
      await page.close();
    } else {
      return opening;
    }
  }
}

/** Whether it has neither come about nor failed in time. */
export async function isStalled(opening: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, STALLED_MILLISECONDS, true);
  });
  const settled = opening.then(
    () => false,
    () => false,
  );
  const found = await Promise.race([settled, late]);
  clearTimeout(timer);
  return found;
}
