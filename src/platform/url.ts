/** Files under a URL, and of a repository of the Hugging Face hub. */
import { FileAccessError, OptionError } from '../errors';
import { platformCache } from './cache';
import type { FileSource } from './files';
import { environmentVariable } from './node';

/** How files are fetched from a URL. */
export interface UrlSourceOptions {
  /** Node and Deno: where downloads are kept. Default: GRAFT_CACHE, else `graft` in the user's cache directory. */
  readonly cacheDirectory?: string | undefined;
}

/** How files are fetched from the hub. */
export interface HubSourceOptions extends UrlSourceOptions {
  /** A branch, a tag or a commit. Default 'main'. */
  readonly revision?: string | undefined;
  /** Default: HF_ENDPOINT, else https://huggingface.co. */
  readonly endpoint?: string | undefined;
}

/** The files directly under `baseUrl` (http or https). Throws OptionError where it is no such URL. */
export function urlSource(baseUrl: string, options: UrlSourceOptions = {}): FileSource {
  return cachedSource(baseUrl, parseBase(baseUrl, 'source'), false, options);
}

/** The files of `id` ('organisation/name') on the hub. Throws OptionError where it is no such name. */
export function hubSource(id: string, options: HubSourceOptions = {}): FileSource {
  if (!isHubId(id)) {
    throw new OptionError('source', `"${id}" is not a hub id`, 'Write it as organisation/name');
  }
  const { revision = 'main' } = options;
  const endpoint = hubEndpoint(options.endpoint);
  const base = parseBase(`${endpoint}/${id}/resolve/${encodeURIComponent(revision)}`, 'endpoint');
  // What a commit holds never changes; a branch may move on.
  const isCommit = /^[0-9a-f]{40}$/.test(revision);
  return cachedSource(revision === 'main' ? id : `${id} (${revision})`, base, isCommit, options);
}

/** Where the hub is: `given`, else HF_ENDPOINT, else https://huggingface.co; without a slash at its end. */
export function hubEndpoint(given?: string): string {
  const endpoint = given ?? environmentVariable('HF_ENDPOINT') ?? 'https://huggingface.co';
  return endpoint.replace(/\/+$/, '');
}

/** Whether `text` has the form organisation/name. */
export function isHubId(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(text);
}

function cachedSource(
  description: string,
  base: URL,
  immutable: boolean,
  options: UrlSourceOptions,
): FileSource {
  const cache = platformCache(options.cacheDirectory);
  return {
    description,
    open: async (name, { onProgress, signal } = {}) =>
      cache.open(fileUrl(base, name), { file: name, onProgress, signal, immutable }),
  };
}

function parseBase(text: string, option: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new OptionError(option, `"${text}" is not an http or https URL`);
  }
  return url;
}

/** The base's query is kept: it may carry a signature. */
function fileUrl(base: URL, name: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${encodeURIComponent(name)}`;
  if (!url.pathname.endsWith(encodeURIComponent(name))) {
    throw new FileAccessError(name, `not a file name under ${base}`);
  }
  return url.href;
}
