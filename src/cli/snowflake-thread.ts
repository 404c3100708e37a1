/** Entry of the thread of a sink to Snowflake: one task, on its own connection to the log. */
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { createSnowflakeSinkConnector } from '../warehouse/snowflake/connector.ts';
import { createLandingConnector } from '../warehouse/snowflake/landing/connector.ts';
import { readSnowflakeConfig, snowflakeSinkConnectorClass, type SnowflakeSinkConfig } from '../warehouse/snowflake/sink-config.ts';
import type { SnowflakeStore } from '../warehouse/snowflake/store.ts';
import { serveSinks } from '../worker/serve-sinks.ts';
import type { SinkThreadData, WarehouseMethods } from '../worker/thread-messages.ts';
import { acknowledgedOffsets } from './acknowledged-offsets.ts';
import { createLandingIntake } from './landing-intake.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { openLogger, setLogLevel } from './logging.ts';
import { findSink } from './plugins.ts';
import { readSnowflake } from './read-snowflake.ts';
import { remindOfResyncs } from './resync-reminder.ts';
import { runThread } from './run-thread.ts';
import { tableSinkParts } from './table-sink-parts.ts';
import { createWarehouseMethods } from './warehouse-methods.ts';

await runThread<SinkThreadData>(
  ({ sinks }) => sinks.map(({ connector }) => connector.name),
  async ({ data: { sinks, dataFolder, logging, logSettings }, port, post }) => {
    const logger = openLogger(logging);
    await using log = await openEmbeddedLog(embeddedLogOptions(dataFolder, logSettings), new AbortController().signal);
    const ask = (source: string, tables: readonly string[], reason: string): void => post({ kind: 'resync', source, tables, reason });
    const onResync = (source: string, table: string, reason: string): void => ask(source, [table], reason);
    // of the task that is open; a task that is opened again has another
    let store: SnowflakeStore | undefined;
    let pin: SnowflakeSinkConfig['pin'] = 'time.travel';
    const connector = createSnowflakeSinkConnector({ onResync, onStore: (opened) => (store = opened) });
    const landing = createLandingConnector({
      intake: (name, properties) => createLandingIntake({ connector: name, properties, logger: logger.child({ connector: name }), log }),
      committed: (name) => acknowledgedOffsets(log, name),
    });
    using _reminder = remindOfResyncs({ tables: () => store?.tables ?? [] }, onResync);
    await serveSinks<WarehouseMethods>({
      port,
      log,
      logger,
      setLogLevel,
      sinks,
      parts(given) {
        if (findSink(given).classNames.includes(snowflakeSinkConnectorClass)) {
          ({ pin } = readSnowflakeConfig(given).config);
          return tableSinkParts({ connector, log, logger, onResync: ask }, given);
        }
        return {
          connector: landing,
          lateStarts: { startGone: () => 'earliest', ask: () => undefined },
          context: { connector: given.name, properties: given.config, log: logger.child({ connector: given.name }) },
        };
      },
      // of landing tables nothing is asked
      methods: (loops) =>
        createWarehouseMethods(
          readSnowflake(
            () => store,
            () => pin,
          ),
          loops,
        ),
    });
  },
);
