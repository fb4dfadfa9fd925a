import type { Browser } from 'puppeteer';
import { type BrowserName, launchBrowser } from './browser';

/**
 * Opens `url` in a new browser and waits until `condition`, an expression, holds in the page; gives the page's title.
 * Rejects with the page's own error where it throws one, and with its console where it never gets there.
 */
export async function openUntil(
  executablePath: string,
  url: string,
  condition: string,
  name: BrowserName = 'chrome',
): Promise<string> {
  const browser: Browser = await launchBrowser(name, executablePath);
  const said: string[] = [];
  try {
    const page = await browser.newPage();
    page.on('console', (message) => said.push(message.text()));
    const failed = new Promise<never>((_, reject) =>
      page.on('pageerror', (error) => reject(new Error(`${url}: ${String(error)}\n${said.join('\n')}`))),
    );
    await page.goto(url);
    await Promise.race([failed, page.waitForFunction(condition, { timeout: 90_000 })]).catch(
      (error: unknown) => {
        throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said.join('\n')}`);
      },
    );
    return await page.title();
  } finally {
    await browser.close();
  }
}
