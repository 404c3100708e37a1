import type { Entry } from '../connect/commit-group.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import { cellState, op, stateBytes } from '../event/change-batch.ts';
import { cellWidth } from '../event/column-type.ts';
import type { TableSchema } from '../event/table-schema.ts';

/** How many records of its topic an entry stands for; derived topic offsets advance by it. */
export type CountRecords = (entry: Entry) => number;

/**
 * The records that Debezium writes by default: one per row and per DDL statement, a tombstone more for a delete, and a
 * delete, a tombstone and a create for an update of the key.
 */
export function countDebeziumRecords(entry: Entry): number {
  switch (entry.kind) {
    case 'changes':
      return countChanges(entry.batch);
    case 'chunk':
      return entry.batch.count;
    case 'schema':
      return 1;
    case 'snapshotBegin':
    case 'snapshotEnd':
      return 0;
  }
}

function countChanges(batch: ChangeBatch): number {
  const { count, ops } = batch;
  let records = count;
  let layout: KeyLayout | undefined;
  for (let i = 0; i < count; i++) {
    const code = ops[i];
    if (code === op.delete) {
      records++;
    } else if (code === op.update) {
      layout ??= keyLayout(batch.schema);
      if (layout.end > 0 && keyChanged(batch, i, layout)) records += 2;
    }
  }
  return records;
}

/** What finding the key in a row image needs: the columns up to the key's last one. */
interface KeyLayout {
  /** One past the last key column; 0 without a key. */
  readonly end: number;
  /** `cellWidth` of the columns before `end`. */
  readonly widths: Uint8Array;
  /** 1 for those that belong to the key. */
  readonly isKey: Uint8Array;
}

const layouts = new WeakMap<TableSchema, KeyLayout>();

function keyLayout(schema: TableSchema): KeyLayout {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  const end = schema.primaryKey.length === 0 ? 0 : Math.max(...schema.primaryKey) + 1;
  const columns = schema.columns.slice(0, end);
  const layout = {
    end,
    widths: Uint8Array.from(columns, (column) => cellWidth(column.type)),
    isKey: Uint8Array.from(columns, (_, i) => (schema.primaryKey.includes(i) ? 1 : 0)),
  };
  layouts.set(schema, layout);
  return layout;
}

/** Whether a key cell of the after image has other bytes than before; one that it lacks is unchanged. */
function keyChanged(batch: ChangeBatch, i: number, { end, widths, isKey }: KeyLayout): boolean {
  const { bytes, starts, schema } = batch;
  const before = starts[2 * i] ?? 0;
  const after = starts[2 * i + 1] ?? 0;
  const stateLength = stateBytes(schema.columns.length);
  let beforeAt = before + stateLength;
  let afterAt = after + stateLength;
  for (let column = 0; column < end; column++) {
    const shift = (column & 3) * 2;
    const beforeState = ((bytes[before + (column >> 2)] ?? 0) >> shift) & 3;
    const afterState = ((bytes[after + (column >> 2)] ?? 0) >> shift) & 3;
    const width = widths[column] ?? 0;
    const beforeEnd = cellEnd(bytes, beforeAt, beforeState, width);
    const afterEnd = cellEnd(bytes, afterAt, afterState, width);
    if (isKey[column] === 1 && afterState !== cellState.absent && beforeState !== cellState.absent) {
      if (beforeState !== afterState || beforeEnd - beforeAt !== afterEnd - afterAt) return true;
      for (let b = beforeAt, a = afterAt; b < beforeEnd; b++, a++) if (bytes[b] !== bytes[a]) return true;
    }
    beforeAt = beforeEnd;
    afterAt = afterEnd;
  }
  return false;
}

function cellEnd(bytes: Uint8Array, at: number, state: number, width: number): number {
  if (state === cellState.null || state === cellState.absent) return at;
  if (width > 0) return at + width;
  let length = 0;
  let factor = 1;
  for (;;) {
    const byte = bytes[at++] ?? 0;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) return at + length;
    factor *= 128;
  }
}
