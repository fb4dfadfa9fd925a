import { damaged, unsupported } from './problem';
import type { ThriftStruct } from './thrift';

/** parquet.thrift: Type. */
export const PHYSICAL_TYPES = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const;
export type PhysicalType = (typeof PHYSICAL_TYPES)[number];

/** What a column's values stand for. */
export type Meaning = 'text' | 'number' | 'unsigned' | 'boolean' | 'other';

/** An element of the schema's tree. Levels are those of the Dremel paper (Melnik et al. 2010): how many optional or repeated elements,
 * and how many repeated ones, are on the way from the root to here, this one included. */
export interface SchemaNode {
  readonly name: string;
  readonly repetition: 'required' | 'optional' | 'repeated';
  readonly definitionLevel: number;
  readonly repetitionLevel: number;
  /** Whether it is annotated as a list. */
  readonly isList: boolean;
  readonly children: readonly SchemaNode[];
  /** Of a leaf: its values. */
  readonly leaf: SchemaLeaf | undefined;
}

export interface SchemaLeaf {
  /** Its number among all leaves: that of its column chunk in every row group. */
  readonly index: number;
  readonly path: readonly string[];
  readonly type: PhysicalType;
  readonly meaning: Meaning;
}

const DEEPEST = 24;
/** parquet.thrift: ConvertedType, of those that are read. The first three are texts. */
const TEXTS = new Set([0, 4, 19]);
const LIST = 3;
const UNSIGNED = new Set([11, 12, 13, 14]);
const SIGNED = new Set([15, 16, 17, 18]);

/** parquet.thrift, SchemaElement: the tree that lies flattened, depth first, in a footer. Returns the root's children. */
export function readSchema(elements: readonly ThriftStruct[]): readonly SchemaNode[] {
  let next = 0;
  let leaves = 0;

  function readNode(path: readonly string[], definition: number, repetition: number): SchemaNode {
    const element = elements[next++];
    if (element === undefined) throw damaged('its schema is cut off');
    if (path.length > DEEPEST) throw unsupported('columns that nest so deeply');
    const name = element.text(4) ?? '';
    const kind = REPETITIONS[element.optionalInt(3) ?? 0];
    if (kind === undefined) throw damaged('its schema has an unknown repetition');
    const definitionLevel = definition + (kind === 'required' ? 0 : 1);
    const repetitionLevel = repetition + (kind === 'repeated' ? 1 : 0);
    const here = [...path, name];
    const common = { name, repetition: kind, definitionLevel, repetitionLevel };
    const type = element.optionalInt(1);
    if (type !== undefined) {
      const physical = PHYSICAL_TYPES[type];
      if (physical === undefined) throw unsupported('values of an unknown type');
      const leaf = { index: leaves++, path: here, type: physical, meaning: meaningOf(element, physical) };
      return { ...common, isList: false, children: [], leaf };
    }
    const children = readChildren(element, here, definitionLevel, repetitionLevel);
    const isList = element.optionalInt(6) === LIST || element.optionalStruct(10)?.has(3) === true;
    return { ...common, isList, children, leaf: undefined };
  }

  function readChildren(
    element: ThriftStruct,
    path: readonly string[],
    definitionLevel: number,
    repetitionLevel: number,
  ): SchemaNode[] {
    const count = element.size(5);
    if (count > elements.length - next) throw damaged('its schema is cut off');
    return Array.from({ length: count }, () => readNode(path, definitionLevel, repetitionLevel));
  }

  const root = elements[next++];
  if (root === undefined) throw damaged('it has no schema');
  const columns = readChildren(root, [], 0, 0);
  if (next !== elements.length) throw damaged('its schema has elements too many');
  return columns;
}

const REPETITIONS = ['required', 'optional', 'repeated'] as const;

function meaningOf(element: ThriftStruct, type: PhysicalType): Meaning {
  const converted = element.optionalInt(6);
  const logical = element.optionalStruct(10);
  const isPlain = converted === undefined && logical === undefined;
  switch (type) {
    case 'BOOLEAN':
      return 'boolean';
    case 'FLOAT':
    case 'DOUBLE':
      return 'number';
    case 'INT32':
    case 'INT64': {
      const integer = logical?.optionalStruct(10);
      if (integer?.boolean(2) === false || UNSIGNED.has(converted ?? -1)) return 'unsigned';
      // Else it is a date, a time or a decimal number.
      return isPlain || integer !== undefined || SIGNED.has(converted ?? -1) ? 'number' : 'other';
    }
    case 'BYTE_ARRAY': {
      // Some writers leave out that bytes are a text; what is none is found when it is decoded.
      const isText = TEXTS.has(converted ?? -1) || [1, 4, 12].some((id) => logical?.has(id) === true);
      return isText || isPlain ? 'text' : 'other';
    }
    default:
      return 'other';
  }
}

/** All leaves under `node`, in order. */
export function leavesOf(node: SchemaNode): { readonly node: SchemaNode; readonly leaf: SchemaLeaf }[] {
  return node.leaf === undefined ? node.children.flatMap(leavesOf) : [{ node, leaf: node.leaf }];
}
