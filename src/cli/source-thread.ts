/** Entry of the thread of a source: opens the log and serves one connector. */
import { createUuidV7 } from '../base/uuid-v7.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { parseSourceConfig } from '../mysql/connector-config.ts';
import { openRecordPath } from '../worker/record-path.ts';
import { serveSource } from '../worker/serve-source.ts';
import type { SourceThreadData } from '../worker/thread-messages.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { binlogLeftText, logFullText, readBinlogRetentionMs } from './log-full.ts';
import { openLogger, setLogLevel } from './logging.ts';
import { findSource } from './plugins.ts';
import { debeziumForm, recordRules } from './record-rules.ts';
import { runThread } from './run-thread.ts';

/** Under back-pressure the log fills up again and again; that is said as often. */
const warnMs = 10_000;

await runThread<SourceThreadData>(
  ({ connector }) => [connector.name],
  async ({ data: { connector, dataFolder, logging, logSettings, paused }, port }) => {
    const logger = openLogger(logging).child({ connector: connector.name });
    let full: string | undefined;
    let retentionMs: number | undefined;
    let newestMs = 0;
    let warnedMs = -Infinity;
    const warnOfFullLog = async (text: string): Promise<void> => {
      warnedMs = performance.now();
      try {
        retentionMs ??= await readBinlogRetentionMs(parseSourceConfig(connector), new AbortController().signal);
      } catch (error) {
        logger.debug({ err: error }, 'the retention of the binlog is not known');
      }
      logger.warn(text + binlogLeftText(newestMs, retentionMs));
    };

    await using log = await openEmbeddedLog(
      {
        ...embeddedLogOptions(dataFolder, logSettings, (state) => {
          full = logFullText(state);
          if (performance.now() - warnedMs > warnMs) void warnOfFullLog(full);
        }),
        ...recordRules(connector),
      },
      new AbortController().signal,
    );
    const prefix = connector.config['topic.prefix'];
    const recordPath = openRecordPath({
      connector: connector.name,
      properties: connector.config,
      debezium: debeziumForm(connector),
      log: logger,
    });
    // who reads records that were made already loses none for a table that is read anew
    const keepsTables = (): boolean => recordPath === undefined && log.consumers().some(({ source }) => source === prefix);
    // records of several tables can have one topic, and are made one after another: they are read in Debezium's order
    const properties = recordPath === undefined ? connector.config : { 'snapshot.max.threads': '1', ...connector.config };
    const context = { connector: connector.name, properties, log: logger, keepsTables, run: createUuidV7() };
    await serveSource({
      port,
      connector: findSource(connector),
      context,
      log,
      recordPath,
      paused,
      setLogLevel,
      waiting: (committedMs) => {
        newestMs = committedMs;
        return full === undefined ? undefined : full + binlogLeftText(committedMs, retentionMs);
      },
      onAppended: () => {
        full = undefined;
      },
    });
  },
);
