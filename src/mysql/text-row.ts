import type { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import { cellWidth, maxDecimal128Precision, maxDecimal64Precision } from '../event/column-type.ts';
import type { ColumnType } from '../event/column-type.ts';
import { stateBytes } from '../event/change-batch.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';
import { tableName } from '../event/table-schema.ts';
import { writeDate, writeDatetime, writeTime, writeTimestamp } from './text-temporal.ts';
import { writeDecimal128, writeDecimal64, writeDecimalText, writeInteger, writeInteger64 } from './text-number.ts';

/** How a column's text becomes its cell; numbers, because the row loop switches on them. */
const reading = {
  int8: 0,
  int16: 1,
  int32: 2,
  int64: 3,
  bit: 4,
  float: 5,
  double: 6,
  decimal64: 7,
  decimal128: 8,
  decimalText: 9,
  year: 10,
  date: 11,
  time: 12,
  datetime: 13,
  timestamp: 14,
  bytes: 15,
} as const;

/** A NULL in a row packet, in place of a length. */
const nullMark = 0xfb;
/** Up to here a loop is cheaper than the call of a native copy. */
const loopCopyBytes = 32;

/**
 * Turns rows of the text protocol into row images (see `ChangeBatch`), bytes to bytes. The SELECT list has to be
 * `selectList(schema)`, the session as `prepareSession` makes it.
 */
export class TextRowReader {
  readonly schema: TableSchema;
  readonly #readings: Uint8Array;
  readonly #scales: Uint8Array;
  readonly #maxGrowth: number;

  constructor(schema: TableSchema) {
    this.schema = schema;
    this.#readings = Uint8Array.from(schema.columns, ({ type }) => readingOf(type));
    this.#scales = Uint8Array.from(schema.columns, ({ type }) => (type.kind === 'decimal' ? type.scale : 0));
    // A cell is never longer than its text and the widest fixed cell or length together.
    this.#maxGrowth = stateBytes(schema.columns.length) + schema.columns.length * 17;
  }

  /**
   * Appends the row image of the packet `bytes[start, end)`.
   * @throws SCHEMA_MISMATCH when the packet does not hold a row of this schema
   */
  append(bytes: Buffer, start: number, end: number, writer: ByteWriter): void {
    writer.reserve(this.#maxGrowth + end - start);
    const out = writer.bytes;
    const readings = this.#readings;
    const columns = readings.length;
    const stateAt = writer.length;
    const states = stateBytes(columns);
    out.fill(0, stateAt, stateAt + states);
    let to = stateAt + states;
    let at = start;
    for (let column = 0; column < columns; column++) {
      let length = bytes[at++] ?? nullMark;
      if (length === nullMark) {
        const state = stateAt + (column >> 2);
        out[state] = (out[state] ?? 0) | (1 << ((column & 3) << 1));
        continue;
      }
      if (length > nullMark) {
        const width = length === 0xfc ? 2 : length === 0xfd ? 3 : 8;
        length = bytes.readUIntLE(at, Math.min(width, 6));
        at += width;
      }
      const stop = at + length;
      if (stop > end) throw this.#mismatch(column, 'the row ends inside of it');
      let next: number;
      switch (readings[column]) {
        case reading.int32:
          next = writeInteger(bytes, at, stop, out, to, 4);
          break;
        case reading.bytes:
          next = writeBytes(bytes, at, stop, out, to);
          break;
        case reading.int64:
          next = writeInteger64(bytes, at, stop, out, to);
          break;
        case reading.decimal64:
          next = writeDecimal64(bytes, at, stop, out, to, this.#scales[column] ?? 0);
          break;
        case reading.datetime:
          next = writeDatetime(bytes, at, stop, out, to);
          break;
        case reading.timestamp:
          next = writeTimestamp(bytes, at, stop, out, to);
          break;
        case reading.double:
          writer.view.setFloat64(to, readDouble(bytes, at, stop), true);
          next = to + 8;
          break;
        case reading.float:
          writer.view.setFloat32(to, readDouble(bytes, at, stop), true);
          next = to + 4;
          break;
        case reading.int8:
          next = writeInteger(bytes, at, stop, out, to, 1);
          break;
        case reading.int16:
          next = writeInteger(bytes, at, stop, out, to, 2);
          break;
        case reading.bit:
          next = writeBit(bytes, at, stop, out, to);
          break;
        case reading.decimal128:
          next = writeDecimal128(bytes, at, stop, out, to, this.#scales[column] ?? 0);
          break;
        case reading.decimalText:
          next = writeDecimalText(bytes, at, stop, out, to, this.#scales[column] ?? 0);
          break;
        case reading.year:
          next = writeYear(bytes, at, stop, out, to);
          break;
        case reading.date:
          next = writeDate(bytes, at, stop, out, to);
          break;
        case reading.time:
          next = writeTime(bytes, at, stop, out, to);
          break;
        default:
          throw this.#mismatch(column, 'it has no reader');
      }
      if (next < 0) throw this.#mismatch(column, `its text is "${bytes.toString('latin1', at, Math.min(stop, at + 60))}"`);
      to = next;
      at = stop;
    }
    if (at !== end) throw this.#mismatch(columns - 1, 'the row goes on after it');
    writer.length = to;
  }

  #mismatch(column: number, why: string): MillraceError {
    const { name, type } = this.schema.columns[column] ?? { name: '?', type: { kind: 'text' } };
    return new MillraceError('SCHEMA_MISMATCH', `${tableName(this.schema)}: column ${name} (${type.kind}) cannot be read: ${why}`);
  }
}

function readingOf(type: ColumnType): number {
  switch (type.kind) {
    case 'int':
      return (
        [reading.int8, reading.int16, reading.int32, reading.int32, reading.int64][[1, 2, 4, 4, 8].indexOf(cellWidth(type))] ??
        reading.int64
      );
    case 'bit':
      return reading.bit;
    case 'float':
      return reading.float;
    case 'double':
      return reading.double;
    case 'decimal':
      if (type.precision <= maxDecimal64Precision) return reading.decimal64;
      return type.precision <= maxDecimal128Precision ? reading.decimal128 : reading.decimalText;
    case 'year':
      return reading.year;
    case 'date':
      return reading.date;
    case 'time':
      return reading.time;
    case 'datetime':
      return reading.datetime;
    case 'timestamp':
      return reading.timestamp;
    case 'text':
    case 'enum':
    case 'set':
    case 'json':
    case 'binary':
    case 'geometry':
    case 'vector':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return reading.bytes;
  }
}

/** The columns of a SELECT whose text loses nothing, positional as `schema.columns`. */
export function selectList(columns: readonly Column[]): string {
  return columns.map(selectExpression).join(', ');
}

/**
 * A FLOAT's own text has six digits, and FLOAT(M,D) and DOUBLE(M,D) print D decimals only; as an expression of type DOUBLE
 * without declared decimals they print the shortest text that reads back to the same number. Times one, not plus
 * zero, which would lose the sign of -0.
 */
function selectExpression({ name, type, scale }: Column): string {
  const quoted = quoteName(name);
  if (type.kind === 'float' || (type.kind === 'double' && scale !== undefined)) return `${quoted} * 1e0`;
  return quoted;
}

/** A name between backticks. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

function writeBytes(bytes: Buffer, from: number, stop: number, out: Uint8Array, to: number): number {
  const length = stop - from;
  let at = to;
  let rest = length;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  if (length <= loopCopyBytes) for (let i = from; i < stop; i++) out[at++] = bytes[i] ?? 0;
  else {
    bytes.copy(out, at, from, stop);
    at += length;
  }
  return at;
}

/** BIT comes as its bytes, the highest first. */
function writeBit(bytes: Buffer, from: number, stop: number, out: Uint8Array, to: number): number {
  if (stop - from > 8) return -1;
  for (let i = 0; i < 8; i++) {
    const at = stop - 1 - i;
    out[to + i] = at < from ? 0 : (bytes[at] ?? 0);
  }
  return to + 8;
}

function writeYear(bytes: Buffer, from: number, stop: number, out: Uint8Array, to: number): number {
  const next = writeInteger(bytes, from, stop, out, to, 2);
  if (next < 0 || stop - from !== 2) return next;
  // MariaDB's YEAR(2): 70 to 99 are of the last century.
  const short = out[to] ?? 0;
  const year = short + (short >= 70 ? 1900 : 2000);
  out[to] = year;
  out[to + 1] = year >>> 8;
  return next;
}

/** Powers of ten that are exact as a double, and the greatest number of digits that is. */
const exactPowers = Array.from({ length: 23 }, (_, i) => 10 ** i);
const exactDigits = 15;

/** The double nearest to the text. Up to 15 digits it is one exact division or product, beyond that V8's parser decides. */
function readDouble(bytes: Buffer, from: number, stop: number): number {
  let at = from;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  let digits = 0;
  let fraction = 0;
  let value = 0;
  let seenPoint = false;
  for (; at < stop; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
      if (seenPoint) fraction++;
    } else if (digit === -2 && !seenPoint) seenPoint = true;
    else break;
  }
  if (at !== stop || digits > exactDigits) return Number(bytes.toString('latin1', from, stop));
  if (fraction > 0) value /= exactPowers[fraction] ?? 1;
  return negative ? -value : value;
}
