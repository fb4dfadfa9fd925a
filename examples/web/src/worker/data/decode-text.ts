import { DataError } from 'graft-ml';

const NEWLINE = 0x0a;

/**
 * UTF-8, or UTF-16 with its byte order mark, as spreadsheets save "Unicode text".
 * @throws DataError with the line of the first byte that is neither
 */
export function decodeText(bytes: Uint8Array, file: string | undefined): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    const line = encoding === 'utf-8' ? firstMalformedLine(bytes) : undefined;
    throw new DataError(
      file,
      line,
      'is not valid UTF-8',
      'Save it as UTF-8; spreadsheets offer "CSV UTF-8"',
      { cause },
    );
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** No UTF-8 sequence holds a newline byte inside, so the lines can be judged one by one. */
function firstMalformedLine(bytes: Uint8Array): number | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
  }
  return undefined;
}
