import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decimal, Struct } from './data.ts';
import { logical, logicalName, primitive, structOf } from './schema.ts';
import { parseValue, valueText } from './values.ts';

const parsed = (text: string): readonly unknown[] => {
  const { schema, value } = parseValue(text);
  return [schema?.name ?? schema?.type, value];
};

test('texts that look like numbers are of the narrowest type', () => {
  assert.deepEqual(parsed('42'), ['int8', 42]);
  assert.deepEqual(parsed('-129'), ['int16', -129]);
  assert.deepEqual(parsed('+40000'), ['int32', 40_000]);
  assert.deepEqual(parsed('3000000000'), ['int64', 3_000_000_000n]);
  assert.deepEqual(parsed('1.5'), ['float32', 1.5]);
  assert.deepEqual(parsed('1e300'), ['float64', 1e300]);
  assert.deepEqual(parsed('99999999999999999999'), [logicalName.decimal, new Decimal(99_999_999_999_999_999_999n, 0)]);
});

test('dates, times and timestamps are of their own types, whether or not colons are escaped', () => {
  assert.deepEqual(parsed('2024-02-29'), [logicalName.date, 19_782]);
  assert.deepEqual(parsed('12:34:56.789Z'), [logicalName.time, 45_296_789]);
  assert.deepEqual(parsed('2024-02-29T12:34:56.789Z'), [logicalName.timestamp, 1_709_210_096_789n]);
  assert.deepEqual(parsed('2024-02-29T12\\:34\\:56.789Z'), [logicalName.timestamp, 1_709_210_096_789n]);
});

test('lists and maps take the type that all of their items fit', () => {
  const list = parseValue('[1, 300, 3]');
  assert.deepEqual([list.schema?.valueSchema?.type, list.value], ['int16', [1, 300, 3]]);
  const map = parseValue('{"a":1,"b":null,"c":"x y"}');
  assert.deepEqual(
    [map.schema?.keySchema?.type, map.schema?.valueSchema, map.value],
    [
      'string',
      undefined,
      new Map<string, unknown>([
        ['a', 1],
        ['b', null],
        ['c', 'x y'],
      ]),
    ],
  );
  assert.deepEqual(parseValue('[]').value, []);
});

test('everything else is the text itself', () => {
  assert.deepEqual(parseValue('null'), { schema: null, value: null });
  for (const text of ['', ' ', '{"a":}', 'hello, world', '1,2', '[1 2', '[1 2]', '{a:1}', '"quoted"', '12ab', '-', 'truest']) {
    assert.deepEqual(parsed(text), ['string', text], text);
  }
  assert.deepEqual(parsed('true'), ['boolean', true]);
});

test('values as text: bare texts, structs, decimals, bytes', () => {
  const schema = structOf([
    { name: 'id', schema: primitive('int32') },
    { name: 'n"m', schema: primitive('string') },
    { name: 'raw', schema: primitive('bytes') },
    { name: 'at', schema: logical('timestamp') },
  ]);
  const struct = new Struct(schema, [7, 'a\\b', Uint8Array.of(1), 1_709_210_096_789n]);
  assert.equal(valueText(schema, struct), '{"id":7,"n\\"m":"a\\\\b","raw":"AQ==","at":2024-02-29T12:34:56.789Z}');
  assert.equal(valueText(primitive('string'), 'a"b'), 'a"b');
  assert.equal(valueText(null, new Decimal(-5n, 2)), '-0.05');
  assert.equal(valueText(primitive('float32'), 0.1), '0.1');
});
