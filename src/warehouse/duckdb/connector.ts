import type { SinkConnector, TaskContext } from '../../connect/connector.ts';
import type { SinkTask } from '../../connect/tasks.ts';
import { createSinkTask } from '../sink-task.ts';
import { openDuckDbReplica, type Replica } from './replica.ts';
import { duckdbSinkConnectorClass, readSinkConfig } from './sink-config.ts';

export interface SharedReplica {
  readonly replica: Replica;
  /** A table (`database.table`) of a source (`topic.prefix`) cannot go on from the log: it needs a new snapshot. */
  readonly onResync: (source: string, table: string, reason: string) => void;
}

/** The connector for tasks that share a replica which is open already: one thread owns a file's only instance. */
export function createDuckDbSinkConnector({ replica, onResync }: SharedReplica): SinkConnector {
  return {
    kind: 'sink',
    classNames: [duckdbSinkConnectorClass],
    openTask: async (context) => openTask(context, replica, onResync),
  };
}

/** The connector in the plugin list. A task of it opens the replica itself, and closes it. */
export const duckdbSinkConnector: SinkConnector = {
  kind: 'sink',
  classNames: [duckdbSinkConnectorClass],
  async openTask(context, signal) {
    const { config } = readSinkConfig({ name: context.connector, config: context.properties });
    const replica = await openDuckDbReplica(config.replica, context.log, signal);
    const task = openTask(context, replica, (source, table, reason) => context.log.warn({ source, table, reason }, 'table needs a resync'));
    return {
      ...task,
      async [Symbol.asyncDispose]() {
        await task[Symbol.asyncDispose]();
        await replica[Symbol.asyncDispose]();
      },
    };
  },
};

function openTask(context: TaskContext, replica: Replica, onResync: SharedReplica['onResync']): SinkTask {
  const { config } = readSinkConfig({ name: context.connector, config: context.properties });
  const { connector, log } = context;
  const store = replica.openSink({ connector, naming: config.naming, invalidTemporal: config.invalidTemporal, log });
  return createSinkTask({
    connector,
    store,
    takes: config.takes,
    topicOf: context.topicOf,
    flushRows: config.flushRows,
    flushBytes: config.flushBytes,
    log,
    onResync,
  });
}
