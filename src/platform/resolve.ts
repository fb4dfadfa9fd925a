/** From what a caller gives as a source to the source itself. */
import { FileAccessError, OptionError } from '../errors';
import { blobSource } from './blobs';
import { directorySource } from './directory';
import type { FileSource } from './files';
import { nodeModules } from './node';
import { platform } from './platform';
import { type HubSourceOptions, hubSource, isHubId, urlSource } from './url';

/**
 * Where files come from: a directory, an http(s) URL, a hub id ('organisation/name'), files by name, or a source of one's own.
 * For a backbone, 'graft-mini' is the package's own.
 */
export type SourceLike = string | FileSource | Readonly<Record<string, Blob | Uint8Array | URL>>;

/**
 * A directory that exists, an http(s) URL, a hub id ('organisation/name'), files by name, or a source as it is. A text
 * that is both a directory here and the form of a hub id is the directory.
 * Throws FileAccessError for a path without a directory, OptionError for a text that is none of these.
 */
export async function resolveSource(source: SourceLike, options: HubSourceOptions = {}): Promise<FileSource> {
  if (typeof source !== 'string') {
    return isFileSource(source) ? source : blobSource(source);
  }
  if (/^https?:\/\//i.test(source)) {
    return urlSource(source, options);
  }
  if (platform.hasFileSystem && (await isDirectory(source))) {
    return directorySource(source);
  }
  if (isHubId(source)) {
    return hubSource(source, options);
  }
  if (looksLikePath(source)) {
    throw new FileAccessError(source, 'no such directory', 'Give the directory that holds config.json');
  }
  throw new OptionError(
    'source',
    `"${source}" is neither a directory nor a URL nor a hub id`,
    'A hub id is written organisation/name, as in google-bert/bert-base-uncased',
  );
}

function isFileSource(source: Exclude<SourceLike, string>): source is FileSource {
  return typeof source.open === 'function';
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await nodeModules().fs.stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** './x', '../x', '/x', '~/x', 'C:\x', 'a/b/c'. */
function looksLikePath(text: string): boolean {
  return /^(\.{0,2}|~|[A-Za-z]:)[/\\]/.test(text) || text === '.' || text === '..' || /[/\\]/.test(text);
}
