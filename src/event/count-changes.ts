import { op, type ChangeBatch, type Op } from './change-batch.ts';
import { cellDiffers, cellWidths, locateCells } from './row-image.ts';
import type { TableSchema } from './table-schema.ts';
import { endedRows, type IsEnded } from './version-rows.ts';

/** How many records one change has; a batch must be counted fast, so that the rule knows no more of it. */
export type RecordsOfChange = (code: Op, keyChanged: boolean) => number;

/** What counting depends on besides the kind of change. */
export interface CountOptions {
  /** Positions of the columns that make the records' key; absent: the table's own key. */
  readonly keyOf?: ((schema: TableSchema) => readonly number[]) | undefined;
  /** Positions of the columns of which an update must change one to have a record; absent: any update has. */
  readonly comparedOf?: ((schema: TableSchema) => readonly number[]) | undefined;
  /** Position of the column by which rows that have ended have no record; absent, or undefined for a table: all have. */
  readonly hiddenEndOf?: ((schema: TableSchema) => number | undefined) | undefined;
}

/** Counts the records of a batch by this rule, which is asked once per kind of change, not per row. */
export function countChangesWith(
  recordsOfChange: RecordsOfChange,
  { keyOf = (schema) => schema.primaryKey, comparedOf, hiddenEndOf }: CountOptions = {},
): (batch: ChangeBatch) => number {
  const layouts = new WeakMap<TableSchema, KeyLayout>();
  const endings = new WeakMap<TableSchema, IsEnded | 'none'>();
  const perOp = new Uint8Array(8);
  for (const code of Object.values(op)) perOp[code] = recordsOfChange(code, false);
  const perUpdate = perOp[op.update] ?? 0;
  const perKeyChange = recordsOfChange(op.update, true);
  const looksAtUpdates = perKeyChange !== perUpdate || comparedOf !== undefined;
  return (batch) => {
    let records = 0;
    let updates = 0;
    for (let i = 0; i < batch.count; i++) {
      const code = batch.ops[i] ?? 0;
      records += perOp[code] ?? 0;
      if (code === op.update) updates++;
    }
    if (hiddenEndOf !== undefined) {
      let isEnded = endings.get(batch.schema);
      if (isEnded === undefined) endings.set(batch.schema, (isEnded = endedOf(batch.schema, hiddenEndOf) ?? 'none'));
      if (isEnded !== 'none') records -= countEnded(batch, isEnded, perOp);
    }
    if (updates === 0 || !looksAtUpdates) return records;
    let layout = layouts.get(batch.schema);
    if (layout === undefined) layouts.set(batch.schema, (layout = layoutOf(batch.schema, keyOf(batch.schema), comparedOf?.(batch.schema))));
    const { unchanged, keyChanges } = countUpdates(batch, layout);
    return records - unchanged * perUpdate + keyChanges * (perKeyChange - perUpdate);
  };
}

function endedOf(schema: TableSchema, hiddenEndOf: (schema: TableSchema) => number | undefined): IsEnded | undefined {
  const column = hiddenEndOf(schema);
  return column === undefined ? undefined : endedRows(schema, column);
}

/** The records that changes of ended rows would have. */
function countEnded(batch: ChangeBatch, isEnded: IsEnded, perOp: Uint8Array): number {
  let records = 0;
  for (let i = 0; i < batch.count; i++) {
    const code = batch.ops[i] ?? 0;
    if (code !== op.update && isEnded(batch, i)) records += perOp[code] ?? 0;
  }
  return records;
}

/** What finding the key in a row image needs. */
interface KeyLayout {
  readonly key: readonly number[];
  readonly compared: readonly number[] | undefined;
  readonly widths: Uint8Array;
  /** Columns up to the key's last one; 0 without a key. */
  readonly located: number;
  readonly before: Int32Array;
  readonly after: Int32Array;
}

function layoutOf(schema: TableSchema, key: readonly number[], compared: readonly number[] | undefined): KeyLayout {
  const located = Math.max(-1, ...key, ...(compared ?? [])) + 1;
  const [before, after] = [new Int32Array(2 * located), new Int32Array(2 * located)];
  return { key, compared, widths: cellWidths(schema), located, before, after };
}

function countUpdates(batch: ChangeBatch, layout: KeyLayout): { readonly unchanged: number; readonly keyChanges: number } {
  const { count, ops, starts, bytes } = batch;
  const { key, compared, widths, located, before, after } = layout;
  let [unchanged, keyChanges] = [0, 0];
  const image = { bytes, start: 0 };
  for (let i = 0; i < count; i++) {
    if (ops[i] !== op.update) continue;
    image.start = starts[2 * i] ?? 0;
    locateCells(widths, image, located, before);
    image.start = starts[2 * i + 1] ?? 0;
    locateCells(widths, image, located, after);
    if (compared !== undefined && !anyDiffers(bytes, compared, layout)) unchanged++;
    else if (anyDiffers(bytes, key, layout)) keyChanges++;
  }
  return { unchanged, keyChanges };
}

function anyDiffers(bytes: Uint8Array, columns: readonly number[], { before, after }: KeyLayout): boolean {
  for (const column of columns) if (cellDiffers(bytes, column, before, after)) return true;
  return false;
}
