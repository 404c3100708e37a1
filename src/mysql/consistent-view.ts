import { sleep } from '../base/abort.ts';
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
   * How the position of a view is known: `lock` stops commits for a moment, `lockFree` never does; `auto` takes the lock
   * where the user may, else the other.
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
/** A statement that runs for so long already would make the lock wait, and all writers behind it. */
const longStatementSeconds = 1;
const defaultPatienceMs = 60_000;
/** Tries of the lock before the lock-free way is taken where there is one. */
const lockTries = 4;

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
    state = { options, control, connections, counter: undefined, lockDenied: options.method === 'lockFree' };
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
  lockDenied: boolean;
}

async function beginViews(state: ViewSourceState, signal: AbortSignal): Promise<readonly SourcePosition[]> {
  const { options, control, connections } = state;
  const log = options.log ?? silentLogger;
  const deadline = Date.now() + (options.patienceMs ?? defaultPatienceMs);
  for (const connection of connections) await connection.query('ROLLBACK', signal);
  if (!state.lockDenied) {
    const positions = await beginLockedViews(state, deadline, signal);
    if (positions !== undefined) return positions;
    if (!(await canBeLockFree(control, signal))) throw lockNeeded(state);
    log.info({ reason: state.lockDenied ? 'denied' : 'busy' }, 'consistent views without a lock');
  } else if (!(await canBeLockFree(control, signal))) throw lockNeeded(state);
  try {
    if (control.version.flavor === 'mysql') state.counter ??= await openPositionCounter(options.connection, control, signal);
    return await beginLockFreeViews({ connections, counter: state.counter, deadline }, signal);
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

function lockNeeded({ lockDenied, control }: ViewSourceState): MillraceError {
  if (!lockDenied) {
    return new MillraceError('SNAPSHOT_FAILED', `${control.address}: FLUSH TABLES WITH READ LOCK was not granted in time`, {
      retriable: true,
      nextStep: 'End the long statements, or set gtid_mode=ON, with which no lock is needed.',
    });
  }
  return new MillraceError('MYSQL_PRIVILEGE_MISSING', 'a snapshot needs RELOAD, because the server has no GTIDs (gtid_mode is not ON)', {
    nextStep: 'GRANT RELOAD ON *.* TO the user, or set gtid_mode=ON.',
  });
}

/** Undefined: the lock is denied (then `lockDenied` is set), or was not to be had although there is another way. */
async function beginLockedViews(state: ViewSourceState, deadline: number, signal: AbortSignal): Promise<SourcePosition[] | undefined> {
  const { control, options } = state;
  const log = options.log ?? silentLogger;
  const lockSeconds = Math.max(1, Math.round(Math.min(longestLockWaitMs, options.lockWaitMs) / 1000));
  await control.query(`SET SESSION lock_wait_timeout = ${lockSeconds}`, signal);
  const optional = options.method !== 'lock' && (await canBeLockFree(control, signal));
  const backoff = createBackoff({ firstMs: 250, maxMs: 5000 });
  for (;;) {
    const statement = await longStatement(control, signal);
    if (statement === undefined) {
      const positions = await tryLock(state, deadline, signal);
      if (positions !== undefined || state.lockDenied) return positions;
    }
    if (Date.now() > deadline || (optional && backoff.attempts >= lockTries)) return undefined;
    log.info({ attempt: backoff.attempts, statement }, 'waiting for a moment without long statements');
    await backoff.wait(signal);
  }
}

async function tryLock(state: ViewSourceState, deadline: number, signal: AbortSignal): Promise<SourcePosition[] | undefined> {
  const { control, connections } = state;
  try {
    await control.query('FLUSH TABLES WITH READ LOCK', signal);
  } catch (error) {
    if (isMillraceError(error, 'MYSQL_PRIVILEGE_MISSING') || isMillraceError(error, 'MYSQL_ACCESS_DENIED')) {
      if (state.options.method === 'lock') throw error;
      state.lockDenied = true;
      return undefined;
    }
    if (isMillraceError(error, 'MYSQL_QUERY_FAILED') && error.retriable) return undefined;
    throw error;
  }
  let prepared: MillraceError | undefined;
  // Whatever happens to a view's connection, writers must not be held back for long.
  const locked = AbortSignal.any([signal, AbortSignal.timeout(longestHoldMs)]);
  try {
    // No transaction can be prepared or committed now: what is prepared here is invisible to the views, yet behind their position.
    prepared = await refusePrepared(control, locked);
    if (prepared === undefined) {
      await Promise.all(connections.map((connection) => connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT', locked)));
      const position = await lockedPosition(control, locked);
      return connections.map(() => position);
    }
  } finally {
    await control.query('UNLOCK TABLES', signal);
  }
  if (Date.now() > deadline) throw prepared;
  await sleep(500, signal);
  return tryLock(state, deadline, signal);
}

async function lockedPosition(control: ServerConnection, signal: AbortSignal): Promise<SourcePosition> {
  const end = readBinlogStatus((await control.query(binlogStatusStatement(control.version), signal))[0]);
  if (control.version.flavor === 'mysql') return end;
  const rows = await control.query('SELECT @@GLOBAL.gtid_binlog_pos', signal);
  return { ...end, gtids: rows[0]?.[0] ?? '' };
}

/** A statement of others that runs for long; undefined if none is seen (without PROCESS one sees only one's own). */
async function longStatement(control: ServerConnection, signal: AbortSignal): Promise<string | undefined> {
  const rows = await control.query('SHOW FULL PROCESSLIST', signal);
  const [own] = (await control.query('SELECT CONNECTION_ID()', signal))[0] ?? [];
  for (const [id, user, , , command, time, state, info] of rows) {
    if (id === own || command !== 'Query' || info === null || user === 'event_scheduler' || user === 'system user') continue;
    // Statements that wait for a metadata lock hold none that the flush waits for.
    if (Number(time) >= longStatementSeconds && !/Waiting for/.test(state ?? '')) return `${id}: ${info?.slice(0, 200)}`;
  }
  return undefined;
}

function positionMissing(): never {
  throw new MillraceError('INTERNAL', 'a view without a position');
}
