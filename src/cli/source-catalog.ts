/** What `tail` needs to know of the sources in a log to render their records: kept in the log by the worker. */
import { debeziumOptions } from '../codec/debezium-options.ts';
import type { DebeziumOptions } from '../codec/debezium-options.ts';
import { optionsOfProperties } from '../codec/options-of-properties.ts';
import { isSecretName } from '../config/config-def.ts';
import type { Log } from '../log/log.ts';
import { needsRecordPath } from '../worker/record-path.ts';
import { sourceProperties } from '../mysql/connector-properties.ts';
import type { CheckedSource } from './connectors.ts';

const topic = 'millrace-sources';

/** Notes the sources' flavors and properties, without secrets and without what says where the server is. */
export function noteSources(log: Log, sources: readonly CheckedSource[]): void {
  log.put(
    sources.map(({ connector, config }) => {
      const shown = Object.entries(connector.config).filter(
        ([name]) => !name.startsWith('database.') && !isSecretName(name, sourceProperties),
      );
      return { topic, key: config.topicPrefix, value: JSON.stringify({ flavor: config.flavor, properties: Object.fromEntries(shown) }) };
    }),
  );
}

/** Notes a source whose records were imported, and the configuration of the connector that wrote them. */
export function noteImport(log: Log, source: string, { flavor, properties }: Omit<Note, 'imported'>): void {
  const shown = Object.entries(properties).filter(([name]) => !isSecretName(name, sourceProperties));
  log.put([{ topic, key: source, value: JSON.stringify({ flavor, imported: true, properties: Object.fromEntries(shown) }) }]);
}

/** Sources whose records were imported: no connector of the worker writes them. */
export function importedSources(log: Log): readonly string[] {
  return [...log.get(topic).keys()].filter((source) => sourceNote(log, source)?.imported === true);
}

/** What was noted of a source. */
export function sourceNote(log: Log, source: string): Note | undefined {
  const noted: unknown = JSON.parse(log.get(topic).get(source) ?? 'null');
  return isNote(noted) ? noted : undefined;
}

/** Whether a source's groups have records in place of batches: it was imported, or its connector changes them. */
export function writesRecords(log: Log, source: string): boolean {
  const noted = sourceNote(log, source);
  if (noted === undefined) return true;
  return noted.imported === true || needsRecordPath(noted.properties);
}

/** How the records of a source are rendered; as Debezium MySQL does by default when nothing was noted. */
export function recordOptions(log: Log, source: string): DebeziumOptions {
  const noted = sourceNote(log, source);
  if (noted === undefined) return debeziumOptions({ connector: 'mysql', topicPrefix: source });
  return optionsOfProperties(noted.flavor, { ...noted.properties, 'topic.prefix': source });
}

interface Note {
  readonly imported?: boolean;
  readonly flavor: 'mysql' | 'mariadb';
  readonly properties: Readonly<Record<string, string>>;
}

/** We wrote it ourselves: the outline is enough. */
function isNote(value: unknown): value is Note {
  return typeof value === 'object' && value !== null && 'flavor' in value && 'properties' in value;
}
