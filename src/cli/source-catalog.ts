/** What `tail` needs to know of the sources in a log to render their records: kept in the log by the worker. */
import { debeziumOptions } from '../codec/debezium-options.ts';
import type { DebeziumOptions } from '../codec/debezium-options.ts';
import { optionsOfProperties } from '../codec/options-of-properties.ts';
import { isSecretName } from '../config/config-def.ts';
import type { Log } from '../log/log.ts';
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

/** How the records of a source are rendered; as Debezium MySQL does by default when nothing was noted. */
export function recordOptions(log: Log, source: string): DebeziumOptions {
  const noted: unknown = JSON.parse(log.get(topic).get(source) ?? 'null');
  if (!isNote(noted)) return debeziumOptions({ connector: 'mysql', topicPrefix: source });
  return optionsOfProperties(noted.flavor, { ...noted.properties, 'topic.prefix': source });
}

interface Note {
  readonly flavor: 'mysql' | 'mariadb';
  readonly properties: Readonly<Record<string, string>>;
}

/** We wrote it ourselves: the outline is enough. */
function isNote(value: unknown): value is Note {
  return typeof value === 'object' && value !== null && 'flavor' in value && 'properties' in value;
}
