import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTestAccount } from '../warehouse/snowflake/account.fixture.ts';
import { openSnowflakeSession, type SnowflakeSession } from '../warehouse/snowflake/session.ts';
import { canonicalDouble } from './canonical.ts';
import { digest, keyText, rowText } from './row-text.ts';
import { snowflakeDialect } from './snowflake-dialect.ts';
import type { SourceColumn } from './source-columns.ts';

const account = await openTestAccount();
after(() => account[Symbol.asyncDispose]());

/** A type of the replica, a text of the source, its and the replica's SQL of the value. */
const values: readonly (readonly [type: string, source: string, sql: string])[] = [
  ['NUMBER(20,0)', '18446744073709551615', '18446744073709551615'],
  ['NUMBER(12,2)', '-0.50', '-0.5'],
  ['NUMBER(4,4)', '0.0001', '0.0001'],
  ['NUMBER(38,10)', '1.0000000000', '1'],
  ['VARCHAR(20)', 'Größe 😀', `'Größe 😀'`],
  ['VARCHAR', '838:59:59.5', `'838:59:59.5'`],
  ['BOOLEAN', '1', 'TRUE'],
  ['BINARY', '00FF80', `TO_BINARY('00FF80', 'HEX')`],
  ['DATE', '0001-02-03', `CAST('0001-02-03' AS DATE)`],
  ['TIMESTAMP_NTZ(3)', '2024-01-02 03:04:05.120', `CAST('2024-01-02 03:04:05.12' AS TIMESTAMP_NTZ(3))`],
  ['TIMESTAMP_TZ(6)', '1969-12-31 23:59:59.000001', `CAST('1969-12-31 23:59:59.000001 +00:00' AS TIMESTAMP_TZ(6))`],
  ['VARIANT', '{"b": [1, 2.50], "a": "\\u007f ä"}', `PARSE_JSON('{"a":"\\\\u007f ä","b":[1,2.5]}')`],
  ['ARRAY', [1, -2.5, Math.fround(0.1)].map(canonicalDouble).join(','), `CAST(PARSE_JSON('[1,-2.5,0.1]') AS ARRAY)`],
];

const doubles = [0, 1, -1, 0.1, 0.1 + 0.2, 2 ** 53, 2 ** 53 - 1, 5e-324, 2 ** -1022, 2 ** -1022 - 5e-324, Number.MAX_VALUE, -1e22, Math.PI];
// logarithms of powers of two and of their neighbours are where an error of the last digit shows
const powers = Array.from({ length: 63 }, (_, n) => 2 ** (n * 33 - 1050)).flatMap((value) => [
  value,
  value * (1 + 2 ** -52),
  value * (1 - 2 ** -53),
]);

const source = (name: string, canonical = (text: string): string => text): SourceColumn => ({
  name: name.toLowerCase(),
  dataType: '',
  columnType: '',
  sql: '',
  canonical,
  isTemporal: false,
});

async function openTable(definition: string, rows: readonly string[]): Promise<AsyncDisposable & { readonly session: SnowflakeSession }> {
  const { driver, connection, database } = await account.createDatabase();
  const options = { connection: { ...connection, database }, lockTimeoutSeconds: 20 };
  const session = await openSnowflakeSession(driver, options, new AbortController().signal);
  await session.run(`CREATE SCHEMA "${database}"."s"`);
  await session.run(`CREATE TABLE "${database}"."s"."t" (${definition})`);
  for (const row of rows) await session.run(`INSERT INTO "${database}"."s"."t" ${row}`);
  return { session, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
}

const table = { id: { database: 's', table: 't' }, columns: [], replicaSchema: 's', replicaName: 't' };

test('the replica computes the same texts, buckets and sums as the source', async () => {
  await using opened = await openTable(`"ID" NUMBER(10,0), ${values.map(([type], at) => `"V${at}" ${type}`).join(', ')}, "NONE" VARCHAR`, [
    `SELECT 7, ${values.map(([, , sql]) => sql).join(', ')}, NULL`,
    `SELECT 8, ${values.map(() => 'NULL').join(', ')}, NULL`,
  ]);
  const { session } = opened;
  const { statement } = await session.run('SELECT 1');
  const types = new Map((await session.run(snowflakeDialect.typesSql(table))).rows.map(([name, type]) => [name, type ?? '']));
  const columns = ['ID', ...values.map((_, at) => `V${at}`), 'NONE'].map((name) =>
    snowflakeDialect.compareColumn(source(name), { name, type: types.get(name) ?? '' }),
  );
  const rows = [
    ['7', ...values.map(([, text], at) => columns[at + 1]?.fromSource(text) ?? null), null],
    ['8', ...values.map(() => null), null],
  ];
  const hashed = { name: snowflakeDialect.nameOf({ ...table, statement }), columns, key: [0], digits: 32 };
  const buckets = rows.map((row) => digest(keyText(row, [0])));
  const read = await session.run(snowflakeDialect.rowsSql(hashed, buckets));
  assert.deepEqual(read.rows.toSorted(byId), rows);
  const sums = await session.run(snowflakeDialect.checksumsSql(hashed));
  const word = (text: string, at: number): string => String(Number.parseInt(text.slice(at, at + 8), 16));
  const expected = rows.map((row) => [digest(keyText(row, [0])), '1', ...[0, 8, 16].map((at) => word(digest(rowText(row)), at))]);
  assert.deepEqual(new Set(sums.rows.map(String)), new Set(expected.map(String)));
  const whole = await session.run(snowflakeDialect.checksumsSql({ ...hashed, key: [], digits: 0 }));
  assert.deepEqual(
    whole.rows.map((row) => row.slice(0, 2)),
    [['', '2']],
  );
  // what is done later is not seen
  await session.run('DELETE FROM "s"."t"');
  assert.equal((await session.run(snowflakeDialect.checksumsSql(hashed))).rows.length, 2);
});

test('the replica tells all doubles apart', async () => {
  const all = [...doubles, ...powers];
  await using opened = await openTable('"ID" NUMBER(10,0), "V" FLOAT', [
    `SELECT CAST("ID" AS NUMBER(10,0)), CAST("V" AS FLOAT) FROM (VALUES ${all.map((value, id) => `('${id}', '${value}')`).join(', ')}) AS "v" ("ID", "V")`,
  ]);
  const columns = [
    snowflakeDialect.compareColumn(source('ID'), { name: 'ID', type: 'NUMBER(10,0)' }),
    snowflakeDialect.compareColumn(
      source('V', (text) => canonicalDouble(Number(text))),
      { name: 'V', type: 'FLOAT' },
    ),
  ];
  const read = await opened.session.run(
    snowflakeDialect.rowsSql({ name: snowflakeDialect.nameOf(table), columns, key: [0], digits: 0 }, ['']),
  );
  assert.deepEqual(
    read.rows.toSorted(byId),
    all.map((value, id) => [String(id), columns[1]?.fromSource(String(value))]),
  );
});

function byId([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return Number(a) - Number(b);
}
