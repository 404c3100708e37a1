import type { TableId } from '../event/table-schema.ts';

/** The order in which Debezium reads tables: of the include list's patterns, and of names, as Java compares texts. */
export function inSnapshotOrder<Table extends TableId>(tables: readonly Table[], rankOf: (table: TableId) => number): readonly Table[] {
  const ranks = new Map(tables.map((table) => [table, rankOf(table)]));
  const rank = (table: Table): number => ranks.get(table) ?? 0;
  return tables.toSorted((a, b) => rank(a) - rank(b) || compare(a.database, b.database) || compare(a.table, b.table));
}

/** By UTF-16 units. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
