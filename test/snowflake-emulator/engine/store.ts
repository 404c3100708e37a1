import { createExclusive } from '../../../src/base/exclusive.ts';
import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import { registerFunctions } from '../compile/duck-functions.ts';
import type { CatalogObject } from './objects.ts';

/** Stamps from here on belong to transactions that have not committed. */
export const firstStamp = 2 ** 50;

/** Rows of a statement of the engine: DuckDB's own values. */
export type DuckRow = readonly DuckDBValue[];

/**
 * A connection to DuckDB, of one session. DuckDB is only the store: transactions of Snowflake are made of versions of
 * rows (`_b` is the version that a row began with, `_e` the one that ended it), so that what a session sees is decided
 * statement by statement, as READ COMMITTED wants it, and each older version can be read.
 */
export class Connection {
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  async run(sql: string, values: readonly DuckDBValue[] = []): Promise<number> {
    const result = await this.#connection.run(sql, values.length === 0 ? undefined : [...values]);
    return result.rowsChanged;
  }

  async rows(sql: string, values: readonly DuckDBValue[] = []): Promise<readonly DuckRow[]> {
    const reader = await this.#connection.runAndReadAll(sql, values.length === 0 ? undefined : [...values]);
    return reader.getRows();
  }

  async number(sql: string): Promise<number> {
    const [row] = await this.rows(sql);
    return Number(row?.[0] ?? 0);
  }

  /** All or nothing; what collides with another session's writing is done again. */
  async atomically<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      await this.run('BEGIN');
      try {
        const result = await work();
        await this.run('COMMIT');
        return result;
      } catch (error) {
        await this.run('ROLLBACK').catch(() => undefined);
        if (attempt >= 20 || !/conflict|another transaction/i.test(String(error))) throw error;
        await new Promise((done) => setTimeout(done, 5 * attempt));
      }
    }
  }

  /** Ends what runs now. */
  interrupt(): void {
    this.#connection.interrupt();
  }

  close(): void {
    this.#connection.disconnectSync();
  }
}

/** The database file, or memory. */
export class Store implements AsyncDisposable {
  readonly #instance: DuckDBInstance;
  readonly main: Connection;
  /** The last committed version. */
  version: number;
  /** Of tables: how many of their rows have ended since it was last looked at. */
  readonly ended = new Map<number, number>();
  #nextStamp = firstStamp;

  private constructor(instance: DuckDBInstance, main: Connection, version: number) {
    this.#instance = instance;
    this.main = main;
    this.version = version;
  }

  static async open(path: string): Promise<Store> {
    const instance = await DuckDBInstance.create(path, { threads: '2' });
    const connection = await instance.connect();
    registerFunctions(connection);
    const main = new Connection(connection);
    await main.run(`
      CREATE TABLE IF NOT EXISTS sys_objects(id BIGINT, body VARCHAR);
      CREATE TABLE IF NOT EXISTS sys_statements(query_id VARCHAR, version BIGINT, before BIGINT, ms BIGINT);
      CREATE TABLE IF NOT EXISTS sys_loads(table_id BIGINT, stage_id BIGINT, file VARCHAR, etag VARCHAR, rows BIGINT, ms BIGINT);
      CREATE SEQUENCE IF NOT EXISTS sys_row`);
    const version = await main.number('SELECT coalesce(max(version), 1) FROM sys_statements');
    return new Store(instance, main, version);
  }

  async connect(): Promise<Connection> {
    return new Connection(await this.#instance.connect());
  }

  nextStamp(): number {
    this.#nextStamp += 1;
    return this.#nextStamp;
  }

  /** One at a time: versions are given in the order of commits. */
  readonly exclusively = createExclusive();

  async objects(): Promise<readonly CatalogObject[]> {
    const rows = await this.main.rows('SELECT body FROM sys_objects ORDER BY id');
    return rows.map(([body]) => JSON.parse(String(body)) as CatalogObject);
  }

  /** The versions that earlier runs gave to statements. */
  async statements(): Promise<readonly (readonly [string, { readonly before: number; readonly after: number; readonly ms: number }])[]> {
    const rows = await this.main.rows(
      `SELECT query_id, before, version, ms FROM sys_statements WHERE query_id <> '' ORDER BY version DESC LIMIT 10000`,
    );
    return rows.map(([id, before, after, ms]) => [String(id), { before: Number(before), after: Number(after), ms: Number(ms) }]);
  }

  /** What a killed emulator left of open transactions. */
  async forgetOpenTransactions(tableIds: readonly number[]): Promise<void> {
    for (const id of tableIds) {
      await this.main.run(`DELETE FROM t${id} WHERE _b >= ${firstStamp}`);
      await this.main.run(`UPDATE t${id} SET _e = NULL WHERE _e >= ${firstStamp}`);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.main.close();
    this.#instance.closeSync();
    return Promise.resolve();
  }
}
