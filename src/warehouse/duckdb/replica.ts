import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import duckdb from '@duckdb/node-bindings';
import { messageOf, MillraceError } from '../../base/errors.ts';
import { createExclusive } from '../../base/exclusive.ts';
import type { Logger } from '../../base/logger.ts';
import { tableName } from '../../event/table-schema.ts';
import { asidePrefix } from '../replica-names.ts';
import { Book } from '../book.ts';
import { recordKey, type TableRecord } from '../table-record.ts';
import type { SinkIdentity } from '../unit-records.ts';
import type { SinkStore } from '../warehouse.ts';
import { forgetConnector, loadBook } from './bookkeeping.ts';
import { storeStringBlock, storeStringsSingly, type StringStore } from './column-buffer.ts';
import { setLateNotNull } from './late-not-null.ts';
import { openPin, runQuery, type PinnedReader, type QueryOptions, type QueryResult } from './reader.ts';
import { catalog, literal, openSession, qualified, quoted, translateError, type Session } from './session.ts';
import { stringBlocksWork } from './string-block-check.ts';
import { columnList, columnsOf, qualifiedTarget } from './transaction.ts';
import { DuckDbUnit } from './unit.ts';

export interface ReplicaOptions {
  /** Path of the DuckDB file; made if it is not there. */
  readonly file: string;
  /** DuckDB's `memory_limit`, such as `300MB`. */
  readonly memoryLimit: string;
  readonly threads: number;
  /** Where DuckDB spills to; default: beside the file. */
  readonly tempDirectory?: string;
  /** Size of the write-ahead log at which a commit checkpoints, such as `256MB`. */
  readonly checkpointThreshold: string;
}

export const defaultReplicaOptions = { memoryLimit: '200MB', threads: 2, checkpointThreshold: '128MB' } as const;

export interface TableStatus {
  readonly record: TableRecord;
  /** Rows that readers see; undefined while the first snapshot is loaded. */
  readonly rows: number | undefined;
  /** Rows of the unfinished snapshot. */
  readonly loading: number | undefined;
  /** Share of the stored rows that are deleted, as far as it is known. */
  readonly deadShare: number | undefined;
}

/** Dead rows are not worth a rebuild in small tables. */
const leastCompactedRows = 200_000;
const greatestDeadShare = 0.3;

/** A DuckDB file that is open in this thread, and in no other, in this process or another one. */
export class Replica implements AsyncDisposable {
  readonly file: string;
  readonly book = new Book();
  readonly storeStrings: StringStore;
  readonly #database: duckdb.Database;
  readonly #log: Logger;
  readonly #main: Session;
  readonly #idle: Session[] = [];
  readonly #sessions = new Set<Session>();
  #closed = false;

  private constructor(parts: { file: string; database: duckdb.Database; main: Session; storeStrings: StringStore; log: Logger }) {
    this.file = parts.file;
    this.#database = parts.database;
    this.#main = parts.main;
    this.storeStrings = parts.storeStrings;
    this.#log = parts.log;
  }

  /** @throws WAREHOUSE_LOCKED, DATA_VERSION */
  static async open(options: ReplicaOptions, log: Logger): Promise<Replica> {
    const file = identityOf(options.file);
    if (openFiles.has(file)) throw new MillraceError('WAREHOUSE_LOCKED', `${file} is open in this process already`);
    openFiles.add(file);
    try {
      return await openReplica({ ...options, file }, log, (parts) => new Replica(parts));
    } catch (error) {
      openFiles.delete(file);
      throw error;
    }
  }

  /** Runs one writer after the other. */
  readonly exclusive = createExclusive();

  /** What a sink connector's task works with. */
  openSink(sink: SinkIdentity): SinkStore {
    const { book } = this;
    return {
      get offsets() {
        return book.offsetsOf(sink.connector);
      },
      notes: (source) => book.notesOf(sink.connector, source),
      unfinished: (source) =>
        this.tables(sink.connector).filter((record) => record.source === source && (record.broken ?? record.aside) !== undefined),
      begin: async (source) => new DuckDbUnit(this, { sink, source }, await this.#takeSession()),
    };
  }

  /** Hands a session back that `begin` took. */
  returnSession(session: Session): void {
    if (!this.#idle.includes(session)) this.#idle.push(session);
  }

  /**
   * Runs one SELECT (or EXPLAIN, SHOW, DESCRIBE …) on a connection of its own, on what is committed; values are text.
   * @throws WAREHOUSE_FAILED when DuckDB refuses it, or it would write
   */
  async query(sql: string, options: QueryOptions, signal: AbortSignal): Promise<QueryResult> {
    using session = await openSession(this.#database);
    return await runQuery(session, { sql, ...options }, signal);
  }

  /** A reader of what is committed now, whatever is committed later. */
  async pin(): Promise<PinnedReader> {
    return openPin(await openSession(this.#database));
  }

  /** A further connection; the caller closes it, and writes only inside of `exclusive`. */
  async openSession(): Promise<Session> {
    return openSession(this.#database);
  }

  /** Replicated tables of one connector, or of all. */
  tables(connector?: string): readonly TableRecord[] {
    return [...this.book.tables.values()].filter((record) => connector === undefined || record.connector === connector);
  }

  /** Rows of all tables. */
  async status(): Promise<readonly TableStatus[]> {
    using session = await openSession(this.#database);
    const result: TableStatus[] = [];
    for (const record of this.tables()) {
      const rows = record.live === undefined ? undefined : await countRows(session, record, record.replica.table);
      const loading = record.aside === undefined ? undefined : await countRows(session, record, record.aside.name);
      result.push({ record, rows, loading, deadShare: undefined });
    }
    return result;
  }

  /** Writes the log into the file; for times when nothing else is to be done. Skipped while a reader or writer is busy. */
  async checkpointWhenIdle(): Promise<void> {
    await this.exclusive(async () => {
      try {
        await this.#main.run(`CHECKPOINT ${catalog}`);
      } catch (error) {
        this.#log.debug({ error: messageOf(error) }, 'checkpoint put off');
      }
    });
  }

  /** Share of a table's stored rows that are deleted. */
  async deadShare(record: TableRecord): Promise<number> {
    if (record.live === undefined) return 0;
    const { schema, table } = record.replica;
    // the pragma cannot read a name with a quote: there the last row's place says nearly the same
    const [stored] = await this.#main.rows(
      `${schema}${table}`.includes('"')
        ? `SELECT coalesce(max(rowid) + 1, 0) FROM ${qualified(schema, table)}`
        : `SELECT coalesce(sum(count), 0) FROM pragma_storage_info(${literal(`${catalog}.${quoted(schema)}.${quoted(table)}`)})
           WHERE column_id = 0 AND segment_type = 'VALIDITY'`,
    );
    const all = Number(stored?.[0]);
    if (all < leastCompactedRows) return 0;
    const live = await countRows(this.#main, record, table);
    return Math.max(0, 1 - live / all);
  }

  /** Rebuilds the tables whose dead share is too great; for times when nothing else is to be done. Names those it rebuilt. */
  async compactWhenIdle(signal: AbortSignal): Promise<readonly string[]> {
    const rebuilt: string[] = [];
    for (const record of this.tables()) {
      signal.throwIfAborted();
      if (record.live === undefined || (await this.deadShare(record)) <= greatestDeadShare) continue;
      await this.compact(record);
      rebuilt.push(tableName(record));
    }
    return rebuilt;
  }

  /** Rebuilds a table without its deleted rows, and swaps it in. Writers wait, readers do not. */
  async compact(record: TableRecord): Promise<void> {
    await this.exclusive(async () => {
      const current = this.book.tables.get(recordKey(record));
      if (current?.live === undefined) return;
      const name = `${asidePrefix}compacting_${current.replica.table}`;
      const from = qualifiedTarget(current, current.replica.table);
      const to = qualifiedTarget(current, name);
      await this.#main.run('BEGIN TRANSACTION');
      try {
        await this.#main.run(`CREATE TABLE ${to} (${columnList(columnsOf(current, current.live))})`);
        await this.#main.run(`INSERT INTO ${to} FROM ${from}`);
        await this.#main.run(`DROP TABLE ${from}`);
        await this.#main.run(`ALTER TABLE ${to} RENAME TO ${quoted(current.replica.table)}`);
        await this.#main.run('COMMIT');
      } catch (error) {
        await this.#main.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  /** Forgets a connector's offsets and drops its tables, so that it begins anew. */
  async forget(connector: string): Promise<void> {
    await this.exclusive(async () => {
      for (const record of this.tables(connector)) {
        const names = [record.live === undefined ? undefined : record.replica.table, record.aside?.name];
        for (const name of names) {
          if (name !== undefined) await this.#main.run(`DROP TABLE IF EXISTS ${qualified(record.replica.schema, name)}`);
        }
      }
      await forgetConnector(this.#main, this.book, connector);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.exclusive(() => Promise.resolve());
    for (const session of this.#sessions) session[Symbol.dispose]();
    this.#main[Symbol.dispose]();
    duckdb.close_sync(this.#database);
    openFiles.delete(this.file);
  }

  async #takeSession(): Promise<Session> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const session = await openSession(this.#database);
    this.#sessions.add(session);
    return session;
  }
}

/** Real paths of the files that this thread has open: DuckDB itself would open one twice, and lose commits. */
const openFiles = new Set<string>();

function identityOf(file: string): string {
  const path = resolve(file);
  if (existsSync(path)) return realpathSync(path);
  const folder = dirname(path);
  return existsSync(folder) ? join(realpathSync(folder), basename(path)) : path;
}

interface OpenParts {
  readonly file: string;
  readonly database: duckdb.Database;
  readonly main: Session;
  readonly storeStrings: StringStore;
  readonly log: Logger;
}

async function openReplica(options: ReplicaOptions, log: Logger, make: (parts: OpenParts) => Replica): Promise<Replica> {
  const { file } = options;
  const config = duckdb.create_config();
  duckdb.set_config(config, 'threads', String(options.threads));
  duckdb.set_config(config, 'memory_limit', options.memoryLimit);
  duckdb.set_config(config, 'temp_directory', options.tempDirectory ?? `${file}.tmp`);
  duckdb.set_config(config, 'preserve_insertion_order', 'false');
  const database = await duckdb.open(':memory:', config).catch((error: unknown) => {
    throw new MillraceError('CONFIG_INVALID', `DuckDB refuses its settings: ${messageOf(error)}`, { cause: error });
  });
  try {
    // attached under a name of our own: a file shop.duckdb beside a schema shop makes every name ambiguous
    const raw = await duckdb.connect(database);
    try {
      await duckdb.query(raw, `ATTACH ${literal(file)} AS ${catalog}`);
      await duckdb.query(raw, `SET GLOBAL TimeZone = 'UTC'`);
      await duckdb.query(raw, `SET GLOBAL checkpoint_threshold = ${literal(options.checkpointThreshold)}`);
    } catch (error) {
      throw translateError(error, `open ${file}`);
    } finally {
      duckdb.disconnect_sync(raw);
    }
    const main = await openSession(database);
    const works = await stringBlocksWork(main);
    if (!works) log.warn({}, 'DuckDB lays out strings in another way than expected, they are copied one by one');
    const replica = make({ file, database, main, storeStrings: works ? storeStringBlock : storeStringsSingly, log });
    await loadBook(main, replica.book);
    await setLateNotNull(main, replica.book);
    await dropLeftovers(main, replica.book);
    return replica;
  } catch (error) {
    duckdb.close_sync(database);
    throw error;
  }
}

/** Tables of ours that no record names: a half-built copy cannot be there, but an older version may have left one. */
async function dropLeftovers(session: Session, book: Book): Promise<void> {
  const names = await session.rows(
    `SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = '${catalog}' AND starts_with(table_name, '${asidePrefix}')`,
  );
  const known = new Set([...book.tables.values()].map(({ replica, aside }) => `${replica.schema}\n${aside?.name ?? ''}`));
  for (const [schema, table] of names) {
    if (!known.has(`${String(schema)}\n${String(table)}`)) await session.run(`DROP TABLE ${qualified(String(schema), String(table))}`);
  }
}

async function countRows(session: Session, record: TableRecord, name: string): Promise<number> {
  const [row] = await session.rows(`SELECT count(*) FROM ${qualifiedTarget(record, name)}`);
  return Number(row?.[0]);
}

/** Opens the file that a warehouse's thread owns. @throws WAREHOUSE_LOCKED, DATA_VERSION */
export async function openDuckDbReplica(options: ReplicaOptions, log: Logger, signal: AbortSignal): Promise<Replica> {
  signal.throwIfAborted();
  return Replica.open(options, log);
}
