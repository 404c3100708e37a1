import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decimal, Struct } from '../connect/data.ts';
import { fieldOf, isMap, logicalName, primitive } from '../connect/schema.ts';
import { free, int32, int64, kafka, membersOf, optionalText, recordOf, struct, text, timestamp, transform } from './record.fixture.ts';

const price = { type: 'bytes', optional: true, name: logicalName.decimal, version: 1, parameters: new Map([['scale', '2']]) } as const;
const order = struct({ id: [int32, 7], name: [optionalText, 'lamp'], price: [price, new Decimal(1250n, 2)] }, { name: 'shop.Value' });

test('Cast changes types of fields, keeps the others and casts defaults', () => {
  const withDefault = { ...int32, default: 3 };
  const value = struct({
    a: [int32, 300],
    b: [text, '12'],
    c: [withDefault, 4],
    d: [int64, 2n ** 40n + 5n],
    e: [price, new Decimal(-1299n, 2)],
  });
  const cast = transform(`${kafka}Cast$Value`, { spec: 'a:int8,b:int64,c:string,d:int32,e:float64' }, recordOf(value));
  assert.deepEqual(membersOf(cast?.value), { a: 44, b: 12n, c: '4', d: 5, e: -12.99 });
  assert.equal(fieldOf(cast?.valueSchema ?? int32, 'c')?.schema.default, '3');
  assert.equal(fieldOf(cast?.valueSchema ?? int32, 'e')?.schema.name, undefined);
});

test('Cast of a whole value, of a value without schema, and of dates and bytes to text', () => {
  const key = transform(`${kafka}Cast$Key`, { spec: 'string' }, recordOf(order, { keySchema: int32, key: 12 }));
  assert.deepEqual([key?.keySchema, key?.key], [text, '12']);
  const plain = transform(`${kafka}Cast$Value`, { spec: 'n:int32,b:boolean' }, recordOf(free({ n: '5', b: 1n, o: 1.5 })));
  assert.deepEqual(plain?.value, free({ n: 5n, b: true, o: 1.5 }));
  const dates = struct({ at: [timestamp, 1_700_000_000_123n], raw: [primitive('bytes'), Uint8Array.of(1, 2)] });
  const texts = transform(`${kafka}Cast$Value`, { spec: 'at:string,raw:string' }, recordOf(dates));
  assert.deepEqual(membersOf(texts?.value), { at: '2023-11-14T22:13:20.123Z', raw: 'AQI=' });
});

test('Cast refuses a text that is no number, and a spec that names no type', () => {
  assert.throws(() => transform(`${kafka}Cast$Value`, { spec: 'name:int32' }, recordOf(order)), {
    code: 'TRANSFORMATION_FAILED',
    message: /Cast\$Value\) refused a record of the topic shop\.shop\.orders: Value \(lamp\) was out of range/,
  });
  assert.throws(() => transform(`${kafka}Cast$Value`, { spec: 'name:int' }, recordOf(order)), {
    code: 'CONFIG_INVALID',
    message: /transforms\.t\.spec/,
  });
});

test('ExtractField takes one field, also along a path, and null of null', () => {
  const nested = struct({ a: [order.schema, order] });
  assert.deepEqual(transform(`${kafka}ExtractField$Value`, { field: 'name' }, recordOf(order))?.value, 'lamp');
  const deep = transform(`${kafka}ExtractField$Value`, { field: 'a.name', 'field.syntax.version': 'V2' }, recordOf(nested));
  assert.deepEqual([deep?.value, deep?.valueSchema], ['lamp', optionalText]);
  const none = transform(`${kafka}ExtractField$Value`, { field: 'name' }, recordOf(null, { valueSchema: order.schema }));
  assert.deepEqual([none?.value, none?.valueSchema], [null, optionalText]);
  assert.throws(() => transform(`${kafka}ExtractField$Value`, { field: 'x' }, recordOf(order)), /Unknown field: x/);
});

test('Flatten joins names, makes what is inside of something optional, optional, and keeps defaults', () => {
  const inner = struct({ v: [{ ...text, default: 'x' }, 'y'], n: [int32, 1] });
  const value = struct(
    { before: [{ ...inner.schema, optional: true }, null], after: [inner.schema, inner], op: [text, 'c'] },
    { name: 'E' },
  );
  const flat = transform(`${kafka}Flatten$Value`, { delimiter: '_' }, recordOf(value));
  assert.deepEqual(membersOf(flat?.value), { before_v: null, before_n: null, after_v: 'y', after_n: 1, op: 'c' });
  assert.deepEqual(
    flat?.valueSchema?.fields?.map(({ name, schema }) => [name, schema.optional, schema.default]),
    [
      ['before_v', true, 'x'],
      ['before_n', true, undefined],
      ['after_v', false, 'x'],
      ['after_n', false, undefined],
      ['op', false, undefined],
    ],
  );
  assert.equal(flat?.valueSchema?.name, 'E');
  const plain = transform(`${kafka}Flatten$Value`, {}, recordOf(free({ a: free({ b: 1n, c: free({ d: null }) }) })));
  assert.deepEqual(plain?.value, free({ 'a.b': 1n, 'a.c.d': null }));
});

test('HeaderFrom moves or copies fields into headers', () => {
  const properties = { fields: 'name,id', headers: 'h-name,h-id' };
  const moved = transform(`${kafka}HeaderFrom$Value`, { ...properties, operation: 'move' }, recordOf(order));
  assert.deepEqual(moved?.headers, [
    { name: 'h-name', schema: optionalText, value: 'lamp' },
    { name: 'h-id', schema: int32, value: 7 },
  ]);
  assert.deepEqual(Object.keys(membersOf(moved?.value)), ['price']);
  const copied = transform(`${kafka}HeaderFrom$Value`, { ...properties, operation: 'copy' }, recordOf(order));
  assert.equal(copied?.value, order);
  assert.throws(() => transform(`${kafka}HeaderFrom$Value`, { ...properties, operation: 'take' }, recordOf(order)), /move or copy/);
});

test('HoistField wraps; a null without schema is wrapped too', () => {
  const hoisted = transform(`${kafka}HoistField$Value`, { field: 'w' }, recordOf(order));
  assert.deepEqual(membersOf(hoisted?.value), { w: order });
  const key = transform(`${kafka}HoistField$Key`, { field: 'w' }, recordOf(order));
  assert.deepEqual([key?.keySchema, key?.key], [null, free({ w: null })]);
});

test('InsertField adds topic, partition, timestamp and a static value, optional unless marked with !', () => {
  const properties = {
    'topic.field': 'from!',
    'partition.field': 'part',
    'timestamp.field': 'at?',
    'static.field': 'origin',
    'static.value': 'here',
  };
  const bare = transform(`${kafka}InsertField$Value`, properties, recordOf(order));
  const { from, part, at, origin } = membersOf(bare?.value);
  assert.deepEqual([from, part, at, origin], ['shop.shop.orders', null, null, 'here']);
  assert.equal(fieldOf(bare?.valueSchema ?? int32, 'from')?.schema.optional, false);
  assert.equal(fieldOf(bare?.valueSchema ?? int32, 'at')?.schema.name, logicalName.timestamp);
  const stamped = transform(`${kafka}InsertField$Value`, properties, recordOf(order, { timestamp: 5, partition: 2 }));
  assert.deepEqual([membersOf(stamped?.value)['at'], membersOf(stamped?.value)['part']], [5n, 2]);
  assert.equal(transform(`${kafka}InsertField$Value`, properties, recordOf(null))?.value, null, 'a tombstone stays as it is');
  assert.throws(() => transform(`${kafka}InsertField$Value`, { 'offset.field': 'o' }, recordOf(order)), /Only SinkRecord supported/);
  const sunk = transform(`${kafka}InsertField$Value`, { 'offset.field': 'o' }, recordOf(order, { offset: 9 }));
  assert.equal(membersOf(sunk?.value)['o'], 9n);
});

test('MaskField puts zeros or a replacement, leaves null alone and fails on a tombstone', () => {
  const masked = transform(`${kafka}MaskField$Value`, { fields: 'id,name,price' }, recordOf(order));
  assert.deepEqual(membersOf(masked?.value), { id: 0, name: '', price: new Decimal(0n, 2) });
  const replaced = transform(`${kafka}MaskField$Value`, { fields: 'name', replacement: '***' }, recordOf(order));
  assert.equal(membersOf(replaced?.value)['name'], '***');
  const empty = struct({ name: [optionalText, null] });
  assert.deepEqual(membersOf(transform(`${kafka}MaskField$Value`, { fields: 'name' }, recordOf(empty))?.value), { name: null });
  assert.throws(
    () => transform(`${kafka}MaskField$Value`, { fields: 'name' }, recordOf(null)),
    /Only Map objects supported in absence of schema for \[mask fields\], found: null/,
  );
  assert.throws(() => transform(`${kafka}MaskField$Value`, { fields: 'id', replacement: 'x' }, recordOf(order)), /Unable to convert x/);
});

test('RegexRouter renames topics that match wholly, letter case counting', () => {
  const route = (regex: string, replacement: string): string | undefined =>
    transform(`${kafka}RegexRouter`, { regex, replacement }, recordOf(order))?.topic;
  assert.equal(route('([^.]+)\\.([^.]+)\\.([^.]+)', '$3_$1'), 'orders_shop');
  assert.equal(route('shop', 'x'), 'shop.shop.orders');
  assert.equal(route('SHOP.*', 'x'), 'shop.shop.orders');
  assert.equal(route('(?i)SHOP.*', '\\$x'), '$x');
  assert.equal(route('(?<head>.*)\\.orders', '${head}.all'), 'shop.shop.all');
  assert.throws(() => route('(.*)', '$2'), /transforms\.t.*No group 2/);
});

test('ReplaceField keeps, drops and renames', () => {
  const value = transform(`${kafka}ReplaceField$Value`, { exclude: 'price', renames: 'name:label' }, recordOf(order));
  assert.deepEqual(membersOf(value?.value), { id: 7, label: 'lamp' });
  assert.deepEqual(membersOf(transform(`${kafka}ReplaceField$Value`, { include: 'id' }, recordOf(order))?.value), { id: 7 });
  const plain = transform(`${kafka}ReplaceField$Value`, { exclude: 'a', renames: 'b:c' }, recordOf(free({ a: 1n, b: 2n })));
  assert.deepEqual(plain?.value, free({ c: 2n }));
  assert.throws(() => transform(`${kafka}ReplaceField$Value`, { blacklist: 'price' }, recordOf(order)), {
    code: 'CONFIG_UNSUPPORTED',
    message: /blacklist.*exclude/s,
  });
});

test('a field that is renamed to the name of another is refused', () => {
  assert.throws(() => transform(`${kafka}ReplaceField$Value`, { renames: 'name:id' }, recordOf(order)), /field name duplication id/);
});

test('SetSchemaMetadata names and numbers the schema of value and struct alike', () => {
  const named = transform(`${kafka}SetSchemaMetadata$Value`, { 'schema.name': 'my.Value', 'schema.version': '3' }, recordOf(order));
  assert.deepEqual([named?.valueSchema?.name, named?.valueSchema?.version], ['my.Value', 3]);
  assert.ok(named?.value instanceof Struct && named.value.schema === named.valueSchema);
  assert.equal(transform(`${kafka}SetSchemaMetadata$Value`, { 'schema.name': 'x' }, recordOf(null))?.valueSchema, null);
});

test('TimestampConverter goes between texts, Unix times and Connect types', () => {
  const at = Date.UTC(2024, 1, 29, 12, 34, 56, 789);
  const value = struct({ ms: [int64, BigInt(at)], ts: [timestamp, BigInt(at)], text: [optionalText, '2024-02-29 12:34'] });
  const convert = (field: string, target: string, more: Record<string, string> = {}): unknown =>
    membersOf(transform(`${kafka}TimestampConverter$Value`, { field, 'target.type': target, ...more }, recordOf(value))?.value)[field];
  assert.equal(convert('ms', 'string', { format: "yyyy-MM-dd'T'HH:mm:ss.SSSX" }), '2024-02-29T12:34:56.789Z');
  assert.equal(convert('ts', 'unix', { 'unix.precision': 'seconds' }), BigInt(Math.floor(at / 1000)));
  assert.equal(convert('ts', 'unix', { 'unix.precision': 'microseconds' }), BigInt(at) * 1000n);
  assert.equal(convert('ms', 'Date'), Date.UTC(2024, 1, 29) / 86_400_000);
  assert.equal(convert('ms', 'Time'), at % 86_400_000);
  assert.equal(convert('text', 'Timestamp', { format: 'yyyy-MM-dd HH:mm' }), BigInt(Date.UTC(2024, 1, 29, 12, 34)));
  assert.throws(() => convert('text', 'Timestamp', { format: 'yyyy/MM/dd' }), /does not match pattern \(yyyy\/MM\/dd\)/);
  assert.throws(() => convert('ms', 'string'), /format/);
  const days = struct({ day: [{ ...int32, name: 'io.debezium.time.Date' }, 5] });
  assert.throws(
    () => transform(`${kafka}TimestampConverter$Value`, { field: 'day', 'target.type': 'string', format: 'yyyy' }, recordOf(days)),
    /Schema\{io\.debezium\.time\.Date:INT32\} does not correspond to a known timestamp type format/,
  );
});

test("TimestampRouter puts a record's time into its topic, and fails without one", () => {
  const routed = transform(`${kafka}TimestampRouter`, {}, recordOf(order, { timestamp: Date.UTC(2024, 0, 2) }));
  assert.equal(routed?.topic, 'shop.shop.orders-20240102');
  assert.throws(() => transform(`${kafka}TimestampRouter`, {}, recordOf(order)), /Timestamp missing on record/);
});

test('ValueToKey makes a key of fields; a field that is not there is an error', () => {
  const keyed = transform(`${kafka}ValueToKey`, { fields: 'name,id' }, recordOf(order));
  assert.deepEqual(membersOf(keyed?.key), { name: 'lamp', id: 7 });
  assert.equal(keyed?.keySchema?.optional, false);
  assert.throws(() => transform(`${kafka}ValueToKey`, { fields: 'x' }, recordOf(order)), /Field does not exist: x/);
});

test('headers are inserted with the type that their text looks like, and dropped by name', () => {
  const literal = (value: string): unknown =>
    transform(`${kafka}InsertHeader`, { header: 'h', 'value.literal': value }, recordOf(order))?.headers[0];
  assert.deepEqual(literal('42'), { name: 'h', schema: primitive('int8'), value: 42 });
  assert.deepEqual(literal('golden'), { name: 'h', schema: text, value: 'golden' });
  assert.deepEqual(literal('true'), { name: 'h', schema: primitive('boolean'), value: true });
  const headers = [
    { name: 'a', schema: text, value: 'x' },
    { name: 'b', schema: text, value: 'y' },
  ];
  assert.deepEqual(transform(`${kafka}DropHeaders`, { headers: 'a' }, recordOf(order, { headers }))?.headers, [headers[1]]);
});

test('Filter drops every record', () => {
  assert.equal(transform(`${kafka}Filter`, {}, recordOf(order)), null);
});

test('values without schema are maps', () => {
  const inserted = transform(`${kafka}InsertField$Value`, { 'static.field': 's', 'static.value': 'v' }, recordOf(free({ a: 1n })));
  assert.ok(isMap(inserted?.value ?? null));
  assert.deepEqual(inserted?.value, free({ a: 1n, s: 'v' }));
});
