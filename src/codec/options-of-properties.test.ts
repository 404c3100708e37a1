import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DebeziumOptions } from './debezium-options.ts';
import { optionsOfProperties } from './options-of-properties.ts';

/** What each property is when it is not given, and what it becomes. Defaults: Debezium 3.6 and Kafka Connect 4.3. */
const cases: readonly (readonly [option: keyof DebeziumOptions, fallback: unknown, properties: Record<string, string>, given: unknown])[] =
  [
    ['topicDelimiter', '.', { 'topic.delimiter': '_' }, '_'],
    ['transactionTopic', 'p.transaction', { 'topic.transaction': 'tx' }, 'p.tx'],
    ['transactionTopic', 'p.transaction', { 'topic.delimiter': '-' }, 'p-transaction'],
    ['heartbeatTopic', '__debezium-heartbeat.p', { 'topic.heartbeat.prefix': 'hb' }, 'hb.p'],
    ['heartbeatTopic', '__debezium-heartbeat.p', { 'heartbeat.topics.prefix': 'old' }, 'old.p'],
    ['unavailable', '__debezium_unavailable_value', { 'unavailable.value.placeholder': '?' }, '?'],
    ['tombstones', true, { 'tombstones.on.delete': 'false' }, false],
    ['schemaChanges', true, { 'include.schema.changes': 'false' }, false],
    ['columnComments', false, { 'include.schema.comments': 'true' }, true],
    ['transactionMetadata', false, { 'provide.transaction.metadata': 'true' }, true],
    ['skipsUnchanged', false, { 'skip.messages.without.change': 'true' }, true],
    ['skippedOperations', new Set(['t']), { 'skipped.operations': 'C, u,d' }, new Set(['c', 'u', 'd'])],
    ['skippedOperations', new Set(['t']), { 'skipped.operations': 'none' }, new Set()],
    ['contextHeaders', true, { 'extended.headers.enabled': 'false' }, false],
    ['decimalMode', 'precise', { 'decimal.handling.mode': 'DOUBLE' }, 'double'],
    ['bigintUnsignedMode', 'long', { 'bigint.unsigned.handling.mode': 'precise' }, 'precise'],
    ['binaryMode', 'bytes', { 'binary.handling.mode': 'base64-url-safe' }, 'base64-url-safe'],
    ['timeMode', 'adaptive_time_microseconds', { 'time.precision.mode': 'isostring' }, 'isostring'],
    ['timeAdjuster', true, { 'enable.time.adjuster': 'false' }, false],
    ['schemaNames', 'none', { 'schema.name.adjustment.mode': 'avro_unicode' }, 'avro_unicode'],
    ['fieldNames', 'none', { 'field.name.adjustment.mode': 'avro' }, 'avro'],
    ['keySchemas', true, { 'key.converter.schemas.enable': 'false' }, false],
    ['valueSchemas', true, { 'value.converter.schemas.enable': 'false' }, false],
    ['headerFormat', 'simple', { 'header.converter': 'org.apache.kafka.connect.json.JsonConverter' }, 'json-schemas'],
    ['historyTopic', undefined, { 'schema.history.internal.kafka.topic': 'history' }, 'history'],
    ['compat', undefined, { 'millrace.compat': 'debezium-3.6' }, 'debezium-3.6'],
  ];

test('each property that shapes records becomes its option', () => {
  for (const [option, fallback, properties, given] of cases) {
    assert.deepEqual(optionsOfProperties('mysql', { 'topic.prefix': 'p' })[option], fallback, option);
    assert.deepEqual(optionsOfProperties('mysql', { 'topic.prefix': 'p', ...properties })[option], given, JSON.stringify(properties));
  }
});

test('a value that a property does not have is refused by the name of the property', () => {
  for (const name of ['decimal.handling.mode', 'time.precision.mode', 'tombstones.on.delete', 'binary.handling.mode']) {
    const message = new RegExp(`^${name.replaceAll('.', '\\.')} is adaptive`);
    assert.throws(() => optionsOfProperties('mysql', { [name]: 'adaptive' }), { code: 'CONFIG_INVALID', message });
  }
});
