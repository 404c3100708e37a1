import { isMillraceError } from '../base/errors.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import { allRows, markLocks, releaseLocks } from './snapshot-reader.ts';
import type { SnapshotTable } from './snapshot-table.ts';

/** Errors by which the server says that a table is not what it was when the view was opened. */
const tableErrors = new Set([
  1412, // ER_TABLE_DEF_CHANGED
  1146, // ER_NO_SUCH_TABLE
  1054, // ER_BAD_FIELD_ERROR
  1049, // ER_BAD_DB_ERROR
  1932, // MariaDB ER_NO_SUCH_TABLE_IN_ENGINE
]);

export function isTableError(error: unknown): boolean {
  return isMillraceError(error) && tableErrors.has(Number(error.context['errno']));
}

/**
 * The last table that has rows in the connection's view. A record says that it is the last of its snapshot, so it must be
 * known which one that is before it is written.
 */
export async function findLastTable(
  connection: ServerConnection | undefined,
  tables: readonly SnapshotTable[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (connection === undefined) return undefined;
  await markLocks(connection, signal);
  for (const { name, schema, source } of tables.toReversed()) {
    let isEmpty = false;
    try {
      isEmpty = (await connection.query(`SELECT 1 FROM ${source ?? allRows(schema)} LIMIT 1`, signal)).length === 0;
    } catch (error) {
      if (!isTableError(error)) throw error;
    }
    await releaseLocks(connection, signal);
    if (!isEmpty) return name;
  }
  return undefined;
}
