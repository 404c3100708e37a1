import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import duckdb from '@duckdb/node-bindings';
import { messageOf, MillraceError } from '../../base/errors.ts';
import { storeStringBlock, storeStringsSingly, type StringStore } from './column-buffer.ts';
import { catalog, openSession, type Session } from './session.ts';
import { stringBlocksWork } from './string-block-check.ts';

export interface ScratchOptions {
  /** Where its folder is made; undefined: in the system's folder for temporary files. */
  readonly parent: string | undefined;
  readonly memoryLimit: string;
  readonly threads: number;
}

/** A DuckDB in memory, for rows that are on their way to another warehouse; it moves to disk what is too much. */
export class Scratch implements AsyncDisposable {
  /** A folder of its own, gone with it. */
  readonly folder: string;
  readonly storeStrings: StringStore;
  readonly #database: duckdb.Database;
  readonly #idle: Session[] = [];

  private constructor(database: duckdb.Database, folder: string, storeStrings: StringStore) {
    this.#database = database;
    this.folder = folder;
    this.storeStrings = storeStrings;
  }

  /** @throws CONFIG_INVALID */
  static async open({ parent = tmpdir(), memoryLimit, threads }: ScratchOptions): Promise<Scratch> {
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, 'millrace-scratch-'));
    const config = duckdb.create_config();
    duckdb.set_config(config, 'threads', String(threads));
    duckdb.set_config(config, 'memory_limit', memoryLimit);
    duckdb.set_config(config, 'temp_directory', join(folder, 'spilled'));
    duckdb.set_config(config, 'preserve_insertion_order', 'false');
    const database = await duckdb.open(':memory:', config).catch((error: unknown) => {
      rmSync(folder, { recursive: true, force: true });
      throw new MillraceError('CONFIG_INVALID', `DuckDB refuses its settings: ${messageOf(error)}`, { cause: error });
    });
    const raw = await duckdb.connect(database);
    await duckdb.query(raw, `ATTACH ':memory:' AS ${catalog}`);
    await duckdb.query(raw, `SET GLOBAL TimeZone = 'UTC'`);
    duckdb.disconnect_sync(raw);
    const first = await openSession(database);
    const scratch = new Scratch(database, folder, (await stringBlocksWork(first)) ? storeStringBlock : storeStringsSingly);
    scratch.#idle.push(first);
    return scratch;
  }

  /** Runs work on a connection of its own. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.take();
    try {
      return await work(session);
    } finally {
      this.give(session);
    }
  }

  /** A connection that the caller gives back. */
  async take(): Promise<Session> {
    return this.#idle.pop() ?? openSession(this.#database);
  }

  give(session: Session): void {
    this.#idle.push(session);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#idle.splice(0)) session[Symbol.dispose]();
    duckdb.close_sync(this.#database);
    rmSync(this.folder, { recursive: true, force: true });
    return Promise.resolve();
  }
}
