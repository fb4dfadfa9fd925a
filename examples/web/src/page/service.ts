/** The service worker: it keeps the page for when there is no network, and gives it the headers that threads need. */
import { byId } from './dom';
import type { Notices } from './notices';

const TRIED_KEY = 'graft-isolation-tried';
/** Longer than this nobody should wait for threads, in milliseconds. */
const PATIENCE = 8_000;

/**
 * Where the server sends no headers for cross-origin isolation, the first visit gets them by one reload through the service worker,
 * before anything has begun; then this promise stays open.
 */
export async function becomeIsolated(): Promise<void> {
  if (crossOriginIsolated) {
    sessionStorage.removeItem(TRIED_KEY);
    return;
  }
  // After one try: a browser that gives no isolation at all must not be reloaded for ever.
  if (!('serviceWorker' in navigator) || sessionStorage.getItem(TRIED_KEY) !== null) return;
  sessionStorage.setItem(TRIED_KEY, 'yes');
  const { serviceWorker } = navigator;
  const ready = register().then(
    () => serviceWorker.ready,
    () => undefined,
  );
  await Promise.race([ready, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  if ((await serviceWorker.getRegistration())?.active == null) return;
  location.reload();
  await new Promise(() => {});
}

/** Keeps the page for use without a network, and offers a new version of it. Says what came of it. */
export async function keepOffline(notices: Notices): Promise<void> {
  const place = byId('offline-state', HTMLElement);
  if (!('serviceWorker' in navigator)) {
    place.textContent = 'This browser cannot keep the page for use without a network here.';
    return;
  }
  try {
    offerUpdates(await register(), notices);
    await navigator.serviceWorker.ready;
    place.textContent = 'Works without a network from now on.';
  } catch {
    place.textContent = 'The page could not be kept for use without a network.';
  }
}

function register(): Promise<ServiceWorkerRegistration> {
  return navigator.serviceWorker.register(new URL('./sw.js', import.meta.url));
}

function offerUpdates(registration: ServiceWorkerRegistration, notices: Notices): void {
  const { serviceWorker } = navigator;
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
}
