/** Writing a state dict as `torch.save` does since PyTorch 1.6; `torch.load(…, weights_only=True)` reads it. */
import { type NamedTensor, type StoredFloat, tensorBytes } from './named-tensor';
import { OPCODE } from './pickle-opcodes';
import { writeStoredZip } from './zip-write';

/** The folder within the archive; PyTorch takes the file's name, and reads any. */
const FOLDER = 'archive';
/** Of the archive's layout; PyTorch's since 1.6. */
const VERSION = '3\n';

const STORAGE_CLASSES: Readonly<Record<StoredFloat, string>> = { F32: 'FloatStorage', F16: 'HalfStorage' };

/**
 * The file's bytes, tensors in the order given.
 * Throws OptionError where a number is too large for F16, RangeError for a shape that is not the data's.
 */
export function writeTorchFile(
  tensors: readonly NamedTensor[],
  dtype: StoredFloat = 'F32',
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  return writeStoredZip([
    [`${FOLDER}/data.pkl`, pickleStateDict(tensors, dtype)],
    [`${FOLDER}/byteorder`, encoder.encode('little')],
    ...tensors.map((tensor, key) => [`${FOLDER}/data/${key}`, tensorBytes(tensor, dtype)] as const),
    [`${FOLDER}/version`, encoder.encode(VERSION)],
  ]);
}

/** A dict from name to `_rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict())`, in protocol 2. */
function pickleStateDict(tensors: readonly NamedTensor[], dtype: StoredFloat): Uint8Array {
  const bytes: number[] = [OPCODE.PROTO, 2, OPCODE.EMPTY_DICT, OPCODE.MARK];
  const text = (value: string) => {
    const encoded = new TextEncoder().encode(value);
    bytes.push(OPCODE.BINUNICODE, ...littleEndian(encoded.length), ...encoded);
  };
  const integer = (value: number) => bytes.push(OPCODE.BININT, ...littleEndian(value));
  const global = (module: string, name: string) =>
    bytes.push(OPCODE.GLOBAL, ...new TextEncoder().encode(`${module}\n${name}\n`));
  const integers = (values: readonly number[]) => {
    bytes.push(OPCODE.MARK);
    for (const value of values) integer(value);
    bytes.push(OPCODE.TUPLE);
  };
  for (const [key, { name, shape, data }] of tensors.entries()) {
    text(name);
    global('torch._utils', '_rebuild_tensor_v2');
    bytes.push(OPCODE.MARK, OPCODE.MARK);
    text('storage');
    global('torch', STORAGE_CLASSES[dtype]);
    text(String(key));
    text('cpu');
    integer(data.length);
    bytes.push(OPCODE.TUPLE, OPCODE.BINPERSID);
    integer(0);
    integers(shape);
    integers(rowMajorStrides(shape));
    bytes.push(OPCODE.NEWFALSE);
    global('collections', 'OrderedDict');
    bytes.push(OPCODE.EMPTY_TUPLE, OPCODE.REDUCE, OPCODE.TUPLE, OPCODE.REDUCE);
  }
  bytes.push(OPCODE.SETITEMS, OPCODE.STOP);
  return Uint8Array.from(bytes);
}

function rowMajorStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** 32 bits. */
function littleEndian(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff];
}
