import type { Catalog } from './catalog.ts';
import { forgetRows } from './forget-rows.ts';
import type { LockOwner, Locks } from './locks.ts';
import type { StreamObject } from './objects.ts';
import type { Connection } from './store.ts';

export interface Load {
  readonly tableId: number;
  readonly stageId: number;
  readonly file: string;
  readonly etag: string;
  readonly rows: number;
}

/** What a transaction has done so far. */
export interface Transaction extends LockOwner {
  /** Rows that it wrote carry this instead of a version. */
  readonly stamp: number;
  readonly explicit: boolean;
  /** As BEGIN has named it. */
  readonly name: string;
  readonly startedMs: number;
  /** When its last statement ended; an idle one that others wait for is ended by the service. */
  idleSinceMs: number;
  readonly tables: Set<number>;
  readonly loads: Load[];
  /** Streams that a DML statement has read, and up to where: their offsets move at the commit. */
  readonly streams: Map<number, number>;
  /** Of streams: what the transaction sees of their tables stays what it was at its first look. */
  readonly streamVersions: Map<number, number>;
  /** What else is written at the commit, and is there with it or not at all. */
  readonly beside: (() => Promise<void>)[];
}

export function openTransaction(
  catalog: Catalog,
  sessionId: number,
  { explicit, name }: Pick<Transaction, 'explicit' | 'name'>,
): Transaction {
  const stamp = catalog.store.nextStamp();
  return {
    // Snowflake's ids are times in nanoseconds; this is as unique and stays a safe number.
    transactionId: Date.now() * 1000 + (stamp % 1000),
    sessionId,
    stamp,
    explicit,
    name,
    startedMs: Date.now(),
    idleSinceMs: Date.now(),
    tables: new Set(),
    loads: [],
    streams: new Map(),
    streamVersions: new Map(),
    beside: [],
  };
}

/** The parts of an account that a commit moves on. */
interface Committing {
  readonly maxEndedRows: number;
  readonly catalog: Catalog;
  readonly locks: Locks;
  readonly statements: Map<string, { readonly before: number; readonly after: number; readonly ms: number }>;
}

/** Makes its rows the next version of their tables, its loads remembered and its streams move, all at once. */
export async function commit(account: Committing, connection: Connection, transaction: Transaction, queryId: string): Promise<void> {
  const { catalog, locks, statements } = account;
  const { store } = catalog;
  try {
    if (transaction.tables.size + transaction.loads.length + transaction.streams.size > 0) {
      await store.exclusively(async () => {
        const version = store.version + 1;
        const streams = movedStreams(catalog, transaction);
        await connection.atomically(async () => {
          for (const tableId of transaction.tables) {
            if (catalog.byId(tableId) === undefined) continue;
            await connection.run(`UPDATE t${tableId} SET _b = ${version} WHERE _b = ${transaction.stamp}`);
            const ended = await connection.run(`UPDATE t${tableId} SET _e = ${version} WHERE _e = ${transaction.stamp}`);
            store.ended.set(tableId, (store.ended.get(tableId) ?? 0) + ended);
          }
          await rememberLoads(connection, transaction.loads);
          for (const stream of streams) await catalog.save(connection, stream);
          for (const write of transaction.beside) await write();
          await connection.run('INSERT INTO sys_statements VALUES (?, ?, ?, ?)', [
            queryId,
            BigInt(version),
            BigInt(version - 1),
            BigInt(Date.now()),
          ]);
        });
        catalog.enter(...streams);
        store.version = version;
        statements.set(queryId, { before: version - 1, after: version, ms: Date.now() });
        for (const tableId of transaction.tables) {
          if ((store.ended.get(tableId) ?? 0) <= account.maxEndedRows) continue;
          await forgetRows(catalog, connection, tableId, account.maxEndedRows);
          store.ended.set(tableId, Math.floor(account.maxEndedRows / 2));
        }
      });
    }
  } finally {
    locks.release(transaction.transactionId);
  }
}

function movedStreams(catalog: Catalog, transaction: Transaction): readonly StreamObject[] {
  return [...transaction.streams].flatMap(([id, offset]) => {
    const stream = catalog.byId(id);
    return stream?.kind === 'stream' ? [{ ...stream, offset }] : [];
  });
}

async function rememberLoads(connection: Connection, loads: readonly Load[]): Promise<void> {
  for (const load of loads) {
    await connection.run('INSERT INTO sys_loads VALUES (?, ?, ?, ?, ?, ?)', [
      BigInt(load.tableId),
      BigInt(load.stageId),
      load.file,
      load.etag,
      BigInt(load.rows),
      BigInt(Date.now()),
    ]);
  }
}

export async function rollback(catalog: Catalog, locks: Locks, connection: Connection, transaction: Transaction): Promise<void> {
  try {
    await connection.atomically(async () => {
      for (const tableId of transaction.tables) {
        if (catalog.byId(tableId) === undefined) continue;
        await connection.run(`DELETE FROM t${tableId} WHERE _b = ${transaction.stamp}`);
        await connection.run(`UPDATE t${tableId} SET _e = NULL WHERE _e = ${transaction.stamp}`);
      }
    });
  } finally {
    locks.release(transaction.transactionId);
  }
}
