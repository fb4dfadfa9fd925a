/** Real browsers for tests: where they are, and how they are started. */
import { existsSync } from 'node:fs';
import { type Browser, launch } from 'puppeteer';

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

export function launchBrowser(name: BrowserName, executablePath: string): Promise<Browser> {
  return launch({ browser: name, executablePath, args: name === 'chrome' ? chromeFlags : [] });
}
