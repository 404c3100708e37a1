import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { MillraceError } from '../base/errors.ts';
import { parseJavaProperties } from '../config/java-properties.ts';
import { readWorkerProperties } from '../config/worker-properties.ts';
import type { LoggingOptions } from '../worker/thread-messages.ts';
import { openConnectHost } from './connect-host.ts';
import type { ConnectHost } from './connect-host.ts';
import { readUnresolvedFiles } from './connector-files.ts';
import { openRest } from './open-rest.ts';
import { exitCodes } from './report-error.ts';
import { onStopSignal } from './stop-signal.ts';
import { hasColors } from './terminal.ts';

export interface WorkerCommandOptions {
  readonly data?: string;
  readonly logLevel?: LoggingOptions['level'];
  readonly logFormat?: LoggingOptions['format'];
}

/** `millrace worker`: runs until a signal; a connector's failure ends that connector alone. */
export async function workerCommand(files: readonly string[], options: WorkerCommandOptions): Promise<void> {
  const [worker, connectors] = splitFiles(files);
  const properties = readWorkerProperties(worker === undefined ? {} : readProperties(worker));
  const { values } = properties;
  const stopped = onStopSignal();
  const dataFolder = options.data ?? values['millrace.data'] ?? 'millrace-data';
  await using host = await openConnectHost({
    dataFolder,
    properties,
    logging: {
      level: options.logLevel ?? levelOf(values['millrace.log.level']),
      format: options.logFormat ?? (values['millrace.log.format'].toLowerCase() === 'json' ? 'json' : 'text'),
      color: hasColors(process.stderr),
    },
  });
  const { log, service } = host;
  for (const { property, level, text } of properties.notices) log[level === 'info' ? 'info' : 'warn']({ property }, text);
  await using rest = await openRest({ service, properties, log });
  await service.start();
  await putConnectors(host, connectors);
  log.info({ data: dataFolder, listeners: rest.urls, worker: service.workerId, connectors: service.connectors() }, 'worker started');
  const signal = await stopped;
  log.info({ why: signal }, 'stopping: the sources end, the sinks commit');
  await rest[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  log.info('stopped');
  process.exitCode = exitCodes.ok;
}

/** The worker's properties come first; connectors of `.properties` files have a class. */
function splitFiles(files: readonly string[]): readonly [worker: string | undefined, connectors: readonly string[]] {
  const [first, ...rest] = files;
  if (first === undefined || extname(first) !== '.properties') return [undefined, files];
  return readProperties(first)['connector.class'] === undefined ? [first, rest] : [undefined, files];
}

function readProperties(file: string): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(parseJavaProperties(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The file ${file} cannot be read.`, { cause });
  }
}

/** As connect-standalone: what the files say is what the connectors are, whatever they were. */
async function putConnectors({ service }: ConnectHost, files: readonly string[]): Promise<void> {
  const { signal } = new AbortController();
  for (const { file, connector, initialState } of readUnresolvedFiles(files)) {
    const { name, config } = connector;
    try {
      if (initialState === undefined || service.connectors().includes(name)) await service.putConfig(name, config, signal);
      else await service.create({ name, config, initialState }, signal);
    } catch (cause) {
      throw new MillraceError('CONFIG_INVALID', `The connector of ${file} cannot be started.`, { cause });
    }
  }
}

function levelOf(text: string): LoggingOptions['level'] {
  const level = text.toLowerCase();
  return level === 'debug' || level === 'warn' || level === 'error' ? level : 'info';
}
