import { silentLogger } from '../../base/logger.ts';
import type { SinkTask } from '../../connect/tasks.ts';
import { inOrder, type ContractOptions, type ContractWarehouse } from '../contract-warehouse.fixture.ts';
import { createSinkTask } from '../sink-task.ts';
import { Scratch } from '../duckdb/scratch.ts';
import { createNaming, defaultNameFormat } from '../replica-names.ts';
import type { Driver } from './driver.ts';
import { isMissing } from './driver-errors.ts';
import { createSnowflakeNaming, identifierOf, ownIdentifier } from './identifiers.ts';
import { columnOf, openSnowflakeSession, type SnowflakeSession } from './session.ts';
import { qualified, qualifiedSchema } from './sql-text.ts';
import { SnowflakeStore } from './store.ts';
import type { SnowflakeSink } from './unit-plan.ts';

/** A Snowflake, or what stands for one in tests. */
export interface SnowflakeAccount {
  readonly driver: Driver;
  readonly connection: Parameters<typeof openSnowflakeSession>[1]['connection'];
  /** An empty database of the test's own. */
  readonly database: string;
}

export interface SnowflakeOptions extends ContractOptions {
  readonly sink: Partial<SnowflakeSink>;
}

export interface TestSnowflake extends ContractWarehouse {
  readonly session: SnowflakeSession;
  readonly database: string;
  /** What a commit leaves is dropped beside what comes next: resolves when that is done. */
  settled(): Promise<void>;
  openStore(options?: Partial<SnowflakeOptions>): Promise<SnowflakeStore>;
}

const ownSchema = 'MILLRACE';

/** A replica in Snowflake, with one open sink task. */
export async function openTestSnowflake(account: SnowflakeAccount, options: Partial<SnowflakeOptions> = {}): Promise<TestSnowflake> {
  const signal = new AbortController().signal;
  const { database } = account;
  const openSession = (): Promise<SnowflakeSession> =>
    openSnowflakeSession(account.driver, { connection: { ...account.connection, database }, lockTimeoutSeconds: 20 }, signal);
  const opened: AsyncDisposable[] = [];
  const resync: { table: string; reason: string }[] = [];
  const stores: SnowflakeStore[] = [];
  const openStore = async (more: Partial<SnowflakeOptions> = {}): Promise<SnowflakeStore> => {
    const all = { ...options, ...more };
    const connector = all.connector ?? 'sink';
    const letters = all.sink?.letters ?? 'upper';
    const naming = createNaming({ format: all.nameFormat ?? defaultNameFormat, map: all.nameMap ?? '' });
    const store = await SnowflakeStore.open({
      sink: {
        connector,
        log: silentLogger,
        naming: createSnowflakeNaming(naming, letters),
        invalidTemporal: all.invalidTemporal ?? 'null',
        database,
        ownSchema,
        prefix: ownIdentifier(connector),
        letters,
        json: 'VARIANT',
        transient: false,
        ...all.sink,
      },
      scratch: await Scratch.open({ parent: undefined, memoryLimit: '200MB', threads: 2 }),
      sessions: 2,
      openSession,
    });
    stores.push(store);
    return store;
  };
  const openTask = async (more: Partial<SnowflakeOptions> = {}): Promise<SinkTask> => {
    const all = { ...options, ...more };
    const store = await openStore(more);
    const task = createSinkTask({
      connector: all.connector ?? 'sink',
      store,
      takes: () => true,
      flushRows: 100_000,
      flushBytes: 64 << 20,
      log: silentLogger,
      onResync: (_source, table, reason) => resync.push({ table, reason }),
      ...all.task,
    });
    const both = {
      ...task,
      async [Symbol.asyncDispose]() {
        await task[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
      },
    };
    opened.push(both);
    await both.open(all.logId ?? 'log-1', signal);
    return both;
  };
  const settled = async (): Promise<void> => {
    for (const store of stores) await store.settled();
  };
  const session = await openSession();
  const letters = options.sink?.letters ?? 'upper';
  return {
    session,
    database,
    task: await openTask(),
    resync,
    openTask,
    openStore,
    async read(schema, table) {
      const place = { database, schema: identifierOf(schema, letters), table: identifierOf(table, letters) };
      try {
        return inOrder((await session.run(`SELECT * FROM ${qualified(place)}`)).rows);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    settled,
    async leftovers() {
      await settled();
      const names = columnOf(await session.run(`SHOW TABLES IN SCHEMA ${qualifiedSchema({ database, schema: ownSchema })}`), 'name');
      return names.flatMap((name) => (name === null || name.endsWith('__STATE') ? [] : [name]));
    },
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
    },
  };
}
