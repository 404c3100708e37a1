/** Entry of the thread of a DuckDB file: owns its only instance, and serves all sinks, queries and comparisons on it. */
import { parentPort, workerData } from 'node:worker_threads';
import { MillraceError, toErrorData } from '../base/errors.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { createDuckDbSinkConnector } from '../warehouse/duckdb/connector.ts';
import { openDuckDbReplica } from '../warehouse/duckdb/replica.ts';
import { readSinkConfig } from '../warehouse/duckdb/sink-config.ts';
import { serveSinks } from '../worker/serve-sinks.ts';
import type { FromThread, SinkThreadData, WarehouseMethods } from '../worker/thread-messages.ts';
import { keepReplica } from './keep-replica.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { openLogger, setLogLevel } from './logging.ts';
import { remindOfResyncs } from './resync-reminder.ts';
import { tableSinkParts } from './table-sink-parts.ts';
import { createWarehouseMethods } from './warehouse-methods.ts';

if (parentPort === null) throw new MillraceError('INTERNAL', 'warehouse-thread.ts is no program');
const port = parentPort;
// The main thread starts this file with nothing else.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const { sinks, dataFolder, logging, logSettings } = workerData as SinkThreadData;
const logger = openLogger(logging);
const { signal } = new AbortController();

try {
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
      return createWarehouseMethods(replica, loops);
    },
  });
} catch (error) {
  for (const { connector } of sinks) post({ kind: 'state', connector: connector.name, state: 'FAILED', error: toErrorData(error) });
}
post({ kind: 'ended' });
port.close();

function post(message: FromThread): void {
  port.postMessage(message);
}
