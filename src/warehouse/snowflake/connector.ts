import type { SinkConnector, TaskContext } from '../../connect/connector.ts';
import { createSinkTask } from '../sink-task.ts';
import { Scratch } from '../duckdb/scratch.ts';
import { loadDriver } from './driver.ts';
import { ownIdentifier } from './identifiers.ts';
import { connectionOptions } from './login.ts';
import { openSnowflakeSession } from './session.ts';
import { readSnowflakeConfig, snowflakeSinkConnectorClass, type SnowflakeSinkConfig } from './sink-config.ts';
import { SnowflakeStore } from './store.ts';

/** Where a store is, and what it needs to work there. */
export type StoreConfig = Pick<
  SnowflakeSinkConfig,
  | 'login'
  | 'database'
  | 'ownSchema'
  | 'letters'
  | 'json'
  | 'transient'
  | 'naming'
  | 'invalidTemporal'
  | 'sessions'
  | 'lockTimeoutSeconds'
  | 'stagingFolder'
  | 'stagingMemory'
>;

/** Bytes of a snapshot's rows that go to Snowflake at once: some files of the size that it loads best. */
const loadBytes = 1 << 30;

/** Opens the replica of a sink in Snowflake. @throws DRIVER_MISSING, WAREHOUSE_ACCESS_DENIED, WAREHOUSE_UNREACHABLE */
export async function openSnowflakeStore(
  config: StoreConfig,
  context: Pick<TaskContext, 'connector' | 'log'>,
  signal: AbortSignal,
): Promise<SnowflakeStore> {
  const driver = await loadDriver();
  const { connector, log } = context;
  const { database, ownSchema, letters, json, transient, naming, invalidTemporal, lockTimeoutSeconds } = config;
  const scratch = await Scratch.open({ parent: config.stagingFolder, memoryLimit: config.stagingMemory, threads: 2 });
  return SnowflakeStore.open({
    sink: { connector, log, naming, invalidTemporal, database, ownSchema, prefix: ownIdentifier(connector), letters, json, transient },
    scratch,
    sessions: config.sessions,
    openSession: async () => {
      const connection = await connectionOptions(config.login, { connector, database });
      return openSnowflakeSession(driver, { connection, lockTimeoutSeconds }, signal);
    },
  });
}

export interface SnowflakeSinkParts {
  readonly onStore?: (store: SnowflakeStore) => void;
  /** A table (`database.table`) of a source (`topic.prefix`) cannot go on from the log: it needs a new snapshot. */
  readonly onResync: (source: string, table: string, reason: string) => void;
}

/** The connector in its thread. */
export function createSnowflakeSinkConnector({ onStore, onResync }: SnowflakeSinkParts): SinkConnector {
  return {
    kind: 'sink',
    classNames: [snowflakeSinkConnectorClass],
    async openTask(context, signal) {
      const { connector, log } = context;
      const { config } = readSnowflakeConfig({ name: connector, config: context.properties });
      const store = await openSnowflakeStore(config, context, signal);
      onStore?.(store);
      const task = createSinkTask({
        connector,
        store,
        takes: config.takes,
        topicOf: context.topicOf,
        flushRows: config.flushRows,
        flushBytes: config.flushBytes,
        loadBytes,
        flushTimes: { intervalMs: config.flushIntervalMs, idleIntervalMs: config.flushIdleIntervalMs },
        log,
        onResync,
      });
      return {
        ...task,
        async [Symbol.asyncDispose]() {
          await task[Symbol.asyncDispose]();
          await store[Symbol.asyncDispose]();
        },
      };
    },
  };
}
