import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { MillraceError } from '../../base/errors.ts';
import { isBusy, translateError } from './sqlite-error.ts';

/*
 * One SQLite file, in WAL mode, opened by each thread that uses the log. How it is kept fast and small:
 *
 * - Pages of 16 KiB: groups of 350 KiB are written 1.5 × as fast as with 4 KiB; with 32 KiB only 5–10 % faster, while a
 *   small group, which dirties four pages whatever their size, writes twice as much.
 * - A commit that must be durable is one fsync of the WAL (synchronous=FULL). What may be lost with the power, since it is
 *   known elsewhere (acknowledgements) or can be done again (retention), is committed without one (NORMAL): a later fsync
 *   covers it, and order is kept.
 * - Checkpoints after 8 MiB of WAL. Read transactions end before anything is decoded, so that the WAL can begin anew.
 */
const pageBytes = 16 * 1024;
const checkpointBytes = 8 * 1024 * 1024;
const busyTimeoutMs = 5000;
const leastFreeBytes = 4 * 1024 * 1024;

/** "MRLG": says that the file is a log of Millrace. */
const applicationId = 0x4d524c47;
const formatVersion = 1;

const tables = `
  CREATE TABLE identity (id TEXT NOT NULL) STRICT;
  CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- every group up to this number was removed by retention
    removed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE groups (
    -- sources.id × 2^40 + seq: one tree, without an index beside it
    id INTEGER PRIMARY KEY,
    appended_ms INTEGER NOT NULL,
    -- bytes of all groups of the source up to and with this one, removed ones too: sums are differences
    total_bytes INTEGER NOT NULL,
    open INTEGER NOT NULL,
    -- JSON: [entry index, topics.id, first offset, records] of each entry that has records
    topics TEXT NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE TABLE topics (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,
    database TEXT NOT NULL,
    name TEXT NOT NULL,
    next INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    UNIQUE (source, database, name)
  ) STRICT;
  CREATE TABLE resyncs (source INTEGER, snapshot TEXT, PRIMARY KEY (source, snapshot)) STRICT, WITHOUT ROWID;
  CREATE TABLE table_schemas (fingerprint TEXT PRIMARY KEY, crc INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
  CREATE TABLE compacted (
    -- connector, or empty for the worker's own topics
    owner TEXT, topic TEXT, key TEXT, value TEXT NOT NULL,
    PRIMARY KEY (owner, topic, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE consumers (
    consumer TEXT, source TEXT, seq INTEGER NOT NULL,
    PRIMARY KEY (consumer, source)
  ) STRICT, WITHOUT ROWID;
`;

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A prepared statement whose errors are translated. */
export interface Statement {
  run(...parameters: SQLInputValue[]): void;
  get(...parameters: SQLInputValue[]): Row | undefined;
  all(...parameters: SQLInputValue[]): readonly Row[];
  /** Rows one by one; the statement is reset when the loop is left. */
  each(...parameters: SQLInputValue[]): Iterable<Row>;
}

/** This thread's connection to the log's file. Errors are MillraceErrors. */
export interface LogDatabase extends Disposable {
  readonly file: string;
  readonly id: string;
  prepare(sql: string): Statement;
  exec(sql: string): void;
  /** Runs `work` in a transaction that reads one state. */
  read<T>(work: () => T): T;
  /** Runs `work` in a transaction that writes; durable when it returns. */
  write<T>(work: () => T): T;
  /**
   * Runs `work` in a transaction that writes and that a loss of power may undo, waiting for other writers `waitMs` at
   * most; false when they took longer.
   */
  writeLoosely(work: () => void, waitMs: number): boolean;
}

/**
 * Opens the log in this folder, made if it is not there; threads may do so at once.
 * @throws DATA_VERSION when another version wrote it; LOG_CORRUPT
 */
export function openLogDatabase(folder: string): LogDatabase {
  const file = join(folder, 'log.sqlite');
  const translate = (error: unknown): unknown => translateError(error, file, () => freeBytes(folder) < leastFreeBytes);
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    db = new DatabaseSync(file, { timeout: busyTimeoutMs });
    configure(db);
    const id = loadIdentity(db, file);
    syncFolder(folder);
    return new Connection({ db, file, id, translate });
  } catch (error) {
    if (db?.isOpen === true) db.close();
    throw translate(error);
  }
}

function configure(db: DatabaseSync): void {
  // take effect where the file is made, and nowhere else
  db.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL`);
  // a change of mode does not wait for other threads by itself
  for (let attempt = 1; ; attempt++) {
    try {
      const mode = textOf(db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode']);
      if (mode !== 'wal') {
        throw new MillraceError('LOG_IO', `The log's file system cannot map shared memory: SQLite stays in journal mode ${mode}`);
      }
      break;
    } catch (error) {
      if (!isBusy(error) || attempt === 100) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${checkpointBytes / pageBytes}`);
  db.exec(`PRAGMA journal_size_limit = ${2 * checkpointBytes}`);
}

function loadIdentity(db: DatabaseSync, file: string): string {
  db.exec('BEGIN IMMEDIATE');
  try {
    const application = numberOf(db.prepare('PRAGMA application_id').get()?.['application_id']);
    const version = numberOf(db.prepare('PRAGMA user_version').get()?.['user_version']);
    const isNew = numberOf(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']) === 0;
    if (isNew) {
      db.exec(`${tables}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion}`);
      db.prepare('INSERT INTO identity VALUES (?)').run(randomUUID());
    } else if (application !== applicationId) {
      throw new MillraceError('LOG_CORRUPT', `${file} is a SQLite file, but not a log of Millrace`);
    } else if (version !== formatVersion) {
      throw new MillraceError('DATA_VERSION', `${file} has format ${version}, this version of Millrace works with ${formatVersion}`);
    }
    const id = textOf(db.prepare('SELECT id FROM identity').get()?.['id']);
    db.exec('COMMIT');
    return id;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

interface ConnectionParts {
  readonly db: DatabaseSync;
  readonly file: string;
  readonly id: string;
  readonly translate: (error: unknown) => unknown;
}

class Connection implements LogDatabase {
  readonly file: string;
  readonly id: string;
  readonly #db: DatabaseSync;
  readonly #translate: (error: unknown) => unknown;

  constructor({ db, file, id, translate }: ConnectionParts) {
    this.#db = db;
    this.file = file;
    this.id = id;
    this.#translate = translate;
  }

  prepare(sql: string): Statement {
    const statement = this.#guard(() => this.#db.prepare(sql));
    return {
      run: (...parameters) => void this.#guard(() => statement.run(...parameters)),
      get: (...parameters) => this.#guard(() => statement.get(...parameters)),
      all: (...parameters) => this.#guard(() => statement.all(...parameters)),
      each: (...parameters) => this.#each(statement.iterate(...parameters)),
    };
  }

  exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  read<T>(work: () => T): T {
    return this.#transaction('BEGIN', work);
  }

  write<T>(work: () => T): T {
    return this.#transaction('BEGIN IMMEDIATE', work);
  }

  writeLoosely(work: () => void, waitMs: number): boolean {
    this.exec(`PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${waitMs}`);
    try {
      this.#transaction('BEGIN IMMEDIATE', work);
      return true;
    } catch (error) {
      if (error instanceof MillraceError && isBusy(error.cause)) return false;
      throw error;
    } finally {
      this.exec(`PRAGMA synchronous = FULL; PRAGMA busy_timeout = ${busyTimeoutMs}`);
    }
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#guard(() => this.#db.close());
  }

  #transaction<T>(begin: string, work: () => T): T {
    this.exec(begin);
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // some errors (a full disk) have rolled back already
      if (this.#db.isTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#translate(error);
    }
  }

  *#each(rows: Iterable<Row>): Iterable<Row> {
    try {
      yield* rows;
    } catch (error) {
      throw this.#translate(error);
    }
  }
}

export function numberOf(value: SQLOutputValue | undefined): number {
  if (typeof value === 'number') return value;
  throw new MillraceError('LOG_CORRUPT', `The log holds ${typeof value} where a number belongs`);
}

export function textOf(value: SQLOutputValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new MillraceError('LOG_CORRUPT', `The log holds ${typeof value} where a text belongs`);
}

export function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new MillraceError('LOG_CORRUPT', `The log holds ${typeof value} where bytes belong`);
}

/** SQLite makes its WAL durable in the folder, but not the file itself. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
