import { cellState, stateBytes } from './change-batch.ts';
import { cellWidth } from './column-type.ts';
import type { TableSchema } from './table-schema.ts';

/** Where a cell begins that is NULL, or not in the row image. */
export const noCell = { null: -1, absent: -2 } as const;

/** Bytes of the cells of each column; 0 where each cell has a length of its own. */
export function cellWidths(schema: TableSchema): Uint8Array {
  return Uint8Array.from(schema.columns, ({ type }) => cellWidth(type));
}

/**
 * Finds the cells of the first `count` columns of the row image at `start`: `into[2c]` is where cell c begins (its length
 * included), or `noCell`; `into[2c + 1]` is where it ends.
 */
export function locateCells(widths: Uint8Array, image: ImageAt, count: number, into: Int32Array): void {
  const { bytes, start } = image;
  let at = start + stateBytes(widths.length);
  for (let column = 0; column < count; column++) {
    const state = ((bytes[start + (column >> 2)] ?? 0) >> ((column & 3) * 2)) & 3;
    if (state === cellState.null || state === cellState.absent) {
      into[2 * column] = state === cellState.null ? noCell.null : noCell.absent;
      into[2 * column + 1] = 0;
      continue;
    }
    into[2 * column] = at;
    const width = widths[column] ?? 0;
    at += width === 0 ? varSize(bytes, at) : width;
    into[2 * column + 1] = at;
  }
}

export interface ImageAt {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/** Bytes of a cell with a length of its own, the length included. */
function varSize(bytes: Uint8Array, start: number): number {
  let at = start;
  let length = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++] ?? 0;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) return at - start + length;
  }
}

/** Whether column `column` differs between two located images of the same bytes; not in the image counts as equal. */
export function cellDiffers(bytes: Uint8Array, column: number, before: Int32Array, after: Int32Array): boolean {
  const a = before[2 * column] ?? noCell.absent;
  const b = after[2 * column] ?? noCell.absent;
  if (a === noCell.absent || b === noCell.absent) return false;
  if (a < 0 || b < 0) return a !== b;
  const size = (before[2 * column + 1] ?? 0) - a;
  if (size !== (after[2 * column + 1] ?? 0) - b) return true;
  for (let i = 0; i < size; i++) if (bytes[a + i] !== bytes[b + i]) return true;
  return false;
}

/** Whether the row image at `start` leaves a column out. */
export function hasAbsentCell(bytes: Uint8Array, start: number, columns: number): boolean {
  for (let at = start; at < start + stateBytes(columns); at++) {
    const states = bytes[at] ?? 0;
    // absent is 10: a high bit without its low one
    if ((states & 0xaa & ~(states << 1)) !== 0) return true;
  }
  return false;
}
