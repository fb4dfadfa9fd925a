import { DataError } from '../../index';

/** V8's longest string is 2²⁹ − 24 UTF-16 units; UTF-8 never decodes to more units than it has bytes. */
const LARGEST_FILE = 2 ** 29 - 24;
const NEWLINE = 0x0a;

/**
 * Decodes a data file, without its byte order mark.
 * @throws DataError with the 1-based line of the first byte that is not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, file: string): string {
  if (bytes.length > LARGEST_FILE) {
    throw new DataError(
      file,
      undefined,
      `has ${bytes.length} bytes, more than can be read at once`,
      'Split it',
    );
  }
  // FF FE and FE FF are no UTF-8: an exported spreadsheet, and worth a hint of its own.
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new DataError(file, 1, 'is UTF-16, not UTF-8', 'Save it as UTF-8');
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const line = firstMalformedLine(bytes, decoder);
    throw new DataError(file, line, 'is not valid UTF-8', 'Save the file as UTF-8', { cause });
  }
}

/** No UTF-8 sequence holds a newline byte inside, so the lines can be judged one by one. */
function firstMalformedLine(bytes: Uint8Array, decoder: TextDecoder): number | undefined {
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
