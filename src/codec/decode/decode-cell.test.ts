import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../base/byte-writer.ts';
import { readImage } from '../../event/cell.ts';
import type { ColumnType } from '../../event/column-type.ts';
import { createTableSchema } from '../../event/table-schema.ts';
import type { Value } from '../../event/value.ts';
import { compileCell } from './decode-cell.ts';
import { JsonReader } from './json-reader.ts';
import type { ValueForm } from './value-form.ts';

const plain: ValueForm = { unit: 'micro', binary: 'base64', number: 'bytes', spaced: false };

function read(type: ColumnType, json: string, form: Partial<ValueForm> = {}): Value {
  const writer = new ByteWriter();
  writer.uint8(0);
  compileCell(type, { ...plain, ...form })(new JsonReader(Buffer.from(json, 'utf8')), writer);
  const schema = createTableSchema({
    database: '',
    table: '',
    columns: [{ name: 'c', type, nullable: true, nativeType: '' }],
    primaryKey: [],
  });
  return readImage(schema, writer.bytes, 0, writer.length)[0];
}

const int = (bits: 8 | 16 | 24 | 32 | 64, unsigned = false): ColumnType => ({ kind: 'int', bits, unsigned });
const decimal = (precision: number, scale: number): ColumnType => ({ kind: 'decimal', precision, scale, unsigned: false });

test('integers of every width keep their digits', () => {
  assert.equal(read(int(8), '-128'), -128);
  assert.equal(read(int(24, true), '16777215'), 16_777_215);
  assert.equal(read(int(64), '-9223372036854775808'), -9_223_372_036_854_775_808n);
  assert.equal(read(int(64, true), '18446744073709551615'), 18_446_744_073_709_551_615n);
  assert.equal(read(int(64, true), '-1'), 18_446_744_073_709_551_615n, 'bigint.unsigned.handling.mode=long wraps');
  assert.equal(read(int(64, true), '"AP//////////"'), 18_446_744_073_709_551_615n, 'precise: a Decimal');
  assert.equal(read(int(8), 'true'), 1, 'TinyIntOneToBoolean');
  assert.throws(() => read(int(8), '128'), { code: 'CONVERSION_FAILED' });
});

test('decimals in each form', () => {
  assert.equal(read(decimal(7, 2), '"AJY="'), '1.50');
  assert.equal(read(decimal(7, 2), '"/w=="'), '-0.01');
  assert.equal(read(decimal(30, 0), '"AY7pD/bDc+DuTj8K0g=="'), '123456789012345678901234567890');
  assert.equal(read(decimal(65, 30), '"-1.5"', { number: 'text' }), `-1.5${'0'.repeat(29)}`);
  assert.equal(read(decimal(20, 4), '1.5000'), '1.5000', 'decimal.format=NUMERIC');
  assert.equal(read(decimal(20, 18), '-1E-18'), '-0.000000000000000001');
  assert.equal(read(decimal(10, 3), '1.0E4', { number: 'text' }), '10000.000', 'decimal.handling.mode=double');
});

test('dates and times in each unit', () => {
  const datetime = (fsp: 0 | 3 | 6): ColumnType => ({ kind: 'datetime', fsp });
  assert.equal(read({ kind: 'date' }, '18992', { unit: 'day' }), '2021-12-31');
  assert.equal(read({ kind: 'date' }, '"2021-12-31Z"'), '2021-12-31');
  assert.equal(read({ kind: 'date' }, '-354285', { unit: 'day' }), '1000-01-01');
  assert.equal(read({ kind: 'time', fsp: 6 }, '-3020399000001'), '-838:59:59.000001');
  assert.equal(read({ kind: 'time', fsp: 0 }, '86399000', { unit: 'milli' }), '23:59:59');
  assert.equal(read({ kind: 'time', fsp: 1 }, '"23:59:59.9Z"'), '23:59:59.9');
  assert.equal(read(datetime(3), '-1', { unit: 'milli' }), '1969-12-31 23:59:59.999');
  assert.equal(read(datetime(6), '253402300799999999'), '9999-12-31 23:59:59.999999');
  assert.equal(read(datetime(6), '-9223372036854775000', { unit: 'nano' }), '1677-09-21 00:12:43.145225');
  assert.equal(read(datetime(0), '"2018-12-31T23:59:59Z"'), '2018-12-31 23:59:59');
  assert.equal(read({ kind: 'timestamp', fsp: 3 }, '"2018-06-15T10:20:30.120Z"'), '2018-06-15 10:20:30.120');
  assert.equal(read({ kind: 'timestamp', fsp: 0 }, '"2018-06-15T12:20:30+02:00"'), '2018-06-15 10:20:30');
  assert.equal(read({ kind: 'year' }, '2155'), 2155);
});

test('bytes and bits in each form', () => {
  const hex = (value: Value): string => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value));
  assert.equal(hex(read({ kind: 'binary' }, '"+/8="')), 'fbff');
  assert.equal(hex(read({ kind: 'binary' }, '"-_8="', { binary: 'base64url' })), 'fbff');
  assert.equal(hex(read({ kind: 'binary' }, '"fbff"', { binary: 'hex' })), 'fbff');
  assert.equal(hex(read({ kind: 'binary', fixedLength: 3 }, '"YQ=="')), '610000');
  assert.equal(read({ kind: 'bit', length: 1 }, 'true'), 1n);
  assert.equal(read({ kind: 'bit', length: 12 }, '"AQg="'), 0x0801n);
});

test('geometries, vectors, documents and texts', () => {
  const point = read({ kind: 'geometry' }, '{"x":1.0,"y":2.0,"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA","srid":4326}');
  assert.ok(point instanceof Uint8Array);
  assert.equal(Buffer.from(point).toString('hex'), 'e61000000101000000000000000000f03f0000000000000040');
  const vector = read({ kind: 'vector' }, '[1.5,-2.0]');
  assert.ok(vector instanceof Uint8Array);
  assert.equal(Buffer.from(vector).toString('hex'), '0000c03f000000c0');
  assert.equal(
    read({ kind: 'json' }, String.raw`"{\"a\":[1,2],\"b\":\"x,y: \\\" z\"}"`, { spaced: true }),
    String.raw`{"a": [1, 2], "b": "x,y: \" z"}`,
  );
  assert.equal(read({ kind: 'json' }, '{"a":[1]}'), '{"a":[1]}', 'a document that was expanded');
  assert.equal(read({ kind: 'text' }, String.raw`"\u00e9\n\"☃\""`), 'é\n"☃"');
});

test('what a column cannot hold is refused', () => {
  assert.throws(() => read({ kind: 'date' }, '"yesterday"'), { code: 'CONVERSION_FAILED' });
  assert.throws(() => read({ kind: 'double', unsigned: false }, '"x"'), { code: 'CONVERSION_FAILED' });
  assert.throws(() => read(decimal(5, 2), '"x"', { number: 'text' }), { code: 'CONVERSION_FAILED' });
});
