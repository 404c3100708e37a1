import { cellState, stateBytes } from '../event/change-batch.ts';
import { cellWidth } from '../event/column-type.ts';
import type { Column } from '../event/table-schema.ts';

/** What walking a row image needs to know of its columns. */
export interface RowLayout {
  readonly columns: number;
  /** Bytes of the state map. */
  readonly stateBytes: number;
  /** Bytes of each column's cell; 0: a LEB128 length stands before it. */
  readonly widths: Uint8Array;
}

export function createRowLayout(columns: readonly Column[]): RowLayout {
  return {
    columns: columns.length,
    stateBytes: stateBytes(columns.length),
    widths: Uint8Array.from(columns, (column) => cellWidth(column.type)),
  };
}

/** `cellState` of a column in the row image at `start`. */
export function stateOf(bytes: Uint8Array, start: number, column: number): number {
  return ((bytes[start + (column >> 2)] ?? 0) >> ((column & 3) * 2)) & 3;
}

/** Whether no column of the image at `start` is absent or a diff: in both, the state's high bit is set. */
export function isFull(bytes: Uint8Array, start: number, stateSize: number): boolean {
  for (let i = 0; i < stateSize; i++) if (((bytes[start + i] ?? 0) & 0xaa) !== 0) return false;
  return true;
}

/** Whether a column of the image holds a partial JSON update. */
export function hasDiff(bytes: Uint8Array, start: number, layout: RowLayout): boolean {
  for (let c = 0; c < layout.columns; c++) if (stateOf(bytes, start, c) === cellState.diff) return true;
  return false;
}

/** Bytes that a variable cell's length and content take together, from `at`. */
export function variableCellSize(bytes: Uint8Array, at: number): number {
  let size = 0;
  let shift = 0;
  let cursor = at;
  for (;;) {
    const byte = bytes[cursor++] ?? 0;
    // multiplication, since a length may need bit 31
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return cursor - at + size;
    shift += 7;
  }
}

/**
 * Writes where each column's cell begins in the image at `start` into `offsets` (-1: null or absent), with one more
 * element for the end of the image.
 */
export function locateCells(bytes: Uint8Array, start: number, layout: RowLayout, offsets: Float64Array): void {
  let at = start + layout.stateBytes;
  for (let c = 0; c < layout.columns; c++) {
    const state = stateOf(bytes, start, c);
    if (state === cellState.null || state === cellState.absent) {
      offsets[c] = -1;
      continue;
    }
    offsets[c] = at;
    const width = layout.widths[c] ?? 0;
    at += width === 0 ? variableCellSize(bytes, at) : width;
  }
  offsets[layout.columns] = at;
}
