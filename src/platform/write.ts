/** Writing files so that a reader, a full disk or a killed process never meets half of one. */
import { FileWriteError } from '../errors';
import { nodeModules, systemErrorCode, systemErrorText } from './node';

/** Writes to a new file beside `path`, flushes it to the disk and renames it over `path`. Throws FileWriteError. */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = await writeTemporary(path, bytes);
  await moveInto(temporary, path);
}

/**
 * Writes several files into `directory`, which is made where it is missing. All of them are on the disk before the first
 * takes its name: where one does not fit on the disk, none is changed. Throws FileWriteError.
 */
export async function writeFilesAtomic(
  directory: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  const { fs, path } = nodeModules();
  await fs.mkdir(directory, { recursive: true }).catch((error: unknown) => {
    throw writeError(directory, error);
  });
  const written: { temporary: string; target: string }[] = [];
  try {
    for (const [name, bytes] of Object.entries(files)) {
      const target = path.join(directory, name);
      written.push({ temporary: await writeTemporary(target, bytes), target });
    }
    for (const { temporary, target } of written) {
      await moveInto(temporary, target);
    }
  } catch (error) {
    for (const { temporary } of written) {
      await fs.rm(temporary, { force: true }).catch(() => {});
    }
    throw error;
  }
}

async function writeTemporary(path: string, bytes: Uint8Array): Promise<string> {
  const { fs } = nodeModules();
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const handle = await fs.open(temporary, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return temporary;
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw writeError(path, error);
  }
}

/** Renames a flushed file over `path`. */
export async function moveInto(temporary: string, path: string): Promise<void> {
  const { fs, path: paths } = nodeModules();
  try {
    await fs.rename(temporary, path);
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw writeError(path, error);
  }
  // The new name is on the disk only once the directory is. Not every system can flush one (Windows cannot); the file is
  // whole either way.
  try {
    const handle = await fs.open(paths.dirname(path), 'r');
    await handle.sync().finally(() => handle.close());
  } catch {}
}

/** A failed write as FileWriteError, with what to do. */
export function writeError(path: string, cause: unknown): FileWriteError {
  const code = systemErrorCode(cause);
  const whole = 'What stood there before is still whole';
  const hint =
    code === 'ENOSPC' || code === 'EDQUOT' ? `${whole}. Free some space or choose another place` : whole;
  return new FileWriteError(path, `cannot be written: ${systemErrorText(cause)}`, hint, { cause });
}
