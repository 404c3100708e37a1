import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import type { ColumnType } from '../../event/column-type.ts';
import type { Column } from '../../event/table-schema.ts';
import type { Value } from '../../event/value.ts';
import { column, History, int, table } from '../group.fixture.ts';
import { bytes, decimal, numbers, same, signed, unsigned } from '../type-cases.fixture.ts';
import { openTestAccount } from './account.fixture.ts';
import { columnOf } from './session.ts';
import { openTestSnowflake } from './snowflake.fixture.ts';

const account = await openTestAccount();
after(() => account[Symbol.asyncDispose]());
const signal = new AbortController().signal;

/** A type, the replica's type for it, how it is printed there, and values with their text. */
interface TypeCase {
  readonly type: ColumnType;
  readonly sqlType: string;
  readonly more?: Partial<Column>;
  readonly print?: (name: string) => string;
  readonly values: readonly (readonly [value: Value, text: string | null])[];
}

const time = (format: string) => (name: string) => `TO_CHAR(${name}, '${format}')`;

const cases: readonly TypeCase[] = [
  { type: signed(8), sqlType: 'NUMBER(3,0)', values: numbers(-128, 0, 127) },
  { type: unsigned(8), sqlType: 'NUMBER(3,0)', values: numbers(0, 255) },
  { type: signed(16), sqlType: 'NUMBER(5,0)', values: numbers(-32768, 32767) },
  { type: unsigned(16), sqlType: 'NUMBER(5,0)', values: numbers(0, 65535) },
  { type: signed(24), sqlType: 'NUMBER(7,0)', values: numbers(-8388608, 8388607) },
  { type: unsigned(24), sqlType: 'NUMBER(8,0)', values: numbers(0, 16777215) },
  { type: signed(32), sqlType: 'NUMBER(10,0)', values: numbers(-2147483648, 2147483647) },
  { type: unsigned(32), sqlType: 'NUMBER(10,0)', values: numbers(0, 4294967295) },
  { type: signed(64), sqlType: 'NUMBER(19,0)', values: numbers(-9223372036854775808n, -1n, 9223372036854775807n) },
  { type: unsigned(64), sqlType: 'NUMBER(20,0)', values: numbers(0n, 18446744073709551615n) },
  {
    type: { kind: 'bit', length: 1 },
    sqlType: 'BOOLEAN',
    values: [
      [0n, 'false'],
      [1n, 'true'],
    ],
  },
  { type: { kind: 'bit', length: 64 }, sqlType: 'NUMBER(20,0)', values: numbers(5n, 18446744073709551615n) },
  { type: { kind: 'float', unsigned: false }, sqlType: 'FLOAT', values: numbers(1.5, -0.25) },
  { type: { kind: 'double', unsigned: false }, sqlType: 'FLOAT', values: numbers(0.1, 3.5) },
  { type: decimal(4, 2), sqlType: 'NUMBER(4,2)', values: same('-99.99', '0.00', '99.99') },
  { type: decimal(9, 0), sqlType: 'NUMBER(9,0)', values: same('-999999999', '7') },
  { type: decimal(18, 4), sqlType: 'NUMBER(18,4)', values: same('-99999999999999.9999', '0.0001') },
  {
    type: decimal(38, 10),
    sqlType: 'NUMBER(38,10)',
    values: same('-9999999999999999999999999999.9999999999', '0.0000000001', '1.0000000000'),
  },
  { type: decimal(65, 30), sqlType: 'VARCHAR', values: same('-99999999999999999999999999999999999.999999999999999999999999999999') },
  { type: { kind: 'year' }, sqlType: 'NUMBER(4,0)', values: numbers(0, 1901, 2155) },
  {
    type: { kind: 'date' },
    sqlType: 'DATE',
    print: time('YYYY-MM-DD'),
    values: [...same('1000-01-01', '1969-12-31', '2000-02-29', '9999-12-31'), ['0000-00-00', null], ['2023-02-29', null]],
  },
  {
    type: { kind: 'time', fsp: 6 },
    sqlType: 'VARCHAR',
    values: same('838:59:59.000000', '-838:59:59.000000', '00:00:00.000001', '-00:00:01.500000'),
  },
  { type: { kind: 'time', fsp: 0 }, sqlType: 'VARCHAR', values: same('100:00:00', '-09:08:07') },
  {
    type: { kind: 'datetime', fsp: 6 },
    sqlType: 'TIMESTAMP_NTZ(6)',
    print: time('YYYY-MM-DD HH24:MI:SS.FF6'),
    values: [
      ...same('1000-01-01 00:00:00.000000', '1969-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999'),
      ['0000-00-00 00:00:00.000000', null],
    ],
  },
  {
    type: { kind: 'timestamp', fsp: 3 },
    sqlType: 'TIMESTAMP_TZ(3)',
    print: time('YYYY-MM-DD HH24:MI:SS.FF3 TZH:TZM'),
    values: [
      ['1970-01-01 00:00:01.000', '1970-01-01 00:00:01.000 +00:00'],
      ['2038-01-19 03:14:07.999', '2038-01-19 03:14:07.999 +00:00'],
      ['0000-00-00 00:00:00.000', null],
    ],
  },
  {
    type: { kind: 'text' },
    sqlType: 'VARCHAR',
    values: same('', 'a', `it's`, 'back\\slash', 'äöü €uro 😀', 'two\nlines', 'x'.repeat(70_000)),
  },
  { type: { kind: 'text' }, more: { nativeType: 'LONGTEXT' }, sqlType: 'VARCHAR(134217728)', values: same('long') },
  { type: { kind: 'enum', labels: ['a', ''] }, sqlType: 'VARCHAR', values: same('a', '') },
  { type: { kind: 'set', labels: ['a', 'b'] }, sqlType: 'VARCHAR', values: same('a,b', '') },
  {
    type: { kind: 'json' },
    sqlType: 'VARIANT',
    print: (name) => `TO_JSON(${name})`,
    values: [
      ['{"b": [1, 2], "a": "x"}', '{"a":"x","b":[1,2]}'],
      ['"text"', '"text"'],
      ['null', 'null'],
    ],
  },
  {
    type: { kind: 'binary' },
    sqlType: 'BINARY',
    values: [
      [bytes(''), ''],
      [bytes('00ff80'), '00FF80'],
    ],
  },
  {
    type: { kind: 'geometry' },
    sqlType: 'BINARY(67108864)',
    values: [
      [bytes('00000000' + '0101000000' + '000000000000F03F0000000000000040'), '0101000000000000000000F03F0000000000000040'],
      [bytes('E6100000' + '0101000000' + '000000000000F03F0000000000000040'), '0101000020E6100000000000000000F03F0000000000000040'],
    ],
  },
  {
    type: { kind: 'vector' },
    sqlType: 'ARRAY',
    print: (name) => `TO_JSON(${name})`,
    values: [
      [bytes('0000803f000000c0'), '[1,-2]'],
      [bytes(''), '[]'],
    ],
  },
  { type: { kind: 'uuid' }, sqlType: 'VARCHAR', values: same('00112233-4455-6677-8899-aabbccddeeff') },
  { type: { kind: 'inet6' }, sqlType: 'VARCHAR', values: same('::1') },
];

const columns = [
  column('id', int, { nullable: false }),
  ...cases.map(({ type, more }, index) => column(`v${index}`, type, { nativeType: type.kind.toUpperCase(), ...more })),
];
const schema = table('types', 'all', columns);
const longest = Math.max(...cases.map(({ values }) => values.length));
const rowsOf = (first: number): Value[][] =>
  Array.from({ length: longest + 1 }, (_, nth) => [first + nth, ...cases.map(({ values }) => values[nth]?.[0] ?? null)]);

test('every type arrives as the type that is documented, with its value: inserted, merged, and loaded by a snapshot', async () => {
  await using warehouse = await openTestSnowflake(await account.createDatabase());
  const { session, task } = warehouse;
  const history = new History();
  await task.put(history.transaction((tx) => tx.insert(schema, ...rowsOf(0))).group(), signal);
  await task.flush(signal);
  const check = async (): Promise<void> => {
    const printed = cases.map(({ print }, index) => `${print?.(`"V${index}"`) ?? `CAST("V${index}" AS VARCHAR)`} AS "V${index}"`);
    const answer = await session.run(`SELECT ${printed.join(', ')} FROM "${warehouse.database}"."TYPES"."ALL" ORDER BY "ID"`);
    for (const [index, { type, values }] of cases.entries()) {
      const expected = Array.from({ length: longest + 1 }, (_, nth) => values[nth]?.[1] ?? null);
      assert.deepEqual(columnOf(answer, `V${index}`), expected, type.kind);
    }
  };
  await check();
  const described = columnOf(await session.run(`DESCRIBE TABLE "${warehouse.database}"."TYPES"."ALL"`), 'type');
  const whole = (type: string): string => type.replace(/^VARCHAR$/, 'VARCHAR(16777216)').replace(/^BINARY$/, 'BINARY(8388608)');
  assert.deepEqual(
    described.slice(1),
    cases.map(({ sqlType }) => whole(sqlType)),
  );
  history.transaction((tx) => {
    for (const [id, ...values] of rowsOf(0)) tx.update(schema, [id, ...values.map(() => null)], [id, ...values]);
  });
  await task.put(history.group(), signal);
  await task.flush(signal);
  await check();
  history.snapshotBegin('s', [schema], false).chunk('s', schema, rowsOf(0)).snapshotEnd('s', [schema]);
  await task.put(history.group(), signal);
  await task.flush(signal);
  await check();
});

test('rows of every type without a key are found by all their values', async () => {
  const keyless = table('types', 'keyless', columns, []);
  await using warehouse = await openTestSnowflake(await account.createDatabase());
  const rows = rowsOf(0);
  const history = new History();
  await warehouse.task.put(history.transaction((tx) => tx.insert(keyless, ...rows, ...rows)).group(), signal);
  await warehouse.task.flush(signal);
  await warehouse.task.put(history.transaction((tx) => tx.delete(keyless, ...rows)).group(), signal);
  await warehouse.task.flush(signal);
  assert.deepEqual(
    (await warehouse.read('types', 'keyless'))?.map(([id]) => id),
    rows.map(([id]) => String(id)),
  );
});
