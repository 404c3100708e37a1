/** What `tail` needs to know of the sources in a log to render their records: kept in the log by the worker. */
import type { DebeziumOptions } from '../codec/debezium-options.ts';
import { debeziumOptions } from '../codec/debezium-options.ts';
import type { Log } from '../log/log.ts';
import type { CheckedSource } from './connectors.ts';

const topic = 'millrace-sources';

/** Notes the sources' flavors and converter settings; no secrets. */
export function noteSources(log: Log, sources: readonly CheckedSource[]): void {
  log.put(
    sources.map(({ connector, config }) => {
      const keySchemas = connector.config['key.converter.schemas.enable']?.toLowerCase() !== 'false';
      const valueSchemas = connector.config['value.converter.schemas.enable']?.toLowerCase() !== 'false';
      return { topic, key: config.topicPrefix, value: JSON.stringify({ connector: config.flavor, keySchemas, valueSchemas }) };
    }),
  );
}

/** How the records of a source are rendered; Debezium MySQL's defaults when nothing was noted. */
export function recordOptions(log: Log, source: string): DebeziumOptions {
  const noted: unknown = JSON.parse(log.get(topic).get(source) ?? '{}');
  const facts: Readonly<Record<string, unknown>> = typeof noted === 'object' && noted !== null ? { ...noted } : {};
  return debeziumOptions({
    topicPrefix: source,
    connector: facts['connector'] === 'mariadb' ? 'mariadb' : 'mysql',
    keySchemas: facts['keySchemas'] !== false,
    valueSchemas: facts['valueSchemas'] !== false,
  });
}
