import { compileJavaRegex } from '../../config/java-regex.ts';
import { tableName } from '../../event/table-schema.ts';
import type { TableId, TableSchema } from '../../event/table-schema.ts';
import type { ChunkOrder } from './chunk-query.ts';
import type { ChunkedTable, IncrementalState } from './incremental-state.ts';
import type { SnapshotSignal } from './signal.ts';

/** The tables that a signal names, in its order; those of one pattern by name. */
export function chunkedTables(signal: SnapshotSignal, captured: readonly TableSchema[]): readonly ChunkedTable[] {
  return signal.collections.flatMap((collection): readonly ChunkedTable[] => {
    const pattern = compileJavaRegex(collection);
    const found = captured.filter((table) => pattern.test(tableName(table)));
    const ids = found.length > 0 ? found : idOf(collection);
    return ids.map(({ database, table }) => {
      const name = tableName({ database, table });
      const condition = signal.conditions.find((each) => compileJavaRegex(each.collection).test(name));
      return { database, table, filter: condition?.filter ?? null, surrogateKey: signal.surrogateKey ?? null };
    });
  });
}

/** Without the table that is being read. */
export function withoutFirst(state: IncrementalState): IncrementalState | undefined {
  const tables = state.tables.slice(1);
  return tables.length === 0 ? undefined : { ...state, tables, maximum: null, last: null, rows: 0 };
}

/** Undefined: the table has no such key. */
export function orderOf(schema: TableSchema, { filter, surrogateKey }: ChunkedTable): ChunkOrder | undefined {
  const columns =
    surrogateKey === null
      ? schema.primaryKey.flatMap((position) => schema.columns[position] ?? [])
      : schema.columns.filter(({ name }) => name.toLowerCase() === surrogateKey.toLowerCase());
  return columns.length === 0 ? undefined : { schema, columns, filter: filter ?? undefined };
}

/** A collection that matches no table is taken for a name. */
function idOf(collection: string): readonly TableId[] {
  const name = collection.replaceAll('\\', '');
  const dot = name.indexOf('.');
  return dot <= 0 ? [] : [{ database: name.slice(0, dot), table: name.slice(dot + 1) }];
}
