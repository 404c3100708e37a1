/** Entry of the thread of a DuckDB file: owns its only instance, and serves all sinks, queries and comparisons on it. */
import { MillraceError } from '../base/errors.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { createDuckDbSinkConnector } from '../warehouse/duckdb/connector.ts';
import { openDuckDbReplica } from '../warehouse/duckdb/replica.ts';
import { readSinkConfig } from '../warehouse/duckdb/sink-config.ts';
import { serveSinks } from '../worker/serve-sinks.ts';
import type { SinkThreadData, WarehouseMethods } from '../worker/thread-messages.ts';
import { keepReplica } from './keep-replica.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { openLogger, setLogLevel } from './logging.ts';
import { readDuckDb } from './read-duckdb.ts';
import { remindOfResyncs } from './resync-reminder.ts';
import { runThread } from './run-thread.ts';
import { tableSinkParts } from './table-sink-parts.ts';
import { createWarehouseMethods } from './warehouse-methods.ts';

await runThread<SinkThreadData>(
  ({ sinks }) => sinks.map(({ connector }) => connector.name),
  async ({ data: { sinks, dataFolder, logging, logSettings }, port, post }) => {
    const logger = openLogger(logging);
    const { signal } = new AbortController();
    const [first] = sinks;
    if (first === undefined) throw new MillraceError('INTERNAL', 'a warehouse thread without sinks');
    await using log = await openEmbeddedLog(embeddedLogOptions(dataFolder, logSettings), signal);
    // Sinks on one file share its instance, and with it the settings of the first.
    const { config } = readSinkConfig(first.connector);
    await using replica = await openDuckDbReplica(config.replica, logger, signal);
    const ask = (source: string, tables: readonly string[], reason: string): void => post({ kind: 'resync', source, tables, reason });
    const onResync = (source: string, table: string, reason: string): void => ask(source, [table], reason);
    const sink = createDuckDbSinkConnector({ replica, onResync });
    using keeper = keepReplica(replica, logger);
    using _reminder = remindOfResyncs(replica, onResync);
    await serveSinks<WarehouseMethods>({
      port,
      log,
      logger,
      setLogLevel,
      sinks,
      parts: (connector) => tableSinkParts({ connector: sink, log, logger, onResync: ask }, connector),
      methods: (loops) => {
        keeper.watch(loops);
        return createWarehouseMethods(readDuckDb(replica), loops);
      },
    });
  },
);
