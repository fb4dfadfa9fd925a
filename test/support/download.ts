import { join } from 'node:path';
import type { Page } from 'puppeteer';

/** What the page saves when `action` is done: its path in `directory`, once all of it is there. For Chromium. */
export async function downloadBy(
  page: Page,
  directory: string,
  action: () => Promise<void>,
): Promise<string> {
  const session = await page.createCDPSession();
  await session.send('Browser.setDownloadBehavior', {
    behavior: 'allow',
    downloadPath: directory,
    eventsEnabled: true,
  });
  const path = new Promise<string>((resolve, reject) => {
    let name = '';
    session.on('Browser.downloadWillBegin', ({ suggestedFilename }) => {
      name = suggestedFilename;
    });
    // A file has its name before it has its content.
    session.on('Browser.downloadProgress', ({ state }) => {
      if (state === 'completed') resolve(join(directory, name));
      if (state === 'canceled') reject(new Error(`the download of ${name} was cancelled`));
    });
  });
  await action();
  const saved = await path;
  await session.detach();
  return saved;
}
