import type { DebeziumOptions } from '../codec/debezium-options.ts';
import { createDebeziumRenderer } from '../codec/debezium-renderer.ts';
import { optionsOfProperties } from '../codec/options-of-properties.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import { op, type Op } from '../event/change-batch.ts';
import { countRecordsWith } from '../log/record-count.ts';
import type { RecordRules } from '../log/record-count.ts';
import { parseSourceConfig, sourceConnectorClasses } from '../mysql/connector-config.ts';

/** What the log must know of a source's records to count them: nothing of a connector whose records come as they are. */
export function recordRules(connector: ConnectorConfig): Partial<RecordRules> {
  const options = debeziumForm(connector);
  if (options === undefined) return {};
  const renderer = createDebeziumRenderer(options);
  const { rules, skippedOperations, skipsUnchanged, tombstones } = options;
  const ofDelete = tombstones ? 2 : 1;
  const countRecords = countRecordsWith(
    (code, keyChanged) => {
      if (skippedOperations.has(letterOf(code))) return 0;
      return code === op.delete ? ofDelete : keyChanged ? ofDelete + 1 : 1;
    },
    {
      keyOf: (schema) => rules.messageKey(schema),
      hiddenEndOf: (schema) => rules.hiddenEnd(schema),
      ...(skipsUnchanged
        ? { comparedOf: (schema) => schema.columns.flatMap(({ name }, position) => (rules.isInRow(schema, name) ? [position] : [])) }
        : {}),
    },
  );
  return { countRecords, topicOf: (schema) => renderer.topicOf(schema), otherRecords: (entry) => renderer.countOther(entry) };
}

function letterOf(code: Op): 'c' | 'u' | 'd' | 'r' {
  if (code === op.insert) return 'c';
  if (code === op.update) return 'u';
  return code === op.delete ? 'd' : 'r';
}

/** The form of a Debezium connector's records; undefined of other connectors. */
export function debeziumForm(connector: ConnectorConfig): DebeziumOptions | undefined {
  if (!sourceConnectorClasses.some((name) => name === connector.config['connector.class'])) return undefined;
  return optionsOfProperties(parseSourceConfig(connector).flavor, connector.config);
}
