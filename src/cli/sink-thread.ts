/** Entry of the thread of a sink that has no warehouse: one task, on its own connection to the log. */
import { javaText } from '../connect/java-text.ts';
import { createFileSink, fileSinkClass } from '../file/file-sink.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { createRecordIntake } from '../worker/record-intake.ts';
import type { Methods } from '../worker/rpc.ts';
import { serveSinks } from '../worker/serve-sinks.ts';
import type { SinkThreadData } from '../worker/thread-messages.ts';
import { acknowledgedOffsets } from './acknowledged-offsets.ts';
import { createGroupRecords } from './group-records.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { openLogger, setLogLevel } from './logging.ts';
import { findSink } from './plugins.ts';
import { runThread } from './run-thread.ts';

await runThread<SinkThreadData>(
  ({ sinks }) => sinks.map(({ connector }) => connector.name),
  async ({ data: { sinks, dataFolder, logging, logSettings }, port }) => {
    const logger = openLogger(logging);
    await using log = await openEmbeddedLog(embeddedLogOptions(dataFolder, logSettings), new AbortController().signal);
    const recordsOf = createGroupRecords(log);
    const fileSink = createFileSink({
      intake: (connector, properties) => createRecordIntake({ connector, properties, logger: logger.child({ connector }), log, recordsOf }),
      textOf: (value) => (value === null ? 'null' : javaText(null, value)),
      committed: (connector) => acknowledgedOffsets(log, connector),
    });
    await serveSinks<Methods>({
      port,
      log,
      logger,
      setLogLevel,
      sinks,
      parts: (connector) => ({
        lateStarts: { startGone: () => 'earliest', ask: () => undefined },
        connector: findSink(connector).classNames.includes(fileSinkClass) ? fileSink : findSink(connector),
        context: { connector: connector.name, properties: connector.config, log: logger.child({ connector: connector.name }) },
      }),
      methods: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
    });
  },
);
