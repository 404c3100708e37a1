import type { Logger } from '../base/logger.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import { isAtLeast } from '../binlog/server-version.ts';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import { createTableSchema, tableName } from '../event/table-schema.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { readTextRows } from './read-text-rows.ts';
import { KeyReader, compareKeys, keyBetween, keyOrderOf } from './snapshot-key.ts';
import type { KeyBytes, KeyOrder } from './snapshot-key.ts';
import { allRows, rangeCondition } from './snapshot-reader.ts';
import { createSnapshotTable } from './snapshot-table.ts';
import type { SnapshotTable } from './snapshot-table.ts';
import { quoteName, selectList } from './text-row.ts';

export interface PlanOptions {
  readonly connection: ServerConnection;
  /** Tables below two chunks are one part. */
  readonly chunkRows: number;
  /** How many workers there are to share the tables. */
  readonly threads: number;
  readonly log: Logger;
  /** As of `SnapshotTable`. */
  readonly sourceOf?: ((table: TableId) => string | undefined) | undefined;
}

/** Parts of a table per worker, so that all of them end at about the same time. */
const partsPerThread = 4;

/** Plans tables; in the order given. A plan needs no view: any bounds are right, only some are uneven. */
export async function planTables(schemas: readonly TableSchema[], options: PlanOptions, signal: AbortSignal): Promise<SnapshotTable[]> {
  const estimates = await readEstimates(options, schemas, signal);
  const tables: SnapshotTable[] = [];
  for (const schema of schemas) {
    const estimate = estimates.get(tableName(schema)) ?? 0;
    const source = options.sourceOf?.(schema);
    const order = source === undefined ? keyOrderOf(schema) : undefined;
    const wanted = Math.min(partsPerThread * options.threads, Math.floor(estimate / (2 * options.chunkRows)));
    const bounds =
      order === undefined || wanted < 2 || options.threads < 2 ? [] : await findBounds(order, { ...options, wanted, estimate }, signal);
    tables.push(createSnapshotTable(schema, bounds, { estimate, source }));
  }
  return tables;
}

/** Engines whose tables a transaction sees as of its begin. */
const versionedEngines = new Set(['InnoDB', 'ROCKSDB', 'ndbcluster']);

/** The server's own estimates of the numbers of rows, by `database.table`. */
async function readEstimates(
  { connection, log }: PlanOptions,
  tables: readonly TableId[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const estimates = new Map<string, number>();
  if (tables.length === 0) return estimates;
  // Else MySQL answers with what it knew up to a day ago.
  if (connection.version.flavor === 'mysql' && isAtLeast(connection.version, 8, 0)) {
    await connection.query('SET SESSION information_schema_stats_expiry = 0', signal);
  }
  for (let i = 0; i < tables.length; i += 500) {
    const pairs = tables.slice(i, i + 500).map(({ database, table }) => `(${textLiteral(database)}, ${textLiteral(table)})`);
    const rows = await connection.query(
      `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ROWS, ENGINE FROM information_schema.TABLES WHERE (TABLE_SCHEMA, TABLE_NAME) IN (${pairs.join(', ')})`,
      signal,
    );
    for (const [database, table, count, engine] of rows) {
      if (!versionedEngines.has(engine ?? '')) {
        log.warn(
          { table: `${database}.${table}`, engine },
          'the engine has no consistent views: nobody may write to the table during its snapshot',
        );
      }
      estimates.set(tableName({ database: database ?? '', table: table ?? '' }), Number(count ?? 0));
    }
  }
  return estimates;
}

interface Interval {
  readonly low: KeyBytes;
  readonly high: KeyBytes;
  /** As the optimizer estimates. */
  readonly rows: number;
}

/**
 * Inner bounds between the least and the greatest key. Halves the interval with the most rows, as the server's index
 * statistics see it, again and again: keys that crowd in one place get parts of their own.
 */
async function findBounds(
  order: KeyOrder,
  options: PlanOptions & { wanted: number; estimate: number },
  signal: AbortSignal,
): Promise<KeyBytes[]> {
  const { connection, wanted, estimate } = options;
  const low = await endKey(connection, order, 'ASC', signal);
  const high = await endKey(connection, order, 'DESC', signal);
  if (low === undefined || high === undefined) return [];
  const closed: Interval[] = [];
  const open: Interval[] = [{ low, high, rows: estimate }];
  for (let step = 0; step < 3 * wanted && open.length > 0 && open.length + closed.length < wanted; step++) {
    open.sort((a, b) => a.rows - b.rows);
    const largest = open.pop();
    if (largest === undefined || largest.rows < (2 * estimate) / wanted / 2) break;
    const middle = keyBetween(order, largest.low, largest.high);
    if (middle === undefined) {
      closed.push(largest);
      continue;
    }
    const rows = await estimateRange({ connection, order, low: largest.low, high: middle }, signal);
    open.push({ low: largest.low, high: middle, rows }, { low: middle, high: largest.high, rows: Math.max(0, largest.rows - rows) });
  }
  const intervals = [...open, ...closed].sort((a, b) => compareKeys(order, a.low, b.low));
  // Nearly empty intervals go with the next one.
  return intervals.slice(0, -1).flatMap(({ high: bound, rows }) => (rows < estimate / wanted / 8 ? [] : [bound]));
}

/** The least or greatest key of a table, undefined when it is empty. */
async function endKey(
  connection: ServerConnection,
  order: KeyOrder,
  direction: 'ASC' | 'DESC',
  signal: AbortSignal,
): Promise<KeyBytes | undefined> {
  const columns = order.positions.flatMap((position) => order.schema.columns[position] ?? []);
  const schema = createTableSchema({ ...order.schema, columns, primaryKey: columns.map((_column, i) => i) });
  const keyOrder = keyOrderOf(schema);
  if (keyOrder === undefined) return undefined;
  const builder = new ChangeBatchBuilder(schema, 256);
  const by = columns.map(({ name }) => `${quoteName(name)} ${direction}`).join(', ');
  const sql = `SELECT ${selectList(columns)} FROM ${allRows(schema)} ORDER BY ${by} LIMIT 1`;
  await readTextRows(connection, { schema, sql, code: op.read, into: builder }, signal);
  return builder.count === 0 ? undefined : new KeyReader(keyOrder).read(builder.view().bytes, 0);
}

interface Range {
  readonly connection: ServerConnection;
  readonly order: KeyOrder;
  readonly low: KeyBytes;
  readonly high: KeyBytes;
}

async function estimateRange({ connection, order, low, high }: Range, signal: AbortSignal): Promise<number> {
  const mysql = connection.version.flavor === 'mysql';
  const explain = mysql ? 'EXPLAIN FORMAT=TRADITIONAL' : 'EXPLAIN EXTENDED';
  const rows = await connection.query(
    `${explain} SELECT 1 FROM ${allRows(order.schema)} WHERE ${rangeCondition(order, low, high)}`,
    signal,
  );
  const at = mysql ? 9 : 8;
  const [count, filtered] = [rows[0]?.[at], rows[0]?.[at + 1]];
  return (Number(count ?? 0) * Number(filtered ?? 100)) / 100;
}

function textLiteral(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
