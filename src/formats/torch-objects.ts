/** What a PyTorch file's pickle may name: tensors, their storages, plain containers. torch/_utils.py, torch/serialization.py. */
import {
  describeValue,
  PickleDict,
  type PickleFail,
  PickleGlobal,
  PickleObject,
  type PickleObjects,
  PickleTuple,
  type PickleValue,
  setItem,
} from './pickle';
import { elementCount, MAX_DIMENSIONS } from './tensor-file';

/** safetensors' name and the bytes of an element, by the class of the storage. */
const STORAGES: Readonly<Record<string, { readonly dtype: string; readonly bytes: number }>> = {
  'torch.FloatStorage': { dtype: 'F32', bytes: 4 },
  'torch.HalfStorage': { dtype: 'F16', bytes: 2 },
  'torch.BFloat16Storage': { dtype: 'BF16', bytes: 2 },
  'torch.DoubleStorage': { dtype: 'F64', bytes: 8 },
  'torch.LongStorage': { dtype: 'I64', bytes: 8 },
  'torch.IntStorage': { dtype: 'I32', bytes: 4 },
  'torch.ShortStorage': { dtype: 'I16', bytes: 2 },
  'torch.CharStorage': { dtype: 'I8', bytes: 1 },
  'torch.ByteStorage': { dtype: 'U8', bytes: 1 },
  'torch.BoolStorage': { dtype: 'BOOL', bytes: 1 },
};

/** A block of elements outside the pickle. */
export class TorchStorage extends PickleObject {
  readonly description = 'a storage';
  readonly key: string;
  readonly dtype: string;
  readonly elementBytes: number;
  /** In elements. */
  readonly length: number;

  constructor(key: string, type: { readonly dtype: string; readonly bytes: number }, length: number) {
    super();
    this.key = key;
    this.dtype = type.dtype;
    this.elementBytes = type.bytes;
    this.length = length;
  }
}

/** A view of a storage: element (i, j, …) lies at `offset` + i · strides[0] + j · strides[1] + … */
export class TorchTensor extends PickleObject {
  readonly description = 'a tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    super();
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** Reads a range of one storage's bytes. */
export type StorageReader = (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

/** A file's pickle, read, and where its storages are. */
export interface TorchContent {
  readonly value: PickleValue;
  /** Throws FileFormatError where the storage is not in the file, or not of the length that the pickle says. */
  storage(storage: TorchStorage): StorageReader;
}

const CALLS: Readonly<Record<string, (args: readonly PickleValue[], fail: PickleFail) => PickleValue>> = {
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  // (data, requires_grad, backward_hooks)
  'torch._utils._rebuild_parameter': ([data = null], fail) =>
    data instanceof TorchTensor ? data : fail(`a parameter of ${describeValue(data)}`),
  'collections.OrderedDict': makeOrderedDict,
  'torch.Size': ([sizes = null], fail) =>
    sizes instanceof PickleTuple ? sizes : fail(`torch.Size of ${describeValue(sizes)}`),
};

export const torchObjects: PickleObjects = {
  knows: (name) => Object.hasOwn(CALLS, name) || Object.hasOwn(STORAGES, name),
  call: (name, args, fail) => {
    const make = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
    return make === undefined ? fail(`REDUCE calls ${name}`) : make(args, fail);
  },
  persistent: makeStorage,
};

/** ('storage', type, key, location, number of elements), and in the older format a view's place, which later files lack. */
function makeStorage(id: PickleValue, fail: PickleFail): TorchStorage {
  if (!(id instanceof PickleTuple)) return fail(`a storage is named by ${describeValue(id)}, no tuple`);
  const [kind, type, key, , length, view = null] = id.items;
  const known =
    type instanceof PickleGlobal && Object.hasOwn(STORAGES, type.name) ? STORAGES[type.name] : undefined;
  if (kind !== 'storage' || known === undefined || typeof key !== 'string' || !isCount(length)) {
    return fail("a storage's name was expected: ('storage', type, key, location, number of elements)");
  }
  if (view !== null || id.items.length > 6)
    return fail('a view of a storage, as PyTorch before 0.4 saved it');
  return new TorchStorage(key, known, length);
}

/** (storage, offset, size, stride, requires_grad, backward_hooks). The view is checked to lie within the storage. */
function rebuildTensor(args: readonly PickleValue[], fail: PickleFail): TorchTensor {
  const [storage = null, offset = null, size = null, stride = null] = args;
  if (!(storage instanceof TorchStorage)) return fail(`a tensor of ${describeValue(storage)}, no storage`);
  const shape = countsOf(size);
  const strides = countsOf(stride);
  if (!isCount(offset) || shape === undefined || strides?.length !== shape.length) {
    return fail("a tensor's offset, size and stride were expected, whole numbers");
  }
  const elements = elementCount(shape);
  // The farthest element; a tensor without elements reads none.
  const last = shape.reduce((at, length, axis) => at + (length - 1) * (strides[axis] ?? 0), offset);
  if (elements > 0 && last >= storage.length) {
    return fail(`a tensor reaches element ${last} of a storage of ${storage.length}`);
  }
  // With strides of 0, a small storage could be spread over any amount of memory.
  if (elements > storage.length)
    return fail(`a tensor of ${elements} elements on a storage of ${storage.length}`);
  return new TorchTensor(storage, offset, shape, strides);
}

/** Without arguments, or (in Python 2) with a list of pairs. */
function makeOrderedDict(args: readonly PickleValue[], fail: PickleFail): PickleDict {
  const dict = new PickleDict();
  const [pairs = []] = args;
  if (!Array.isArray(pairs)) return fail(`an OrderedDict of ${describeValue(pairs)}`);
  for (const pair of pairs) {
    const items = pair instanceof PickleTuple ? pair.items : pair;
    if (!Array.isArray(items) || items.length !== 2)
      return fail(`an OrderedDict with the item ${describeValue(pair)}`);
    const [key = null, value = null] = items;
    setItem(dict, key, value, fail);
  }
  return dict;
}

/** A tuple of whole numbers, as many as a tensor may have dimensions. */
function countsOf(value: PickleValue): readonly number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : undefined;
  return items !== undefined && items.length <= MAX_DIMENSIONS && items.every(isCount) ? items : undefined;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
