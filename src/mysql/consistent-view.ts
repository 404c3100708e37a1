import { createBackoff } from '../base/backoff.ts';
import { MillraceError, isMillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { silentLogger } from '../base/logger.ts';
import { openConnection } from '../binlog/connection.ts';
import type { ConnectionSettings, ServerConnection } from '../binlog/connection.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import { beginLockFreeViews, canBeLockFree } from './lock-free-view.ts';
import { openPositionCounter } from './position-counter.ts';
import type { PositionCounter } from './position-counter.ts';
import { prepareSession } from './snapshot-session.ts';
import { binlogStatusStatement, readBinlogStatus } from './server-position.ts';
import { refusePrepared } from './prepared-transactions.ts';

/** A connection in a read-only transaction that sees the server's tables exactly as of `position`. */
export interface ConsistentView extends AsyncDisposable {
  readonly connection: ServerConnection;
  readonly position: SourcePosition;
}

export interface ConsistentViewOptions {
  readonly connection: ConnectionSettings;
  /** How many views; under a lock they share one position, without it each has its own. */
  readonly count: number;
  /** Longest wait for FLUSH TABLES WITH READ LOCK, which holds back all writers meanwhile; at most 2 s are used. */
  readonly lockWaitMs: number;
  /**
   * How the position of a view is known: `lock` stops commits for a moment, `lockFree` never does; `auto` takes the lock only
   * where there is no other way (MySQL without GTIDs), or where the other way finds no view in good time. For when the
   * lock is not had in time, MySQL has the tables marked as flushed by then, and whoever opens one of them waits for the
   * statement that is in the way, however long it takes (measured on 9.7).
   */
  readonly method?: 'auto' | 'lock' | 'lockFree';
  /** How long long statements, prepared transactions and unlucky tries are waited out; default 60 s. */
  readonly patienceMs?: number;
  /** Views will be opened again and again in short succession. */
  readonly repeated?: boolean;
  readonly log?: Logger;
}

/** Connections on which consistent views can be opened again and again. */
export interface ViewSource extends AsyncDisposable {
  /** The connections that the views are opened on, in order. */
  readonly connections: readonly ServerConnection[];
  /**
   * Ends the views that are open and opens new ones; gives their positions, in the order of the connections.
   * @throws MYSQL_PRIVILEGE_MISSING with the GRANT; SNAPSHOT_FAILED (retriable), XA_PREPARED (retriable)
   */
  begin(signal: AbortSignal): Promise<readonly SourcePosition[]>;
}

const longestLockWaitMs = 2000;
/** The lock is let go after so long at the latest; it takes milliseconds. */
const longestHoldMs = 5000;
/** A statement that runs for so long already may run on, make the lock wait, and all writers behind it. */
const longStatementMs = 100;
const defaultPatienceMs = 60_000;
/** How long `auto` tries without a lock before it takes one. */
const lockFreePatienceMs = 20_000;

/**
 * Opens views, each on a connection of its own that the caller disposes.
 *
 * @throws MYSQL_PRIVILEGE_MISSING with the GRANT; SNAPSHOT_FAILED (retriable), XA_PREPARED (retriable), MYSQL_UNREACHABLE
 */
export async function openConsistentViews(options: ConsistentViewOptions, signal: AbortSignal): Promise<ConsistentView[]> {
  const source = await openViewSource(options, signal);
  try {
    const positions = await source.begin(signal);
    await source.release();
    return source.connections.map((connection, i) => ({
      connection,
      position: positions[i] ?? positionMissing(),
      [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    }));
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/** Connects; no view is open yet. */
export async function openViewSource(
  options: ConsistentViewOptions,
  signal: AbortSignal,
): Promise<ViewSource & { /** Ends what serves to open views, leaves the views' connections open. */ release(): Promise<void> }> {
  const settings = { ...options.connection, multipleStatements: true };
  const opened: ServerConnection[] = [];
  const open = async (): Promise<ServerConnection> => {
    const connection = await openConnection(settings, signal);
    opened.push(connection);
    await prepareSession(connection, signal);
    return connection;
  };
  let state: ViewSourceState;
  try {
    const control = await open();
    const connections: ServerConnection[] = [];
    for (let i = 0; i < options.count; i++) connections.push(await open());
    state = { options, control, connections, counter: undefined };
  } catch (error) {
    for (const connection of opened) connection.destroy();
    throw error;
  }
  const release = async (): Promise<void> => {
    await closeCounter(state);
    await state.control[Symbol.asyncDispose]();
  };
  return {
    connections: state.connections,
    begin: (beginSignal) => beginViews(state, beginSignal),
    release,
    async [Symbol.asyncDispose]() {
      await release();
      for (const connection of state.connections) await connection[Symbol.asyncDispose]();
    },
  };
}

interface ViewSourceState {
  readonly options: ConsistentViewOptions;
  /** For the lock and for looks at the server. */
  readonly control: ServerConnection;
  readonly connections: readonly ServerConnection[];
  /** Of the lock-free way on MySQL; kept between views, since it knows the set at a recent position. */
  counter: PositionCounter | undefined;
}

async function beginViews(state: ViewSourceState, signal: AbortSignal): Promise<readonly SourcePosition[]> {
  const { options, control, connections } = state;
  const { method = 'auto', patienceMs = defaultPatienceMs, log = silentLogger } = options;
  for (const connection of connections) await connection.query('ROLLBACK', signal);
  if (method === 'lock' || !(await canBeLockFree(control, signal))) {
    if (method === 'lockFree') throw lockNeeded();
    return beginLockedViews(state, Date.now() + patienceMs, signal);
  }
  try {
    return await beginUnlockedViews(state, method === 'auto' ? Math.min(patienceMs, lockFreePatienceMs) : patienceMs, signal);
  } catch (error) {
    if (method === 'lockFree' || !isMillraceError(error, 'SNAPSHOT_FAILED')) throw error;
    log.info({ error: error.message }, 'consistent views under a lock');
    try {
      return await beginLockedViews(state, Date.now() + patienceMs, signal);
    } catch (second) {
      throw isMillraceError(second, 'MYSQL_PRIVILEGE_MISSING') ? error : second;
    }
  }
}

async function beginUnlockedViews(state: ViewSourceState, patienceMs: number, signal: AbortSignal): Promise<SourcePosition[]> {
  const { options, control, connections } = state;
  try {
    if (control.version.flavor === 'mysql') state.counter ??= await openPositionCounter(options.connection, control, signal);
    return await beginLockFreeViews({ connections, counter: state.counter, deadline: Date.now() + patienceMs }, signal);
  } catch (error) {
    await closeCounter(state);
    throw error;
  } finally {
    // Unread, it would keep the server from purging binlogs.
    if (options.repeated !== true) await closeCounter(state);
  }
}

async function closeCounter(state: ViewSourceState): Promise<void> {
  await state.counter?.[Symbol.asyncDispose]();
  state.counter = undefined;
}

function lockNeeded(cause?: unknown): MillraceError {
  return new MillraceError(
    'MYSQL_PRIVILEGE_MISSING',
    'a consistent view needs RELOAD, because the server has no GTIDs (gtid_mode is not ON)',
    {
      cause,
      nextStep: 'GRANT RELOAD ON *.* TO the user, or set gtid_mode=ON.',
    },
  );
}

async function beginLockedViews(state: ViewSourceState, deadline: number, signal: AbortSignal): Promise<SourcePosition[]> {
  const { control, options } = state;
  const log = options.log ?? silentLogger;
  const lockSeconds = Math.max(1, Math.round(Math.min(longestLockWaitMs, options.lockWaitMs) / 1000));
  await control.query(`SET SESSION lock_wait_timeout = ${lockSeconds}`, signal);
  const backoff = createBackoff({ firstMs: 250, maxMs: 5000 });
  let prepared: MillraceError | undefined;
  for (;;) {
    const statement = await longStatement(control, signal);
    if (statement === undefined) {
      const tried = await tryLock(state, signal);
      if (Array.isArray(tried)) return tried;
      prepared = tried;
    }
    if (Date.now() > deadline) {
      throw (
        prepared ??
        new MillraceError('SNAPSHOT_FAILED', `${control.address}: FLUSH TABLES WITH READ LOCK was not granted in time`, {
          retriable: true,
          nextStep: 'End the long statements, or set gtid_mode=ON, with which no lock is needed.',
          context: { statement },
        })
      );
    }
    log.info({ attempt: backoff.attempts, statement }, 'waiting for a moment to lock');
    await backoff.wait(signal);
  }
}

/** Undefined: the lock was not to be had in time; an error: prepared transactions are in the way. */
async function tryLock(
  { control, connections }: ViewSourceState,
  signal: AbortSignal,
): Promise<SourcePosition[] | MillraceError | undefined> {
  try {
    await control.query('FLUSH TABLES WITH READ LOCK', signal);
  } catch (error) {
    if (isMillraceError(error, 'MYSQL_PRIVILEGE_MISSING') || isMillraceError(error, 'MYSQL_ACCESS_DENIED')) throw lockNeeded(error);
    if (isMillraceError(error, 'MYSQL_QUERY_FAILED') && error.retriable) return undefined;
    throw error;
  }
  // Whatever happens to a view's connection, writers must not be held back for long.
  const locked = AbortSignal.any([signal, AbortSignal.timeout(longestHoldMs)]);
  try {
    // No transaction can be prepared or committed now: what is prepared here is invisible to the views, yet behind their position.
    const prepared = await refusePrepared(control, locked);
    if (prepared !== undefined) return prepared;
    await Promise.all(connections.map((connection) => connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT', locked)));
    const position = await lockedPosition(control, locked);
    return connections.map(() => position);
  } finally {
    await control.query('UNLOCK TABLES', signal);
  }
}

async function lockedPosition(control: ServerConnection, signal: AbortSignal): Promise<SourcePosition> {
  const end = readBinlogStatus((await control.query(binlogStatusStatement(control.version), signal))[0]);
  if (control.version.flavor === 'mysql') return end;
  const rows = await control.query('SELECT @@GLOBAL.gtid_binlog_pos', signal);
  return { ...end, gtids: rows[0]?.[0] ?? '' };
}

/**
 * A statement of others that runs for long; undefined if none is seen (on MariaDB, without PROCESS one sees only one's own).
 * Statements that wait for a metadata lock hold none that the flush waits for.
 */
async function longStatement(control: ServerConnection, signal: AbortSignal): Promise<string | undefined> {
  const rows = await control.query(control.version.flavor === 'mariadb' ? mariadbLongStatements : mysqlLongStatements, signal);
  const [id, text] = rows[0] ?? [];
  return id === undefined ? undefined : `${id}: ${text}`;
}

const mysqlLongStatements = `SELECT t.PROCESSLIST_ID, LEFT(s.SQL_TEXT, 200) FROM performance_schema.events_statements_current s
  JOIN performance_schema.threads t ON t.THREAD_ID = s.THREAD_ID
  WHERE s.END_EVENT_ID IS NULL AND s.TIMER_WAIT > ${longStatementMs} * 1000000000 AND t.PROCESSLIST_COMMAND = 'Query'
    AND t.PROCESSLIST_ID <> CONNECTION_ID() AND COALESCE(t.PROCESSLIST_STATE, '') NOT LIKE 'Waiting for%' LIMIT 1`;

const mariadbLongStatements = `SELECT ID, LEFT(INFO, 200) FROM information_schema.PROCESSLIST
  WHERE COMMAND = 'Query' AND TIME_MS > ${longStatementMs} AND ID <> CONNECTION_ID()
    AND USER NOT IN ('system user', 'event_scheduler') AND COALESCE(STATE, '') NOT LIKE 'Waiting for%' LIMIT 1`;

function positionMissing(): never {
  throw new MillraceError('INTERNAL', 'a view without a position');
}
