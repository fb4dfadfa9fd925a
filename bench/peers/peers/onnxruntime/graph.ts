import { Message } from './protobuf';

/** onnx.proto's numbers of element types. */
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;

type Attribute = number | readonly number[] | { readonly float: number };

/** Collects the nodes and the initial tensors of an ONNX graph (github.com/onnx/onnx, onnx.proto). */
export class Graph {
  readonly #nodes: Message[] = [];
  readonly #initializers: Message[] = [];
  readonly #inputs: Message[] = [];
  readonly #outputs: Message[] = [];
  #names = 0;

  /** @param shape sizes, or names of sizes that vary */
  input(name: string, type: number, shape: readonly (number | string)[]): string {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  output(name: string, shape: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, FLOAT, shape));
  }

  tensor(shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const name = this.#name('tensor');
    const tensor = new Message();
    for (const size of shape) tensor.integer(1, size);
    tensor.integer(2, data instanceof Float32Array ? FLOAT : INT64).text(8, name);
    tensor.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#initializers.push(tensor);
    return name;
  }

  /** The name of the operator's first output. @param op 'MatMul', or with its domain 'com.microsoft.Attention' */
  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const name = this.#name(op);
    const dot = op.lastIndexOf('.');
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    node
      .text(2, name)
      .text(3, name)
      .text(4, op.slice(dot + 1));
    for (const [key, value] of Object.entries(attributes)) node.message(5, attribute(key, value));
    if (dot > 0) node.text(7, op.slice(0, dot));
    this.#nodes.push(node);
    return name;
  }

  /** The model's bytes: operators of ONNX's set 20 and of ONNX Runtime's own. */
  encode(): Uint8Array {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, 'encoder');
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    return new Message()
      .integer(1, 9)
      .message(7, graph)
      .message(8, new Message().text(1, '').integer(2, 20))
      .message(8, new Message().text(1, 'com.microsoft').integer(2, 1))
      .encode();
  }

  #name(kind: string): string {
    this.#names += 1;
    return `${kind} ${this.#names}`;
  }
}

function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, 2);
  if ('float' in value) return message.float(2, value.float).integer(20, 1);
  for (const each of value) message.integer(8, each);
  return message.integer(20, 7);
}

function valueInfo(name: string, type: number, shape: readonly (number | string)[]): Message {
  const dimensions = new Message();
  for (const size of shape) {
    const dimension = new Message();
    dimensions.message(1, typeof size === 'number' ? dimension.integer(1, size) : dimension.text(2, size));
  }
  const tensor = new Message().integer(1, type).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
