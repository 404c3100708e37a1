import { dirname } from 'node:path';
import { isMillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { LoggingOptions } from '../worker/thread-messages.ts';
import { readConnectorFiles } from './connector-files.ts';
import { checkConnectors } from './connectors.ts';
import type { CheckedConnectors } from './connectors.ts';
import { waitUntilCaughtUp } from './caught-up.ts';
import { makeFolder } from './make-folder.ts';
import { exitCodes, reportError } from './report-error.ts';
import { onStopSignal } from './stop-signal.ts';
import { hasColors } from './terminal.ts';
import { startWorker } from './worker.ts';

export interface RunOptions {
  readonly data: string;
  readonly untilCaughtUp?: boolean;
  readonly logMaxBytes: number;
  readonly logRetentionBytes: number;
  readonly logRetentionHours: number;
  readonly logLevel: LoggingOptions['level'];
  readonly logFormat: LoggingOptions['format'];
}

/** `millrace run`: replicates until a signal, a failure, or until it is caught up. */
export async function runCommand(files: readonly string[], options: RunOptions): Promise<void> {
  const connectors = checkConnectors(readConnectorFiles(files));
  for (const { file } of connectors.warehouses) makeFolder(dirname(file), 'the folder of the replica');
  const stopped = onStopSignal();
  const worker = await startWorker({
    connectors,
    dataFolder: options.data,
    logging: { level: options.logLevel, format: options.logFormat, color: hasColors(process.stderr) },
    logSettings: {
      maxBytes: options.logMaxBytes,
      retentionMs: options.logRetentionHours * 3_600_000,
      retentionBytes: options.logRetentionBytes,
    },
  });
  const { log, herder } = worker;
  tellNotices(connectors, log);
  log.info(
    { data: options.data, sources: connectors.sources.length, replicas: connectors.warehouses.map((each) => each.file) },
    'worker started',
  );
  const failed = herder.failed.then((error) => ({ error }));
  const ends: Promise<{ readonly error?: unknown; readonly why?: string }>[] = [failed, stopped.then((signal) => ({ why: signal }))];
  const waiting = new AbortController();
  if (options.untilCaughtUp === true) {
    ends.push(
      waitUntilCaughtUp(worker, waiting.signal).then(
        () => ({ why: 'caught up' }),
        (error: unknown) => ({ error }),
      ),
    );
  }
  const end = await Promise.race(ends);
  waiting.abort();
  if (end.error === undefined) log.info({ why: end.why }, 'stopping: the sources end, the sinks commit');
  else log.error({ code: isMillraceError(end.error) ? end.error.code : 'INTERNAL' }, 'stopping after a failure: the log keeps what it has');
  await worker.stop();
  // A task can fail while it stops, too: what it had not committed is done again at the next start.
  const late = await Promise.race([failed, Promise.resolve(undefined)]);
  const error = end.error ?? late?.error;
  if (error !== undefined) {
    reportError(error);
    return;
  }
  log.info('stopped');
  process.exitCode = exitCodes.ok;
}

/** Says what there is to say of properties, once. */
export function tellNotices({ notices }: CheckedConnectors, log: Logger): void {
  for (const { connector, property, level, text } of notices) log[level === 'info' ? 'info' : 'warn']({ connector, property }, text);
}
