import type { DebeziumOptions } from '../codec/debezium-options.ts';
import { createDebeziumRenderer } from '../codec/debezium-renderer.ts';
import { optionsOfProperties } from '../codec/options-of-properties.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { RecordRules } from '../log/record-count.ts';
import { parseSourceConfig, sourceConnectorClasses } from '../mysql/connector-config.ts';

/** What the log must know of a source's records to count them: nothing of a connector whose records come as they are. */
export function recordRules(connector: ConnectorConfig): Partial<RecordRules> {
  const options = debeziumForm(connector);
  if (options === undefined) return {};
  const renderer = createDebeziumRenderer(options);
  return { topicOf: (schema) => renderer.topicOf(schema) };
}

/** The form of a Debezium connector's records; undefined of other connectors. */
export function debeziumForm(connector: ConnectorConfig): DebeziumOptions | undefined {
  if (!sourceConnectorClasses.some((name) => name === connector.config['connector.class'])) return undefined;
  return optionsOfProperties(parseSourceConfig(connector).flavor, connector.config);
}
