import type { RowDataPacket } from 'mysql2';
import { addAbortListener } from 'node:events';
import { sleep } from '../base/abort.ts';
import { MillraceError, isMillraceError } from '../base/errors.ts';
import { translateDriverError } from '../binlog/driver-errors.ts';
import { GtidSet } from '../binlog/gtid-set.ts';
import type { ServerConnection, TextRow } from '../binlog/connection.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { PositionCounter } from './position-counter.ts';
import { preparedError } from './prepared-transactions.ts';
import { binlogStatusStatement, mariadbGtidsAt, readBinlogStatus } from './server-position.ts';

export interface LockFreeOptions {
  /** Opened with `multipleStatements`. */
  readonly connections: readonly ServerConnection[];
  /** Of MySQL; undefined on MariaDB. */
  readonly counter: PositionCounter | undefined;
  /** Milliseconds since the epoch: when to give up. */
  readonly deadline: number;
}

/** Whether the server can name the position of a view without a lock: every MariaDB, MySQL with GTIDs. */
export async function canBeLockFree(connection: ServerConnection, signal: AbortSignal): Promise<boolean> {
  if (connection.version.flavor === 'mariadb') return true;
  return (await connection.query('SELECT @@GLOBAL.gtid_mode', signal))[0]?.[0] === 'ON';
}

/**
 * Opens a consistent view on each connection without holding anybody back; each has a position of its own.
 *
 * @throws SNAPSHOT_FAILED (retriable) when no try counted before the deadline; XA_PREPARED (retriable)
 */
export async function beginLockFreeViews(options: LockFreeOptions, signal: AbortSignal): Promise<SourcePosition[]> {
  const positions: SourcePosition[] = [];
  for (const connection of options.connections) positions.push(await beginOne(connection, options, signal));
  return positions;
}

async function beginOne(
  connection: ServerConnection,
  { counter, deadline }: LockFreeOptions,
  signal: AbortSignal,
): Promise<SourcePosition> {
  const mayAsk = await canSeePrepared(connection, signal);
  for (let attempt = 1; ; attempt++) {
    const tried = counter === undefined ? await tryMariadb(connection, signal) : await tryMysql({ connection, counter, mayAsk }, signal);
    if ('file' in tried) return tried;
    await connection.query('ROLLBACK', signal);
    if (Date.now() > deadline) {
      throw (
        tried.prepared ??
        new MillraceError('SNAPSHOT_FAILED', `${attempt} views were opened, and none at a moment whose binlog position is certain`, {
          retriable: true,
          nextStep: 'GRANT RELOAD ON *.* TO the user, so that a lock of milliseconds can be taken; or try at a quieter time.',
        })
      );
    }
    // Tries are independent of each other; a pause of random length keeps step with no one.
    await sleep(tried.prepared === undefined ? Math.random() * 5 : 500, signal);
  }
}

interface Refused {
  readonly prepared: MillraceError | undefined;
}

interface MysqlTry {
  readonly connection: ServerConnection;
  readonly counter: PositionCounter;
  /** Whether the user may see prepared transactions. */
  readonly mayAsk: boolean;
}

/**
 * One round trip: the executed set G, then the view, then the binlog's end E. A transaction is in the binlog before it is
 * visible, and visible before it is in `gtid_executed`, so that G ⊆ view ⊆ binlog up to E. If the binlog up to E
 * holds G and nothing else, all three are the same, and E is the view's position. (`gtid_executed` read again after
 * the view would not do: a transaction can be visible before it is in there.)
 *
 * XA RECOVER stands between G and the view: what is prepared in G and not seen by it is committed by then.
 */
async function tryMysql({ connection, counter, mayAsk }: MysqlTry, signal: AbortSignal): Promise<SourcePosition | Refused> {
  const [executed, prepared, , status] = await queryAll(
    connection,
    [
      'SELECT @@GLOBAL.gtid_executed',
      mayAsk ? 'XA RECOVER' : 'DO 0',
      'START TRANSACTION WITH CONSISTENT SNAPSHOT',
      binlogStatusStatement(connection.version),
    ],
    signal,
  );
  const refused = preparedError(prepared ?? []);
  if (refused !== undefined) return { prepared: refused };
  const end = readBinlogStatus(status?.[0]);
  const before = GtidSet.parse(executed?.[0]?.[0] ?? '');
  const counted = await counter.gtidsAt(end, signal);
  return counted.equals(before) ? { ...end, gtids: before.toString() } : { prepared: undefined };
}

/**
 * MariaDB's view knows its own place in the binlog. Prepared transactions are looked for on both sides of it: one that
 * was prepared before and ended after the view is seen by the first look, unless it was prepared in the same
 * microseconds; the stream then meets an end without a beginning.
 */
async function tryMariadb(connection: ServerConnection, signal: AbortSignal): Promise<SourcePosition | Refused> {
  const [first, , status, second] = await queryAll(
    connection,
    ['XA RECOVER', 'START TRANSACTION WITH CONSISTENT SNAPSHOT', "SHOW STATUS LIKE 'binlog_snapshot_%'", 'XA RECOVER'],
    signal,
  );
  const refused = preparedError([...(first ?? []), ...(second ?? [])]);
  if (refused !== undefined) return { prepared: refused };
  const named = new Map(status?.map(([name, value]) => [name?.toLowerCase(), value]));
  const file = named.get('binlog_snapshot_file') ?? null;
  const end = readBinlogStatus(file === '' ? undefined : [file, named.get('binlog_snapshot_position') ?? null]);
  return { ...end, gtids: await mariadbGtidsAt(connection, end, signal) };
}

async function canSeePrepared(connection: ServerConnection, signal: AbortSignal): Promise<boolean> {
  try {
    await connection.query('XA RECOVER', signal);
    return true;
  } catch (error) {
    if (isMillraceError(error) && (error.code === 'MYSQL_PRIVILEGE_MISSING' || error.context['errno'] === 1401)) return false;
    throw error;
  }
}

/** Runs statements in one round trip; the rows of each, values as text. */
async function queryAll(connection: ServerConnection, statements: readonly string[], signal: AbortSignal): Promise<(readonly TextRow[])[]> {
  signal.throwIfAborted();
  using _abort = addAbortListener(signal, () => connection.destroy());
  const sql = statements.join('; ');
  try {
    return await new Promise((resolve, reject) => {
      connection.driver.query<RowDataPacket[][]>({ sql, rowsAsArray: true, typeCast: (field) => field.string() }, (error, result) => {
        if (error !== null) reject(error);
        else resolve(Array.isArray(result) ? result.map(rowsOf) : []);
      });
    });
  } catch (error) {
    signal.throwIfAborted();
    throw translateDriverError(error, `${connection.address}: ${sql}`);
  }
}

/** Of a statement without rows the driver gives an object. */
function rowsOf(result: unknown): readonly TextRow[] {
  if (!Array.isArray(result)) return [];
  return result.map((row: unknown) => (Array.isArray(row) ? row.map((value: unknown) => (typeof value === 'string' ? value : null)) : []));
}
