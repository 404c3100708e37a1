import type { SnapshotNotification } from '../connect/commit-group.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { jsonString } from './json-writer.ts';

const keySchema =
  '{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"}],"optional":false,' +
  '"name":"io.debezium.connector.common.NotificationKey","version":1}';

const valueSchema =
  '{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"},{"type":"string","optional":false,"field":"type"},' +
  '{"type":"string","optional":false,"field":"aggregate_type"},' +
  '{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"string","optional":false},"optional":true,"field":"additional_data"},' +
  '{"type":"int64","optional":false,"field":"timestamp"}],"optional":false,"name":"io.debezium.connector.common.Notification","version":1}';

/** Key and value of a record of the notification topic, as JsonConverter prints them; it has no headers. */
export function renderNotification(
  { id, type, aggregate, data, timestamp }: SnapshotNotification,
  { keySchemas, valueSchemas }: Pick<DebeziumOptions, 'keySchemas' | 'valueSchemas'>,
): { readonly key: string; readonly value: string } {
  const members = data.map(([name, value]) => `${jsonString(name)}:${jsonString(value)}`);
  const key = `{"id":${jsonString(id)}}`;
  const value =
    `{"id":${jsonString(id)},"type":${jsonString(type)},"aggregate_type":${jsonString(aggregate)},` +
    `"additional_data":{${members.join(',')}},"timestamp":${timestamp}}`;
  return {
    key: keySchemas ? `{"schema":${keySchema},"payload":${key}}` : key,
    value: valueSchemas ? `{"schema":${valueSchema},"payload":${value}}` : value,
  };
}
