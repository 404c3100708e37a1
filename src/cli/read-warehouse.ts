import type { TableId } from '../event/table-schema.ts';
import type { RecordKey, TableRecord } from '../warehouse/table-record.ts';
import { isGuessed } from '../event/guessed.ts';
import type { QueryAnswer, ReplicaTable, RowCount } from '../worker/thread-messages.ts';

/** A replica as those read it who ask its thread. */
export interface ReadWarehouse extends AsyncDisposable {
  query(sql: string, maxRows: number, signal: AbortSignal): Promise<QueryAnswer>;
  rowCounts(): Promise<readonly RowCount[]>;
  /** Of what a sink writes. */
  tables(connector: string): readonly ReplicaTable[];
  /** Reads these tables as they are now, and stay for this reader. To be called while nothing is applied. */
  pin(source: string, tables: readonly TableId[]): Promise<WarehousePin>;
}

export interface WarehousePin extends AsyncDisposable {
  /** All rows, as text. */
  query(sql: string, signal: AbortSignal): Promise<readonly (readonly (string | null)[])[]>;
  /** A table as it is there; undefined when readers see none. */
  table(key: RecordKey): Promise<ReplicaTable | undefined>;
}

/** What readers see of a table; a table whose first snapshot is still loaded shows nothing yet. */
export function asReplicaTable({ source, database, table, replica, live }: TableRecord): ReplicaTable | undefined {
  if (live === undefined) return undefined;
  return {
    source,
    id: { database, table },
    columns: live.columns.map((column) => column.name),
    replicaSchema: replica.schema,
    replicaName: replica.table,
    guessed: live.columns.filter(isGuessed).map((column) => column.name),
  };
}

/** A row of `status`. */
export function asRowCount(count: {
  readonly record: TableRecord;
  readonly rows: number | undefined;
  readonly loading: number | undefined;
}): RowCount {
  const { record, rows, loading } = count;
  return { sink: record.connector, table: `${record.replica.schema}.${record.replica.table}`, rows, loading };
}
