/**
 * A reader of Python's pickles that runs nothing. It makes numbers, texts, lists, tuples and dicts; every global and every
 * call is put to `PickleObjects`, which knows a few by name. The machine has no recursion, and each byte of a pickle makes a
 * bounded number of values: a pickle cannot take more memory than a fixed multiple of its size.
 */
import { FileFormatError } from '../errors';
import { decodeUtf8, show } from './json';
import { OPCODE, REFUSED } from './pickle-opcodes';

/** The longest pickle that is read; a state dict has about 150 bytes a tensor. */
export const MAX_PICKLE_BYTES = 8 * 1024 * 1024;

/** Each may make a value. A state dict takes about 40 a tensor, so this is enough for 12,000 tensors. */
const MAX_OPCODES = 500_000;

/** The longest name of a module or class in GLOBAL. */
const MAX_NAME_BYTES = 256;

/** Python's integers have no bound; 8 bytes hold every size. */
const MAX_INTEGER_BYTES = 8;

const NEWEST_PROTOCOL = 5;

export class PickleTuple {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

export class PickleDict {
  readonly entries = new Map<string | number | boolean | null, PickleValue>();
}

/** A class or function by its name, 'module.name'. Nothing is ever imported. */
export class PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What `PickleObjects` makes; the machine only carries it about. */
export abstract class PickleObject {
  /** For messages: 'a tensor'. */
  abstract readonly description: string;
}

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleObject;

/** Throws the FileFormatError of the place at hand. */
export type PickleFail = (problem: string) => never;

/** The globals that a kind of file may name, and what calls of them make. */
export interface PickleObjects {
  knows(name: string): boolean;
  /** REDUCE: `name` was known. */
  call(name: string, args: readonly PickleValue[], fail: PickleFail): PickleValue;
  /** BINPERSID: an object that is stored outside the pickle. */
  persistent(id: PickleValue, fail: PickleFail): PickleValue;
}

/** What to do about a pickle that holds something else than tensors. */
export const CONVERT_HINT =
  'Graft runs no code of a pickle. If you trust the file, load it in Python with torch and save its state dict with ' +
  'safetensors.torch.save_file';

/**
 * The value of the pickle that begins at `start`, and where it ends.
 * @param place of the pickle in its file, for messages
 * @throws FileFormatError naming the byte and what stood there
 */
export function unpickle(
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
  place: string,
  objects: PickleObjects,
  start = 0,
): { readonly value: PickleValue; readonly end: number } {
  return new Unpickler(bytes, file, place, objects, start).run();
}

class Unpickler {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #file: string;
  readonly #place: string;
  readonly #objects: PickleObjects;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at which a MARK stands. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #start: number;
  #at: number;
  /** Where the opcode at hand begins. */
  #opcodeAt: number;
  readonly #fail: PickleFail;

  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    file: string,
    place: string,
    objects: PickleObjects,
    start: number,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
    this.#place = place;
    this.#objects = objects;
    this.#start = start;
    this.#at = start;
    this.#opcodeAt = start;
    this.#fail = (problem) => {
      throw new FileFormatError(
        this.#file,
        `${this.#place}, byte ${this.#opcodeAt - this.#start}`,
        problem,
        CONVERT_HINT,
      );
    };
  }

  run(): { value: PickleValue; end: number } {
    for (let opcodes = 0; opcodes < MAX_OPCODES; opcodes++) {
      this.#opcodeAt = this.#at;
      const opcode = this.#take(1);
      const code = this.#bytes[opcode] ?? 0;
      if (code === OPCODE.STOP) {
        const value = this.#pop();
        if (this.#stack.length > 0 || this.#marks.length > 0) this.#fail('more than one value is left');
        return { value, end: this.#at };
      }
      this.#step(code);
    }
    this.#fail(`more than ${MAX_OPCODES} opcodes`);
  }

  #step(code: number): void {
    const stack = this.#stack;
    switch (code) {
      case OPCODE.PROTO: {
        const version = this.#byte();
        if (version > NEWEST_PROTOCOL)
          this.#fail(`protocol ${version}; ${NEWEST_PROTOCOL} is the newest known`);
        return;
      }
      case OPCODE.FRAME:
        // Only says how much a reader may fetch at once.
        this.#length8();
        return;
      case OPCODE.MARK:
        this.#marks.push(stack.length);
        return;
      case OPCODE.NONE:
        stack.push(null);
        return;
      case OPCODE.NEWTRUE:
        stack.push(true);
        return;
      case OPCODE.NEWFALSE:
        stack.push(false);
        return;
      case OPCODE.BININT1:
        stack.push(this.#byte());
        return;
      case OPCODE.BININT2:
        stack.push(this.#view.getUint16(this.#take(2), true));
        return;
      case OPCODE.BININT:
        stack.push(this.#view.getInt32(this.#take(4), true));
        return;
      case OPCODE.LONG1:
        stack.push(this.#integer(this.#byte()));
        return;
      case OPCODE.LONG4:
        stack.push(this.#integer(this.#length4()));
        return;
      case OPCODE.BINFLOAT:
        stack.push(this.#view.getFloat64(this.#take(8), false));
        return;
      case OPCODE.SHORT_BINSTRING:
      case OPCODE.SHORT_BINUNICODE:
        stack.push(this.#text(this.#byte()));
        return;
      case OPCODE.BINSTRING:
      case OPCODE.BINUNICODE:
        stack.push(this.#text(this.#length4()));
        return;
      case OPCODE.BINUNICODE8:
        stack.push(this.#text(this.#length8()));
        return;
      case OPCODE.EMPTY_LIST:
        stack.push([]);
        return;
      case OPCODE.APPEND:
        this.#append([this.#pop()]);
        return;
      case OPCODE.APPENDS:
        this.#append(this.#popToMark());
        return;
      case OPCODE.EMPTY_TUPLE:
        stack.push(new PickleTuple([]));
        return;
      case OPCODE.TUPLE1:
      case OPCODE.TUPLE2:
      case OPCODE.TUPLE3:
        stack.push(new PickleTuple(this.#popMany(code - OPCODE.TUPLE1 + 1)));
        return;
      case OPCODE.TUPLE:
        stack.push(new PickleTuple(this.#popToMark()));
        return;
      case OPCODE.EMPTY_DICT:
        stack.push(new PickleDict());
        return;
      case OPCODE.SETITEM:
        this.#setItems(this.#popMany(2));
        return;
      case OPCODE.SETITEMS:
        this.#setItems(this.#popToMark());
        return;
      case OPCODE.BINPUT:
        this.#memo.set(this.#byte(), this.#top());
        return;
      case OPCODE.LONG_BINPUT:
        this.#memo.set(this.#unsigned4(), this.#top());
        return;
      case OPCODE.MEMOIZE:
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case OPCODE.BINGET:
        stack.push(this.#recall(this.#byte()));
        return;
      case OPCODE.LONG_BINGET:
        stack.push(this.#recall(this.#unsigned4()));
        return;
      case OPCODE.GLOBAL:
        stack.push(this.#global(this.#line(), this.#line()));
        return;
      case OPCODE.STACK_GLOBAL: {
        const [module = null, name = null] = this.#popMany(2);
        stack.push(this.#global(module, name));
        return;
      }
      case OPCODE.REDUCE: {
        const [callee = null, args = null] = this.#popMany(2);
        if (!(callee instanceof PickleGlobal)) this.#fail(`REDUCE calls ${describeValue(callee)}`);
        if (!(args instanceof PickleTuple)) {
          this.#fail(`REDUCE calls ${callee.name} with ${describeValue(args)}, no tuple`);
        }
        stack.push(this.#objects.call(callee.name, args.items, this.#fail));
        return;
      }
      case OPCODE.BUILD:
        // An OrderedDict may carry attributes: a state dict has its modules' versions in one. They are dropped.
        this.#pop();
        if (!(this.#top() instanceof PickleDict))
          this.#fail(`BUILD gives ${describeValue(this.#top())} a state`);
        return;
      case OPCODE.BINPERSID:
        stack.push(this.#objects.persistent(this.#pop(), this.#fail));
        return;
      default: {
        const name = REFUSED.get(code);
        const hex = `0x${code.toString(16).padStart(2, '0')}`;
        this.#fail(name === undefined ? `${hex} is no opcode` : `the opcode ${name} is refused`);
      }
    }
  }

  /** Moves past `length` bytes and says where they begin. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) {
      this.#fail(`${length} bytes were expected, ${this.#bytes.length - at} are left`);
    }
    this.#at += length;
    return at;
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #unsigned4(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A length of what follows: no more than there is. */
  #length4(): number {
    return this.#checkLength(this.#unsigned4());
  }

  #length8(): number {
    // Inexact above 2^53, which is far beyond any file.
    return this.#checkLength(Number(this.#view.getBigUint64(this.#take(8), true)));
  }

  #checkLength(length: number): number {
    const left = this.#bytes.length - this.#at;
    if (length > left) this.#fail(`${length} bytes are said to follow, ${left} do`);
    return length;
  }

  /** Two's complement, little-endian. */
  #integer(length: number): number {
    if (length > MAX_INTEGER_BYTES) this.#fail(`an integer of ${length} bytes`);
    const at = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#view.getUint8(at + i));
    const number = Number(BigInt.asIntN(8 * length, value));
    if (!Number.isSafeInteger(number)) this.#fail(`the integer ${number} is too large`);
    return number;
  }

  #text(length: number): string {
    const at = this.#take(length);
    return decodeUtf8(
      this.#bytes.subarray(at, at + length),
      this.#file,
      `${this.#place}, byte ${this.#opcodeAt - this.#start}`,
    );
  }

  /** Up to a line feed, which is passed over. */
  #line(): string {
    const end = this.#bytes.subarray(this.#at, this.#at + MAX_NAME_BYTES + 1).indexOf(0x0a);
    if (end === -1) this.#fail(`a name of at most ${MAX_NAME_BYTES} bytes was expected in GLOBAL`);
    const text = this.#text(end);
    this.#take(1);
    return text;
  }

  #global(module: PickleValue, name: PickleValue): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string') {
      this.#fail(`STACK_GLOBAL names ${describeValue(module)}, ${describeValue(name)}`);
    }
    const full = `${module}.${name}`;
    if (!this.#objects.knows(full)) this.#fail(`the global ${show(full)} is refused`);
    return new PickleGlobal(full);
  }

  /** The lowest height that the opcode at hand may take from. */
  get #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length <= this.#floor) this.#fail('nothing is on the stack');
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length - count < this.#floor) this.#fail('too little is on the stack');
    return this.#stack.splice(this.#stack.length - count);
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    return mark === undefined ? this.#fail('no MARK was set') : this.#stack.splice(mark);
  }

  #append(values: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) this.#fail(`APPEND to ${describeValue(list)}, no list`);
    for (const value of values) list.push(value);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof PickleDict)) this.#fail(`SETITEM on ${describeValue(dict)}, no dict`);
    if (items.length % 2 !== 0) this.#fail('SETITEMS with a key that has no value');
    for (let i = 0; i < items.length; i += 2)
      setItem(dict, items[i] ?? null, items[i + 1] ?? null, this.#fail);
  }

  #recall(key: number): PickleValue {
    const value = this.#memo.get(key);
    return value === undefined ? this.#fail(`nothing was remembered under ${key}`) : value;
  }
}

/** dict[key] = value, for keys that are plain and new. */
export function setItem(dict: PickleDict, key: PickleValue, value: PickleValue, fail: PickleFail): void {
  if (key !== null && typeof key === 'object') fail(`${describeValue(key)} as a key`);
  if (dict.entries.has(key)) fail(`the key ${show(key)} occurs twice`);
  dict.entries.set(key, value);
}

/** In a few words, for messages. */
export function describeValue(value: PickleValue): string {
  if (value === null || typeof value !== 'object') return show(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof PickleTuple) return `a tuple of ${value.items.length}`;
  if (value instanceof PickleDict) return `a dict of ${value.entries.size}`;
  return value instanceof PickleGlobal ? value.name : value.description;
}
