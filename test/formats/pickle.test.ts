import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileFormatError, GraftError } from '../../src/errors';
import { PickleDict, PickleTuple, type PickleValue, unpickle } from '../../src/formats/pickle';
import { OPCODE, REFUSED } from '../../src/formats/pickle-opcodes';
import { torchObjects } from '../../src/formats/torch-objects';
import { bytes, global, int, littleEndian, pickle, tensor, tuple, unicode } from '../support/pickle';

const read = (data: Uint8Array<ArrayBuffer>) => unpickle(data, 'w.bin', 'data.pkl', torchObjects).value;

/** JavaScript's own values, for comparison. */
function plain(value: PickleValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof PickleTuple) return { tuple: value.items.map(plain) };
  if (value instanceof PickleDict)
    return new Map([...value.entries].map(([key, item]) => [key, plain(item)]));
  return value;
}

describe('a pickle', () => {
  it.each<[string, (number | string | Uint8Array)[], unknown]>([
    ['None, True, False', ['(N', 0x88, 0x89, 't'], { tuple: [null, true, false] }],
    ['BININT', [int(-5)], -5],
    ['BININT1 and BININT2', ['K', 0xff, 'M', 0xff, 0xff, 0x86], { tuple: [255, 65535] }],
    ['LONG1', [0x8a, 6, littleEndian(2 ** 40, 6)], 2 ** 40],
    ['LONG1, negative', [0x8a, 2, 0x00, 0xff], -256],
    ['LONG1 of no bytes', [0x8a, 0], 0],
    ['LONG4', [0x8b, littleEndian(3, 4), 0x01, 0x00, 0x80], -8388607],
    ['BINFLOAT', ['G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 1.5],
    ['BINUNICODE', [unicode('ü')], 'ü'],
    ['SHORT_BINUNICODE', [0x8c, 2, 'ab'], 'ab'],
    ['BINUNICODE8', [0x8d, littleEndian(2, 8), 'ab'], 'ab'],
    ['strings of Python 2', ['U', 1, 'a', 'T', littleEndian(1, 4), 'b', 0x86], { tuple: ['a', 'b'] }],
    ['lists', [']', 'K', 1, 'a', '(', 'K', 2, 'K', 3, 'e'], [1, 2, 3]],
    [
      'tuples',
      [')', 'N', 0x85, 'NNN', 0x87, 0x87],
      { tuple: [{ tuple: [] }, { tuple: [null] }, { tuple: [null, null, null] }] },
    ],
    [
      'a dict',
      ['}(', unicode('a'), 'K', 1, unicode('b'), 'N', 'u'],
      new Map([
        ['a', 1],
        ['b', null],
      ]),
    ],
    ['an OrderedDict with a state', [global('collections.OrderedDict'), ')R', '}', 'b'], new Map()],
    [
      'an OrderedDict of pairs',
      [global('collections.OrderedDict'), tuple(bytes(']](', unicode('k'), int(7), 'ea')), 'R'],
      new Map([['k', 7]]),
    ],
    ['torch.Size', [global('torch.Size'), tuple(tuple(int(2), int(3))), 'R'], { tuple: [2, 3] }],
    ['the memo', [']q', 9, 'Nah', 9, 0x86], { tuple: [[null], [null]] }],
    ['protocol 4', [0x95, littleEndian(1, 8), 'N', 0x94, 'h', 0, 0x86], { tuple: [null, null] }],
  ])('holds %s', (_, parts, expected) => {
    expect(plain(read(pickle(...parts)))).toEqual(expected);
  });

  it('says where it ends', () => {
    const first = pickle('N');
    const both = bytes(first, pickle('K', 5));
    const { end } = unpickle(both, 'w.bin', 'p', torchObjects);
    expect(end).toBe(first.length);
    expect(unpickle(both, 'w.bin', 'p', torchObjects, end)).toEqual({ value: 5, end: both.length });
  });

  it.each([...REFUSED])('is refused with the opcode %d, %s, by name', (code, name) => {
    const promise = () => read(pickle('(N', code));
    expect(promise).toThrow(FileFormatError);
    expect(promise).toThrow(`w.bin, data.pkl, byte 4: the opcode ${name} is refused. Graft runs no code`);
  });

  it('has no other opcodes', () => {
    const known = new Set<number>([...REFUSED.keys(), ...Object.values(OPCODE)]);
    // Protocols 0 to 5 have 68.
    expect(known.size).toBe(68);
    for (let code = 0; code < 256; code++) {
      if (!known.has(code)) expect(() => read(pickle(code))).toThrow(/byte 2: 0x[0-9a-f]{2} is no opcode/);
    }
  });

  it.each([
    'os.system',
    'posix.system',
    'builtins.eval',
    '__builtin__.eval',
    'builtins.getattr',
    'subprocess.Popen',
    'numpy.core.multiarray._reconstruct',
    'torch._utils._rebuild_qtensor',
    'torch._utils._rebuild_sparse_tensor',
    'torch.nn.modules.linear.Linear',
    'torch.load',
    'torch.QInt8Storage',
    'collections.namedtuple',
    'collections.OrderedDict.__init__',
    'torch.__proto__',
    'torch.toString',
    '.constructor',
    '__proto__.__proto__',
  ])('is refused where it names %s', (name) => {
    const dot = name.lastIndexOf('.');
    const stackGlobal = pickle(unicode(name.slice(0, dot)), unicode(name.slice(dot + 1)), 0x93);
    for (const attack of [
      pickle(global(name)),
      stackGlobal,
      pickle(global(name), '(', unicode('id'), 'tR'),
    ]) {
      expect(() => read(attack)).toThrow(FileFormatError);
      expect(() => read(attack)).toThrow(`the global "${name}" is refused`);
    }
  });

  const storage = (...items: Uint8Array[]) => pickle(tensor({ storageId: tuple(...items) }));
  const [kind, type, key, cpu] = [
    unicode('storage'),
    global('torch.FloatStorage'),
    unicode('0'),
    unicode('cpu'),
  ];
  it.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['nothing', new Uint8Array(0), /byte 0: 1 bytes were expected, 0 are left/],
    ['no STOP', bytes(0x80, 2, 'N'), /byte 3: 1 bytes were expected/],
    ['no value', pickle(), /nothing is on the stack/],
    ['two values', pickle('NN'), /more than one value/],
    ['an open MARK', pickle('N('), /nothing is on the stack/],
    ['a protocol to come', bytes(0x80, 6, 'N.'), /protocol 6; 5 is the newest/],
    ['a call of a list', pickle(']', ')', 'R'), /REDUCE calls a list of 0/],
    ['a call of a text', pickle(unicode('os.system'), ')R'), /REDUCE calls "os.system"/],
    ['a call without a tuple', pickle(global('torch.Size'), ']R'), /with a list of 0, no tuple/],
    [
      'a call of a storage class',
      pickle(global('torch.FloatStorage'), ')R'),
      /REDUCE calls torch.FloatStorage/,
    ],
    ['a state on a list', pickle(']}b'), /BUILD gives a list of 0 a state/],
    ['a state on a tensor', pickle(tensor(), '}b'), /BUILD gives a tensor a state/],
    ['APPEND to a tuple', pickle(')N', 'a'), /APPEND to a tuple of 0, no list/],
    ['APPENDS without MARK', pickle(']N', 'e'), /no MARK was set/],
    ['APPEND across a MARK', pickle(']N(', 'a'), /nothing is on the stack/],
    ['SETITEM on a list', pickle(']NN', 's'), /SETITEM on a list of 0, no dict/],
    ['SETITEMS of an odd number', pickle('}(NNN', 'u'), /a key that has no value/],
    ['a list as a key', pickle('}]N', 's'), /a list of 0 as a key/],
    ['a key twice', pickle('}(NNNN', 'u'), /the key null occurs twice/],
    ['GET of nothing', pickle('h', 3), /nothing was remembered under 3/],
    ['PUT of nothing', pickle('q', 3), /nothing is on the stack/],
    ['a text that is not UTF-8', pickle('X', littleEndian(1, 4), 0xff), /byte 2: not valid UTF-8/],
    [
      'a text of 4 GiB',
      pickle('X', littleEndian(0xffffffff, 4)),
      /4294967295 bytes are said to follow, 1 do/,
    ],
    ['a text of 2^63 bytes', pickle(0x8d, littleEndian(2n ** 63n, 8)), /\d{19} bytes are said/],
    ['a frame of 2^64 - 1 bytes', pickle(0x95, littleEndian(2n ** 64n - 1n, 8), 'N'), /are said to follow/],
    ['an integer of 255 bytes', pickle(0x8a, 255, new Uint8Array(255).fill(1)), /an integer of 255 bytes/],
    ['an integer of 2 GiB', pickle(0x8b, littleEndian(2 ** 31, 4)), /2147483648 bytes are said to follow/],
    ['an integer of 63 bits', pickle(0x8a, 8, littleEndian(2n ** 62n, 8)), /too large/],
    ['a GLOBAL without an end', bytes(0x80, 2, 'c', 'a'.repeat(1000)), /a name of at most 256 bytes/],
    ['a STACK_GLOBAL of numbers', pickle('K', 1, 'K', 2, 0x93), /STACK_GLOBAL names 1, 2/],
    ['a storage named by a text', pickle(unicode('0'), 'Q'), /a storage is named by "0", no tuple/],
    ['a storage of too few parts', storage(kind, type, key), /a storage's name was expected/],
    [
      'a storage of no type',
      storage(kind, unicode('torch.FloatStorage'), key, cpu, int(2)),
      /storage's name/,
    ],
    ['a storage of a function', storage(kind, global('torch.Size'), key, cpu, int(2)), /storage's name/],
    ['a storage with a number as key', storage(kind, type, int(0), cpu, int(2)), /storage's name/],
    ['a storage of -1 elements', storage(kind, type, key, cpu, int(-1)), /storage's name/],
    ['a module in place of a storage', storage(unicode('module'), type, key, cpu, int(2)), /storage's name/],
    ['a view of a storage', storage(kind, type, key, cpu, int(2), tuple(key, int(0), int(1))), /before 0.4/],
    [
      'a tensor of no storage',
      pickle(global('torch._utils._rebuild_tensor_v2'), tuple(int(1)), 'R'),
      /a tensor of 1/,
    ],
    ['a tensor of nothing', pickle(global('torch._utils._rebuild_tensor_v2'), ')R'), /a tensor of null/],
    [
      'a parameter of a text',
      pickle(global('torch._utils._rebuild_parameter'), tuple(key), 'R'),
      /a parameter of "0"/,
    ],
    ['a tensor beyond its storage', pickle(tensor({ shape: [3] })), /reaches element 2 of a storage of 2/],
    ['a tensor that begins beyond it', pickle(tensor({ offset: 1 })), /reaches element 2 of a storage of 2/],
    ['a stride beyond it', pickle(tensor({ strides: [2] })), /reaches element 2/],
    ['a negative stride', pickle(tensor({ strides: [-1], offset: 1 })), /offset, size and stride/],
    ['a negative offset', pickle(tensor({ offset: -1 })), /offset, size and stride/],
    ['a negative size', pickle(tensor({ shape: [-2] })), /offset, size and stride/],
    ['fewer strides than sizes', pickle(tensor({ shape: [1, 2] })), /offset, size and stride/],
    [
      'too many dimensions',
      pickle(tensor({ shape: Array(17).fill(1), strides: Array(17).fill(1) })),
      /offset, size/,
    ],
    [
      'a tensor spread by a stride of 0',
      pickle(tensor({ shape: [2 ** 30], strides: [0] })),
      /1073741824 elements on/,
    ],
    [
      'sizes whose product is beyond all numbers',
      pickle(tensor({ shape: Array(16).fill(2 ** 31 - 1), strides: Array(16).fill(0) })),
      /elements on a storage of 2/,
    ],
  ])('is refused with %s', (_, data, message) => {
    expect(() => read(data)).toThrow(FileFormatError);
    expect(() => read(data)).toThrow(message);
  });

  it('takes little memory and time, whatever is nested, remembered or repeated', () => {
    const before = process.memoryUsage().heapUsed;
    // A list in a list in a list …: no recursion, so no stack to run over.
    const deep = 100_000;
    expect(Array.isArray(read(pickle(']'.repeat(deep), 'a'.repeat(deep - 1))))).toBe(true);
    // Each list holds the one before twice: 2^1000 elements to whoever would walk through it.
    const doubled = bytes(']q', 0, ...Array(1000).fill(bytes(']h', 0, 'ah', 0, 'aq', 0)));
    expect(() => read(pickle('(', doubled, 't'))).not.toThrow();
    // A long tuple, referred to again and again.
    const shared = bytes('(', 'N'.repeat(100_000), 'tq', 1, '0');
    expect(() => read(pickle(shared))).toThrow(/POP is refused/);
    expect(
      read(pickle('((', 'N'.repeat(100_000), 'tq', 1, bytes(...Array(50_000).fill(bytes('h', 1))), 't')),
    ).toBeDefined();
    // Numbers far apart in the memo.
    expect(read(pickle('N', 'r', littleEndian(0xffffffff, 4), 'r', littleEndian(7, 4)))).toBe(null);
    // As many opcodes as are run, each of which makes a dict.
    expect(() => read(pickle('}'.repeat(600_000)))).toThrow(/more than 500000 opcodes/);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(512 * 2 ** 20);
  });

  it('of any bytes gives a value or a typed error', () => {
    const codes = [...Object.values(OPCODE), ...REFUSED.keys()];
    const part = fc.oneof(
      { arbitrary: fc.constantFrom(...codes).map((code) => Uint8Array.of(code)), weight: 8 },
      { arbitrary: fc.uint8Array({ maxLength: 9 }), weight: 2 },
      {
        arbitrary: fc.constantFrom(
          unicode('a'),
          global('os.system'),
          global('collections.OrderedDict'),
          tensor(),
          int(7),
          bytes('}'),
          bytes(']'),
        ),
        weight: 4,
      },
    );
    let values = 0;
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        try {
          read(pickle(...parts));
          values++;
        } catch (error) {
          if (!(error instanceof GraftError)) throw error;
        }
      }),
      { numRuns: 10_000, seed: 11 },
    );
    expect(values).toBeGreaterThan(50);
  });
});
