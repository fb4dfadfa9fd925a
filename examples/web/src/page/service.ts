/** The service worker: it keeps the page for when there is no network, and gives it the headers that threads need. */
import { byId } from './dom';
import type { Notices } from './notices';

const TRIED_KEY = 'graft-isolation-tried';
/** Longer than this nobody should wait for threads. */
const PATIENCE = 8_000;

/**
 * Registers it. Where the server sends no headers for cross-origin isolation the first visit has none, and gets them by one reload
 * through the service worker, before anything has begun; then this promise stays open.
 */
export async function startService(notices: Notices): Promise<void> {
  const offline = byId('offline-state', HTMLElement);
  if (!('serviceWorker' in navigator)) {
    offline.textContent = 'This browser cannot keep the page for use without a network here.';
    return;
  }
  const { serviceWorker } = navigator;
  const ready = register(notices).then(
    () => {
      offline.textContent = 'Works without a network from now on.';
    },
    () => {
      offline.textContent = 'The page could not be kept for use without a network.';
    },
  );
  if (crossOriginIsolated) {
    sessionStorage.removeItem(TRIED_KEY);
    return;
  }
  // After one try: a browser that gives no isolation at all must not be reloaded for ever.
  if (sessionStorage.getItem(TRIED_KEY) !== null) return;
  sessionStorage.setItem(TRIED_KEY, 'yes');
  await Promise.race([ready, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  if ((await serviceWorker.getRegistration())?.active == null) return;
  location.reload();
  await new Promise(() => {});
}

async function register(notices: Notices): Promise<void> {
  const { serviceWorker } = navigator;
  const registration = await serviceWorker.register(new URL('./sw.js', import.meta.url));
  const offer = () => {
    const { waiting } = registration;
    if (waiting === null || serviceWorker.controller === null) return;
    notices.info('A new version of this page is ready. What is kept stays.', {
      label: 'Reload',
      run() {
        serviceWorker.addEventListener('controllerchange', () => location.reload());
        waiting.postMessage('take-over');
      },
    });
  };
  offer();
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', offer);
  });
  await serviceWorker.ready;
}
