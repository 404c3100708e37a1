import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEvents, noTransactions } from '../connect/commit-group.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { writeImage } from '../event/cell.ts';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import type { ColumnType } from '../event/column-type.ts';
import { createTableSchema } from '../event/table-schema.ts';
import type { Column } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import { createDebeziumRenderer } from './debezium-renderer.ts';
import { optionsOfProperties } from './options-of-properties.ts';
import { renderRecordLine } from './record-line.ts';

const tiny = (unsigned: boolean): ColumnType => ({ kind: 'int', bits: 8, unsigned });

interface Field {
  readonly type: string;
  readonly field: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Schema and value of one column, as a connector with these properties has them. */
function rendered(
  column: Omit<Column, 'name' | 'nullable'>,
  value: Value,
  properties: Readonly<Record<string, string>>,
): readonly unknown[] {
  const schema = createTableSchema({ database: 'd', table: 't', primaryKey: [], columns: [{ name: 'c', nullable: true, ...column }] });
  const builder = new ChangeBatchBuilder(schema);
  builder.begin(op.insert, 0);
  builder.middle();
  writeImage(schema, [value], builder.writer);
  builder.end();
  const events = { ...noEvents, count: 1, transaction: Uint32Array.of(0), pos: Float64Array.of(4), seconds: Uint32Array.of(1) };
  const transactions = {
    ...noTransactions,
    count: 1,
    gtidSources: [''],
    gtidSource: Uint16Array.of(0),
    gtidSequence: Float64Array.of(0),
    committedMicros: Float64Array.of(0),
    threadId: Uint32Array.of(0),
    serverId: Uint32Array.of(0),
  };
  const group: CommitGroup = {
    source: 'p',
    seq: 1,
    position: { file: 'b.1', pos: 9, gtids: '' },
    open: false,
    file: 'b.1',
    transactions,
    events,
    entries: [],
  };
  const options = optionsOfProperties('mysql', { 'topic.prefix': 'p', ...properties });
  const out = new ByteWriter(16);
  createDebeziumRenderer(options).render(group, { kind: 'changes', batch: builder.view() }, (record) =>
    renderRecordLine(record, 0, 0, out),
  );
  const line: { value: { schema: { fields: { field: string; fields: Field[] }[] }; payload: { after: { c: unknown } } } } = JSON.parse(
    Buffer.from(out.toBytes()).toString(),
  );
  const after = line.value.schema.fields.find(({ field }) => field === 'after')?.fields[0];
  return [after?.type, line.value.payload.after.c, ...(after?.parameters === undefined ? [] : [after.parameters])];
}

const flags = { converters: 'b', 'b.type': 'io.debezium.connector.mysql.converters.TinyIntOneToBooleanConverter' };
const sink = { converters: 'j', 'j.type': 'io.debezium.connector.binlog.converters.JdbcSinkDataTypesConverter' };

test('TinyIntOneToBooleanConverter: TINYINT(1) that is above zero is true; selector and length.checker say which', () => {
  const one = { type: tiny(false), nativeType: 'TINYINT', length: 1 };
  assert.deepEqual(rendered(one, 1, {}), ['int16', 1]);
  assert.deepEqual(rendered(one, 1, flags), ['boolean', true]);
  assert.deepEqual(rendered(one, 0, flags), ['boolean', false]);
  assert.deepEqual(rendered(one, -1, flags), ['boolean', false]);
  assert.deepEqual(rendered(one, null, flags), ['boolean', null]);
  const unsigned = { type: tiny(true), nativeType: 'TINYINT UNSIGNED', length: 1 };
  assert.deepEqual(rendered(unsigned, 200, flags), ['boolean', true]);
  const wide = { ...one, length: 4 };
  assert.deepEqual(rendered(wide, 1, flags), ['int16', 1]);
  assert.deepEqual(rendered(wide, 1, { ...flags, 'b.length.checker': 'false' }), ['boolean', true]);
  assert.deepEqual(rendered(one, 1, { ...flags, 'b.selector': 'd.t.c' }), ['boolean', true]);
  assert.deepEqual(rendered(one, 1, { ...flags, 'b.selector': 'd.t.other' }), ['int16', 1]);
});

test('JdbcSinkDataTypesConverter: TINYINT(1) is int16, REAL a double or a float, texts tell their character set', () => {
  const one = { type: tiny(false), nativeType: 'TINYINT', length: 1 };
  assert.deepEqual(rendered(one, 1, { ...sink, 'j.selector.boolean': 'd\\.t\\..*' }), ['int16', 1]);
  const real = { type: { kind: 'double', unsigned: false } as const, nativeType: 'DOUBLE', written: { type: 'REAL' } };
  const reals = { ...sink, 'j.selector.real': '.*' };
  assert.deepEqual(rendered(real, 1.5, reals), ['double', 1.5]);
  assert.deepEqual(rendered(real, 1.5, { ...reals, 'j.treat.real.as.double': 'false' }), ['float', 1.5]);
  const text = { type: { kind: 'text' } as const, nativeType: 'VARCHAR', length: 9, charset: 'latin1' };
  const texts = { ...sink, 'j.selector.string': '.*' };
  assert.deepEqual(rendered(text, 'x', texts), ['string', 'x', { '__debezium.source.column.character_set': 'latin1' }]);
  assert.deepEqual(rendered(text, 'x', sink), ['string', 'x'], 'what has no selector is left alone');
});
