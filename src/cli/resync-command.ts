import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { isMillraceError, messageOf } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import type { StateRecord } from '../connect/tasks.ts';
import { lockFolder } from '../log/embedded/folder-lock.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { defaultReplicaOptions, openDuckDbReplica } from '../warehouse/duckdb/replica.ts';
import { openControlClient } from './control-client.ts';
import { defaultLogSettings, embeddedLogOptions } from './log-settings.ts';
import { readReplicaFiles } from './replica-files.ts';
import { writeOut } from './terminal.ts';

/** Unless `config.storage.topic` says otherwise. */
const configTopic = 'connect-configs';

export interface ResyncOptions {
  readonly data: string;
  readonly all?: boolean;
}

/** `millrace resync`: asks the running worker to copy tables again; all of them also when none runs, or none can. */
export async function resyncCommand(tables: readonly string[], { data, all }: ResyncOptions): Promise<void> {
  if ((all === true) === tables.length > 0) throw usage('Name tables as database.table, or say --all.');
  const wrong = tables.find((table) => !/^[^.]+\.[^.].*$/.test(table));
  if (wrong !== undefined) throw usage(`"${wrong}" is no table: it is written database.table.`);
  try {
    const { sources } = await openControlClient(data).call('resync', { tables }, { signal: new AbortController().signal });
    const what = tables.length === 0 ? 'all tables' : tables.join(', ');
    writeOut(
      `${what} of ${sources.join(', ')}: copied again while the stream goes on, those of a source that does not run as soon as it does. \`millrace status\` shows how far it is.\n`,
    );
  } catch (error) {
    if (all !== true || !isMillraceError(error, 'WORKER_NOT_RUNNING') || !existsSync(join(data, 'log'))) throw error;
    await startAnew(data);
  }
}

/**
 * Without a worker: the replicas forget their tables, the log goes, and with it the sources' positions. It is what repairs
 * a log or binlog from which nothing can go on. The log goes last, so that a second try finds what is left to do.
 */
async function startAnew(data: string): Promise<void> {
  using _lock = lockFolder(data);
  for (const file of readReplicaFiles(data)) {
    if (!existsSync(file)) continue;
    await using replica = await openDuckDbReplica({ ...defaultReplicaOptions, file }, silentLogger, new AbortController().signal);
    const connectors = new Set(replica.tables().map((table) => table.connector));
    for (const connector of connectors) await replica.forget(connector);
    writeOut(`${file}: tables of ${[...connectors].join(', ') || 'no connector'} removed\n`);
  }
  const connectors = await readConnectorRecords(data);
  rmSync(join(data, 'log'), { recursive: true, force: true });
  if (connectors.length > 0) {
    await using log = await openEmbeddedLog(embeddedLogOptions(data, defaultLogSettings), new AbortController().signal);
    log.put(connectors);
  }
  writeOut(`${join(data, 'log')}: removed. The next \`millrace run\` or \`worker\` copies all tables again.\n`);
}

/** The connectors of a `worker`, which are in the log, too. */
async function readConnectorRecords(data: string): Promise<readonly StateRecord[]> {
  try {
    await using log = await openEmbeddedLog(embeddedLogOptions(data, defaultLogSettings), new AbortController().signal);
    return [...log.get(configTopic)].map(([key, value]) => ({ topic: configTopic, key, value }));
  } catch (error) {
    writeOut(`The log cannot be read (${messageOf(error)}): the connectors of a \`worker\` have to be made again.\n`);
    return [];
  }
}

/** A mistake in the arguments that commander cannot see. */
export function usage(message: string): InvalidArgumentError {
  process.stderr.write(`error: ${message}\n`);
  return new InvalidArgumentError(message);
}
