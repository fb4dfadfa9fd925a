import { ByteReader } from './byte-reader';
import { damaged, ParquetProblem, unsupported } from './problem';
import { readSchema, type SchemaNode } from './schema';
import { readThrift, type ThriftStruct } from './thrift';

export interface Footer {
  readonly columns: readonly SchemaNode[];
  readonly rowGroups: readonly RowGroup[];
  /** Key-value metadata of the file. */
  readonly metadata: ReadonlyMap<string, string>;
}

export interface RowGroup {
  readonly rows: number;
  /** One for each of the schema's leaves. */
  readonly chunks: readonly ColumnChunk[];
}

/** Where a column's values of one row group lie. */
export interface ColumnChunk {
  readonly codec: number;
  /** Entries, nulls included; of lists their items. */
  readonly values: number;
  /** Its bytes in the file. */
  readonly start: number;
  readonly length: number;
}

const TRAILER = 8;
const MAGIC = 'PAR1';

/** parquet.thrift, FileMetaData: what the file's end says of it. */
export function readFooter(bytes: Uint8Array): Footer {
  const ending = String.fromCharCode(...bytes.subarray(-4));
  if (ending === 'PARE') throw unsupported('encrypted columns');
  if (ending !== MAGIC || bytes.length < TRAILER + 4) {
    throw new ParquetProblem('is no Parquet file, or its end is missing', 'Fetch or write it again');
  }
  const length = new ByteReader(bytes.subarray(-TRAILER)).uint32();
  if (length > bytes.length - TRAILER) throw damaged('its footer is longer than the file');
  const footer = bytes.subarray(bytes.length - TRAILER - length, bytes.length - TRAILER);
  const file = readThrift(new ByteReader(footer));
  const columns = readSchema(file.structs(2));
  const rowGroups = file.structs(4).map((group) => ({
    rows: group.size(3),
    chunks: group.structs(1).map((chunk) => readChunk(chunk, bytes.length)),
  }));
  const metadata = new Map(file.structs(5).map((entry) => [entry.text(1) ?? '', entry.text(2) ?? '']));
  return { columns, rowGroups, metadata };
}

function readChunk(chunk: ThriftStruct, fileLength: number): ColumnChunk {
  if (chunk.has(1)) throw unsupported('columns in other files');
  const column = chunk.struct(3);
  const dataStart = column.size(9);
  const dictionaryStart = column.optionalInt(11) ?? 0;
  // Some writers put 0 where there is no dictionary.
  const start = dictionaryStart > 0 && dictionaryStart < dataStart ? dictionaryStart : dataStart;
  const length = column.size(7);
  if (start + length > fileLength) throw damaged('a column ends behind the end of the file');
  return { codec: column.int(4), values: column.size(5), start, length };
}
