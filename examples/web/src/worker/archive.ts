import { unzipSync, zipSync } from 'fflate';
import { DataError, FileFormatError } from 'graft-ml';
import type { BackboneIdentity, FilesByName } from './storage/schema';

/** What an adapter's zip and its files may take; the largest adapters of BERT-large have some 50 MB. */
const MOST_BYTES = 512 * 2 ** 20;
const MOST_FILES = 64;

/** Beside AdapterHub's files: which backbone the adapter was trained on. Other programs leave it alone. */
const BACKBONE_FILE = 'graft_backbone.json';

/** AdapterHub's files and the backbone's identity as one zip. */
export function packAdapter(files: FilesByName, backbone: BackboneIdentity): Uint8Array<ArrayBuffer> {
  const about = new TextEncoder().encode(`${JSON.stringify(backbone, null, 1)}\n`);
  return Uint8Array.from(zipSync({ ...files, [BACKBONE_FILE]: about }, { level: 6 }));
}

export interface UnpackedAdapter {
  readonly files: FilesByName;
  /** Absent in files of other programs. */
  readonly backbone: BackboneIdentity | undefined;
}

/**
 * One zip, or loose files; a folder around them is left out.
 * @throws DataError for too many or too large files, FileFormatError for a damaged zip
 */
export async function unpackAdapter(given: readonly File[]): Promise<UnpackedAdapter> {
  const [first] = given;
  if (first === undefined) throw new DataError(undefined, undefined, 'no files were given');
  checkSize(
    first.name,
    given.length,
    given.reduce((sum, { size }) => sum + size, 0),
  );
  const all =
    given.length === 1 && /\.zip$/i.test(first.name)
      ? unzip(new Uint8Array(await first.arrayBuffer()), first.name)
      : Object.fromEntries(
          await Promise.all(given.map(async (file) => [file.name, new Uint8Array(await file.arrayBuffer())])),
        );
  const { [BACKBONE_FILE]: about, ...files } = all;
  return { files, backbone: about === undefined ? undefined : readIdentity(about) };
}

function unzip(bytes: Uint8Array, name: string): Record<string, Uint8Array<ArrayBuffer>> {
  let count = 0;
  let size = 0;
  try {
    const entries = unzipSync(bytes, {
      // Before anything is unpacked: what an entry says it holds is the room that it gets, more is not written.
      filter: (entry) => {
        if (entry.name.endsWith('/') || entry.name.startsWith('__MACOSX/')) return false;
        count += 1;
        size += entry.originalSize;
        checkSize(name, count, size);
        return true;
      },
    });
    const files: Record<string, Uint8Array<ArrayBuffer>> = Object.create(null);
    for (const [path, content] of Object.entries(entries)) {
      const plain = path.split(/[/\\]/).at(-1) ?? path;
      if (Object.hasOwn(files, plain)) {
        throw new FileFormatError(name, path, 'is there twice', 'Zip one adapter alone');
      }
      files[plain] = Uint8Array.from(content);
    }
    return { ...files };
  } catch (cause) {
    if (cause instanceof DataError || cause instanceof FileFormatError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new FileFormatError(name, undefined, `is not a sound zip (${message})`, undefined, { cause });
  }
}

function checkSize(name: string, count: number, size: number): void {
  if (count > MOST_FILES) {
    throw new DataError(name, undefined, `holds more than ${MOST_FILES} files`, 'An adapter has four');
  }
  if (size > MOST_BYTES) {
    throw new DataError(
      name,
      undefined,
      `holds more than ${MOST_BYTES} bytes`,
      'An adapter has some megabytes',
    );
  }
}

/** Undefined for what is none: it only warns of a wrong backbone. */
function readIdentity(bytes: Uint8Array): BackboneIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { description, fingerprint } = { description: undefined, fingerprint: undefined, ...value };
  return typeof description === 'string' && typeof fingerprint === 'string'
    ? { description, fingerprint }
    : undefined;
}
