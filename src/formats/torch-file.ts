/**
 * State dicts as `torch.save` writes them: a pickle of the tensors' names, shapes and strides, and beside it the bytes of their
 * storages. Since PyTorch 1.6 both are files of a ZIP archive; before, they followed one another (torch-legacy.ts).
 */
import { FileFormatError } from '../errors';
import type { RandomAccessFile } from '../platform/files';
import { decodeUtf8, show } from './json';
import { CONVERT_HINT, describeValue, MAX_PICKLE_BYTES, PickleDict, unpickle } from './pickle';
import { bytesToFloat32, elementCount, requireFloats, type TensorFile, type TensorInfo } from './tensor-file';
import { isLegacyTorchFile, readLegacyTorchFile } from './torch-legacy';
import { type StorageReader, type TorchContent, TorchTensor, torchObjects } from './torch-objects';
import { openStoredZip, type ZipEntry } from './zip';

/** 'PK\3\4': a ZIP archive's first entry. */
const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04];

/** Enough to tell the kinds of file apart. */
const PROBE_BYTES = 16;

interface StoredTensor extends TensorInfo {
  readonly tensor: TorchTensor;
  readonly read: StorageReader;
}

/**
 * Reads the pickle and checks all that it says of the file; tensors are read later, by ranges. What is no tensor in the state
 * dict is passed over. `file` is closed by the result's `close`, or here where it is refused.
 * Throws FileFormatError naming the place in the file.
 */
export async function openTorchFile(file: RandomAccessFile): Promise<TensorFile> {
  try {
    const tensors = collectTensors(await readContent(file), file.name);
    return {
      file: file.name,
      names: () => [...tensors.keys()],
      info: (name) => tensors.get(name),
      readFloat32: async (name) => readTensor(requireFloats(file.name, name, tensors.get(name))),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readContent(file: RandomAccessFile): Promise<TorchContent> {
  const probe = await file.read(0, Math.min(PROBE_BYTES, file.size));
  if (ZIP_MAGIC.every((byte, index) => probe[index] === byte)) {
    return readZip(file);
  }
  if (isLegacyTorchFile(probe)) {
    return readLegacyTorchFile(file);
  }
  throw new FileFormatError(
    file.name,
    'byte 0',
    'neither a ZIP archive nor a pickle of torch.save begins here',
    'Fetch the file again, or save the weights with safetensors.torch.save_file',
  );
}

async function readZip(file: RandomAccessFile): Promise<TorchContent> {
  const entries = await openStoredZip(file);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [name = ''] = pickles;
  const pickle = entries.get(name);
  if (pickle === undefined || pickles.length > 1) {
    throw new FileFormatError(
      file.name,
      undefined,
      `the archive has ${pickles.length} files named data.pkl in a folder; torch.save writes one`,
      CONVERT_HINT,
    );
  }
  const folder = name.slice(0, -'data.pkl'.length);
  await checkByteOrder(file, entries.get(`${folder}byteorder`));
  if (pickle.size > MAX_PICKLE_BYTES) {
    throw new FileFormatError(
      file.name,
      name,
      `${pickle.size} bytes are more than the ${MAX_PICKLE_BYTES} that are read of a pickle`,
      CONVERT_HINT,
    );
  }
  const { value } = unpickle(await pickle.read(0, pickle.size), file.name, name, torchObjects);
  return {
    value,
    storage: (storage) => {
      const entryName = `${folder}data/${storage.key}`;
      const entry = entries.get(entryName);
      const expected = storage.length * storage.elementBytes;
      if (entry?.size !== expected) {
        throw new FileFormatError(
          file.name,
          `entry ${show(entryName)}`,
          `${expected} bytes were expected, found ${entry?.size ?? 'nothing'}`,
        );
      }
      return entry.read;
    },
  };
}

/** Absent before PyTorch 2.1, which then was the machine's: little-endian wherever it ran. */
async function checkByteOrder(file: RandomAccessFile, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const order = decodeUtf8(await entry.read(0, Math.min(entry.size, PROBE_BYTES)), file.name, entry.name);
  if (order !== 'little') {
    throw new FileFormatError(
      file.name,
      entry.name,
      `the order of bytes is ${show(order)}`,
      'Graft reads little-endian files: save it again on another machine',
    );
  }
}

function collectTensors(content: TorchContent, file: string): ReadonlyMap<string, StoredTensor> {
  const { value } = content;
  if (!(value instanceof PickleDict)) {
    throw new FileFormatError(
      file,
      undefined,
      `a state dict was expected, found ${describeValue(value)}`,
      'Save model.state_dict()',
    );
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of value.entries) {
    if (typeof name !== 'string' || !(tensor instanceof TorchTensor)) continue;
    const { storage, shape } = tensor;
    tensors.set(name, {
      dtype: storage.dtype,
      shape,
      byteLength: elementCount(shape) * storage.elementBytes,
      tensor,
      read: content.storage(storage),
    });
  }
  if (tensors.size === 0) {
    throw new FileFormatError(file, undefined, 'the state dict holds no tensor', 'Save model.state_dict()');
  }
  return tensors;
}

async function readTensor({ tensor, dtype, read }: StoredTensor): Promise<Float32Array<ArrayBuffer>> {
  const { storage, offset, shape, strides } = tensor;
  const elements = elementCount(shape);
  if (elements === 0) return new Float32Array(0);
  const span = shape.reduce((at, length, axis) => at + (length - 1) * (strides[axis] ?? 0), 1);
  const size = storage.elementBytes;
  const values = bytesToFloat32(await read(offset * size, span * size), dtype);
  return isContiguous(shape, strides) ? values : gather(values, shape, strides, elements);
}

/** Row-major without gaps: what `Tensor.contiguous()` makes. The stride of an axis of length 1 means nothing. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    if (length !== 1 && strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}

/** The elements of a view in row-major order; `values` begins at its first. */
function gather(
  values: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  elements: number,
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(elements);
  const index = new Array<number>(shape.length).fill(0);
  let at = 0;
  for (let i = 0; i < elements; i++) {
    result[i] = values[at] ?? 0;
    // The next index: the last axis first, carrying over.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0;
      const next = (index[axis] ?? 0) + 1;
      at += stride;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      at -= next * stride;
      index[axis] = 0;
    }
  }
  return result;
}
