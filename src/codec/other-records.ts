import type { CommitGroup, Entry, TransactionMark } from '../connect/commit-group.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { jsonString } from './json-writer.ts';
import { renderNotification } from './notification.ts';
import { renderSchemaChange } from './schema-change.ts';
import { renderSchemaHistory } from './schema-history.ts';

/** A record of a topic that is no table's. */
export interface OtherRecord {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string;
  /** Whether it has the context's headers. */
  readonly hasHeaders: boolean;
  /** Index in the group's `transactions` of the statement's. */
  readonly transaction?: number | undefined;
}

/** Records of one topic; the topic `''` is the source's own. */
interface TopicRecords {
  readonly topic: string;
  readonly records: number;
}

/** The records of an entry without rows, but for those of TRUNCATE, which are in the topics of tables. */
export function renderOther(group: CommitGroup, entry: Entry, options: DebeziumOptions): readonly OtherRecord[] {
  switch (entry.kind) {
    case 'ddl': {
      const told = entry.records.filter((record) => !record.changes.some(({ kind }) => kind === 'TRUNCATE'));
      const { topicPrefix: topic, historyTopic, schemaChanges } = options;
      const changes = schemaChanges
        ? told.map((record) => ({
            topic,
            ...renderSchemaChange(group, record, options),
            hasHeaders: true,
            transaction: record.place.kind === 'event' ? group.events.transaction[record.place.event] : undefined,
          }))
        : [];
      if (historyTopic === undefined) return changes;
      const history = told.map((record) => renderSchemaHistory(group, record, options));
      return [...changes, ...history.map((value) => ({ topic: historyTopic, key: null, value, hasHeaders: false }))];
    }
    case 'transactionMarks':
      return entry.marks.map((mark) => renderMark(mark, options));
    case 'heartbeat':
      return [renderHeartbeat(entry.micros, options)];
    case 'notifications':
      return entry.notifications.map((each) => ({ topic: entry.topic, ...renderNotification(each, options), hasHeaders: false }));
    default:
      return [];
  }
}

/** How many records of which topics `renderOther` gives. */
export function countOther(entry: Entry, options: DebeziumOptions): readonly TopicRecords[] {
  switch (entry.kind) {
    case 'ddl': {
      const records = entry.records.filter((record) => !record.changes.some(({ kind }) => kind === 'TRUNCATE')).length;
      const { historyTopic, schemaChanges } = options;
      return [
        ...(schemaChanges ? [{ topic: '', records }] : []),
        ...(historyTopic === undefined ? [] : [{ topic: historyTopic, records }]),
      ];
    }
    case 'transactionMarks':
      return [{ topic: options.transactionTopic, records: entry.marks.length }];
    case 'heartbeat':
      return [{ topic: options.heartbeatTopic, records: 1 }];
    case 'notifications':
      return [{ topic: entry.topic, records: entry.notifications.length }];
    case 'records':
      return [{ topic: entry.topic, records: entry.records.length }];
    default:
      return [];
  }
}

const field = (type: string, optional: boolean, name: string): string => `{"type":"${type}","optional":${optional},"field":"${name}"}`;

const transactionKeySchema = `{"type":"struct","fields":[${field('string', false, 'id')}],"optional":false,"name":"io.debezium.connector.common.TransactionMetadataKey","version":1}`;

const transactionSchema =
  `{"type":"struct","fields":[${field('string', false, 'status')},${field('string', false, 'id')},${field('int64', true, 'event_count')},` +
  `{"type":"array","items":{"type":"struct","fields":[${field('string', false, 'data_collection')},${field('int64', false, 'event_count')}],` +
  '"optional":true,"name":"event.collection","version":1},"optional":true,"field":"data_collections"},' +
  `${field('int64', false, 'ts_ms')}],"optional":false,"name":"io.debezium.connector.common.TransactionMetadataValue","version":1}`;

function renderMark({ status, id, micros, tables }: TransactionMark, options: DebeziumOptions): OtherRecord {
  const collections = tables.map(
    ({ database, table, records }) => `{"data_collection":${jsonString(`${database}.${table}`)},"event_count":${records}}`,
  );
  const count = tables.reduce((sum, { records }) => sum + records, 0);
  const counts =
    status === 'BEGIN'
      ? '"event_count":null,"data_collections":null'
      : `"event_count":${count},"data_collections":[${collections.join(',')}]`;
  return {
    topic: options.transactionTopic,
    key: framed(transactionKeySchema, `{"id":${jsonString(id)}}`, options.keySchemas),
    value: framed(
      transactionSchema,
      `{"status":"${status}","id":${jsonString(id)},${counts},"ts_ms":${Math.floor(micros / 1000)}}`,
      options.valueSchemas,
    ),
    hasHeaders: false,
  };
}

const heartbeatKeySchema = `{"type":"struct","fields":[${field('string', false, 'serverName')}],"optional":false,"name":"io.debezium.connector.common.ServerNameKey","version":1}`;
const heartbeatSchema = `{"type":"struct","fields":[${field('int64', false, 'ts_ms')}],"optional":false,"name":"io.debezium.connector.common.Heartbeat","version":1}`;

function renderHeartbeat(micros: number, options: DebeziumOptions): OtherRecord {
  return {
    topic: options.heartbeatTopic,
    key: framed(heartbeatKeySchema, `{"serverName":${jsonString(options.topicPrefix)}}`, options.keySchemas),
    value: framed(heartbeatSchema, `{"ts_ms":${Math.floor(micros / 1000)}}`, options.valueSchemas),
    hasHeaders: false,
  };
}

function framed(schema: string, payload: string, isSent: boolean): string {
  return isSent ? `{"schema":${schema},"payload":${payload}}` : payload;
}
