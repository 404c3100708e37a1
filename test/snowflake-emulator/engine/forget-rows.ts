import type { Catalog } from './catalog.ts';
import type { TableObject } from './objects.ts';
import { type Connection, firstStamp } from './store.ts';

/**
 * Throws away the oldest of a table's ended rows when there are more than `most`, so that an account that lives long
 * does not grow for ever. What time travel cannot show then it refuses; a stream keeps what it has not shown.
 */
export async function forgetRows(catalog: Catalog, connection: Connection, tableId: number, most: number): Promise<void> {
  const table = catalog.byId(tableId);
  if (table?.kind !== 'table') return;
  const horizon = await horizonOf(catalog, connection, table, Math.floor(most / 2));
  if (horizon <= table.oldestVersion) return;
  const altered: TableObject = { ...table, oldestVersion: horizon };
  await connection.atomically(async () => {
    await connection.run(`DELETE FROM t${tableId} WHERE _e <= ${horizon}`);
    await catalog.save(connection, altered);
  });
  catalog.enter(altered);
}

/** The version whose older ones go: at most `keep` ended rows are newer. */
async function horizonOf(catalog: Catalog, connection: Connection, table: TableObject, keep: number): Promise<number> {
  const offsets = catalog.members('stream').flatMap((stream) => (stream.tableId === table.id ? [stream.offset] : []));
  const newer = `SELECT _e, sum(count(*)) OVER (ORDER BY _e DESC) AS n FROM t${table.id} WHERE _e < ${firstStamp} GROUP BY _e`;
  const horizon = await connection.number(`SELECT coalesce(max(_e), 0) FROM (${newer}) WHERE n > ${keep}`);
  return Math.min(horizon, ...offsets, catalog.store.version - 1);
}
