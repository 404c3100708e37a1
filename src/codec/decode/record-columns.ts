import { ByteWriter } from '../../base/byte-writer.ts';
import { MillraceError } from '../../base/errors.ts';
import { readImage } from '../../event/cell.ts';
import type { ColumnType } from '../../event/column-type.ts';
import { createTableSchema, type Column, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { compileCell } from './decode-cell.ts';
import { JsonReader } from './json-reader.ts';
import { describedColumnType } from './native-type.ts';
import type { RecordSchema } from './record-schema.ts';
import type { SourceModes, TemporalUnit, ValueForm } from './value-form.ts';

/*
 * What the schemas in records say of a table: names, NOT NULL, the key, and of each column the semantic type. It is less than
 * the table's definition: a VARCHAR(10) is a text, an unsigned INT a 64-bit integer.
 */

const units: Readonly<Record<string, TemporalUnit>> = {
  'io.debezium.time.Date': 'day',
  'org.apache.kafka.connect.data.Date': 'day',
  'io.debezium.time.Time': 'milli',
  'org.apache.kafka.connect.data.Time': 'milli',
  'io.debezium.time.MicroTime': 'micro',
  'io.debezium.time.NanoTime': 'nano',
  'io.debezium.time.Timestamp': 'milli',
  'org.apache.kafka.connect.data.Timestamp': 'milli',
  'io.debezium.time.MicroTimestamp': 'micro',
  'io.debezium.time.NanoTimestamp': 'nano',
};

/** How the values of a column stand in records with this schema of the field; without one, by the modes of their writer. */
export function valueFormOf(type: ColumnType, field: RecordSchema | undefined, modes: SourceModes): ValueForm {
  if (field === undefined) return formByModes(type, modes);
  const scale = field.parameters.get('scale');
  return {
    unit: units[field.name ?? ''] ?? 'milli',
    binary: field.type === 'string' && type.kind === 'binary' ? binaryText(field.field, modes) : 'base64',
    spaced: modes.denseJson && type.kind === 'json',
    number: field.type === 'bytes' ? 'bytes' : 'text',
    ...(scale === undefined ? {} : { scale: Number(scale) }),
  };
}

function binaryText(field: string, { binary }: SourceModes): ValueForm['binary'] {
  // the source was to write bytes, and took the column for a text
  if (binary === 'bytes') return 'utf8';
  if (binary === undefined) {
    throw new MillraceError('CONVERSION_FAILED', `column ${field} holds binary values that the records have as text`, {
      nextStep: 'Set binary.handling.mode in the sink as the source had it: bytes, hex, base64 or base64-url-safe.',
    });
  }
  return binary === 'base64-url-safe' ? 'base64url' : binary;
}

function formByModes(type: ColumnType, modes: SourceModes): ValueForm {
  const { time, binary, decimal } = modes;
  const adaptive = time === 'adaptive_time_microseconds' || time === 'adaptive';
  let unit: TemporalUnit = time === 'connect' ? 'milli' : time === 'nanoseconds' ? 'nano' : 'micro';
  if (type.kind === 'date') unit = 'day';
  else if (type.kind === 'datetime' && adaptive && type.fsp <= 3) unit = 'milli';
  else if (type.kind === 'time' && time === 'adaptive' && type.fsp <= 3) unit = 'milli';
  return {
    unit,
    spaced: modes.denseJson && type.kind === 'json',
    binary: binary === 'bytes' || binary === undefined ? 'base64' : binary === 'base64-url-safe' ? 'base64url' : binary,
    number: type.kind === 'decimal' && decimal !== 'precise' ? 'text' : 'bytes',
  };
}

/** The table that the row's and the key's schema describe. Members of the key that the row lacks come first. */
export function tableOfSchemas(
  id: TableId,
  { row, key, skip }: { readonly row: RecordSchema; readonly key: RecordSchema | undefined; readonly skip: (name: string) => boolean },
): TableSchema {
  const fields = row.fields.filter(({ field }) => !skip(field));
  const keyFields = keyFieldsOf(key);
  const extra = keyFields.filter(({ field }) => !fields.some((each) => each.field === field));
  const columns = [...extra, ...fields].map(columnOfField);
  const primaryKey = keyFields.map(({ field }) => columns.findIndex(({ name }) => name === field));
  return createTableSchema({ ...id, columns, primaryKey });
}

/** Name of the column that holds a key which is no struct. */
export const scalarKeyName = '__key';

export function keyFieldsOf(key: RecordSchema | undefined): readonly RecordSchema[] {
  if (key === undefined) return [];
  return key.type === 'struct' ? key.fields : [{ ...key, field: scalarKeyName }];
}

function columnOfField(field: RecordSchema): Column {
  const described = describedByParameters(field);
  const { type, nativeType } = described ?? typeOfField(field);
  const column = { name: field.field, type, nullable: field.optional, nativeType };
  if (field.defaultJson === undefined) return column;
  return { ...column, defaultText: literalOf(column, field) };
}

/** `column.propagate.source.type` and `datatype.propagate.source.type` leave the source's own type in the schema. */
function describedByParameters(field: RecordSchema): Pick<Column, 'type' | 'nativeType'> | undefined {
  const { parameters } = field;
  const typeName = parameters.get('__debezium.source.column.type');
  if (typeName === undefined) return undefined;
  const number = (name: string): number | undefined => {
    const text = parameters.get(`__debezium.source.column.${name}`);
    return text === undefined ? undefined : Number(text);
  };
  const type = describedColumnType({ typeName, length: number('length'), scale: number('scale'), labels: labelsOf(field) });
  return type === undefined ? undefined : { type, nativeType: typeName };
}

/** `a,b\,c`: commas and backslashes of labels are escaped. */
function labelsOf({ parameters }: RecordSchema): readonly string[] {
  const allowed = parameters.get('allowed');
  if (allowed === undefined) return [];
  return [...`${allowed},`.matchAll(/((?:[^,\\]|\\.)*),/g)].map(([, label = '']) => label.replaceAll(/\\(.)/g, '$1'));
}

function typeOfField(field: RecordSchema): Pick<Column, 'type' | 'nativeType'> {
  const { parameters } = field;
  switch (field.name) {
    case 'io.debezium.time.Date':
    case 'io.debezium.time.IsoDate':
    case 'org.apache.kafka.connect.data.Date':
      return { type: { kind: 'date' }, nativeType: 'DATE' };
    case 'io.debezium.time.Time':
    case 'org.apache.kafka.connect.data.Time':
      return { type: { kind: 'time', fsp: 3 }, nativeType: 'TIME' };
    case 'io.debezium.time.MicroTime':
    case 'io.debezium.time.NanoTime':
    case 'io.debezium.time.IsoTime':
    case 'io.debezium.time.ZonedTime':
      return { type: { kind: 'time', fsp: 6 }, nativeType: 'TIME' };
    case 'io.debezium.time.Timestamp':
    case 'org.apache.kafka.connect.data.Timestamp':
      return { type: { kind: 'datetime', fsp: 3 }, nativeType: 'DATETIME' };
    case 'io.debezium.time.MicroTimestamp':
    case 'io.debezium.time.NanoTimestamp':
    case 'io.debezium.time.IsoTimestamp':
      return { type: { kind: 'datetime', fsp: 6 }, nativeType: 'DATETIME' };
    case 'io.debezium.time.ZonedTimestamp':
      return { type: { kind: 'timestamp', fsp: 6 }, nativeType: 'TIMESTAMP' };
    case 'io.debezium.time.Year':
      return { type: { kind: 'year' }, nativeType: 'YEAR' };
    case 'org.apache.kafka.connect.data.Decimal': {
      const scale = Number(parameters.get('scale') ?? 0);
      const precision = Number(parameters.get('connect.decimal.precision') ?? 38);
      return { type: { kind: 'decimal', precision: Math.max(precision, scale), scale, unsigned: false }, nativeType: 'DECIMAL' };
    }
    case 'io.debezium.data.Bits':
      return { type: { kind: 'bit', length: Number(parameters.get('length') ?? 64) }, nativeType: 'BIT' };
    case 'io.debezium.data.Json':
      return { type: { kind: 'json' }, nativeType: 'JSON' };
    case 'io.debezium.data.Enum':
      return { type: { kind: 'enum', labels: labelsOf(field) }, nativeType: 'ENUM' };
    case 'io.debezium.data.EnumSet':
      return { type: { kind: 'set', labels: labelsOf(field) }, nativeType: 'SET' };
    case 'io.debezium.data.Uuid':
      return { type: { kind: 'uuid' }, nativeType: 'UUID' };
    case 'io.debezium.data.geometry.Point':
    case 'io.debezium.data.geometry.Geometry':
    case 'io.debezium.data.geometry.Geography':
      return { type: { kind: 'geometry' }, nativeType: 'GEOMETRY' };
    case 'io.debezium.data.FloatVector':
      return { type: { kind: 'vector' }, nativeType: 'VECTOR' };
    default:
      return plainType(field.type);
  }
}

function plainType(type: string): Pick<Column, 'type' | 'nativeType'> {
  switch (type) {
    case 'int8':
      return { type: { kind: 'int', bits: 8, unsigned: false }, nativeType: 'TINYINT' };
    case 'int16':
      return { type: { kind: 'int', bits: 16, unsigned: false }, nativeType: 'SMALLINT' };
    case 'int32':
      return { type: { kind: 'int', bits: 32, unsigned: false }, nativeType: 'INT' };
    case 'int64':
      return { type: { kind: 'int', bits: 64, unsigned: false }, nativeType: 'BIGINT' };
    case 'float':
      return { type: { kind: 'float', unsigned: false }, nativeType: 'FLOAT' };
    case 'double':
      return { type: { kind: 'double', unsigned: false }, nativeType: 'DOUBLE' };
    case 'boolean':
      return { type: { kind: 'bit', length: 1 }, nativeType: 'BIT' };
    case 'bytes':
      return { type: { kind: 'binary' }, nativeType: 'LONGBLOB' };
    case 'struct':
    case 'array':
    case 'map':
      return { type: { kind: 'json' }, nativeType: 'JSON' };
    default:
      return { type: { kind: 'text' }, nativeType: 'LONGTEXT' };
  }
}

/** The default of a field as the server's literal: what existing rows have in a column that is added. */
function literalOf(column: Column, field: RecordSchema): string | null {
  const writer = new ByteWriter(64);
  const schema = createTableSchema({ database: '', table: '', columns: [column], primaryKey: [] });
  writer.uint8(0);
  try {
    const form = valueFormOf(column.type, field, {
      time: 'connect',
      decimal: 'precise',
      binary: 'base64',
      denseJson: false,
      unavailable: '',
    });
    compileCell(column.type, form)(new JsonReader(Buffer.from(field.defaultJson ?? 'null', 'utf8')), writer);
  } catch {
    return null;
  }
  const [value] = readImage(schema, writer.bytes, 0, writer.length);
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  return column.type.kind === 'bit' ? `b'${value.toString(2)}'` : String(value);
}
