import type { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import { cellState, stateBytes } from './change-batch.ts';
import { cellWidth, maxDecimal128Precision, maxDecimal64Precision, type ColumnType } from './column-type.ts';
import { dateText, packDate, timeOfDayMicros, timeText, utcText } from './temporal-text.ts';
import type { TableSchema } from './table-schema.ts';
import type { Value } from './value.ts';

/**
 * Row images as plain JavaScript values and back: the slow, exact reading of the layout that `column-type.ts` and
 * `change-batch.ts` describe, for edges and tests. Hot paths read the bytes themselves.
 *
 * Temporal text is what MySQL prints: date `2021-00-10`, time `-838:59:59.000000`, datetime and timestamp (in UTC)
 * `2021-03-04 05:06:07.123`, each with `fsp` fraction digits.
 */

/** A place in bytes that moves on as cells are read. */
export interface CellCursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  readonly end: number;
}

export function openCells(bytes: Uint8Array, start: number, end: number): CellCursor {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: start, end };
}

/** LEB128, as `ByteWriter.varint` writes it. @throws TRUNCATED */
export function readVarint(cursor: CellCursor): number {
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = cursor.at < cursor.end ? cursor.bytes[cursor.at++] : undefined;
    if (byte === undefined) throw truncated();
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 128;
  }
}

/** Reads the length of a cell that has one of its own; returns where the cell ends, the cursor is at its first byte. @throws TRUNCATED */
export function openVar(cursor: CellCursor): number {
  const length = readVarint(cursor);
  const end = cursor.at + length;
  if (end > cursor.end) throw truncated();
  return end;
}

/** State of column `column` in the row image that starts at `start`; see `cellState`. */
function stateOf(bytes: Uint8Array, start: number, column: number): number {
  return ((bytes[start + (column >> 2)] ?? 0) >> ((column & 3) * 2)) & 3;
}

/**
 * The values of the row image `bytes[start, end)`, positional as `schema.columns`. A partial JSON update reads as
 * `undefined`, as a column that is not in the image does. Binary values are views of `bytes`.
 * @throws TRUNCATED when the image's end is not where its last cell ends
 */
export function readImage(schema: TableSchema, bytes: Uint8Array, start: number, end: number): Value[] {
  const cursor = openCells(bytes, start + stateBytes(schema.columns.length), end);
  if (cursor.at > end) throw truncated();
  const values: Value[] = [];
  for (const [index, column] of schema.columns.entries()) {
    const state = stateOf(bytes, start, index);
    if (state === cellState.value) values.push(readCell(column.type, cursor));
    else if (state === cellState.null) values.push(null);
    else {
      if (state === cellState.diff) readVar(cursor);
      values.push(undefined);
    }
  }
  if (cursor.at !== end) throw truncated();
  return values;
}

/** Reads one cell, and moves the cursor behind it. @throws TRUNCATED */
function readCell(type: ColumnType, cursor: CellCursor): Exclude<Value, null | undefined> {
  const width = cellWidth(type);
  if (width === 0) {
    const bytes = readVar(cursor);
    return isBytes(type) ? bytes : utf8(bytes);
  }
  const { view, at } = cursor;
  if (at + width > cursor.end) throw truncated();
  cursor.at += width;
  return readFixed(type, view, at);
}

function readFixed(type: ColumnType, view: DataView, at: number): number | bigint | string {
  switch (type.kind) {
    case 'int':
      if (type.bits === 64) return type.unsigned ? view.getBigUint64(at, true) : view.getBigInt64(at, true);
      if (type.bits === 8) return type.unsigned ? view.getUint8(at) : view.getInt8(at);
      if (type.bits === 16) return type.unsigned ? view.getUint16(at, true) : view.getInt16(at, true);
      return type.unsigned ? view.getUint32(at, true) : view.getInt32(at, true);
    case 'bit':
      return view.getBigUint64(at, true);
    case 'float':
      return view.getFloat32(at, true);
    case 'double':
      return view.getFloat64(at, true);
    case 'year':
      return view.getUint16(at, true);
    case 'decimal':
      return decimalText(readUnscaled(type.precision, view, at), type.scale);
    case 'date':
      return dateText(view.getUint32(at, true));
    case 'time':
      return timeText(view.getBigInt64(at, true), type.fsp);
    case 'datetime': {
      const micros = BigInt(view.getUint32(at + 4, true)) * 1_000_000n + BigInt(view.getUint32(at + 8, true));
      return `${dateText(view.getUint32(at, true))} ${timeText(micros, type.fsp)}`;
    }
    case 'timestamp':
      return utcText(view.getBigInt64(at, true), type.fsp);
    default:
      throw new MillraceError('INTERNAL', `${type.kind} cells have no fixed width`);
  }
}

/**
 * Appends the row image of `values`, positional as `schema.columns`: the inverse of `readImage`. `null` is SQL NULL,
 * `undefined` a column that is not in the image.
 * @throws SCHEMA_MISMATCH when a value is not of its column's form
 */
export function writeImage(schema: TableSchema, values: readonly Value[], writer: ByteWriter): void {
  const count = schema.columns.length;
  if (values.length !== count) throw mismatch(`${values.length} values for ${count} columns`);
  const stateAt = writer.length;
  const states = stateBytes(count);
  writer.reserve(states);
  writer.bytes.fill(0, stateAt, stateAt + states);
  writer.length += states;
  for (const [index, column] of schema.columns.entries()) {
    const value = values[index];
    if (value === null || value === undefined) {
      const state = value === null ? cellState.null : cellState.absent;
      const byte = stateAt + (index >> 2);
      writer.bytes[byte] = (writer.bytes[byte] ?? 0) | (state << ((index & 3) * 2));
    } else {
      writeCell(column.type, value, writer);
    }
  }
}

/** Appends one cell: the inverse of `readCell`. @throws SCHEMA_MISMATCH when the value is not of the type's form */
export function writeCell(type: ColumnType, value: Exclude<Value, null | undefined>, writer: ByteWriter): void {
  const width = cellWidth(type);
  if (width === 0) {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(text(value), 'utf8');
    if (isBytes(type) !== value instanceof Uint8Array) throw mismatch(`${typeof value} for ${type.kind}`);
    writer.varint(bytes.length);
    writer.raw(bytes, 0, bytes.length);
    return;
  }
  writer.reserve(width);
  writeFixed(type, value, writer.view, writer.length);
  writer.length += width;
}

function writeFixed(type: ColumnType, value: Exclude<Value, null | undefined>, view: DataView, at: number): void {
  switch (type.kind) {
    case 'int':
      if (type.bits === 64) view.setBigUint64(at, BigInt.asUintN(64, big(value)), true);
      else if (type.bits === 8) view.setUint8(at, number(value));
      else if (type.bits === 16) view.setUint16(at, number(value), true);
      else view.setUint32(at, number(value), true);
      return;
    case 'bit':
      view.setBigUint64(at, big(value), true);
      return;
    case 'float':
      view.setFloat32(at, number(value), true);
      return;
    case 'double':
      view.setFloat64(at, number(value), true);
      return;
    case 'year':
      view.setUint16(at, number(value), true);
      return;
    case 'decimal': {
      const unscaled = unscaledOf(text(value), type.scale);
      view.setBigUint64(at, BigInt.asUintN(64, unscaled), true);
      if (type.precision > maxDecimal64Precision) view.setBigInt64(at + 8, unscaled >> 64n, true);
      return;
    }
    case 'date':
      view.setUint32(at, packDate(text(value)), true);
      return;
    case 'time':
      view.setBigInt64(at, timeOfDayMicros(text(value)), true);
      return;
    case 'datetime': {
      const [date = '', time = ''] = text(value).split(' ');
      const micros = timeOfDayMicros(time);
      view.setUint32(at, packDate(date), true);
      view.setUint32(at + 4, Number(micros / 1_000_000n), true);
      view.setUint32(at + 8, Number(micros % 1_000_000n), true);
      return;
    }
    case 'timestamp': {
      const [date = '', time = ''] = text(value).split(' ');
      const packed = packDate(date);
      const day = Date.UTC(packed >>> 9, ((packed >>> 5) & 15) - 1, packed & 31);
      view.setBigInt64(at, packed === 0 ? 0n : BigInt(day) * 1000n + timeOfDayMicros(time), true);
      return;
    }
    default:
      throw new MillraceError('INTERNAL', `${type.kind} cells have no fixed width`);
  }
}

/** The unscaled value of a decimal cell of 8 or 16 bytes. */
export function readUnscaled(precision: number, view: DataView, at: number): bigint {
  if (precision <= maxDecimal64Precision) return view.getBigInt64(at, true);
  if (precision > maxDecimal128Precision) throw new MillraceError('INTERNAL', 'decimals over 38 digits are text');
  return (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true);
}

/** Plain decimal text with exactly `scale` fraction digits. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The inverse of `decimalText`; missing fraction digits count as zeros. @throws SCHEMA_MISMATCH */
export function unscaledOf(decimal: string, scale: number): bigint {
  const parts = /^(-?)(\d+)(?:\.(\d*))?$/.exec(decimal);
  const fraction = parts?.[3] ?? '';
  if (parts === null || fraction.length > scale) throw mismatch(`'${decimal}' for a decimal of scale ${scale}`);
  const unscaled = BigInt((parts[2] ?? '') + fraction.padEnd(scale, '0'));
  return parts[1] === '-' ? -unscaled : unscaled;
}

function readVar(cursor: CellCursor): Uint8Array {
  const end = openVar(cursor);
  const bytes = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return bytes;
}

function isBytes(type: ColumnType): boolean {
  return type.kind === 'binary' || type.kind === 'geometry' || type.kind === 'vector';
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function text(value: Value): string {
  if (typeof value !== 'string') throw mismatch(`${typeof value} where text is due`);
  return value;
}

function number(value: Value): number {
  if (typeof value !== 'number') throw mismatch(`${typeof value} where a number is due`);
  return value;
}

function big(value: Value): bigint {
  if (typeof value !== 'bigint') throw mismatch(`${typeof value} where a bigint is due`);
  return value;
}

function mismatch(what: string): MillraceError {
  return new MillraceError('SCHEMA_MISMATCH', `A value does not fit its column: ${what}`);
}

function truncated(): MillraceError {
  return new MillraceError('TRUNCATED', 'A row image ends in the middle of a cell, or after its last one');
}
