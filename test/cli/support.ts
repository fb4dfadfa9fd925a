import fc from 'fast-check';
import { DataError } from '../../src/index';

/** The DataError that `action` throws. */
export function failureOf(action: () => unknown): DataError {
  try {
    action();
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('it was expected to fail');
}

/** `bytes` with a few of them changed, cut out, doubled or put in. */
export function mutations(bytes: Uint8Array, most = 4): fc.Arbitrary<Uint8Array> {
  const place = fc.nat({ max: bytes.length });
  const change = fc.record({
    kind: fc.constantFrom('set', 'insert', 'remove', 'double', 'cut'),
    place,
    length: fc.integer({ min: 1, max: 12 }),
    value: fc.oneof(
      fc.nat({ max: 255 }),
      fc.constantFrom(0, 0x7f, 0x80, 0xff, ...Buffer.from('\n\t "{}[]:,09')),
    ),
  });
  return fc.array(change, { minLength: 1, maxLength: most }).map((changes) => {
    let mutant = Buffer.from(bytes);
    for (const { kind, place: at, length, value } of changes) {
      const [before, after] = [mutant.subarray(0, at), mutant.subarray(at)];
      const cut = kind === 'set' ? 1 : kind === 'remove' ? length : kind === 'cut' ? after.length : 0;
      const put = kind === 'double' ? after.subarray(0, length) : Buffer.from([value]);
      const puts = kind === 'set' || kind === 'insert' || kind === 'double';
      mutant = Buffer.concat([before, puts ? put : Buffer.alloc(0), after.subarray(cut)]);
    }
    return new Uint8Array(mutant);
  });
}
