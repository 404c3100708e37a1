import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decimal, Struct } from '../connect/data.ts';
import type { ConnectValue, Schema } from '../connect/data.ts';
import { logical, logicalName, primitive, structOf } from '../connect/schema.ts';
import { converterClasses, converterOf, convertsAsRendered, headerConverterOf } from './converters.ts';

const json = 'org.apache.kafka.connect.json.JsonConverter';
const decimal: Schema = { type: 'bytes', optional: true, name: logicalName.decimal, version: 1, parameters: new Map([['scale', '2']]) };
const schema = structOf(
  [
    { name: 'i', schema: primitive('int32') },
    { name: 'l', schema: primitive('int64', true) },
    { name: 'd', schema: primitive('float64') },
    { name: 'f', schema: primitive('float32') },
    { name: 's', schema: { ...primitive('string', true), default: 'é"' } },
    { name: 'b', schema: primitive('bytes', true) },
    { name: 'p', schema: decimal },
    { name: 't', schema: logical('timestamp', true) },
    { name: 'a', schema: { type: 'array', optional: true, valueSchema: primitive('boolean') } },
    { name: 'm', schema: { type: 'map', optional: true, keySchema: primitive('string'), valueSchema: primitive('int8') } },
    { name: 'k', schema: { type: 'map', optional: true, keySchema: primitive('int32'), valueSchema: primitive('int8') } },
  ],
  { name: 'x.Value', version: 2, doc: 'a doc', parameters: new Map([['p', 'q']]) },
);
const value = new Struct(schema, [
  1,
  2n ** 62n,
  1e10,
  Math.fround(0.1),
  null,
  Uint8Array.of(0xff),
  new Decimal(-5n, 2),
  5n,
  [true],
  new Map([['a', 1]]),
  new Map([[1, 2]]),
]);

function written(properties: Readonly<Record<string, string>>, of: Schema | null, what: ConnectValue): string | null {
  const bytes = converterOf('value', properties).fromConnect('t', of, what);
  return bytes === null ? null : Buffer.from(bytes).toString('utf8');
}

test('JsonConverter without schemas: numbers as Java prints them, defaults in the place of null', () => {
  const off = { 'value.converter.schemas.enable': 'false' };
  assert.equal(
    written(off, schema, value),
    '{"i":1,"l":4611686018427387904,"d":1.0E10,"f":0.1,"s":"é\\"","b":"/w==","p":"+w==","t":5,"a":[true],"m":{"a":1},"k":[[1,2]]}',
  );
  const numeric = { ...off, 'value.converter.decimal.format': 'NUMERIC', 'value.converter.replace.null.with.default': 'false' };
  assert.match(written(numeric, schema, value) ?? '', /"s":null,.*"p":-0\.05,/);
});

test("JsonConverter's schema: the order of its members", () => {
  const text = written({}, schema, value) ?? '';
  assert.ok(
    text.startsWith(
      '{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"i"},{"type":"int64","optional":true,"field":"l"},' +
        '{"type":"double","optional":false,"field":"d"},{"type":"float","optional":false,"field":"f"},' +
        '{"type":"string","optional":true,"default":"é\\"","field":"s"},{"type":"bytes","optional":true,"field":"b"},' +
        '{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"p"},' +
        '{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"t"},' +
        '{"type":"array","items":{"type":"boolean","optional":false},"optional":true,"field":"a"},' +
        '{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int8","optional":false},"optional":true,"field":"m"},',
    ),
    text,
  );
  assert.match(text, /\],"optional":false,"name":"x\.Value","version":2,"doc":"a doc","parameters":\{"p":"q"\}\},"payload":\{/);
});

test('null: of no schema it is no bytes, of a schema it is written', () => {
  assert.equal(written({}, null, null), null);
  assert.equal(written({}, primitive('string', true), null), '{"schema":{"type":"string","optional":true},"payload":null}');
  assert.equal(written({ 'value.converter.schemas.enable': 'false' }, primitive('string', true), null), 'null');
  assert.equal(written({}, null, new Map<ConnectValue, ConnectValue>([['w', null]])), '{"schema":null,"payload":{"w":null}}');
  assert.throws(() => written({}, primitive('string'), null), {
    code: 'CONVERSION_FAILED',
    message: /null value for field that is required/,
  });
  assert.throws(() => written({}, primitive('string'), 5), /invalid type for STRING: java\.lang\.Double/);
});

test('JsonConverter reads what it writes, with and without schemas', () => {
  const converter = converterOf('value', { 'value.converter.replace.null.with.default': 'false' });
  const read = converter.toConnect('t', converter.fromConnect('t', schema, value));
  assert.deepEqual(read, { schema, value });
  assert.equal(converter.toConnect('t', converter.fromConnect('t', schema, value)).schema, read.schema, 'the same object again');
  const bare = converterOf('value', { 'value.converter.schemas.enable': 'false' });
  assert.deepEqual(bare.toConnect('t', Buffer.from(' {"a":[1,2.5,"x",null,true],"b":{}} ')), {
    schema: null,
    value: new Map<ConnectValue, ConnectValue>([
      ['a', [1n, 2.5, 'x', null, true]],
      ['b', new Map()],
    ]),
  });
  assert.throws(() => converter.toConnect('t', Buffer.from('{"a":1}')), {
    code: 'CONVERSION_FAILED',
    message: /requires "schema" and "payload"/,
  });
  assert.throws(() => bare.toConnect('t', Buffer.from('{"a":1} x')), { code: 'CONVERSION_FAILED' });
  assert.deepEqual(bare.toConnect('t', null), { schema: null, value: null });
});

test('StringConverter writes what toString gives', () => {
  const of = (name: string, what: Schema, given: ConnectValue): string | null => written({ 'value.converter': name }, what, given);
  const struct = new Struct(
    structOf([
      { name: 'a', schema: primitive('int32') },
      { name: 'b', schema: primitive('string', true) },
    ]),
    [1, null],
  );
  assert.equal(of('org.apache.kafka.connect.storage.StringConverter', struct.schema, struct), 'Struct{a=1}');
  assert.equal(of('StringConverter', primitive('float64'), 1e10), '1.0E10');
  assert.equal(of('StringConverter', primitive('string', true), null), null);
});

test('ByteArrayConverter and the converters of numbers take their own type only', () => {
  const convert = (name: string, what: Schema, given: ConnectValue): Uint8Array | null =>
    converterOf('key', { 'key.converter': `org.apache.kafka.connect.converters.${name}` }).fromConnect('t', what, given);
  assert.deepEqual(convert('ByteArrayConverter', primitive('bytes'), Uint8Array.of(1)), Uint8Array.of(1));
  assert.throws(() => convert('ByteArrayConverter', primitive('string'), 'x'), /Invalid schema type for ByteArrayConverter: STRING/);
  assert.deepEqual(convert('IntegerConverter', primitive('int32'), 258), Uint8Array.of(0, 0, 1, 2));
  assert.deepEqual(convert('LongConverter', primitive('int64'), 258n), Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2));
  assert.throws(() => convert('IntegerConverter', primitive('string'), 'x'), { code: 'CONVERSION_FAILED' });
  for (const [name, type, given] of [
    ['ShortConverter', 'int16', -2],
    ['IntegerConverter', 'int32', -2],
    ['LongConverter', 'int64', -2n],
    ['FloatConverter', 'float32', 0.5],
    ['DoubleConverter', 'float64', 0.1],
    ['BooleanConverter', 'boolean', true],
  ] as const) {
    const converter = converterOf('key', { 'key.converter': `org.apache.kafka.connect.converters.${name}` });
    assert.deepEqual(converter.toConnect('t', converter.fromConnect('t', primitive(type), given)), {
      schema: primitive(type, true),
      value: given,
    });
  }
});

test('header converters: Simple by default, and any converter of values', () => {
  const header = { name: 'h', schema: primitive('string'), value: 'x"' };
  const of = (properties: Readonly<Record<string, string>>): string =>
    String(Buffer.from(headerConverterOf(properties).fromConnect('t', header) ?? []));
  assert.equal(of({}), 'x"');
  assert.equal(of({ 'header.converter': json }), '{"schema":{"type":"string","optional":false},"payload":"x\\""}');
  assert.equal(of({ 'header.converter': json, 'header.converter.schemas.enable': 'false' }), '"x\\""');
  assert.equal(headerConverterOf({}).fromConnect('t', { ...header, value: null }), null);
  assert.deepEqual(headerConverterOf({}).toConnect('t', 'h', Buffer.from('42')), { name: 'h', schema: primitive('int8'), value: 42 });
});

test('what is no converter is refused by its name', () => {
  assert.throws(() => converterOf('value', { 'value.converter': 'io.confluent.connect.avro.AvroConverter' }), {
    code: 'CONFIG_INVALID',
    message: /value\.converter is io\.confluent\.connect\.avro\.AvroConverter/,
  });
  assert.throws(() => converterOf('value', { 'value.converter.schemas.enable': 'yes' }), /value\.converter\.schemas\.enable/);
  assert.ok(converterClasses.includes(json));
});

test('only JSON is what the renderer writes', () => {
  assert.ok(convertsAsRendered({}) && convertsAsRendered({ 'value.converter': json, 'header.converter': json }));
  assert.ok(!convertsAsRendered({ 'key.converter': 'org.apache.kafka.connect.storage.StringConverter' }));
});
