import type { ByteWriter } from '../base/byte-writer.ts';
import { openVar, type CellCursor } from '../event/cell.ts';
import type { Column } from '../event/table-schema.ts';
import { compatShape } from './compat-shape.ts';
import { decimalShape, unsignedBigintShape } from './decimal-field.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { javaDouble, javaFloat } from '../base/java-number.ts';
import {
  jsonString,
  writeAscii,
  writeBase64,
  writeBytes,
  writeCompactDocument,
  writeHex,
  writeInt64,
  writeInteger,
  writeText,
  utf8,
} from './json-writer.ts';
import { temporalShape } from './temporal-field.ts';

/** Writes the cell at the cursor as JSON, and moves the cursor behind it. */
export type WriteCell = (cell: CellCursor, out: ByteWriter) => void;

/** How a column looks in Debezium's records: its Connect schema and the text of its values. */
export interface FieldShape {
  /** Connect type as the JSON schema names it. */
  readonly type: string;
  /** `"fields":[…]` of a struct, `"items":{…}` of an array. */
  readonly inner?: string;
  readonly name?: string;
  readonly doc?: string;
  readonly parameters?: readonly (readonly [string, string])[];
  /** JSON text of the value that stands in a NOT NULL column for one that the type cannot hold. */
  readonly zero: string;
  /** Writer of streamed rows; `missing` is written for a value that the type cannot hold (a zero date). */
  writer(missing: Uint8Array): WriteCell;
  /** Writer of snapshot rows, where their text differs. */
  snapshotWriter?(missing: Uint8Array): WriteCell;
  /** Text for a column that is not in the row image; `null` if absent. */
  readonly unavailable?: string;
}

export function fieldShape(column: Column, options: DebeziumOptions): FieldShape {
  const shape = rightShape(column, options);
  return options.compat === undefined ? shape : compatShape(column, shape, options);
}

function rightShape(column: Column, options: DebeziumOptions): FieldShape {
  const { type } = column;
  const unavailable = jsonString(options.unavailable);
  const asWritten = column.written === undefined ? undefined : writtenShape(column, column.written.type, options);
  if (asWritten !== undefined) return asWritten;
  switch (type.kind) {
    case 'int':
      return intShape(type.bits, type.unsigned, options);
    case 'bit':
      return type.length === 1 ? { type: 'boolean', zero: 'false', writer: () => writeBoolean } : bitsShape(type.length);
    case 'float':
      // FLOAT(M,D) is a double, widened from the float
      if (column.scale !== undefined) return { type: 'double', zero: '0.0', writer: () => writeWidened };
      return { type: 'float', zero: '0.0', writer: () => writeFloat };
    case 'double':
      return { type: 'double', zero: '0.0', writer: () => writeDouble };
    case 'decimal':
      return decimalShape(type, options);
    case 'year':
    case 'date':
    case 'time':
    case 'datetime':
    case 'timestamp':
      return temporalShape(type, options);
    case 'text':
    case 'inet4':
    case 'inet6':
      return { type: 'string', zero: '""', writer: () => writeString, unavailable };
    case 'uuid':
      return { type: 'string', name: 'io.debezium.data.Uuid', zero: '""', writer: () => writeString, unavailable };
    case 'enum':
    case 'set':
      return {
        type: 'string',
        name: type.kind === 'enum' ? 'io.debezium.data.Enum' : 'io.debezium.data.EnumSet',
        parameters: [['allowed', type.labels.map((label) => label.replaceAll(/[\\,]/g, String.raw`\$&`)).join(',')]],
        zero: '""',
        writer: () => writeString,
      };
    case 'json':
      return {
        type: 'string',
        name: 'io.debezium.data.Json',
        zero: '"{}"',
        writer: () => writeDocument,
        snapshotWriter: () => writeString,
        unavailable,
      };
    case 'binary':
      return binaryShape(options);
    case 'geometry':
      return column.nativeType === 'POINT' ? pointShape : geometryShape;
    case 'vector':
      return {
        type: 'array',
        inner: '"items":{"type":"float","optional":false}',
        name: 'io.debezium.data.FloatVector',
        zero: '[]',
        writer: () => writeVector,
      };
  }
}

/** Where the words of a streamed statement make another schema than the server's own name of the type. */
function writtenShape({ type }: Column, written: string, options: DebeziumOptions): FieldShape | undefined {
  switch (type.kind) {
    case 'int':
      if (written.startsWith('BOOL')) return { type: 'boolean', zero: 'false', writer: () => writeTinyBoolean };
      if (options.connector === 'mariadb' && written.startsWith('INTEGER UNSIGNED')) return intShape(32, false, options);
      return undefined;
    case 'float':
      return written.startsWith('FLOAT4') ? { type: 'double', zero: '0.0', writer: () => writeWidened } : undefined;
    case 'double':
      return written.startsWith('REAL') ? { type: 'float', zero: '0.0', writer: () => writeNarrowed } : undefined;
    case 'binary':
      if (!/^(?:CHAR|VARCHAR|CHARACTER)/.test(written)) return undefined;
      return { type: 'string', zero: '""', writer: () => writeBytesAsText };
    case 'text':
      if (written !== 'JSON') return undefined;
      return {
        type: 'string',
        name: 'io.debezium.data.Json',
        zero: '"{}"',
        writer: () => writeString,
        unavailable: jsonString(options.unavailable),
      };
    default:
      return undefined;
  }
}

function intShape(bits: number, unsigned: boolean, options: DebeziumOptions): FieldShape {
  if (bits === 64) {
    if (unsigned && options.bigintUnsignedMode === 'precise') return unsignedBigintShape(options);
    return { type: 'int64', zero: '0', writer: () => writeBigint };
  }
  const type = bits === 8 || (bits === 16 && !unsigned) ? 'int16' : bits === 32 && unsigned ? 'int64' : 'int32';
  return { type, zero: '0', writer: () => intWriter(bits, unsigned) };
}

function intWriter(bits: number, unsigned: boolean): WriteCell {
  if (bits === 8) {
    return (cell, out) => {
      writeInteger(out, unsigned ? cell.view.getUint8(cell.at) : cell.view.getInt8(cell.at));
      cell.at += 1;
    };
  }
  if (bits === 16) {
    return (cell, out) => {
      writeInteger(out, unsigned ? cell.view.getUint16(cell.at, true) : cell.view.getInt16(cell.at, true));
      cell.at += 2;
    };
  }
  if (unsigned) {
    return (cell, out) => {
      writeInteger(out, cell.view.getUint32(cell.at, true));
      cell.at += 4;
    };
  }
  return (cell, out) => {
    writeInteger(out, cell.view.getInt32(cell.at, true));
    cell.at += 4;
  };
}

/** Unsigned ones too: Debezium's mode `long` lets them wrap. */
function writeBigint(cell: CellCursor, out: ByteWriter): void {
  writeInt64(out, cell.view.getInt32(cell.at + 4, true), cell.view.getUint32(cell.at, true));
  cell.at += 8;
}

const trueText = utf8('true');
const falseText = utf8('false');

function writeBoolean(cell: CellCursor, out: ByteWriter): void {
  writeBytes(out, cell.bytes[cell.at] === 0 ? falseText : trueText);
  cell.at += 8;
}

/** Bits are little-endian in Debezium as in the cell. */
function bitsShape(length: number): FieldShape {
  const size = Math.ceil(length / 8);
  return {
    type: 'bytes',
    name: 'io.debezium.data.Bits',
    parameters: [['length', String(length)]],
    zero: '""',
    writer: () => (cell, out) => {
      writeBase64(out, cell.bytes, cell.at, cell.at + size);
      cell.at += 8;
    },
  };
}

function writeFloat(cell: CellCursor, out: ByteWriter): void {
  writeAscii(out, javaFloat(cell.view.getFloat32(cell.at, true)));
  cell.at += 4;
}

function writeWidened(cell: CellCursor, out: ByteWriter): void {
  writeAscii(out, javaDouble(cell.view.getFloat32(cell.at, true)));
  cell.at += 4;
}

/** REAL: a float in the schema, whatever the server keeps. */
export function writeNarrowed(cell: CellCursor, out: ByteWriter): void {
  writeAscii(out, javaFloat(Math.fround(cell.view.getFloat64(cell.at, true))));
  cell.at += 8;
}

function writeTinyBoolean(cell: CellCursor, out: ByteWriter): void {
  writeBytes(out, cell.bytes[cell.at] === 0 ? falseText : trueText);
  cell.at += 1;
}

/** CHAR … BYTE: text, without the zeros that fill the column. */
function writeBytesAsText(cell: CellCursor, out: ByteWriter): void {
  const end = openVar(cell);
  let last = end;
  while (last > cell.at && cell.bytes[last - 1] === 0) last--;
  writeText(out, cell.bytes, cell.at, last);
  cell.at = end;
}

export function writeDouble(cell: CellCursor, out: ByteWriter): void {
  writeAscii(out, javaDouble(cell.view.getFloat64(cell.at, true)));
  cell.at += 8;
}

function writeString(cell: CellCursor, out: ByteWriter): void {
  const end = openVar(cell);
  writeText(out, cell.bytes, cell.at, end);
  cell.at = end;
}

function writeDocument(cell: CellCursor, out: ByteWriter): void {
  const end = openVar(cell);
  writeCompactDocument(out, cell.bytes, cell.at, end);
  cell.at = end;
}

function binaryShape(options: DebeziumOptions): FieldShape {
  const unavailable = jsonString(options.unavailable);
  switch (options.binaryMode) {
    case 'bytes': {
      const encoded = jsonString(Buffer.from(options.unavailable).toString('base64'));
      return { type: 'bytes', zero: '""', writer: () => base64Writer(false), unavailable: encoded };
    }
    case 'base64':
    case 'base64-url-safe':
      return {
        type: 'string',
        zero: '""',
        writer: () => base64Writer(options.binaryMode === 'base64-url-safe'),
        unavailable,
      };
    case 'hex':
      return { type: 'string', zero: '""', writer: () => writeHexCell, unavailable };
  }
}

function base64Writer(urlSafe: boolean): WriteCell {
  return (cell, out) => {
    const end = openVar(cell);
    writeBase64(out, cell.bytes, cell.at, end, urlSafe);
    cell.at = end;
  };
}

function writeHexCell(cell: CellCursor, out: ByteWriter): void {
  const end = openVar(cell);
  writeHex(out, cell.bytes, cell.at, end);
  cell.at = end;
}

function writeVector(cell: CellCursor, out: ByteWriter): void {
  const end = openVar(cell);
  let separator = '[';
  for (; cell.at + 4 <= end; cell.at += 4) {
    writeAscii(out, separator + javaFloat(cell.view.getFloat32(cell.at, true)));
    separator = ',';
  }
  writeAscii(out, separator === '[' ? '[]' : ']');
  cell.at = end;
}

const emptyCollection = 'AQcAAAAAAAAA';

const geometryShape: FieldShape = {
  type: 'struct',
  inner: '"fields":[{"type":"bytes","optional":false,"field":"wkb"},{"type":"int32","optional":true,"field":"srid"}]',
  name: 'io.debezium.data.geometry.Geometry',
  doc: 'Geometry',
  zero: `{"wkb":"${emptyCollection}","srid":null}`,
  writer: () => (cell, out) => {
    writeAscii(out, '{');
    writeWkb(cell, openVar(cell), out);
  },
};

const pointShape: FieldShape = {
  type: 'struct',
  inner:
    '"fields":[{"type":"double","optional":false,"field":"x"},{"type":"double","optional":false,"field":"y"},' +
    '{"type":"bytes","optional":true,"field":"wkb"},{"type":"int32","optional":true,"field":"srid"}]',
  name: 'io.debezium.data.geometry.Point',
  doc: 'Geometry (POINT)',
  zero: `{"x":0.0,"y":0.0,"wkb":"${emptyCollection}","srid":null}`,
  writer: () => (cell, out) => {
    const end = openVar(cell);
    // SRID (4), byte order (1), kind (4), x (8), y (8)
    const littleEndian = cell.bytes[cell.at + 4] === 1;
    const x = cell.at + 25 <= end ? cell.view.getFloat64(cell.at + 9, littleEndian) : 0;
    const y = cell.at + 25 <= end ? cell.view.getFloat64(cell.at + 17, littleEndian) : 0;
    writeAscii(out, `{"x":${javaDouble(x)},"y":${javaDouble(y)},`);
    writeWkb(cell, end, out);
  },
};

function writeWkb(cell: CellCursor, end: number, out: ByteWriter): void {
  const srid = cell.view.getUint32(cell.at, true);
  writeAscii(out, '"wkb":');
  writeBase64(out, cell.bytes, cell.at + 4, end);
  writeAscii(out, srid === 0 ? ',"srid":null}' : `,"srid":${srid | 0}}`);
  cell.at = end;
}
