import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readColumnRules } from './column-rules.ts';
import { readConverters } from './converter-rules.ts';

const table = {
  database: 'shop',
  table: 'orders',
  columns: [
    { name: 'id', nativeType: 'INT' },
    { name: 'Ref', nativeType: 'VARCHAR' },
    { name: 'note', nativeType: 'VARCHAR' },
  ],
  primaryKey: [0],
};

test('message.key.columns takes the columns of all patterns that match, in their order, in any letter case', () => {
  const keyOf = (text: string): readonly number[] => readColumnRules({ 'message.key.columns': text }).messageKey(table);
  assert.deepEqual(keyOf('shop.orders:note,ref'), [2, 1]);
  assert.deepEqual(keyOf('shop\\.o.*:note;(.*).orders:id,note'), [2, 0]);
  assert.deepEqual(keyOf('shop.other:note'), [0]);
  assert.deepEqual(keyOf('op.orders:note'), [0], 'the whole name must match');
  assert.throws(() => keyOf('shop.orders'), { code: 'CONFIG_INVALID', message: /message\.key\.columns/ });
});

test('of several masks of a column truncation is tried first, then asterisks, then hashes', () => {
  const rules = readColumnRules({
    'column.mask.hash.v2.SHA-256.with.salt.abc.def': 'shop.orders.*',
    'column.mask.with.3.chars': 'shop.orders.note',
    'column.truncate.to.2.chars': 'SHOP.ORDERS.NOTE',
    'column.mask.hash.SHA-1.with.salt.x': 'shop.orders.id',
  });
  assert.deepEqual(
    rules.masksOf(table, 'note').map(({ kind }) => kind),
    ['truncate', 'asterisks', 'hash'],
  );
  assert.deepEqual(rules.masksOf(table, 'ref'), [{ kind: 'hash', algorithm: 'sha256', salt: 'abc.def', javaSerialized: false }]);
  assert.deepEqual(rules.masksOf(table, 'id')[0], { kind: 'hash', algorithm: 'sha1', salt: 'x', javaSerialized: true });
  assert.deepEqual(rules.masksOf({ ...table, table: 'x' }, 'note'), []);
  assert.equal(rules.hasMasks, true);
  assert.equal(readColumnRules({}).hasMasks, false);
});

test('a digest that is not here is refused by the name of its property', () => {
  assert.throws(() => readColumnRules({ 'column.mask.hash.NOPE.with.salt.s': 'a.b.c' }), { message: /column\.mask\.hash\.NOPE/ });
});

test('columns are in rows by the lists, and tell their type by name or by type', () => {
  const rules = readColumnRules({
    'column.include.list': 'shop.orders.(id|note)',
    'column.propagate.source.type': 'shop.orders.id',
    'datatype.propagate.source.type': '.*\\.VARCHAR',
  });
  assert.deepEqual(
    table.columns.map(({ name }) => rules.isInRow(table, name)),
    [true, false, true],
  );
  assert.equal(readColumnRules({ 'column.exclude.list': '.*.note' }).isInRow(table, 'note'), false);
  assert.ok(rules.propagates(table, { name: 'id', nativeType: 'INT' }));
  assert.ok(rules.propagates(table, { name: 'other', nativeType: 'VARCHAR' }));
  assert.ok(!rules.propagates(table, { name: 'other', nativeType: 'INT' }));
});

test('converters take the columns that their selectors name, of the types that they are for', () => {
  const find = readConverters({
    converters: 'flags, sink',
    'flags.type': 'io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter',
    'flags.selector': 'shop.orders.is_.*',
    'sink.type': 'io.debezium.connector.mysql.converters.JdbcSinkDataTypesConverter',
    'sink.selector.boolean': '.*',
    'sink.selector.string': '.*.note',
    'sink.selector.real': '.*',
  });
  const tiny = { nativeType: 'TINYINT', length: 1 };
  assert.deepEqual(find(table, { name: 'is_gift', ...tiny }), { kind: 'boolean' });
  assert.deepEqual(find(table, { name: 'gift', ...tiny }), { kind: 'int16' });
  assert.equal(find(table, { name: 'is_gift', nativeType: 'TINYINT', length: 4 }), undefined);
  assert.deepEqual(find(table, { name: 'note', nativeType: 'VARCHAR', charset: 'latin1' }), { kind: 'string', charset: 'latin1' });
  assert.deepEqual(find(table, { name: 'r', nativeType: 'DOUBLE', written: { type: 'REAL' } }), { kind: 'real', asDouble: true });
  assert.throws(() => readConverters({ converters: 'x', 'x.type': 'com.acme.Dates' }), { message: /com\.acme\.Dates/ });
});
