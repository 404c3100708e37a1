import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { messageOf, MillraceError } from '../base/errors.ts';
import { lockFolder } from '../log/embedded/folder-lock.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import type { Log } from '../log/log.ts';
import { readConnectorFiles } from './connector-files.ts';
import { groupOfRecords, recordGroups } from './import/record-groups.ts';
import { parseRecordLine, type TopicRecord } from './import/record-lines.ts';
import { orderBySource } from './import/source-order.ts';
import { defaultLogSettings, embeddedLogOptions } from './log-settings.ts';
import { makeFolder } from './make-folder.ts';
import { exitCodes, reportError } from './report-error.ts';
import { noteImport } from './source-catalog.ts';
import { formatCount } from './table-text.ts';
import { writeOut } from './terminal.ts';

export interface ImportOptions {
  readonly data: string;
  readonly prefix: string;
  /** Configuration of the connector that wrote the records. */
  readonly config?: string;
}

/** `millrace import`: records from files into the log, as the topics of a source. */
export async function importCommand(files: readonly string[], options: ImportOptions): Promise<void> {
  try {
    const records = (await Promise.all(files.map((file) => readRecords(file, `${options.prefix}.schema-history`)))).flat();
    const properties = options.config === undefined ? {} : (readConnectorFiles([options.config])[0]?.config ?? {});
    makeFolder(options.data, 'the data folder');
    using _lock = lockFolder(options.data);
    await using log = await openEmbeddedLog(embeddedLogOptions(options.data, defaultLogSettings), new AbortController().signal);
    noteImport(log, options.prefix, { flavor: flavorOf(records), properties });
    const { added, known } = await importRecords(log, options.prefix, records);
    const before = known === 0 ? '' : `, ${formatCount(known)} were there`;
    writeOut(`${formatCount(added)} records of ${options.prefix} imported${before}.\n`);
    process.exitCode = exitCodes.ok;
  } catch (error) {
    reportError(error);
  }
}

async function readRecords(file: string, historyTopic: string): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      number++;
      if (line.trim() !== '') records.push(parseRecordLine(Buffer.from(line, 'utf8'), historyTopic));
    }
  } catch (error) {
    throw new MillraceError('CONFIG_UNREADABLE', `${file}, line ${number}: ${messageOf(error)}`, {
      cause: error,
      nextStep: 'Each line is a record as `millrace tail --json` prints it.',
    });
  }
  return records;
}

/** Of the connector that wrote the first record that says it. */
function flavorOf(records: readonly TopicRecord[]): 'mysql' | 'mariadb' {
  for (const { record } of records) {
    if (record.value === null) continue;
    const text = Buffer.from(record.value).toString('utf8');
    const connector = /"connector":"([a-z]+)"/.exec(text)?.[1];
    if (connector !== undefined) return connector === 'mariadb' ? 'mariadb' : 'mysql';
  }
  return 'mysql';
}

const limits = { records: 2000, bytes: 4 * 1024 * 1024 };
/** Compacted records of the last imported offset by topic and partition; they commit with the records. */
const progressTopic = 'imported';

/**
 * Appends records as groups of a source, in the order of the source. Records that were imported before, by their topic,
 * partition and offset, are passed over, so that an import that was cut short can be repeated.
 */
export async function importRecords(
  log: Log,
  source: string,
  records: readonly TopicRecord[],
): Promise<{ readonly added: number; readonly known: number }> {
  const { signal } = new AbortController();
  const connector = `import of ${source}`;
  const offsets = new Map((await log.loadSource(connector, signal)).state(progressTopic));
  const placeOf = ({ topic, partition }: TopicRecord): string => JSON.stringify([topic, partition]);
  const fresh = records.filter((record) => record.offset < 0 || record.offset > Number(offsets.get(placeOf(record)) ?? -1));
  for (const group of recordGroups(orderBySource(fresh), limits)) {
    const reached = new Map(group.map(({ from }) => [placeOf(from), String(from.offset)]));
    const state = [...reached].map(([key, value]) => ({ topic: progressTopic, key, value }));
    await log.append({ group: groupOfRecords(source, group), offset: {}, state }, { connector }, signal);
  }
  return { added: fresh.length, known: records.length - fresh.length };
}
