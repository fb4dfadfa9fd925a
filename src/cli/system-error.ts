import { FileAccessError } from '../index';

/** Node's code of a failed system call, such as ENOENT. */
export function systemCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** A failed read of `file`, said plainly. */
export function accessError(file: string, cause: unknown): FileAccessError {
  switch (systemCode(cause)) {
    case 'ENOENT':
      return new FileAccessError(file, 'there is no such file', undefined, { cause });
    case 'EISDIR':
      return new FileAccessError(file, 'is a directory, not a file', undefined, { cause });
    default: {
      const problem = cause instanceof Error ? cause.message : String(cause);
      return new FileAccessError(file, `cannot be read (${problem})`, undefined, { cause });
    }
  }
}
