import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Struct } from '../connect/data.ts';
import type { ConnectValue } from '../connect/data.ts';
import type { ConnectRecord } from '../connect/record.ts';
import { fieldOf } from '../connect/schema.ts';
import { int32, int64, membersOf, optionalText, recordOf, struct, text, transform } from './record.fixture.ts';

const unwrap = 'io.debezium.transforms.ExtractNewRecordState';
const router = 'io.debezium.transforms.ByLogicalTableRouter';

const row = struct(
  { id: [int32, 7], note: [{ ...optionalText, default: 'none' }, null] },
  { name: 'shop.shop.orders.Value', optional: true },
);
const source = struct({
  ts_ms: [int64, 5n],
  snapshot: [{ ...optionalText, default: 'false' }, null],
  db: [text, 'shop'],
  table: [optionalText, 'orders'],
});
const key = struct({ id: [int32, 7] }, { name: 'shop.shop.orders.Key' });

function envelope(op: string, before: ConnectValue, after: ConnectValue): ConnectRecord {
  const value = struct(
    { before: [row.schema, before], after: [row.schema, after], source: [source.schema, source], op: [text, op], ts_ms: [int64, 6n] },
    { name: 'shop.shop.orders.Envelope', version: 2 },
  );
  return recordOf(value, { keySchema: key.schema, key });
}

const created = envelope('c', null, row);
const deleted = envelope('d', row, null);
const tombstone = recordOf(null, { keySchema: key.schema, key });

/** What becomes of a create, a delete and its tombstone: members, `null` with a schema, `tombstone`, or nothing. */
function outcome(properties: Readonly<Record<string, string>>): readonly unknown[] {
  return [created, deleted, tombstone].map((record) => {
    const made = transform(unwrap, properties, record);
    if (made === null) return 'dropped';
    if (made.value === null) return made.valueSchema === null ? 'tombstone' : 'null';
    return membersOf(made.value);
  });
}

const shown = { id: 7, note: 'none' };

test('deletes and tombstones by delete.tombstone.handling.mode', () => {
  const mode = (value: string): readonly unknown[] => outcome({ 'delete.tombstone.handling.mode': value });
  assert.deepEqual(mode('drop'), [shown, 'dropped', 'dropped']);
  assert.deepEqual(mode('tombstone'), [shown, 'null', 'dropped']);
  assert.deepEqual(mode('delete-to-tombstone'), [shown, 'tombstone', 'dropped']);
  const rewritten = [
    { ...shown, __deleted: 'false' },
    { ...shown, __deleted: 'true' },
  ];
  assert.deepEqual(mode('rewrite'), [...rewritten, 'dropped']);
  assert.deepEqual(mode('rewrite-with-tombstone'), [...rewritten, 'tombstone']);
  assert.deepEqual(outcome({}), mode('tombstone'));
});

test('the two properties of Debezium until 3.1 mean one of the modes', () => {
  const legacy = (mode: string | undefined, drops: string | undefined): readonly unknown[] =>
    outcome({
      ...(mode === undefined ? {} : { 'delete.handling.mode': mode }),
      ...(drops === undefined ? {} : { 'drop.tombstones': drops }),
    });
  const mode = (value: string): readonly unknown[] => outcome({ 'delete.tombstone.handling.mode': value });
  assert.deepEqual(legacy('drop', undefined), mode('drop'));
  assert.deepEqual(legacy('drop', 'false'), mode('delete-to-tombstone'));
  assert.deepEqual(legacy('none', 'true'), mode('tombstone'));
  assert.deepEqual(legacy('none', 'false'), [shown, 'null', 'tombstone']);
  assert.deepEqual(legacy('rewrite', undefined), mode('rewrite'));
  assert.deepEqual(legacy('rewrite', 'false'), mode('rewrite-with-tombstone'));
  assert.deepEqual(legacy(undefined, 'false'), mode('delete-to-tombstone'));
});

test('fields and headers are added in the order of the list; names that are nowhere are left out', () => {
  const made = transform(
    unwrap,
    {
      'add.fields': 'op,table,source.ts_ms,lsn,db:database,source.snapshot',
      'add.headers': 'source.db:dbname,before',
      'add.headers.prefix': '_h_',
    },
    created,
  );
  assert.deepEqual(membersOf(made?.value), {
    ...shown,
    __op: 'c',
    __table: 'orders',
    __source_ts_ms: 5n,
    __database: 'shop',
    __source_snapshot: null,
  });
  const snapshot = fieldOf(made?.valueSchema ?? int32, '__source_snapshot')?.schema;
  assert.deepEqual([snapshot?.optional, snapshot?.default], [true, undefined]);
  assert.deepEqual(
    made?.headers.map(({ name, value }) => [name, value]),
    [
      ['_h_dbname', 'shop'],
      ['_h_before', null],
    ],
  );
  assert.equal(made.valueSchema?.name, 'shop.shop.orders.Value');
});

test('replace.null.with.default=false leaves NULL', () => {
  assert.deepEqual(membersOf(transform(unwrap, { 'replace.null.with.default': 'false' }, created)?.value), { id: 7, note: null });
});

test('a tombstone that stays tells its operation in the header of op', () => {
  const made = transform(unwrap, { 'delete.tombstone.handling.mode': 'rewrite-with-tombstone', 'add.headers': 'op,table' }, tombstone);
  assert.deepEqual(made?.headers, [{ name: '__op', schema: text, value: 'd' }]);
});

test('fields of the row can be added by their block', () => {
  const made = transform(unwrap, { 'add.fields': 'after.id:number,nowhere.x' }, created);
  assert.deepEqual(membersOf(made?.value), { ...shown, __number: 7 });
});

test('what is no envelope passes, truncates vanish', () => {
  const heartbeat = recordOf(struct({ ts_ms: [int64, 1n] }, { name: 'io.debezium.connector.common.Heartbeat' }));
  assert.equal(transform(unwrap, {}, heartbeat), heartbeat);
  assert.equal(transform(unwrap, {}, envelope('t', null, null)), null);
});

test('a column can say the topic', () => {
  const named = struct({ id: [int32, 7], note: [optionalText, 'lamps'] }, { name: 'x.Value', optional: true });
  const value = struct({ before: [named.schema, null], after: [named.schema, named], op: [text, 'c'] }, { name: 'x.Envelope' });
  assert.equal(transform(unwrap, { 'route.by.field': 'note' }, recordOf(value))?.topic, 'lamps');
  assert.throws(() => transform(unwrap, { 'route.by.field': 'id' }, recordOf(value)), /route\.by\.field/);
  assert.equal(transform(unwrap, { 'route.by.field': 'note', 'replace.null.with.default': 'false' }, created)?.topic, created.topic);
});

test('a header can list fields that are dropped, only optional ones unless told otherwise', () => {
  const headers = [{ name: 'gone', schema: { type: 'array', optional: false, valueSchema: text } as const, value: ['note', 'id'] }];
  const properties = { 'drop.fields.header.name': 'gone' };
  assert.deepEqual(membersOf(transform(unwrap, properties, { ...created, headers })?.value), { id: 7 });
  const all = { ...properties, 'drop.fields.keep.schema.compatible': 'false', 'drop.fields.from.key': 'true' };
  const made = transform(unwrap, all, { ...created, headers });
  assert.deepEqual([membersOf(made?.value), membersOf(made?.key)], [{}, {}]);
});

test('shards go to one topic, with their own in the key, and schemas are named after it', () => {
  const properties = { 'topic.regex': '(.*)orders', 'topic.replacement': '$1all' };
  const made = transform(router, properties, created);
  assert.equal(made?.topic, 'shop.shop.all');
  assert.deepEqual(membersOf(made.key), { id: 7, __dbz__physicalTableIdentifier: 'shop.shop.orders' });
  assert.equal(made.keySchema?.name, 'shop.shop.all.Key');
  assert.equal(made.valueSchema?.name, 'shop.shop.all.Envelope');
  assert.ok(made.value instanceof Struct);
  const after = made.value.values[1];
  assert.ok(after instanceof Struct && after.schema.name === 'shop.shop.all.Value');

  const plain = transform(router, { ...properties, 'key.enforce.uniqueness': 'false' }, created);
  assert.deepEqual(membersOf(plain?.key), { id: 7 });
  const named = transform(
    router,
    { ...properties, 'key.field.name': 'shard', 'key.field.regex': '.*\\.(.*)', 'key.field.replacement': '$1' },
    tombstone,
  );
  assert.deepEqual([membersOf(named?.key)['shard'], named?.value], ['orders', null]);
  assert.equal(transform(router, { 'topic.regex': 'x', 'topic.replacement': 'y' }, created), created);
});

test('records of other topics that match keep their value', () => {
  const heartbeat = recordOf(struct({ ts_ms: [int64, 1n] }, { name: 'io.debezium.connector.common.Heartbeat' }), { topic: 'a.orders' });
  const made = transform(router, { 'topic.regex': '(.*)orders', 'topic.replacement': '$1all' }, heartbeat);
  assert.deepEqual([made?.topic, made?.valueSchema?.name], ['a.all', 'io.debezium.connector.common.Heartbeat']);
});

test('a table without a key has none in the logical topic', () => {
  const made = transform(router, { 'topic.regex': '(.*)orders', 'topic.replacement': '$1all' }, { ...created, keySchema: null, key: null });
  assert.deepEqual([made?.keySchema, made?.key], [null, null]);
});
