import duckdb from '@duckdb/node-bindings';
import { MillraceError } from '../../base/errors.ts';
import { cellState } from '../../event/change-batch.ts';
import type { ImageBytes } from '../fold.ts';
import { createRowLayout, type RowLayout } from '../row-image.ts';
import { daysOf, noDay } from './civil-date.ts';
import {
  chunkRows,
  releaseStringBlocks,
  repairUtf8,
  returnBuffer,
  storeFixed,
  storeValidity,
  takeBuffer,
  type ColumnBuffer,
  type StringStore,
} from './column-buffer.ts';
import { cellKind, type MappedColumn } from './column-mapping.ts';
import { writeDate, writeDatetime, writeTime, writeTimestamp } from './temporal-text.ts';

/** Bytes of strings at which a chunk is full before it has all its rows. */
const maxHeapBytes = 8 << 20;

/** Bytes of a cell in DuckDB's vector, by `cellKind`; 0: strings and lists. */
const vectorWidths = [1, 2, 4, 8, 16, 2, 4, 1, 16, 4, 8, 8, 0, 0, 0, 0, 0, 0, 16, 0] as const;

export interface ChunkWriterOptions {
  readonly storeStrings: StringStore;
  /** For messages. */
  readonly table: string;
  /**
   * The columns are or hold a key: only a wholly zero date may become NULL there, so that two keys stay two.
   * Positions in `columns`.
   */
  readonly key: readonly number[];
  /** A value that the replica cannot hold: `fail` throws, else it is counted. */
  readonly failOnInvalid: boolean;
}

/**
 * Turns row images into DuckDB's vectors: each image is walked once, each cell goes into its column's typed array, and a
 * full chunk goes to DuckDB by one copy per column.
 */
export class ChunkWriter implements Disposable {
  rows = 0;
  /** Values that became NULL, or were repaired, by column. */
  readonly substitutions: Float64Array;
  readonly #columns: readonly MappedColumn[];
  readonly #layout: RowLayout;
  readonly #kinds: Uint8Array;
  readonly #isKey: Uint8Array;
  readonly #options: ChunkWriterOptions;
  readonly #buffers: readonly ColumnBuffer[];
  #heapBytes = 0;

  constructor(columns: readonly MappedColumn[], options: ChunkWriterOptions) {
    this.#columns = columns;
    this.#options = options;
    this.#layout = createRowLayout(columns.map((mapped) => mapped.column));
    this.#kinds = Uint8Array.from(columns, (mapped) => mapped.kind);
    this.#isKey = new Uint8Array(columns.length);
    for (const position of options.key) this.#isKey[position] = 1;
    this.#buffers = columns.map(() => takeBuffer());
    this.substitutions = new Float64Array(columns.length);
  }

  get full(): boolean {
    return this.rows === chunkRows || this.#heapBytes >= maxHeapBytes;
  }

  /** Writes the image at `start` as the next row; absent columns become NULL. Check `full` before. */
  row({ bytes, view }: ImageBytes, start: number): void {
    const kinds = this.#kinds;
    const widths = this.#layout.widths;
    const row = this.rows++;
    let at = start + this.#layout.stateBytes;
    for (let c = 0; c < kinds.length; c++) {
      const buffer = this.#buffers[c];
      if (buffer === undefined) continue;
      const state = ((bytes[start + (c >> 2)] ?? 0) >> ((c & 3) * 2)) & 3;
      if (state === cellState.null || state === cellState.absent) {
        buffer.setNull(row);
        buffer.ends[row] = buffer.heap.length;
        continue;
      }
      let size = widths[c] ?? 0;
      if (size === 0) {
        size = bytes[at++] ?? 0;
        if (size >= 0x80) {
          size &= 0x7f;
          for (let scale = 0x80; ; scale *= 0x80) {
            const byte = bytes[at++] ?? 0;
            size += (byte & 0x7f) * scale;
            if (byte < 0x80) break;
          }
        }
      }
      switch (kinds[c]) {
        case cellKind.bytes1:
          buffer.u8[row] = bytes[at] ?? 0;
          break;
        case cellKind.bytes2:
          buffer.u16[row] = view.getUint16(at, true);
          break;
        case cellKind.bytes4:
          buffer.i32[row] = view.getInt32(at, true);
          break;
        case cellKind.bytes8:
          buffer.i32[2 * row] = view.getInt32(at, true);
          buffer.i32[2 * row + 1] = view.getInt32(at + 4, true);
          break;
        case cellKind.low2Of8:
          buffer.u16[row] = view.getUint16(at, true);
          break;
        case cellKind.low4Of8:
          buffer.i32[row] = view.getInt32(at, true);
          break;
        case cellKind.string:
          buffer.heap.raw(bytes, at, at + size);
          this.#heapBytes += size;
          buffer.ends[row] = buffer.heap.length;
          break;
        case cellKind.boolean:
          buffer.u8[row] = (bytes[at] ?? 0) & 1;
          break;
        case cellKind.date: {
          const days = dateDays(buffer, view.getUint32(at, true));
          if (days === noDay) this.#invalid(c, row, view.getUint32(at, true) === 0);
          else buffer.i32[row] = days;
          break;
        }
        case cellKind.datetime: {
          const date = view.getUint32(at, true);
          const second = view.getUint32(at + 4, true);
          const micro = view.getUint32(at + 8, true);
          const days = dateDays(buffer, date);
          if (days === noDay) this.#invalid(c, row, date === 0 && second === 0 && micro === 0);
          else storeMicros(buffer, row, days * 86400 + second, micro);
          break;
        }
        case cellKind.timestamp: {
          const low = view.getInt32(at, true);
          const high = view.getInt32(at + 4, true);
          if (low === 0 && high === 0) this.#invalid(c, row, true);
          buffer.i32[2 * row] = low;
          buffer.i32[2 * row + 1] = high;
          break;
        }
        default:
          this.#rare(c, buffer, view, at, size);
      }
      at += size;
    }
  }

  /** Fills the chunk, whose columns these are, appends it by `append`, and begins the next one. */
  flush(chunk: duckdb.DataChunk, append: () => void): void {
    for (let c = 0; c < this.#kinds.length; c++) {
      const buffer = this.#buffers[c];
      if (buffer !== undefined) this.#store(c, buffer, duckdb.data_chunk_get_vector(chunk, c));
    }
    duckdb.data_chunk_set_size(chunk, this.rows);
    append();
    duckdb.data_chunk_reset(chunk);
    releaseStringBlocks();
    for (const buffer of this.#buffers) buffer.reset();
    this.rows = 0;
    this.#heapBytes = 0;
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#buffers) returnBuffer(buffer);
  }

  #store(c: number, buffer: ColumnBuffer, vector: duckdb.Vector): void {
    const kind = this.#kinds[c] ?? 0;
    if (kind === cellKind.floatList) {
      storeFloatLists(buffer, vector, this.rows);
      return;
    }
    const width = vectorWidths[kind] ?? 0;
    if (width > 0) {
      storeFixed(buffer, vector, this.rows, width);
      return;
    }
    if (this.#columns[c]?.sqlType !== 'BLOB') {
      const repaired = repairUtf8(buffer, this.rows);
      if (repaired > 0) {
        if (this.#options.failOnInvalid) throw this.#unrepresentable(c, 'text that is not UTF-8');
        this.substitutions[c] = (this.substitutions[c] ?? 0) + repaired;
      }
    }
    this.#options.storeStrings(buffer, vector, this.rows);
  }

  #invalid(c: number, row: number, zero: boolean): void {
    if (this.#options.failOnInvalid) throw this.#unrepresentable(c, zero ? 'a zero date' : 'a date that does not exist');
    if (this.#isKey[c] === 1 && !zero) throw this.#unrepresentable(c, 'a date that does not exist, in a key');
    this.#buffers[c]?.setNull(row);
    this.substitutions[c] = (this.substitutions[c] ?? 0) + 1;
  }

  #unrepresentable(c: number, what: string): MillraceError {
    const column = this.#columns[c]?.column.name ?? '';
    return new MillraceError('VALUE_UNREPRESENTABLE', `${this.#options.table}.${column} holds ${what}`, {
      nextStep: 'Set temporal.invalid.handling to text (the column becomes VARCHAR) or to null, then resync the table.',
      context: { table: this.#options.table, column },
    });
  }

  #rare(c: number, buffer: ColumnBuffer, view: DataView, at: number, size: number): void {
    const row = this.rows - 1;
    const { i32, heap } = buffer;
    const fsp = fractionDigits(this.#columns[c]);
    switch (this.#kinds[c]) {
      case cellKind.bytes16:
        for (let i = 0; i < 4; i++) i32[4 * row + i] = view.getInt32(at + 4 * i, true);
        break;
      case cellKind.time:
        i32[4 * row] = 0;
        i32[4 * row + 1] = 0;
        i32[4 * row + 2] = view.getInt32(at, true);
        i32[4 * row + 3] = view.getInt32(at + 4, true);
        break;
      case cellKind.dateText:
        writeDate(heap, view.getUint32(at, true));
        break;
      case cellKind.datetimeText:
        writeDatetime(heap, view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true), fsp);
        break;
      case cellKind.timestampText:
        writeTimestamp(heap, view.getUint32(at, true) + view.getInt32(at + 4, true) * 0x1_0000_0000, fsp);
        break;
      case cellKind.timeText:
        writeTime(heap, view.getUint32(at, true) + view.getInt32(at + 4, true) * 0x1_0000_0000, fsp);
        break;
      case cellKind.geometry:
        writeGeometry(buffer, view, at, size);
        this.#heapBytes += size;
        break;
      case cellKind.floatList:
        for (let i = 0; i < size; i++) heap.uint8(view.getUint8(at + i));
        break;
      case cellKind.uuid:
        storeUuid(buffer, row, view, at);
        break;
      default:
        throw new MillraceError('INTERNAL', `cell kind ${this.#kinds[c]} has no writer`);
    }
    buffer.ends[row] = buffer.heap.length;
  }
}

function fractionDigits(mapped: MappedColumn | undefined): number {
  const type = mapped?.column.type;
  return type !== undefined && 'fsp' in type ? type.fsp : 0;
}

function dateDays(buffer: ColumnBuffer, packed: number): number {
  if (packed !== buffer.lastDate) {
    buffer.lastDate = packed;
    buffer.lastDays = daysOf(packed);
  }
  return buffer.lastDays;
}

/** Stores seconds × 10^6 + micros as 64 bits; both factors may pass 2^53, so the product is made in two halves. */
function storeMicros({ i32 }: ColumnBuffer, row: number, seconds: number, micros: number): void {
  const upper = Math.floor(seconds / 0x1_0000);
  const upperMicros = upper * 1_000_000;
  const lowerMicros = (seconds - upper * 0x1_0000) * 1_000_000 + micros;
  // upperMicros × 2^16 + lowerMicros
  const high = Math.floor(upperMicros / 0x1_0000);
  const low = (upperMicros - high * 0x1_0000) * 0x1_0000 + lowerMicros;
  const carry = Math.floor(low / 0x1_0000_0000);
  i32[2 * row] = low - carry * 0x1_0000_0000;
  i32[2 * row + 1] = high + carry;
}

/**
 * A geometry cell as EWKB.
 *
 *   1  byte order
 *   4  geometry type, with bit 29 set when an SRID follows
 *   4  SRID, if it is not 0
 *   …  the rest as in WKB
 *
 * Source: PostGIS, doc/ZMSgeoms.txt; MySQL manual, "Internal Geometry Storage Format".
 */
function writeGeometry({ heap }: ColumnBuffer, view: DataView, at: number, size: number): void {
  const cell = new Uint8Array(view.buffer, view.byteOffset + at, size);
  const srid = view.getUint32(at, true);
  if (srid === 0 || size < 9) {
    heap.raw(cell, Math.min(4, size), size);
    return;
  }
  const littleEndian = view.getUint8(at + 4) === 1;
  heap.reserve(size);
  heap.bytes[heap.length] = littleEndian ? 1 : 0;
  heap.view.setUint32(heap.length + 1, view.getUint32(at + 5, littleEndian) | 0x2000_0000, littleEndian);
  heap.view.setUint32(heap.length + 5, srid, littleEndian);
  heap.length += 9;
  heap.raw(cell, 9, size);
}

/** A UUID's text as DuckDB's 128-bit integer: the upper half comes last, its sign bit turned so that order holds. */
function storeUuid({ u8 }: ColumnBuffer, row: number, view: DataView, at: number): void {
  let digit = 0;
  const base = row * 16;
  for (let i = 0; digit < 32 && i < 36; i++) {
    const code = view.getUint8(at + i);
    if (code === 0x2d) continue;
    const value = code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
    const byte = base + 15 - (digit >> 1);
    u8[byte] = (digit & 1) === 0 ? value << 4 : (u8[byte] ?? 0) | value;
    digit++;
  }
  u8[base + 15] = (u8[base + 15] ?? 0) ^ 0x80;
}

/** Lists of floats: 8 bytes first element and 8 bytes count per row, the elements in a vector of their own. */
function storeFloatLists(buffer: ColumnBuffer, vector: duckdb.Vector, rows: number): void {
  const { i32, ends, heap } = buffer;
  let start = 0;
  for (let row = 0; row < rows; row++) {
    const end = ends[row] ?? 0;
    i32[4 * row] = start / 4;
    i32[4 * row + 1] = 0;
    i32[4 * row + 2] = (end - start) / 4;
    i32[4 * row + 3] = 0;
    start = end;
  }
  duckdb.list_vector_reserve(vector, heap.length / 4);
  duckdb.list_vector_set_size(vector, heap.length / 4);
  if (heap.length > 0) duckdb.copy_data_to_vector(duckdb.list_vector_get_child(vector), 0, heap.bytes.buffer, 0, heap.length);
  duckdb.copy_data_to_vector(vector, 0, buffer.fixed, 0, rows * 16);
  storeValidity(buffer, vector);
}
