/**
 * Node's modules, in Node and Deno. They are asked for at run time: an `import` would keep the file from loading in a page.
 */
import { GraftError } from '../errors';
import { platform } from './platform';

export interface NodeModules {
  readonly fs: typeof import('node:fs/promises');
  readonly path: typeof import('node:path');
  readonly os: typeof import('node:os');
  readonly url: typeof import('node:url');
}

/** Throws where there is no file system. */
export function nodeModules(): NodeModules {
  if (!platform.hasFileSystem) {
    throw new GraftError('There is no file system here', 'Give the files themselves, a URL or a hub id');
  }
  return {
    fs: process.getBuiltinModule('node:fs/promises'),
    path: process.getBuiltinModule('node:path'),
    os: process.getBuiltinModule('node:os'),
    url: process.getBuiltinModule('node:url'),
  };
}

/** An environment variable that is set and not empty. Deno may not be allowed to read it: then it counts as not set. */
export function environmentVariable(name: string): string | undefined {
  if (!platform.hasFileSystem) {
    return undefined;
  }
  try {
    return process.env[name] || undefined;
  } catch {
    return undefined;
  }
}

/** Node's code of a failed system call, like 'ENOENT'. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What a failed system call means, in words. */
export function systemErrorText(error: unknown): string {
  const code = systemErrorCode(error);
  const meaning = code === undefined ? undefined : MEANINGS[code];
  const message = error instanceof Error ? error.message : String(error);
  return meaning === undefined ? message : `${meaning} (${code})`;
}

const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory',
  EMFILE: 'too many open files',
};
