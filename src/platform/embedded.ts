/** The backbone that comes with the package. */
import { FileAccessError } from '../errors';
import { blobSource } from './blobs';
import type { FileSource } from './files';
import { resolveSource, type SourceLike } from './resolve';

/** As a source, it means the embedded backbone, also where a directory of that name is here. */
export const EMBEDDED_BACKBONE = 'graft-mini';

/** The source of a backbone: the embedded one where none is given, or by its name, else what `resolveSource` finds. */
export async function resolveBackboneSource(source: SourceLike = EMBEDDED_BACKBONE): Promise<FileSource> {
  return source === EMBEDDED_BACKBONE ? embeddedSource() : resolveSource(source);
}

/** Only here is the module with the files asked for, so that nobody loads it who brings another backbone. */
async function embeddedSource(): Promise<FileSource> {
  const { graftMini } = await import('../mini').catch((cause: unknown) => {
    throw missing('its module cannot be loaded', cause);
  });
  const files = blobSource(graftMini);
  return {
    description: EMBEDDED_BACKBONE,
    open: async (name, options) => {
      const file = await files.open(name, options);
      if (file === undefined && Object.hasOwn(graftMini, name)) {
        throw missing(`there is no file at ${graftMini[name]}`);
      }
      return file;
    },
  };
}

function missing(problem: string, cause?: unknown): FileAccessError {
  return new FileAccessError(
    EMBEDDED_BACKBONE,
    problem,
    "The package's mini.js and models/ belong beside the library; where a bundler leaves them out, give a directory, a URL, a hub id or files as the source",
    { cause },
  );
}
