import { ByteWriter } from '../base/byte-writer.ts';
import { stateBytes, cellState } from '../event/change-batch.ts';
import { cellWidth, maxDecimal128Precision } from '../event/column-type.ts';
import type { ColumnType } from '../event/column-type.ts';
import type { TableSchema } from '../event/table-schema.ts';
import { daysSinceEpoch } from './text-temporal.ts';

/**
 * The key of a table whose rows can be cut into ranges: every key column has a type that sorts the same here and on
 * the server, whatever the collation. A key is the canonical cells of its columns, one after the other.
 */
export interface KeyOrder {
  readonly schema: TableSchema;
  /** Positions in `schema.columns`, in key order. */
  readonly positions: readonly number[];
  readonly types: readonly ColumnType[];
}

/** A key as canonical cells. */
export type KeyBytes = Uint8Array;

/** Undefined: the table has no key, or one that only the server can compare (text, enum, float). */
export function keyOrderOf(schema: TableSchema): KeyOrder | undefined {
  const types: ColumnType[] = [];
  for (const position of schema.primaryKey) {
    const column = schema.columns[position];
    if (column === undefined || column.nullable || !isComparable(column.type)) return undefined;
    types.push(column.type);
  }
  return types.length === 0 ? undefined : { schema, positions: schema.primaryKey, types };
}

function isComparable(type: ColumnType): boolean {
  switch (type.kind) {
    case 'int':
    case 'date':
    case 'datetime':
    case 'timestamp':
    case 'binary':
      return true;
    case 'decimal':
      return type.precision <= maxDecimal128Precision;
    default:
      return false;
  }
}

/**
 * Copies key cells out of row images of one schema. Reusable; not for concurrent use.
 */
export class KeyReader {
  readonly order: KeyOrder;
  readonly #widths: Int32Array;
  /** Per key column, in key order: start and end in the image of the last read; -1: not in it. */
  readonly #spans: Int32Array;
  /** Per column: its place in the key, or -1. */
  readonly #places: Int32Array;
  /** Columns after this one are not looked at. */
  readonly #last: number;
  readonly #states: number;

  constructor(order: KeyOrder) {
    this.order = order;
    const { columns } = order.schema;
    this.#widths = Int32Array.from(columns, ({ type }) => cellWidth(type));
    this.#places = Int32Array.from(columns, (_column, c) => order.positions.indexOf(c));
    this.#spans = new Int32Array(2 * order.positions.length);
    this.#last = Math.max(...order.positions);
    this.#states = stateBytes(columns.length);
  }

  /**
   * The key in the row image that begins at `start`; a key column that is not in it is taken from the image at
   * `fallback` (the before image, under binlog_row_image=MINIMAL). Undefined when a column is in neither.
   */
  read(bytes: Uint8Array, start: number, fallback = -1): KeyBytes | undefined {
    const spans = this.#spans;
    spans.fill(-1);
    if (fallback >= 0) this.#locate(bytes, fallback);
    this.#locate(bytes, start);
    if (spans.includes(-1)) return undefined;
    if (spans.length === 2) return bytes.slice(spans[0], spans[1]);
    const writer = new ByteWriter(32);
    for (let i = 0; i < spans.length; i += 2) writer.raw(bytes, spans[i] ?? 0, spans[i + 1] ?? 0);
    return writer.toBytes();
  }

  #locate(bytes: Uint8Array, start: number): void {
    let at = start + this.#states;
    for (let c = 0; c <= this.#last; c++) {
      const state = ((bytes[start + (c >> 2)] ?? 0) >> ((c & 3) << 1)) & 3;
      if (state === cellState.null || state === cellState.absent) continue;
      const from = at;
      at = cellEndOf(this.#widths[c] ?? 0, bytes, at);
      const place = this.#places[c] ?? -1;
      if (place >= 0) {
        this.#spans[2 * place] = from;
        this.#spans[2 * place + 1] = at;
      }
    }
  }
}

/** Order of two keys as the server's: negative, 0, positive. */
export function compareKeys({ types }: KeyOrder, a: KeyBytes, b: KeyBytes): number {
  let i = 0;
  let j = 0;
  for (const type of types) {
    const cellA = cellEnd(type, a, i);
    const cellB = cellEnd(type, b, j);
    const order = type.kind === 'binary' ? compareBinary(a, i, cellA, b, j, cellB) : compareFixed(type, a, i, b, j);
    if (order !== 0) return order;
    i = cellA;
    j = cellB;
  }
  return 0;
}

function cellEnd(type: ColumnType, bytes: Uint8Array, at: number): number {
  return cellEndOf(cellWidth(type), bytes, at);
}

/** `width` as `cellWidth`: 0 is a length-prefixed cell. */
function cellEndOf(width: number, bytes: Uint8Array, at: number): number {
  if (width > 0) return at + width;
  let length = 0;
  let scale = 1;
  let next = at;
  let byte: number;
  do {
    byte = bytes[next++] ?? 0;
    length += (byte & 0x7f) * scale;
    scale *= 128;
  } while (byte >= 0x80);
  return next + length;
}

/** Little-endian numbers: the highest byte decides first, signed where the type is; a datetime is three such numbers. */
function compareFixed(type: ColumnType, a: Uint8Array, i: number, b: Uint8Array, j: number): number {
  if (type.kind === 'datetime') {
    for (let part = 0; part < 12; part += 4) {
      const order = compareLittle(a, i + part, b, j + part, 4, false);
      if (order !== 0) return order;
    }
    return 0;
  }
  const signed = (type.kind === 'int' && !type.unsigned) || type.kind === 'decimal' || type.kind === 'timestamp';
  return compareLittle(a, i, b, j, cellWidth(type), signed);
}

function compareLittle(a: Uint8Array, i: number, b: Uint8Array, j: number, width: number, signed: boolean): number {
  const flip = signed ? 0x80 : 0;
  let x = (a[i + width - 1] ?? 0) ^ flip;
  let y = (b[j + width - 1] ?? 0) ^ flip;
  for (let k = width - 2; x === y && k >= 0; k--) {
    x = a[i + k] ?? 0;
    y = b[j + k] ?? 0;
  }
  return x - y;
}

function compareBinary(a: Uint8Array, i: number, endA: number, b: Uint8Array, j: number, endB: number): number {
  const x = valueStart(a, i);
  const y = valueStart(b, j);
  const length = Math.min(endA - x, endB - y);
  for (let k = 0; k < length; k++) {
    const order = (a[x + k] ?? 0) - (b[y + k] ?? 0);
    if (order !== 0) return order;
  }
  return endA - x - (endB - y);
}

function valueStart(bytes: Uint8Array, at: number): number {
  let next = at;
  while ((bytes[next] ?? 0) >= 0x80) next++;
  return next + 1;
}

/** The key's values as SQL literals, in key order, for a session made by `prepareSession`. */
export function keyLiterals({ types }: KeyOrder, key: KeyBytes): string[] {
  let at = 0;
  return types.map((type) => {
    const end = cellEnd(type, key, at);
    const cell = Buffer.from(key.buffer, key.byteOffset + at, end - at);
    at = end;
    return literalOf(type, cell);
  });
}

function literalOf(type: ColumnType, cell: Buffer): string {
  switch (type.kind) {
    case 'int':
      if (cell.length === 8) return String(type.unsigned ? cell.readBigUInt64LE() : cell.readBigInt64LE());
      return String(type.unsigned ? cell.readUIntLE(0, cell.length) : cell.readIntLE(0, cell.length));
    case 'decimal':
      return scaledText(littleToBigInt(cell), type.scale);
    case 'date':
      return `'${dateText(cell.readUInt32LE())}'`;
    case 'datetime':
      return `'${dateText(cell.readUInt32LE())} ${clockText(cell.readUInt32LE(4), cell.readUInt32LE(8))}'`;
    case 'timestamp': {
      const micros = cell.readBigInt64LE();
      if (micros === 0n) return "'0000-00-00 00:00:00'";
      const date = new Date(Number(micros / 1000n)).toISOString().slice(0, 10);
      return `'${date} ${clockText(Number((micros / 1_000_000n) % 86_400n), Number(micros % 1_000_000n))}'`;
    }
    default:
      return `x'${cell.toString('hex', valueStart(cell, 0))}'`;
  }
}

function scaledText(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${value < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`;
}

function dateText(date: number): string {
  return `${padded(date >>> 9, 4)}-${padded((date >>> 5) & 15, 2)}-${padded(date & 31, 2)}`;
}

function clockText(seconds: number, micros: number): string {
  const clock = `${padded(Math.floor(seconds / 3600), 2)}:${padded(Math.floor(seconds / 60) % 60, 2)}:${padded(seconds % 60, 2)}`;
  return micros === 0 ? clock : `${clock}.${padded(micros, 6)}`;
}

function padded(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

function littleToBigInt(cell: Buffer): bigint {
  return cell.length === 16 ? (cell.readBigInt64LE(8) << 64n) | cell.readBigUInt64LE() : cell.readBigInt64LE();
}

/**
 * A key whose first column lies halfway between those of two keys and whose other columns are their least values, so
 * that it bounds a range; undefined when there is nothing between them. Dates halve by days, so that no bound is a date that
 * no calendar has.
 */
export function keyBetween(order: KeyOrder, low: KeyBytes, high: KeyBytes): KeyBytes | undefined {
  const [first, ...others] = order.types;
  if (first === undefined) return undefined;
  const from = ordinalOf(first, low);
  const to = ordinalOf(first, high);
  const middle = (from + to) / 2n;
  if (to - from < 2n) return undefined;
  const key = Buffer.concat([cellOfOrdinal(first, middle), ...others.map(leastCell)]);
  // Of a short BINARY the ordinal's low bytes fall away, which may leave nothing between.
  return compareKeys(order, low, key) < 0 && compareKeys(order, key, high) < 0 ? key : undefined;
}

/** The value's place among all values of its type: equal distances are equal numbers of possible values. */
function ordinalOf(type: ColumnType, key: KeyBytes): bigint {
  const cell = Buffer.from(key.buffer, key.byteOffset, cellEnd(type, key, 0));
  switch (type.kind) {
    case 'int':
      if (cell.length === 8) return type.unsigned ? cell.readBigUInt64LE() : cell.readBigInt64LE();
      return BigInt(type.unsigned ? cell.readUIntLE(0, cell.length) : cell.readIntLE(0, cell.length));
    case 'decimal':
      return littleToBigInt(cell);
    case 'date':
      return BigInt(dayOf(cell.readUInt32LE()));
    case 'datetime':
      return BigInt(dayOf(cell.readUInt32LE())) * 86_400n + BigInt(cell.readUInt32LE(4));
    case 'timestamp':
      return cell.readBigInt64LE() / 1_000_000n;
    default: {
      const head = Buffer.alloc(8);
      cell.copy(head, 0, valueStart(cell, 0));
      return head.readBigUInt64BE();
    }
  }
}

function cellOfOrdinal(type: ColumnType, ordinal: bigint): Buffer {
  const cell = Buffer.alloc(cellWidth(type));
  switch (type.kind) {
    case 'int':
    case 'decimal':
      for (let i = 0, rest = ordinal; i < cell.length; i++, rest >>= 8n) cell[i] = Number(rest & 255n);
      return cell;
    case 'date':
      cell.writeUInt32LE(packedDate(Number(ordinal)));
      return cell;
    case 'datetime':
      cell.writeUInt32LE(packedDate(Number(ordinal / 86_400n)));
      cell.writeUInt32LE(Number(ordinal % 86_400n), 4);
      return cell;
    case 'timestamp':
      cell.writeBigInt64LE(ordinal * 1_000_000n);
      return cell;
    default: {
      const length = type.kind === 'binary' ? (type.fixedLength ?? 8) : 8;
      const head = Buffer.alloc(8);
      head.writeBigUInt64BE(ordinal);
      const value = Buffer.alloc(length);
      head.copy(value);
      return lengthPrefixed(value);
    }
  }
}

/** The day's number from the year 0 on; a zero month or day counts as the first. */
function dayOf(date: number): number {
  return daysSinceEpoch(date >>> 9, Math.max(1, (date >>> 5) & 15), Math.max(1, date & 31)) + 719_528;
}

function packedDate(day: number): number {
  const date = new Date((day - 719_528) * 86_400_000);
  return (date.getUTCFullYear() << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
}

/** The least value of a type that the server also takes as a literal. */
function leastCell(type: ColumnType): Buffer {
  const cell = Buffer.alloc(cellWidth(type));
  switch (type.kind) {
    case 'int':
      if (!type.unsigned) {
        const least = -(1n << BigInt(type.bits - 1));
        for (let i = 0, rest = least; i < cell.length; i++, rest >>= 8n) cell[i] = Number(rest & 255n);
      }
      return cell;
    case 'decimal': {
      const least = type.unsigned ? 0n : -(10n ** BigInt(type.precision)) + 1n;
      for (let i = 0, rest = least; i < cell.length; i++, rest >>= 8n) cell[i] = Number(rest & 255n);
      return cell;
    }
    case 'binary':
      return lengthPrefixed(Buffer.alloc(type.fixedLength ?? 0));
    default:
      return cell;
  }
}

function lengthPrefixed(value: Buffer): Buffer {
  const writer = new ByteWriter(value.length + 5);
  writer.varint(value.length);
  writer.raw(value, 0, value.length);
  return Buffer.from(writer.toBytes());
}
