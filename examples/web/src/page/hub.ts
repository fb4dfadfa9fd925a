/**
 * Hub ids and a policy that forbids every connection. index.html may reach this site alone, and a document's policy cannot be
 * widened once it is there. So there is a second document, hub.html: the same page, whose policy adds the hub. Only choosing a
 * hub id leads to it; what it downloaded is kept, and index.html reads that copy without a connection.
 */

const HUB_PAGE = 'hub.html';
const PARAMETER = 'hub';

/** Whether this document's policy lets it reach the hub. */
export function mayReachHub(): boolean {
  return location.pathname.endsWith(`/${HUB_PAGE}`);
}

/** Leaves for the document that may, to load this backbone there. */
export function openWithHub(id: string): void {
  location.assign(`${HUB_PAGE}?${PARAMETER}=${encodeURIComponent(id)}${location.hash}`);
}

/** The hub id that the other document was left for, once: a reload does not load it anew. */
export function takeHubRequest(): string | undefined {
  const id = new URLSearchParams(location.search).get(PARAMETER) ?? undefined;
  if (id !== undefined) history.replaceState(undefined, '', location.pathname + location.hash);
  return mayReachHub() ? id : undefined;
}
