/** What this platform is and can do; looked up once. */
export interface Platform {
  readonly isNode: boolean;
  readonly isDeno: boolean;
  /** A page or a worker of a browser. */
  readonly isBrowser: boolean;
  /** Files can be opened by path: Node and Deno. */
  readonly hasFileSystem: boolean;
}

// Deno has Node's `process` too, so it is asked for first.
const isDeno = 'Deno' in globalThis;
const isNode = !isDeno && typeof process !== 'undefined' && process.versions?.node !== undefined;

export const platform: Platform = Object.freeze({
  isNode,
  isDeno,
  isBrowser: !isDeno && !isNode && 'self' in globalThis && 'navigator' in globalThis,
  hasFileSystem: isNode || isDeno,
});
