/**
 * Keeps the page for when there is no network, and adds the headers of cross-origin isolation to what it answers, since a plain
 * file server sends none and threads need them.
 *
 * The build lists the page's files with their hashes (`FILES`), so this script changes when any of them does, and the browser
 * installs it anew. A file is kept under its path and hash: an update fetches only what changed, and the version at work keeps its
 * own files until no page uses it. The backbone is not among them; the library keeps that itself.
 */
declare const self: ServiceWorkerGlobalScope;

/** Path below the scope → 'sha256-…', as `integrity` takes it. Put in by tools/web/build.mjs. */
declare const FILES: Readonly<Record<string, string>>;

const CACHE = 'graft-page';
const files = new Map(Object.entries(FILES));
const { scope } = self.registration;

function keyOf(path: string, hash: string): string {
  return `${scope}${path}?${encodeURIComponent(hash)}`;
}

const keys = new Set([...files].map(([path, hash]) => keyOf(path, hash)));

/** Fails where any file is missing or not the one that was built (a server between two versions): the browser tries again later. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  const missing = [...files].map(async ([path, hash]) => {
    const key = keyOf(path, hash);
    if ((await cache.match(key)) !== undefined) return;
    const response = await fetch(`${scope}${path}`, { cache: 'no-cache', integrity: hash });
    await cache.put(key, response);
  });
  await Promise.all(missing);
}

async function activate(): Promise<void> {
  const cache = await caches.open(CACHE);
  const kept = await cache.keys();
  await Promise.all(kept.filter(({ url }) => !keys.has(url)).map((request) => cache.delete(request)));
  await self.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  const path = `${origin}${pathname}`.slice(scope.length).replace(/(^|\/)$/, '$1index.html');
  const hash = files.get(path);
  const cache = hash === undefined ? undefined : await caches.open(CACHE);
  const kept = hash === undefined ? undefined : await cache?.match(keyOf(path, hash));
  return isolated(kept ?? (await fetch(request)));
}

function isolated(response: Response): Response {
  // A redirect of a navigation is the browser's to follow, and cannot be read.
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-embedder-policy', 'require-corp');
  headers.set('cross-origin-resource-policy', 'same-origin');
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('message', ({ data }) => {
  if (data === 'take-over') void self.skipWaiting();
});
self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(scope)) event.respondWith(answer(event.request));
});

// A module, to the compiler: `self` is then declared here alone.
export {};
