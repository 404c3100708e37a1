import { MillraceError } from '../base/errors.ts';
import { copyOf } from './cursor.ts';
import { eventType } from './event-types.ts';

/** Whether each image of a rows event type has the layout of version 2, which has a length of extra data more. */
function isVersion2(code: number): boolean {
  switch (code) {
    case eventType.writeRows:
    case eventType.updateRows:
    case eventType.deleteRows:
    case eventType.partialUpdateRows:
    case eventType.writeRowsCompressed:
    case eventType.updateRowsCompressed:
    case eventType.deleteRowsCompressed:
      return true;
    default:
      return false;
  }
}

export function isCompressedRows(code: number): boolean {
  return code >= eventType.writeRowsCompressedV1 && code <= eventType.deleteRowsCompressed;
}

export function rowsKind(code: number): 'insert' | 'update' | 'delete' {
  switch (code) {
    case eventType.writeRows:
    case eventType.writeRowsV1:
    case eventType.writeRowsCompressed:
    case eventType.writeRowsCompressedV1:
      return 'insert';
    case eventType.deleteRows:
    case eventType.deleteRowsV1:
    case eventType.deleteRowsCompressed:
    case eventType.deleteRowsCompressedV1:
      return 'delete';
    default:
      return 'update';
  }
}

/** The table id that the server uses for rows of no table: the event only ends a statement. */
export const dummyTableId = 0xff_ffff;

/**
 * The fixed part of rows events, read without objects: after `read` its fields say where everything lies.
 *
 *   6      table id
 *   2      flags: 1 end of the statement
 *   2+n    version 2 only: length of the extra data, its own two bytes included, and the data
 *   1-9    number of columns, length-encoded
 *   n/8    bitmap: columns of the before image (of the only image, if there is one)
 *   n/8    bitmap: columns of the after image; UPDATE only
 *   …      row images, to the end; compressed in MariaDB's compressed events
 *
 * Source: mysql-server, rows_event.h, Rows_event.
 */
export class RowsHead {
  tableId = 0;
  flags = 0;
  columnCount = 0;
  /** Where the bitmaps begin, each `bitmapLength` bytes long. */
  bitmaps = 0;
  bitmapLength = 0;
  /** Where the row images begin. */
  rows = 0;

  read(bytes: Uint8Array, start: number, end: number, code: number): void {
    if (end - start < 10) throw truncated(end);
    this.tableId =
      ((bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8) | ((bytes[start + 2] ?? 0) << 16)) +
      ((bytes[start + 3] ?? 0) | ((bytes[start + 4] ?? 0) << 8) | ((bytes[start + 5] ?? 0) << 16)) * 0x100_0000;
    this.flags = (bytes[start + 6] ?? 0) | ((bytes[start + 7] ?? 0) << 8);
    let at = start + 8;
    if (isVersion2(code)) {
      const extra = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
      if (extra < 2) throw new MillraceError('BINLOG_CORRUPT', `a rows event with ${extra} bytes of extra data`);
      at += extra;
    }
    if (at + 3 > end) throw truncated(end);
    // The server allows 4096 columns, hence at most three bytes.
    const first = bytes[at] ?? 0;
    if (first < 0xfb) {
      this.columnCount = first;
      at += 1;
    } else if (first === 0xfc) {
      this.columnCount = (bytes[at + 1] ?? 0) | ((bytes[at + 2] ?? 0) << 8);
      at += 3;
    } else {
      throw new MillraceError('BINLOG_CORRUPT', 'a rows event with a wrong number of columns');
    }
    const bitmapLength = (this.columnCount + 7) >> 3;
    this.bitmaps = at;
    this.bitmapLength = bitmapLength;
    at += rowsKind(code) === 'update' ? 2 * bitmapLength : bitmapLength;
    if (at > end) throw truncated(end);
    this.rows = at;
  }
}

const fullBitmaps: Uint8Array[] = [];

/**
 * The bitmap at `bytes[at, at + length)` of `columnCount` columns; for the usual one, with all columns, always the same
 * array, else a copy.
 */
export function bitmapAt(bytes: Uint8Array, at: number, columnCount: number): Uint8Array {
  const length = (columnCount + 7) >> 3;
  const full = (fullBitmaps[columnCount] ??= fullBitmap(columnCount));
  const last = length - 1;
  for (let i = 0; i < length; i++) {
    const wanted = full[i] ?? 0;
    // Bits beyond the last column may have any value.
    if (((bytes[at + i] ?? 0) & (i === last ? wanted : 0xff)) !== wanted) return copyOf(bytes, at, at + length);
  }
  return full;
}

function fullBitmap(columnCount: number): Uint8Array {
  const bitmap = new Uint8Array((columnCount + 7) >> 3).fill(0xff);
  if ((columnCount & 7) !== 0) bitmap[bitmap.length - 1] = (1 << (columnCount & 7)) - 1;
  return bitmap;
}

function truncated(end: number): MillraceError {
  return new MillraceError('TRUNCATED', `a rows event ends at byte ${end}, before its row images`);
}
