import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ColumnType } from '../../event/column-type.ts';
import type { Value } from '../../event/value.ts';
import { column, History, int, table, text } from '../group.fixture.ts';
import { bytes, decimal, numbers, same, signed, unsigned } from '../type-cases.fixture.ts';
import { storeStringBlock, storeStringsSingly } from './column-buffer.ts';
import { openWarehouse } from './warehouse.fixture.ts';

const signal = new AbortController().signal;

/** A type, the replica's type for it, how to print it there, and values with their text. */
interface TypeCase {
  readonly type: ColumnType;
  readonly sqlType: string;
  readonly print?: (name: string) => string;
  readonly values: readonly (readonly [value: Value, text: string | null])[];
}

const hex = (name: string): string => `hex(${name})`;

const cases: readonly TypeCase[] = [
  { type: signed(8), sqlType: 'TINYINT', values: numbers(-128, 0, 127) },
  { type: unsigned(8), sqlType: 'UTINYINT', values: numbers(0, 255) },
  { type: signed(16), sqlType: 'SMALLINT', values: numbers(-32768, 32767) },
  { type: unsigned(16), sqlType: 'USMALLINT', values: numbers(0, 65535) },
  { type: signed(24), sqlType: 'INTEGER', values: numbers(-8388608, 8388607) },
  { type: unsigned(24), sqlType: 'UINTEGER', values: numbers(0, 16777215) },
  { type: signed(32), sqlType: 'INTEGER', values: numbers(-2147483648, 2147483647) },
  { type: unsigned(32), sqlType: 'UINTEGER', values: numbers(0, 4294967295) },
  { type: signed(64), sqlType: 'BIGINT', values: numbers(-9223372036854775808n, -1n, 9223372036854775807n) },
  { type: unsigned(64), sqlType: 'UBIGINT', values: numbers(0n, 18446744073709551615n) },
  {
    type: { kind: 'bit', length: 1 },
    sqlType: 'BOOLEAN',
    values: [
      [0n, 'false'],
      [1n, 'true'],
    ],
  },
  { type: { kind: 'bit', length: 64 }, sqlType: 'UBIGINT', values: numbers(5n, 18446744073709551615n) },
  {
    type: { kind: 'float', unsigned: false },
    sqlType: 'FLOAT',
    values: [
      [1.5, '1.5'],
      [-0.25, '-0.25'],
    ],
  },
  {
    type: { kind: 'double', unsigned: false },
    sqlType: 'DOUBLE',
    values: [
      [0.1, '0.1'],
      [-1e300, '-1e+300'],
      [5e-324, '5e-324'],
    ],
  },
  { type: decimal(4, 2), sqlType: 'DECIMAL(4,2)', values: same('-99.99', '0.00', '99.99') },
  { type: decimal(9, 0), sqlType: 'DECIMAL(9,0)', values: same('-999999999', '7') },
  { type: decimal(18, 4), sqlType: 'DECIMAL(18,4)', values: same('-99999999999999.9999', '0.0001') },
  {
    type: decimal(38, 10),
    sqlType: 'DECIMAL(38,10)',
    values: same('-9999999999999999999999999999.9999999999', '0.0000000001', '1.0000000000'),
  },
  { type: decimal(65, 30), sqlType: 'VARCHAR', values: same('-99999999999999999999999999999999999.999999999999999999999999999999') },
  { type: { kind: 'year' }, sqlType: 'USMALLINT', values: numbers(0, 1901, 2155) },
  {
    type: { kind: 'date' },
    sqlType: 'DATE',
    values: [
      ...same('1000-01-01', '1970-01-01', '1969-12-31', '2000-02-29', '9999-12-31'),
      ['0000-00-00', null],
      ['2024-00-10', null],
      ['2023-02-29', null],
      ['1900-02-29', null],
    ],
  },
  {
    type: { kind: 'time', fsp: 6 },
    sqlType: 'INTERVAL',
    values: [
      ['838:59:59.000000', '838:59:59'],
      ['-838:59:59.000000', '-838:59:59'],
      ['00:00:00.000001', '00:00:00.000001'],
      ['-00:00:01.500000', '-00:00:01.5'],
    ],
  },
  {
    type: { kind: 'datetime', fsp: 6 },
    sqlType: 'TIMESTAMP',
    print: (name) => `strftime(${name}, '%Y-%m-%d %H:%M:%S.%f')`,
    values: [
      ...same('1000-01-01 00:00:00.000000', '1969-12-31 23:59:59.999999', '2026-11-24 06:30:00.123456', '9999-12-31 23:59:59.999999'),
      ['0000-00-00 00:00:00.000000', null],
    ],
  },
  {
    type: { kind: 'timestamp', fsp: 3 },
    sqlType: 'TIMESTAMP WITH TIME ZONE',
    print: (name) => `strftime(${name} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g')`,
    values: [...same('1970-01-01 00:00:01.000', '2038-01-19 03:14:07.999'), ['0000-00-00 00:00:00.000', null]],
  },
  {
    type: text,
    sqlType: 'VARCHAR',
    values: same('', 'a', 'exactly 12 b', 'thirteen byte', 'äöü €uro 😀', 'with \u0000 zero', 'x'.repeat(70_000)),
  },
  { type: { kind: 'enum', labels: ['a', ''] }, sqlType: 'VARCHAR', values: same('a', '') },
  { type: { kind: 'set', labels: ['a', 'b'] }, sqlType: 'VARCHAR', values: same('a,b', '') },
  { type: { kind: 'json' }, sqlType: 'JSON', values: same('{"a": 1.00, "b": [1, 2], "big": 12345678901234567890.123}', '"text"', 'null') },
  {
    type: { kind: 'binary' },
    sqlType: 'BLOB',
    print: hex,
    values: [
      [bytes(''), ''],
      [bytes('00ff80'), '00FF80'],
      [bytes('ff'.repeat(20)), 'FF'.repeat(20)],
    ],
  },
  {
    type: { kind: 'geometry' },
    sqlType: 'BLOB',
    print: hex,
    values: [
      [bytes('00000000' + '0101000000' + '000000000000F03F0000000000000040'), '0101000000000000000000F03F0000000000000040'],
      [bytes('E6100000' + '0101000000' + '000000000000F03F0000000000000040'), '0101000020E6100000000000000000F03F0000000000000040'],
    ],
  },
  {
    type: { kind: 'vector' },
    sqlType: 'FLOAT[]',
    values: [
      [bytes('0000803f000000c0'), '[1.0, -2.0]'],
      [bytes(''), '[]'],
    ],
  },
  {
    type: { kind: 'uuid' },
    sqlType: 'UUID',
    values: same('00112233-4455-6677-8899-aabbccddeeff', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '00000000-0000-0000-0000-000000000000'),
  },
  { type: { kind: 'inet6' }, sqlType: 'VARCHAR', values: same('::1') },
];

test('every type arrives as the type a user would choose, with its value', async () => {
  await using warehouse = await openWarehouse();
  for (const [index, { type, sqlType, print, values }] of cases.entries()) {
    const schema = table('types', `t${index}`, [column('id', int, { nullable: false }), column('v', type)]);
    const rows: [number, Value][] = values.map(([value], id) => [id, value]);
    rows.push([values.length, null]);
    const history = new History(`s${index}`);
    await warehouse.task.put(history.transaction((tx) => tx.insert(schema, ...rows)).group(), signal);
    await warehouse.task.flush(signal);
    const [[declared] = []] = await warehouse.rows(
      `SELECT data_type FROM duckdb_columns() WHERE table_name = 't${index}' AND column_name = 'v'`,
    );
    assert.equal(declared, sqlType);
    const printed = await warehouse.rows(`SELECT ${print?.('v') ?? 'v::VARCHAR'} FROM types.t${index} ORDER BY id`);
    assert.deepEqual(
      printed.map(([value]) => value),
      [...values.map(([, expected]) => expected), null],
      `${type.kind} as ${sqlType}`,
    );
  }
});

test('dates that do not exist are counted, kept as text, or refused, as the setting says', async () => {
  const schema = table('d', 't', [
    column('id', int, { nullable: false }),
    column('day', { kind: 'date' }, { nullable: false }),
    column('at', { kind: 'datetime', fsp: 3 }, { nullable: false }),
    column('seen', { kind: 'timestamp', fsp: 0 }, { nullable: false }),
  ]);
  const rows = [
    [1, '0000-00-00', '2024-02-30 10:20:30.123', '0000-00-00 00:00:00'],
    [2, '2024-02-29', '2024-02-29 10:20:30.120', '2024-02-29 23:59:59'],
  ];
  {
    await using warehouse = await openWarehouse();
    await warehouse.task.put(new History().transaction((tx) => tx.insert(schema, ...rows)).group(), signal);
    await warehouse.task.flush(signal);
    assert.deepEqual(await warehouse.rows('SELECT "day"::VARCHAR, "at"::VARCHAR FROM d.t ORDER BY id'), [
      [null, null],
      ['2024-02-29', '2024-02-29 10:20:30.12'],
    ]);
    assert.deepEqual(warehouse.replica.tables()[0]?.substitutions, { day: 1, at: 1, seen: 1 });
  }
  {
    await using warehouse = await openWarehouse({ invalidTemporal: 'text' });
    await warehouse.task.put(new History().transaction((tx) => tx.insert(schema, ...rows)).group(), signal);
    await warehouse.task.flush(signal);
    assert.deepEqual(
      await warehouse.rows('SELECT "day", "at", seen FROM d.t ORDER BY id'),
      rows.map(([, ...values]) => values),
    );
  }
  await using warehouse = await openWarehouse({ invalidTemporal: 'fail' });
  await warehouse.task.put(new History().transaction((tx) => tx.insert(schema, ...rows)).group(), signal);
  await assert.rejects(warehouse.task.flush(signal), { code: 'VALUE_UNREPRESENTABLE' });
});

test('any strings arrive whole, whether copied one by one or as a block', async () => {
  const schema = table('d', 't', [column('id', int, { nullable: false }), column('a', text), column('b', { kind: 'binary' })]);
  for (const store of [storeStringBlock, storeStringsSingly]) {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.option(fc.string({ unit: 'grapheme', maxLength: 40 })), fc.option(fc.uint8Array({ maxLength: 40 }))), {
          minLength: 1,
          maxLength: 3000,
          size: 'max',
        }),
        async (values) => {
          await using warehouse = await openWarehouse();
          Object.defineProperty(warehouse.replica, 'storeStrings', { value: store });
          const rows = values.map(([a, b], id): Value[] => [id, a, b]);
          await warehouse.task.put(new History().transaction((tx) => tx.insert(schema, ...rows)).group(), signal);
          await warehouse.task.flush(signal);
          const read = await warehouse.rows('SELECT hex(a), hex(b) FROM d.t ORDER BY id');
          const upper = (value: string | Uint8Array | null): string | null =>
            value === null ? null : Buffer.from(value).toString('hex').toUpperCase();
          assert.deepEqual(
            read,
            values.map(([a, b]) => [upper(a), upper(b)]),
          );
        },
      ),
      { numRuns: 8 },
    );
  }
});
