/** One file by HTTP into a target: with progress, an AbortSignal, retries, and resumed where it broke off. */
import { FileAccessError, GraftError } from '../errors';
import type { FileProgress } from './files';
import { platform } from './platform';

/** Where a download's bytes go. It may hold bytes of an earlier attempt. */
export interface DownloadTarget {
  /** Bytes held so far. */
  readonly length: number;
  /** The ETag of the version that they belong to. */
  readonly etag: string | undefined;
  /** Drops all bytes; what follows belongs to `etag`. */
  restart(etag: string | undefined): Promise<void>;
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

export interface DownloadOptions {
  /** For progress. */
  readonly file: string;
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `version` of a copy that is there already: where the server still has it, nothing is fetched. */
  readonly knownVersion?: string | undefined;
  /** Pauses before each retry, in ms. */
  readonly retryDelays?: readonly number[];
  /** Without a byte for so long, in ms, a connection counts as broken. */
  readonly stallTimeout?: number;
}

/**
 * 'missing': the server has no such file. 'unchanged': it still has `knownVersion`.
 * `version` is the ETag, else the time of the last change, as the server gave it.
 */
export type DownloadResult =
  | { readonly status: 'complete'; readonly version: string | undefined }
  | { readonly status: 'missing' }
  | { readonly status: 'unchanged' };

const RETRY_DELAYS = [300, 1000, 3000];
const STALL_TIMEOUT = 60_000;

/**
 * Throws FileAccessError where the server refuses or the network keeps failing, what `target` throws, and the signal's
 * reason where it aborts.
 */
export async function download(
  url: string,
  target: DownloadTarget,
  options: DownloadOptions,
): Promise<DownloadResult> {
  const delays = options.retryDelays ?? RETRY_DELAYS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await attemptDownload(url, target, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      const delay = delays[attempt];
      if (!(error instanceof TransientError)) {
        throw error;
      }
      if (delay === undefined) {
        throw new UnreachableError(
          url,
          `${error.message}, ${attempt + 1} times in a row`,
          'Check the connection and try again; what was fetched so far is kept where the server allows it',
          { cause: error.cause },
        );
      }
      await pause(delay, options.signal);
    }
  }
}

/** The server could not be reached, or broke off again and again. */
export class UnreachableError extends FileAccessError {}

/** A failure that may pass: the network, an overloaded server. */
class TransientError extends Error {}

async function attemptDownload(
  url: string,
  target: DownloadTarget,
  options: DownloadOptions,
): Promise<DownloadResult> {
  const watch = watchForStall(options.stallTimeout ?? STALL_TIMEOUT, options.signal);
  try {
    // In a page the headers that resuming needs are not allowed towards every server.
    const resumes = platform.hasFileSystem && target.length > 0 && isStrongEtag(target.etag);
    const response = await fetch(url, {
      headers: platform.hasFileSystem ? requestHeaders(target, resumes, options.knownVersion) : {},
      signal: watch.signal,
    }).catch((cause: unknown) => {
      throw networkError(cause);
    });
    const outcome = await checkStatus(url, response, target, resumes);
    const etag = response.headers.get('etag') ?? undefined;
    const version = etag ?? response.headers.get('last-modified') ?? undefined;
    const isSame = response.status === 200 && version !== undefined && version === options.knownVersion;
    if (outcome !== 'body' || isSame) {
      await response.body?.cancel();
      return { status: outcome === 'missing' ? 'missing' : 'unchanged' };
    }
    if (response.status !== 206) {
      // An offset into the decoded bytes is none into what the server would send.
      await target.restart(isCompressed(response) ? undefined : etag);
    }
    const total = totalLength(response, target.length);
    options.onProgress?.({ file: options.file, loaded: target.length, total });
    await receive(response, target, (loaded) => {
      watch.alive();
      options.onProgress?.({ file: options.file, loaded, total });
    });
    checkLength(response, target.length, total);
    return { status: 'complete', version };
  } finally {
    watch.stop();
  }
}

function requestHeaders(
  target: DownloadTarget,
  resumes: boolean,
  knownVersion: string | undefined,
): Record<string, string> {
  // A compressed answer has no length to check and no offset to go on from.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (resumes) {
    headers.range = `bytes=${target.length}-`;
    headers['if-range'] = target.etag ?? '';
  } else if (knownVersion?.endsWith('"') === true) {
    headers['if-none-match'] = knownVersion;
  } else if (knownVersion !== undefined) {
    headers['if-modified-since'] = knownVersion;
  }
  return headers;
}

/** Whether there is a body to take in. */
async function checkStatus(
  url: string,
  response: Response,
  target: DownloadTarget,
  resumed: boolean,
): Promise<'body' | 'missing' | 'unchanged'> {
  const { status } = response;
  if (status === 200) {
    return 'body';
  }
  if (status === 304) {
    return 'unchanged';
  }
  if (status === 206 && resumed) {
    const etag = response.headers.get('etag');
    const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
    if (Number(start) === target.length && (etag === null || etag === target.etag)) {
      return 'body';
    }
  }
  await response.body?.cancel();
  if (status === 404 || status === 410) {
    return 'missing';
  }
  if (status === 206 || status === 416) {
    // Another range than was asked for, or none: what is held does not fit the file any more.
    await target.restart(undefined);
    throw new TransientError('the server could not go on where the download broke off');
  }
  if (status === 408 || status === 429 || status >= 500) {
    throw new TransientError(`the server answered ${status}`);
  }
  if (status === 401 || status === 403) {
    throw new FileAccessError(
      url,
      `the server refuses access (${status})`,
      'The address or the name may be wrong, or a login is needed: then fetch the files yourself and give their directory',
    );
  }
  throw new FileAccessError(url, `the server answered ${status}`);
}

/** Bytes of the whole file; `undefined` where the server does not say or the body is compressed on the way. */
function totalLength(response: Response, held: number): number | undefined {
  const length = response.headers.get('content-length');
  return length === null || isCompressed(response) ? undefined : held + Number(length);
}

function isCompressed(response: Response): boolean {
  const encoding = response.headers.get('content-encoding');
  return encoding !== null && encoding !== 'identity';
}

function checkLength(response: Response, length: number, total: number | undefined): void {
  // A page may not see that a body from another origin was compressed: more bytes than announced prove nothing there.
  const mayBeCompressed = platform.isBrowser && response.type === 'cors';
  if (total !== undefined && (length < total || (length > total && !mayBeCompressed))) {
    throw new TransientError(`${length} bytes came where ${total} were announced`);
  }
}

async function receive(
  response: Response,
  target: DownloadTarget,
  onLoaded: (loaded: number) => void,
): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    return;
  }
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw networkError(cause);
      });
      if (done) {
        return;
      }
      await target.append(value);
      onLoaded(target.length);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error;
  }
}

function networkError(cause: unknown): Error {
  if (cause instanceof GraftError) {
    return cause;
  }
  // fetch says "fetch failed" and keeps the reason ("connect ECONNREFUSED …") underneath.
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const text = reason instanceof Error && reason.message !== '' ? reason.message : String(reason);
  return new TransientError(`the download failed (${text})`, { cause });
}

/** If-Range allows only ETags that stand for the very bytes. */
export function isStrongEtag(etag: string | undefined): boolean {
  return etag?.startsWith('"') === true;
}

/** A signal that aborts with `signal`, or `timeout` ms after the last sign of life. */
function watchForStall(timeout: number, signal: AbortSignal | undefined) {
  const controller = new AbortController();
  const onStall = () => controller.abort(new TransientError(`no data for ${timeout / 1000} s`));
  let timer = setTimeout(onStall, timeout);
  return {
    signal: signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]),
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(onStall, timeout);
    },
    stop: () => clearTimeout(timer),
  };
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
