import { alignUp } from './plan';

/** A trainable tensor as a task asks for it. */
export interface ParameterSpec {
  /** Canonical name: 'layer.0.attention.adapter.down.weight'. */
  readonly name: string;
  /** PyTorch's order: a linear's weight is [out, in]. One or two dimensions. */
  readonly shape: readonly [number] | readonly [number, number];
  /** Whether weight decay applies: not to biases and LayerNorms. */
  readonly decay: boolean;
  /** Row-major initial values. */
  readonly initialize: () => Float32Array | Promise<Float32Array>;
  /** The tensors that it holds one behind the other, as files name them. Absent: it is one, under its own name. */
  readonly parts?: readonly ParameterPart[];
}

/** A piece of a trainable tensor that has a name of its own in files: the queries' part of a product that makes keys, too. */
export interface ParameterPart {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Where a tensor of a task's files lies in the arena. */
export interface NamedPlace extends ParameterPart {
  /** In floats from the arena's beginning. */
  readonly offset: number;
  /** In floats. */
  readonly length: number;
}

/** Where a parameter lies in the arena. */
export interface ParameterPlace {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** In floats from the arena's beginning; a multiple of 64, since bindings begin at multiples of 256 bytes. */
  readonly offset: number;
  /** In floats. */
  readonly length: number;
  readonly decay: boolean;
}

/** The layout that the parameter arena, the gradient arena and the optimizer's arenas share. */
export class ParameterLayout {
  readonly places: readonly ParameterPlace[];
  /** The tensors of the task's files: the parameters, or the parts of those that have some. */
  readonly tensors: readonly NamedPlace[];
  /** In floats, padding included. */
  readonly size: number;
  /** Trainable numbers, padding not counted. */
  readonly count: number;
  readonly #byName: ReadonlyMap<string, ParameterPlace>;
  readonly #tensorsByName: ReadonlyMap<string, NamedPlace>;

  constructor(specs: readonly ParameterSpec[]) {
    let size = 0;
    let count = 0;
    this.places = specs.map(({ name, shape, decay }) => {
      const [rows, columns] = shape.length === 1 ? [1, shape[0]] : shape;
      const place = { name, rows, columns, offset: size, length: rows * columns, decay };
      size += alignUp(place.length * 4) / 4;
      count += place.length;
      return place;
    });
    this.size = size;
    this.count = count;
    this.tensors = specs.flatMap((spec, index) => partsOf(spec, this.places[index]?.offset ?? 0));
    this.#byName = new Map(this.places.map((place) => [place.name, place]));
    this.#tensorsByName = new Map(this.tensors.map((tensor) => [tensor.name, tensor]));
    if (this.#byName.size !== this.places.length || this.#tensorsByName.size !== this.tensors.length) {
      throw new RangeError('two parameters have one name');
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  place(name: string): ParameterPlace {
    const place = this.#byName.get(name);
    if (place === undefined) throw new RangeError(`there is no parameter ${name}`);
    return place;
  }

  /** The piece of an arena that holds one parameter, or one tensor of the task's files. */
  slice(arena: Float32Array, name: string): Float32Array {
    const { offset, length } = this.#tensorsByName.get(name) ?? this.place(name);
    return arena.subarray(offset, offset + length);
  }
}

function partsOf({ name, shape, parts = [{ name, shape }] }: ParameterSpec, first: number): NamedPlace[] {
  let offset = first;
  return parts.map((part) => {
    const length = part.shape.reduce((product, size) => product * size, 1);
    offset += length;
    return { ...part, offset: offset - length, length };
  });
}
