import type { DebeziumOptions } from './debezium-options.ts';
import { jsonString, utf8 } from './json-writer.ts';

/** A record's header; a null value has null bytes. */
export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/** The headers of a key change: the delete and its tombstone name the new key, the create the old one. */
export const keyHeaderName = { new: '__debezium.newkey', old: '__debezium.oldkey' } as const;

/** The headers that every record has under `extended.headers.enabled`. */
export function contextHeaders(options: DebeziumOptions): readonly RecordHeader[] {
  if (!options.contextHeaders) return [];
  const context = {
    connectorLogicalName: options.topicPrefix,
    taskId: options.taskId,
    connectorName: options.connector,
    runId: options.runId,
  };
  return Object.entries(context).map(([name, text]) => ({ name: `__debezium.context.${name}`, value: utf8(formatted(text, options)) }));
}

function formatted(text: string, { headerFormat }: DebeziumOptions): string {
  if (headerFormat === 'simple') return text;
  if (headerFormat === 'json') return jsonString(text);
  return `{"schema":{"type":"string","optional":false},"payload":${jsonString(text)}}`;
}
