import { inflateRawSync, inflateSync } from 'node:zlib';
import { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError, isMillraceError } from '../base/errors.ts';
import { binaryCollation, charsetOfCollation, decodeText } from './charsets.ts';
import { columnType } from './column-types.ts';
import { copyOf, textOf, uint32At } from './cursor.ts';
import { writeDecimal } from './decimal.ts';
import type { RowsEvent } from './events.ts';
import { fieldLength, lengthAt, stringPrefix } from './field-length.ts';
import { writeJsonText } from './json.ts';
import { readJsonDiffs } from './json-diff.ts';
import type { JsonDiff } from './json-diff.ts';
import type { OptionalMetadata } from './table-metadata.ts';
import { dateText, datetime2Text, oldDatetimeText, oldTimeText, oldTimestampText, time2Text, timestamp2Text } from './temporal.ts';

/**
 * A column's value, its form decided by the column's type:
 * undefined: not in the row image; null: NULL; number: integers to 32 bits, FLOAT, DOUBLE, YEAR; bigint: BIGINT, BIT;
 * string: DECIMAL, DATE, TIME, DATETIME, TIMESTAMP (UTC), JSON of MySQL (the server's text), character columns, and
 * ENUM and SET if their members are known (else number and bigint); Uint8Array: binary columns, GEOMETRY, VECTOR, and
 * character columns whose collation is not known; a list: what changed in a JSON column of a partial update.
 */
export type RowValue = null | undefined | number | bigint | string | Uint8Array | readonly JsonDiff[];

export interface RowChange {
  /** Positional, as the table's columns; of an insert undefined. */
  readonly before: readonly RowValue[] | undefined;
  /** Of a delete undefined. */
  readonly after: readonly RowValue[] | undefined;
}

/** What the server did not write into TABLE_MAP and the caller knows, from information_schema for example. */
export type ColumnHints = Partial<Pick<OptionalMetadata, 'unsigned' | 'collations' | 'members'>>;

/**
 * The rows of an event as values, for convenience: about 150,000 rows a second. Values are copies.
 *
 * @throws BINLOG_CORRUPT when an image does not fit its columns, BINLOG_UNSUPPORTED for a column type
 */
export function readRows(event: RowsEvent, hints: ColumnHints = {}): RowChange[] {
  const reader = new ImageReader(event, hints);
  const rows: RowChange[] = [];
  while (reader.at < event.end) {
    const before = event.presentBefore === undefined ? undefined : reader.read(event.presentBefore, false);
    const after = event.presentAfter === undefined ? undefined : reader.read(event.presentAfter, event.partial);
    rows.push({ before, after });
  }
  return rows;
}

/**
 * Reads row images, one after another.
 *
 *   1-9  partial updates only: options, length-encoded; 1: then a bit for each JSON column, set if it holds a diff
 *   n/8  bitmap, lowest bit first: which of the columns that are in the image are NULL
 *   …    the fields of the others
 *
 * Source: mysql-server, sql/rpl_record.cc, unpack_row; rows_event.h, Rows_event.
 */
class ImageReader {
  at: number;
  readonly #event: RowsEvent;
  readonly #hints: ColumnHints;
  readonly #text = new ByteWriter(256);

  constructor(event: RowsEvent, hints: ColumnHints) {
    this.#event = event;
    this.#hints = hints;
    this.at = event.start;
  }

  read(present: Uint8Array, partial: boolean): RowValue[] {
    const { bytes, table, end } = this.#event;
    const start = this.at;
    const diffs = partial ? this.#readDiffBits() : undefined;
    let presentCount = 0;
    for (let i = 0; i < table.columnCount; i++) presentCount += bitAt(present, 0, i);
    const nulls = this.at;
    this.at += (presentCount + 7) >> 3;
    const values: RowValue[] = [];
    let index = 0;
    for (let i = 0; i < table.columnCount; i++) {
      if (bitAt(present, 0, i) === 0) {
        values.push(undefined);
      } else if (bitAt(bytes, nulls, index++) === 1) {
        values.push(null);
      } else {
        const length = fieldLength(table.types[i] ?? 0, table.metadata[i] ?? 0, bytes, this.at);
        if (length > end - this.at) throw tooShort(this.#event);
        values.push(diffs?.has(i) === true ? this.#diffs(i) : this.#value(i, length));
        this.at += length;
      }
    }
    if (this.at > end || this.at === start) throw tooShort(this.#event);
    return values;
  }

  /** Which columns hold a diff instead of a value. The bits are there for the JSON columns only, of the whole table. */
  #readDiffBits(): Set<number> {
    const { bytes, table, end } = this.#event;
    const columns = new Set<number>();
    const options = bytes[this.at++] ?? 0;
    if (options > 1) throw new MillraceError('BINLOG_UNSUPPORTED', `value options ${options} of a partial update`);
    if (options === 0) return columns;
    let bit = 0;
    for (let i = 0; i < table.columnCount; i++) {
      if (table.types[i] !== columnType.json) continue;
      if (bitAt(bytes, this.at, bit++) === 1) columns.add(i);
    }
    this.at += (bit + 7) >> 3;
    if (this.at > end) throw tooShort(this.#event);
    return columns;
  }

  #diffs(column: number): readonly JsonDiff[] {
    const { bytes, table } = this.#event;
    const prefix = table.metadata[column] ?? 0;
    const start = this.at + prefix;
    return readJsonDiffs(bytes, start, start + lengthAt(bytes, this.at, prefix));
  }

  #value(column: number, length: number): RowValue {
    const { bytes, table } = this.#event;
    const { at } = this;
    const metadata = table.metadata[column] ?? 0;
    const unsigned = ((this.#hints.unsigned ?? table.unsigned)?.[column] ?? 0) === 1;
    switch (table.types[column]) {
      case columnType.tiny:
        return unsigned ? (bytes[at] ?? 0) : ((bytes[at] ?? 0) << 24) >> 24;
      case columnType.short:
        return unsigned ? lengthAt(bytes, at, 2) : (lengthAt(bytes, at, 2) << 16) >> 16;
      case columnType.int24:
        return unsigned ? lengthAt(bytes, at, 3) : (lengthAt(bytes, at, 3) << 8) >> 8;
      case columnType.long:
        return unsigned ? uint32At(bytes, at) : uint32At(bytes, at) | 0;
      case columnType.longlong: {
        const value = (BigInt(uint32At(bytes, at + 4)) << 32n) | BigInt(uint32At(bytes, at));
        return unsigned ? value : BigInt.asIntN(64, value);
      }
      case columnType.float:
        return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getFloat32(0, true);
      case columnType.double:
        return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true);
      case columnType.newdecimal:
        this.#text.clear();
        writeDecimal(bytes, at, { precision: metadata & 0xff, scale: metadata >> 8 }, this.#text);
        return textOf(this.#text.bytes, 0, this.#text.length);
      case columnType.year:
        return bytes[at] === 0 ? 0 : 1900 + (bytes[at] ?? 0);
      case columnType.date:
      case columnType.newdate:
        return dateText(bytes, at);
      case columnType.time2:
        return time2Text(bytes, at, metadata);
      case columnType.datetime2:
        return datetime2Text(bytes, at, metadata);
      case columnType.timestamp2:
        return timestamp2Text(bytes, at, metadata);
      case columnType.time:
        return oldTimeText(bytes, at);
      case columnType.datetime:
        return oldDatetimeText(bytes, at);
      case columnType.timestamp:
        return oldTimestampText(bytes, at);
      case columnType.bit:
        return bigEndian(bytes, at, length);
      case columnType.enum:
        return this.#enum(column, lengthAt(bytes, at, length));
      case columnType.set:
        return this.#set(column, length);
      case columnType.string:
        return this.#string(column, at + stringPrefix(metadata), at + length);
      case columnType.varchar:
        return this.#characters(column, bytes, at + stringPrefix(metadata), at + length);
      case columnType.varcharCompressed:
        return this.#compressed(column, at + stringPrefix(metadata), at + length);
      case columnType.blobCompressed:
        return this.#compressed(column, at + metadata, at + length);
      case columnType.json:
        this.#text.clear();
        writeJsonText(bytes, at + metadata, at + length, this.#text);
        return textOf(this.#text.bytes, 0, this.#text.length);
      case columnType.geometry:
      case columnType.vector:
        return copyOf(bytes, at + metadata, at + length);
      case columnType.null:
        return null;
      default: // all kinds of BLOB and TEXT
        return this.#characters(column, bytes, at + metadata, at + length);
    }
  }

  /** 0 is the empty string that stands for a wrong value. */
  #enum(column: number, ordinal: number): number | string {
    const names = (this.#hints.members ?? this.#event.table.members)?.[column];
    return names === undefined ? ordinal : ordinal === 0 ? '' : (names[ordinal - 1] ?? ordinal);
  }

  #set(column: number, size: number): bigint | string {
    const { bytes } = this.#event;
    let bits = 0n;
    for (let i = size - 1; i >= 0; i--) bits = (bits << 8n) | BigInt(bytes[this.at + i] ?? 0);
    const names = (this.#hints.members ?? this.#event.table.members)?.[column];
    return names === undefined ? bits : names.filter((_, i) => ((bits >> BigInt(i)) & 1n) === 1n).join(',');
  }

  /** CHAR and BINARY come without the padding; BINARY gets its zeros back, CHAR is shown without as by the server. */
  #string(column: number, start: number, end: number): RowValue {
    const { bytes, table } = this.#event;
    if (this.#collation(column) !== binaryCollation) return this.#characters(column, bytes, start, end);
    const value = new Uint8Array(table.metadata[column] ?? 0);
    value.set(bytes.subarray(start, Math.min(end, start + value.length)));
    return value;
  }

  #characters(column: number, bytes: Uint8Array, start: number, end: number): RowValue {
    const collation = this.#collation(column);
    const charset = collation === binaryCollation || collation === 0 ? undefined : charsetOfCollation(collation);
    return (charset === undefined ? undefined : decodeText(bytes, start, end, charset)) ?? copyOf(bytes, start, end);
  }

  #collation(column: number): number {
    return (this.#hints.collations ?? this.#event.table.collations)?.[column] ?? 0;
  }

  /**
   * A value of a MariaDB COMPRESSED column: nothing if empty; else a byte: 0 and the value as it is, or 0x80, with 8 for a
   * stream without zlib header and the size of the length in the low three bits; then the length, big-endian, and the stream.
   * Source: MariaDB, sql/field_comp.cc.
   */
  #compressed(column: number, start: number, end: number): RowValue {
    const { bytes } = this.#event;
    const head = bytes[start] ?? 0;
    if (start === end || head === 0) return this.#characters(column, bytes, Math.min(start + 1, end), end);
    const size = head & 7;
    const length = Number(bigEndian(bytes, start + 1, size));
    if ((head & 0xf0) !== 0x80) throw new MillraceError('BINLOG_UNSUPPORTED', `a column compressed with method ${head >> 4}`);
    try {
      const packed = bytes.subarray(start + 1 + size, end);
      const options = { maxOutputLength: Math.max(1, length) };
      const value = (head & 8) !== 0 ? inflateRawSync(packed, options) : inflateSync(packed, options);
      return this.#characters(column, value, 0, value.length);
    } catch (error) {
      throw isMillraceError(error)
        ? error
        : new MillraceError('BINLOG_CORRUPT', 'a compressed column cannot be inflated', { cause: error });
    }
  }
}

function bitAt(bitmap: Uint8Array, start: number, bit: number): number {
  return ((bitmap[start + (bit >> 3)] ?? 0) >> (bit & 7)) & 1;
}

function bigEndian(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
}

function tooShort({ table, file, nextPosition }: RowsEvent): MillraceError {
  return new MillraceError(
    'BINLOG_CORRUPT',
    `a row of ${table.database}.${table.table} before ${file}:${nextPosition} does not fit its columns`,
  );
}
