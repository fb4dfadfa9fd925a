/** Pickles, archives and files of torch as a test wants them: sound ones, and any that a liar could write. */

const text = new TextEncoder();

export function bytes(...parts: readonly (number | string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const encoded = parts.map((part) =>
    typeof part === 'number' ? Uint8Array.of(part) : typeof part === 'string' ? text.encode(part) : part,
  );
  const result = new Uint8Array(encoded.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of encoded) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** `length` bytes, little-endian. */
export function littleEndian(value: number | bigint, length: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(value), true);
  return new Uint8Array(view.buffer, 0, length);
}

/** BINUNICODE */
export function unicode(value: string): Uint8Array {
  const encoded = text.encode(value);
  return bytes('X', littleEndian(encoded.length, 4), encoded);
}

export function global(name: string): Uint8Array {
  const dot = name.lastIndexOf('.');
  return bytes('c', name.slice(0, dot), '\n', name.slice(dot + 1), '\n');
}

/** BININT */
export function int(value: number): Uint8Array {
  return bytes('J', littleEndian(BigInt.asUintN(64, BigInt(value)), 4));
}

export function tuple(...items: readonly Uint8Array[]): Uint8Array {
  return bytes('(', ...items, 't');
}

/** PROTO 2 … STOP */
export function pickle(...parts: readonly (number | string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return bytes(0x80, 2, ...parts, '.');
}

export interface TensorParts {
  readonly storageId?: Uint8Array;
  readonly type?: string;
  readonly key?: string;
  readonly length?: number;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
}

/** `_rebuild_tensor_v2` with its arguments; by default two floats on storage "0". */
export function tensor(parts: TensorParts = {}): Uint8Array {
  const {
    type = 'torch.FloatStorage',
    key = '0',
    length = 2,
    offset = 0,
    shape = [2],
    strides = [1],
  } = parts;
  const id =
    parts.storageId ?? tuple(unicode('storage'), global(type), unicode(key), unicode('cpu'), int(length));
  return bytes(
    global('torch._utils._rebuild_tensor_v2'),
    tuple(
      bytes(id, 'Q'),
      int(offset),
      tuple(...shape.map(int)),
      tuple(...strides.map(int)),
      bytes(0x89),
      bytes(global('collections.OrderedDict'), ')R'),
    ),
    'R',
  );
}

/** A state dict of one tensor named "a". */
export function stateDict(value: Uint8Array = tensor()): Uint8Array<ArrayBuffer> {
  return pickle('}', unicode('a'), value, 's');
}
