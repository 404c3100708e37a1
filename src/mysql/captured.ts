import { createTableSchema } from '../event/table-schema.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { isHashColumn } from './read-schema.ts';

/** A table as the binlog has it, and as much of it as is captured. */
export interface CapturedTable {
  /** All columns of the row images, in their order. */
  readonly full: TableSchema;
  /** Without the columns that the column lists take out, and without MariaDB's hidden ones; the same object as `full` when they take out none. */
  readonly captured: TableSchema;
  /** For each column of `captured` its position in `full`. */
  readonly positions: readonly number[];
}

/** Applies `column.include.list` and `column.exclude.list`; key columns always stay, hidden ones never. */
export function captureTable(full: TableSchema, capturesColumn: (table: TableId, column: string) => boolean): CapturedTable {
  const positions: number[] = [];
  full.columns.forEach((column, position) => {
    if (isHashColumn(column)) return;
    if (full.primaryKey.includes(position) || capturesColumn(full, column.name)) positions.push(position);
  });
  if (positions.length === full.columns.length) return { full, captured: full, positions };
  const { fingerprint: _, ...parts } = full;
  const captured = createTableSchema({
    ...parts,
    columns: full.columns.filter((_column, position) => positions.includes(position)),
    primaryKey: full.primaryKey.map((position) => positions.indexOf(position)),
  });
  return { full, captured, positions };
}
