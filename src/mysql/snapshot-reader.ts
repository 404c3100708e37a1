import { MillraceError } from '../base/errors.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import { op } from '../event/change-batch.ts';
import type { ChangeBatchBuilder } from '../event/change-batch.ts';
import type { TableSchema } from '../event/table-schema.ts';
import { startRawQuery } from './raw-query.ts';
import type { RawQuery } from './raw-query.ts';
import { KeyReader, keyLiterals } from './snapshot-key.ts';
import type { KeyBytes, KeyOrder } from './snapshot-key.ts';
import { resumeKey } from './snapshot-table.ts';
import type { Part, SnapshotTable } from './snapshot-table.ts';
import { TextRowReader, quoteName, selectList } from './text-row.ts';

export interface PartReaderOptions {
  readonly connection: ServerConnection;
  readonly table: SnapshotTable;
  readonly part: Part;
  /** Most rows of a query, hence of a chunk. */
  readonly chunkRows: number;
  /** A chunk ends at about this size. */
  readonly chunkBytes: number;
}

/** What a chunk reached: its last key (undefined: the part's end), and whether the part is done with it. */
export interface ChunkEnd {
  readonly to: KeyBytes | undefined;
  readonly done: boolean;
}

/** Reads one part of a table in the connection's view, chunk after chunk, from where the part is. */
export interface PartReader {
  /**
   * Fills the builder, which must be empty, with the next chunk. A chunk has no rows only if the part has none any more when
   * its reading begins: the last row is marked as such, so that it must be known to be the last.
   */
  readChunk(builder: ChangeBatchBuilder, signal: AbortSignal): Promise<ChunkEnd>;
  /** Takes the rest of a running query off the connection, so that it can be used again. */
  drain(signal: AbortSignal): Promise<void>;
}

/** Rows of the first query of a part, while the size of a row is not known. */
const firstLimit = 2000;

/**
 * Tables with a comparable key are read by queries of so many rows that a chunk is one query as a rule, in key order:
 * short statements, between which the view's metadata locks are given back (see `releaseLocks`). Other tables are
 * read by one query.
 */
export function createPartReader(options: PartReaderOptions): PartReader {
  const { connection, table, part, chunkRows, chunkBytes } = options;
  const rows = new TextRowReader(table.schema);
  const keys = table.order === undefined ? undefined : new KeyReader(table.order);
  const select = `SELECT ${selectList(table.schema.columns)} FROM ${table.source ?? allRows(table.schema)}`;
  let target: ChangeBatchBuilder | undefined;
  let query: RawQuery | undefined;
  let queryRows = 0;
  let limit = Math.min(firstLimit, chunkRows);
  /** Rows that a chunk had no room for, of the running query. */
  let carried: Buffer[] = [];
  let isEnded = false;
  let isDrained = false;
  let from = resumeKey(part);

  const append = (to: ChangeBatchBuilder, bytes: Buffer, start: number, end: number): void => {
    to.begin(op.read, 0);
    to.middle();
    rows.append(bytes, start, end, to.writer);
    to.end();
  };
  const consume = (bytes: Buffer, start: number, end: number): boolean => {
    queryRows++;
    // one row more than wanted was asked for, to know of it
    if (isDrained || (keys !== undefined && queryRows > limit)) return false;
    if (target === undefined) {
      carried.push(Buffer.from(bytes.subarray(start, end)));
      return true;
    }
    append(target, bytes, start, end);
    return target.writer.length >= chunkBytes;
  };
  const start = (): RawQuery => {
    queryRows = 0;
    isEnded = false;
    if (table.order === undefined) return startRawQuery(connection, select, consume);
    const where = rangeCondition(table.order, from, part.high);
    const by = table.order.positions.map((position) => quoteName(table.schema.columns[position]?.name ?? '')).join(', ');
    return startRawQuery(connection, `${select}${where === '' ? '' : ` WHERE ${where}`} ORDER BY ${by} LIMIT ${limit + 1}`, consume);
  };

  return {
    async readChunk(builder, signal) {
      query ??= start();
      for (const row of carried) append(builder, row, 0, row.length);
      carried = [];
      target = builder;
      isEnded ||= !(await query.pull(signal));
      target = undefined;
      // whether another row follows
      isEnded ||= !(await query.pull(signal));
      if (keys !== undefined && builder.count > 0) from = lastKey(keys, builder);
      if (!isEnded || carried.length > 0) return { to: from, done: false };
      query = undefined;
      const isLast = keys === undefined || queryRows <= limit;
      await releaseLocks(connection, signal);
      if (builder.count > 0) limit = rowsFor(chunkBytes, builder.byteLength / builder.count, chunkRows);
      return isLast ? { to: undefined, done: true } : { to: from, done: false };
    },
    async drain(signal) {
      isDrained = true;
      carried = [];
      while (query !== undefined && !isEnded) isEnded = !(await query.pull(signal));
      query = undefined;
    },
  };
}

/** A little under the chunk's size, so that the query ends before the chunk does. */
function rowsFor(chunkBytes: number, rowBytes: number, chunkRows: number): number {
  return Math.max(1, Math.min(chunkRows, Math.floor((0.9 * chunkBytes) / rowBytes)));
}

function lastKey(keys: KeyReader, builder: ChangeBatchBuilder): KeyBytes {
  const { bytes, starts, count, schema } = builder.view();
  const key = keys.read(bytes, starts[2 * count - 1] ?? 0);
  if (key === undefined) throw new MillraceError('INTERNAL', `a row of ${schema.database}.${schema.table} has no key`);
  return key;
}

/** Marks the point to which `releaseLocks` goes back; once, after the view was opened. */
export async function markLocks(connection: ServerConnection, signal: AbortSignal): Promise<void> {
  await connection.query('SAVEPOINT millrace', signal);
}

/** Gives back the metadata locks of the tables that were read, which hold back DDL; the view stays. */
export async function releaseLocks(connection: ServerConnection, signal: AbortSignal): Promise<void> {
  await connection.query('ROLLBACK TO SAVEPOINT millrace', signal);
}

/** Keys after `low` up to and with `high`, column by column, since MySQL's optimizer makes no range of `(a, b) > (1, 2)`. */
export function rangeCondition(order: KeyOrder, low: KeyBytes | undefined, high: KeyBytes | undefined): string {
  const names = order.positions.map((position) => quoteName(order.schema.columns[position]?.name ?? ''));
  const parts: string[] = [];
  if (low !== undefined) parts.push(boundCondition(names, keyLiterals(order, low), '>', '>'));
  if (high !== undefined) parts.push(boundCondition(names, keyLiterals(order, high), '<', '<='));
  return parts.join(' AND ');
}

/** `a > 1 OR (a = 1 AND (b > 2 OR …))`, with the last column's comparison of its own. */
function boundCondition(names: readonly string[], literals: readonly string[], inner: string, last: string): string {
  let condition = '';
  for (let i = names.length - 1; i >= 0; i--) {
    const [name, literal] = [names[i], literals[i]];
    condition =
      condition === '' ? `${name} ${last} ${literal}` : `(${name} ${inner} ${literal} OR (${name} = ${literal} AND ${condition}))`;
  }
  return condition;
}

/**
 * The table for a FROM: with the history rows, where the server keeps them, since the binlog has them as rows too.
 * Source: https://mariadb.com/kb/en/system-versioned-tables/
 */
export function allRows({ database, table, columns }: TableSchema): string {
  const name = `${quoteName(database)}.${quoteName(table)}`;
  return columns.some(({ versioning }) => versioning !== undefined) ? `${name} FOR SYSTEM_TIME ALL` : name;
}
