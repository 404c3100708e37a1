/** Entry of the thread of a source: opens the log and serves one connector. */
import { parentPort, workerData } from 'node:worker_threads';
import { createUuidV7 } from '../base/uuid-v7.ts';
import { MillraceError, toErrorData } from '../base/errors.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { parseSourceConfig } from '../mysql/connector-config.ts';
import { openRecordPath } from '../worker/record-path.ts';
import { serveSource } from '../worker/serve-source.ts';
import type { FromThread, SourceThreadData } from '../worker/thread-messages.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { binlogLeftText, logFullText, readBinlogRetentionMs } from './log-full.ts';
import { openLogger, setLogLevel } from './logging.ts';
import { findSource } from './plugins.ts';
import { debeziumForm, recordRules } from './record-rules.ts';

if (parentPort === null) throw new MillraceError('INTERNAL', 'source-thread.ts is no program');
const port = parentPort;
// The main thread starts this file with nothing else.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const { connector, dataFolder, logging, logSettings, paused } = workerData as SourceThreadData;
const logger = openLogger(logging).child({ connector: connector.name });
let full: string | undefined;
let retentionMs: number | undefined;
let newestMs = 0;
let warnedMs = -Infinity;
/** Under back-pressure the log fills up again and again; that is said as often. */
const warnMs = 10_000;

try {
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
} catch (error) {
  post({ kind: 'state', connector: connector.name, state: 'FAILED', error: toErrorData(error) });
}
post({ kind: 'ended' });
port.close();

async function warnOfFullLog(text: string): Promise<void> {
  warnedMs = performance.now();
  try {
    retentionMs ??= await readBinlogRetentionMs(parseSourceConfig(connector), new AbortController().signal);
  } catch (error) {
    logger.debug({ err: error }, 'the retention of the binlog is not known');
  }
  logger.warn(text + binlogLeftText(newestMs, retentionMs));
}

function post(message: FromThread): void {
  port.postMessage(message);
}
