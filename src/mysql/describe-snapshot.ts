import type { ServerConnection } from '../binlog/connection.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { DdlRecord, DdlTableChange } from '../event/ddl-record.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { tableName } from '../event/table-schema.ts';
import { isMillraceError } from '../base/errors.ts';
import { inJavaOrder } from '../base/java-hash.ts';
import { quoteName, quoteTable } from './read-schema.ts';

export interface DescribedSnapshot {
  /** All tables that the topic tells of, captured or not, sorted by database and name; with all columns. */
  readonly tables: readonly TableSchema[];
  readonly position: SourcePosition;
  /** No row follows. */
  readonly last: boolean;
  /** `snapshot.locking.mode=none`. */
  readonly unlocked?: boolean;
}

/** The statements that Debezium's snapshot writes to the schema-change topic: they make the tables as they are. */
export async function describeSnapshot(
  connection: ServerConnection,
  { tables, position: { file, pos }, last, unlocked = false }: DescribedSnapshot,
  signal: AbortSignal,
): Promise<readonly DdlRecord[]> {
  const records: DdlRecord[] = [];
  const add = (statement: string, id: Partial<TableId>, changes: readonly DdlTableChange[] = []): void => {
    const place = { kind: 'snapshot', file, pos, micros: Date.now() * 1000, last: false } as const;
    records.push({ statement, database: id.database ?? '', table: id.table ?? null, changes, place });
  };
  const [server] = await connection.query('SELECT @@global.character_set_server, @@global.collation_server', signal);
  add(`SET character_set_server=${server?.[0] ?? ''}, collation_server=${server?.[1] ?? ''}`, {});
  for (const { database, table } of tables) {
    add(`DROP TABLE IF EXISTS ${quoteTable({ database, table })}`, { database, table }, [{ kind: 'DROP', id: { database, table } }]);
  }
  const charsets = await readDatabaseCharsets(connection, signal);
  const created = unlocked ? inJavaOrder(tables, tableName, 'grown') : tables;
  for (const [database, own] of Map.groupBy(created, (schema) => schema.database)) {
    const name = quoteName(database);
    const { charset, collation } = charsets.get(database) ?? { charset: 'utf8mb4', collation: 'utf8mb4_general_ci' };
    add(`DROP DATABASE IF EXISTS ${name}`, { database });
    add(`CREATE DATABASE ${name} CHARSET ${charset} COLLATE ${collation}`, { database });
    add(`USE ${name}`, { database });
    for (const schema of own) {
      const text = await readCreateTable(connection, schema, signal);
      const id = { database, table: schema.table };
      if (text !== undefined) add(text, id, [{ kind: 'CREATE', id, schema }]);
    }
  }
  const final = records.at(-1);
  if (!last || final?.place.kind !== 'snapshot') return records;
  return [...records.slice(0, -1), { ...final, place: { ...final.place, last: true } }];
}

async function readDatabaseCharsets(
  connection: ServerConnection,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, { readonly charset: string; readonly collation: string }>> {
  const rows = await connection.query(
    'SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.schemata',
    signal,
  );
  return new Map(rows.map((row) => [row[0] ?? '', { charset: row[1] ?? '', collation: row[2] ?? '' }]));
}

/** Undefined: the table is gone, or may not be looked at. */
async function readCreateTable(connection: ServerConnection, table: TableId, signal: AbortSignal): Promise<string | undefined> {
  try {
    const [row] = await connection.query(`SHOW CREATE TABLE ${quoteTable(table)}`, signal);
    // The comment that hides partitions from other servers: its end is cut off, as Debezium does.
    return row?.[1]?.replace(/ \*\/$/, '') ?? `CREATE TABLE ${tableName(table)}`;
  } catch (error) {
    if (isMillraceError(error, 'MYSQL_QUERY_FAILED')) return undefined;
    throw error;
  }
}
