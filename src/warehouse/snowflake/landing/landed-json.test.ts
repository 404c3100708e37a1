import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decimal, Struct, type Schema } from '../../../connect/data.ts';
import { logical, logicalName, primitive, structOf } from '../../../connect/schema.ts';
import { contentText, metadataText, type MetadataOptions } from './landed-json.ts';

const decimal: Schema = { type: 'bytes', optional: true, name: logicalName.decimal };

test('values of every type, as the connector puts them into RECORD_CONTENT', () => {
  const schema = structOf([
    { name: 'id', schema: primitive('int64') },
    { name: 'price', schema: decimal },
    { name: 'large', schema: decimal },
    { name: 'bytes', schema: primitive('bytes') },
    { name: 'ratio', schema: primitive('float64') },
    { name: 'none', schema: primitive('float32') },
    { name: 'day', schema: logical('date') },
    { name: 'at', schema: logical('timestamp') },
    { name: 'time', schema: logical('time') },
    { name: 'tags', schema: { type: 'array', optional: true, valueSchema: primitive('string') } },
    { name: 'text', schema: primitive('string') },
  ]);
  const value = new Struct(schema, [
    9_223_372_036_854_775_807n,
    new Decimal(-12_345n, 2),
    new Decimal(10n ** 38n, 0),
    Buffer.from([0, 255]),
    0.1,
    NaN,
    1,
    1_500n,
    1_500,
    ['a', '"'],
    'ü\u0000',
  ]);
  assert.equal(
    contentText(schema, value, 4),
    '{"id":9223372036854775807,"price":-123.45,"large":"100000000000000000000000000000000000000","bytes":"AP8=","ratio":0.1,"none":"NaN",' +
      '"day":"1970-01-02T00:00:00.000Z","at":"1970-01-01T00:00:01.500Z","time":"00:00:01.500Z","tags":["a","\\""],"text":"ü\\u0000"}',
  );
  assert.match(contentText(schema, value, 3), /"at":1500,/);
});

test('NULL stays NULL in a field that has a default', () => {
  const schema = structOf([{ name: 'n', schema: { type: 'int32', optional: true, default: 7 } }]);
  assert.equal(contentText(schema, new Struct(schema, [null]), 4), '{"n":null}');
});

const options: MetadataOptions = {
  all: true,
  createTime: true,
  topic: true,
  offsetAndPartition: true,
  pushTime: undefined,
  structuredHeaders: false,
  version: 4,
};

test('metadata: each part can be switched off, the key and headers are there if the record has them', () => {
  const key = structOf([{ name: 'id', schema: primitive('int32') }]);
  const record = {
    topic: 't',
    partition: null,
    keySchema: key,
    key: new Struct(key, [5]),
    valueSchema: null,
    value: null,
    timestamp: 12,
    headers: [
      { name: 'h', schema: primitive('int32'), value: 1 },
      { name: 'h', schema: primitive('int32'), value: 2 },
    ],
  };
  assert.equal(
    metadataText(record, 3, { ...options, epoch: 0, pushTime: () => 99 }),
    '{"topic":"t","offset":3,"partition":0,"CreateTime":12,"SnowflakeConnectorPushTime":99,"key":{"id":5},"headers":{"h":"2"}}',
  );
  assert.equal(
    metadataText({ ...record, key: null, headers: [] }, 3, { ...options, topic: false, epoch: 2 }),
    '{"offset":3,"partition":0,"CreateTime":12,"epoch":2}',
  );
  assert.equal(metadataText(record, 3, { ...options, all: false, epoch: 0 }), '{}');
  assert.match(metadataText(record, 3, { ...options, structuredHeaders: true, epoch: 0 }), /"headers":\{"h":2\}/);
});
