/**
 * Every type with values at its edges, once through the snapshot and twice through the binlog, as an insert and as an
 * update: the replica holds what the server itself prints. What is expected comes from the server's text of the value, by
 * rules that are written here and share nothing with the pipeline or with `verify`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { flavors, type Flavor } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline, type Pipeline } from './harness.ts';

/** How a value of a type is read on both sides; both sides' texts go through `canonical`. */
interface Reading {
  readonly source: (column: string) => string;
  readonly replica: (column: string) => string;
  readonly canonical?: (text: string) => string;
}

interface TypedColumn {
  readonly type: string;
  /** SQL of values; every row takes one, and a further row is NULL in all columns. */
  readonly values: readonly string[];
  readonly reading: Reading;
  /** The type that the column is to have in the replica. */
  readonly replicaType: string | Readonly<Record<Flavor, string>>;
  readonly only?: Flavor;
}

const asText: Reading = { source: (c) => `CAST(${c} AS CHAR)`, replica: (c) => `${c}::VARCHAR` };
const asNumber: Reading = { ...asText, canonical: (text) => String(Number(text)) };
/** DuckDB prints a DECIMAL without digits before the point as `.5`. */
const asDecimal: Reading = { ...asText, canonical: (text) => text.replace(/^(-?)0\./, '$1.') };
const asDouble: Reading = {
  source: (c) => `CAST(${c} AS DOUBLE)`,
  replica: (c) => `${c}::DOUBLE::VARCHAR`,
  canonical: (text) => String(Number(text)),
};
const asHex: Reading = { source: (c) => `HEX(${c})`, replica: (c) => `hex(${c})` };
const asBits: Reading = { source: (c) => `CAST(${c} + 0 AS CHAR)`, replica: (c) => `${c}::UBIGINT::VARCHAR` };
/** The server prints as many fraction digits as the column has, the replica as many as there are. */
const asTime: Reading = {
  ...asText,
  canonical: (text) =>
    text
      .replace(/\+00$/, '')
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, ''),
};
/** Of the reference system 0, whose coordinates come in the order they were given in. */
const asWkb: Reading = { source: (c) => `HEX(ST_AsBinary(${c}))`, replica: (c) => `hex(${c})` };
const asVector = (source: (c: string) => string): Reading => ({
  source,
  replica: (c) => `${c}::VARCHAR`,
  canonical: (text) =>
    text
      .replaceAll(/[[\] ]/g, '')
      .split(',')
      .map((number) => String(Math.fround(Number(number))))
      .join(),
});

const ints = (type: string, bits: number, replicaType: string): readonly TypedColumn[] => [
  { type, values: ['0', '1', '-1', String(-(2n ** BigInt(bits - 1))), String(2n ** BigInt(bits - 1) - 1n)], reading: asText, replicaType },
  {
    type: `${type} UNSIGNED`,
    values: ['0', '1', String(2n ** BigInt(bits - 1)), String(2n ** BigInt(bits) - 1n)],
    reading: asText,
    replicaType: `U${replicaType}`,
  },
];

const texts = [
  "''",
  "'a'",
  "' padded  '",
  "'ä ö ü ß'",
  "'東京 🎉'",
  "'it''s \\\\ \"quoted\"'",
  "'line\\nbreak\\ttab'",
  "'NULL'",
  "'\\0zero'",
];
const bytes = ["''", "'a'", "X'00'", "X'00FF10'", "X'FFFEFD00'", "'trail '"];
const longest = "REPEAT('xyz€', 20000)";

const families: Readonly<Record<string, readonly TypedColumn[]>> = {
  integers: [
    ...ints('TINYINT', 8, 'TINYINT'),
    ...ints('SMALLINT', 16, 'SMALLINT'),
    ...ints('MEDIUMINT', 24, 'INTEGER'),
    ...ints('INT', 32, 'INTEGER'),
    ...ints('BIGINT', 64, 'BIGINT'),
    { type: 'INT(8) ZEROFILL', values: ['0', '42', '4294967295'], reading: asNumber, replicaType: 'UINTEGER' },
    { type: 'BOOLEAN', values: ['0', '1', '5', '-1'], reading: asText, replicaType: 'TINYINT' },
    { type: 'BIT(1)', values: ["b'0'", "b'1'"], reading: asBits, replicaType: 'BOOLEAN' },
    { type: 'BIT(17)', values: ["b'0'", "b'10000000000000001'"], reading: asBits, replicaType: 'UBIGINT' },
    { type: 'BIT(64)', values: ["b'0'", '18446744073709551615', '9223372036854775808'], reading: asBits, replicaType: 'UBIGINT' },
    { type: 'YEAR', values: ['1901', '2155', '2024', '0'], reading: asNumber, replicaType: 'USMALLINT' },
  ],
  decimals: [
    { type: 'DECIMAL(1,0)', values: ['0', '9', '-9'], reading: asDecimal, replicaType: 'DECIMAL(1,0)' },
    { type: 'DECIMAL(4,4)', values: ['0.0001', '-0.9999', '0'], reading: asDecimal, replicaType: 'DECIMAL(4,4)' },
    {
      type: 'DECIMAL(10,2)',
      values: ['0', '-0.01', '99999999.99', '-99999999.99', '1.10'],
      reading: asDecimal,
      replicaType: 'DECIMAL(10,2)',
    },
    { type: 'DECIMAL(18,9)', values: ['123456789.123456789', '-999999999.999999999'], reading: asDecimal, replicaType: 'DECIMAL(18,9)' },
    {
      type: 'DECIMAL(38,10)',
      values: ['9999999999999999999999999999.9999999999', '-1.0000000001'],
      reading: asDecimal,
      replicaType: 'DECIMAL(38,10)',
    },
    {
      type: 'DECIMAL(65,30)',
      values: [`${'9'.repeat(35)}.${'9'.repeat(30)}`, `-0.${'0'.repeat(29)}1`, '0'],
      reading: asDecimal,
      replicaType: 'VARCHAR',
    },
    {
      type: 'FLOAT',
      values: ['0', '-0.0', '1.5', '3.4028234e38', '-3.4028234e38', '1.17549435e-38', '0.1', '16777217'],
      reading: asDouble,
      replicaType: 'FLOAT',
    },
    {
      type: 'DOUBLE',
      values: ['0', '1.7976931348623157e308', '-2.2250738585072014e-308', '0.1', '4.9e-324', '1e22', '123456789.123456789'],
      reading: asDouble,
      replicaType: 'DOUBLE',
    },
  ],
  times: [
    {
      type: 'DATE',
      values: ["'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'1969-12-31'", "'1582-10-10'"],
      reading: asText,
      replicaType: 'DATE',
    },
    {
      type: 'DATETIME',
      values: ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'1970-01-01 00:00:00'"],
      reading: asTime,
      replicaType: 'TIMESTAMP',
    },
    { type: 'DATETIME(1)', values: ["'2024-01-02 03:04:05.6'", "'2024-01-02 03:04:05.0'"], reading: asTime, replicaType: 'TIMESTAMP' },
    { type: 'DATETIME(3)', values: ["'2024-12-31 23:59:59.999'", "'1969-12-31 23:59:59.001'"], reading: asTime, replicaType: 'TIMESTAMP' },
    {
      type: 'DATETIME(6)',
      values: ["'9999-12-31 23:59:59.999999'", "'1000-01-01 00:00:00.000001'"],
      reading: asTime,
      replicaType: 'TIMESTAMP',
    },
    {
      type: 'TIMESTAMP NULL',
      values: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-03-31 01:30:00'"],
      reading: asTime,
      replicaType: 'TIMESTAMP WITH TIME ZONE',
    },
    {
      type: 'TIMESTAMP(6) NULL',
      values: ["'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.499999'"],
      reading: asTime,
      replicaType: 'TIMESTAMP WITH TIME ZONE',
    },
    {
      type: 'TIME',
      values: ["'00:00:00'", "'838:59:59'", "'-838:59:59'", "'-00:00:01'", "'24:00:00'"],
      reading: asTime,
      replicaType: 'INTERVAL',
    },
    { type: 'TIME(2)', values: ["'-00:00:00.01'", "'12:34:56.78'", "'-838:59:58.99'"], reading: asTime, replicaType: 'INTERVAL' },
    { type: 'TIME(6)', values: ["'-00:00:00.000001'", "'838:59:58.999999'", "'23:59:59.5'"], reading: asTime, replicaType: 'INTERVAL' },
  ],
  texts: [
    { type: 'CHAR(20)', values: texts, reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(20)', values: texts, reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(300)', values: [...texts, "REPEAT('ä', 300)"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(30) CHARACTER SET latin1', values: ["'àéîõü €'", "''", "'plain'"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(30) CHARACTER SET utf16', values: ["'東京 🎉'", "'a'"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(30) CHARACTER SET cp1251', values: ["'Привет'", "'a'"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(30) CHARACTER SET sjis', values: ["'日本語ソ'", "'a'"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'TINYTEXT', values: [...texts, "REPEAT('z', 255)"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'TEXT', values: [...texts, "REPEAT('z', 65535)"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'MEDIUMTEXT', values: [...texts, longest], reading: asText, replicaType: 'VARCHAR' },
    { type: 'LONGTEXT', values: [...texts, longest], reading: asText, replicaType: 'VARCHAR' },
    {
      type: "ENUM('one','zwei, zwo','drei''s','')",
      values: ["'one'", "'zwei, zwo'", "'drei''s'", "''", '1', '4'],
      reading: asText,
      replicaType: 'VARCHAR',
    },
    { type: "SET('a','b c','d','é')", values: ["''", "'a'", "'a,d,é'", "'b c'", '15'], reading: asText, replicaType: 'VARCHAR' },
  ],
  bytes: [
    { type: 'BINARY(8)', values: bytes, reading: asHex, replicaType: 'BLOB' },
    { type: 'VARBINARY(20)', values: bytes, reading: asHex, replicaType: 'BLOB' },
    { type: 'TINYBLOB', values: [...bytes, "REPEAT(X'80', 255)"], reading: asHex, replicaType: 'BLOB' },
    { type: 'BLOB', values: [...bytes, "REPEAT(X'00', 65535)"], reading: asHex, replicaType: 'BLOB' },
    { type: 'MEDIUMBLOB', values: [...bytes, "REPEAT(X'C3', 70000)"], reading: asHex, replicaType: 'BLOB' },
    { type: 'LONGBLOB', values: [...bytes, "REPEAT(X'0A', 100000)"], reading: asHex, replicaType: 'BLOB' },
  ],
  documents: [
    {
      type: 'JSON',
      values: [
        "'null'",
        "'true'",
        "'0'",
        "'-1.5'",
        "'1e300'",
        '\'"text with ä, \\\\" and 🎉"\'',
        "'[]'",
        "'{}'",
        '\'[1, 2.50, "x", null, {"a": [true, false]}]\'',
        '\'{"b": 1, "a": 2, "longer key": {"nested": [1]}}\'',
        "'18446744073709551615'",
        "'-9223372036854775808'",
        "CONCAT('[', REPEAT('\"0123456789\",', 8000), '0]')",
      ],
      reading: asText,
      // MariaDB's JSON is a LONGTEXT with a check.
      replicaType: { mysql: 'JSON', mariadb: 'VARCHAR' },
    },
    {
      type: 'JSON',
      only: 'mysql',
      values: [
        "JSON_ARRAY(CAST('2024-01-02 03:04:05.678' AS DATETIME(3)), CAST('12:34:56' AS TIME), CAST('2024-02-29' AS DATE))",
        "JSON_OBJECT('d', CAST(1.10 AS DECIMAL(5,2)), 'b', CAST(X'00FF' AS BINARY))",
      ],
      reading: asText,
      replicaType: 'JSON',
    },
    {
      type: 'GEOMETRY',
      values: [
        "ST_GeomFromText('POINT(1 -2.5)')",
        "ST_GeomFromText('LINESTRING(0 0,1 1,2 1)')",
        "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')",
      ],
      reading: asWkb,
      replicaType: 'BLOB',
    },
    {
      type: 'POINT',
      values: ["ST_GeomFromText('POINT(0 0)')", "ST_GeomFromText('POINT(1e10 -0.000001)')"],
      reading: asWkb,
      replicaType: 'BLOB',
    },
    {
      type: 'POLYGON',
      values: ["ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0),(1 1,2 1,2 2,1 2,1 1))')"],
      reading: asWkb,
      replicaType: 'BLOB',
    },
    { type: 'MULTIPOINT', values: ["ST_GeomFromText('MULTIPOINT(1 1,2 2)')"], reading: asWkb, replicaType: 'BLOB' },
    {
      type: 'VECTOR(3)',
      only: 'mysql',
      values: ["STRING_TO_VECTOR('[1, -2.5, 3e10]')", "STRING_TO_VECTOR('[0, 0.1, 1e-10]')"],
      reading: asVector((c) => `VECTOR_TO_STRING(${c})`),
      replicaType: 'FLOAT[]',
    },
    {
      type: 'VECTOR(3)',
      only: 'mariadb',
      values: ["VEC_FromText('[1, -2.5, 3e10]')", "VEC_FromText('[0, 0.1, 1e-10]')"],
      reading: asVector((c) => `VEC_ToText(${c})`),
      replicaType: 'FLOAT[]',
    },
    {
      type: 'UUID',
      only: 'mariadb',
      values: [
        "'123e4567-e89b-12d3-a456-426655440000'",
        "'00000000-0000-0000-0000-000000000000'",
        "'ffffffff-ffff-4fff-bfff-ffffffffffff'",
      ],
      reading: asText,
      replicaType: 'UUID',
    },
    {
      type: 'INET4',
      only: 'mariadb',
      values: ["'0.0.0.0'", "'255.255.255.255'", "'192.168.1.20'"],
      reading: asText,
      replicaType: 'VARCHAR',
    },
    {
      type: 'INET6',
      only: 'mariadb',
      values: ["'::'", "'2001:db8::1'", "'::ffff:1.2.3.4'", "'fe80::1:2:3:4'"],
      reading: asText,
      replicaType: 'VARCHAR',
    },
  ],
};

function columnsOf(family: string, flavor: Flavor): readonly TypedColumn[] {
  return (families[family] ?? []).filter((column) => column.only === undefined || column.only === flavor);
}

/** Rows of SQL values; the last one is NULL in all. */
function rowsOf(columns: readonly TypedColumn[]): readonly (readonly string[])[] {
  const count = Math.max(...columns.map((column) => column.values.length));
  return Array.from({ length: count + 1 }, (_, row) =>
    columns.map(({ values }) => (row === count ? 'NULL' : (values[row % values.length] ?? 'NULL'))),
  );
}

/** Values of the rows of a table on both sides, after their canonical forms, by id and column. */
async function bothSides(
  {
    pipeline,
    root,
    database,
  }: { readonly pipeline: Pipeline; readonly root: Awaited<ReturnType<typeof freshDatabase>>['root']; readonly database: string },
  family: string,
  columns: readonly TypedColumn[],
): Promise<{ readonly source: unknown; readonly replica: unknown }> {
  const pick = (side: 'source' | 'replica'): string => columns.map(({ reading }, i) => `${reading[side](`c${i}`)}`).join(', ');
  const canonical = (row: readonly (string | null)[]): Record<string, string | null> =>
    Object.fromEntries(
      row
        .slice(1)
        .map((value, i) => [`${row[0]} ${columns[i]?.type}`, value === null ? null : (columns[i]?.reading.canonical ?? String)(value)]),
    );
  const [rows] = await root.query<RowDataPacket[][]>({
    sql: `SELECT CAST(id AS CHAR), ${pick('source')} FROM ${family} ORDER BY id`,
    rowsAsArray: true,
  });
  const source = rows.map((row) => canonical(row.map((value: unknown) => (value === null ? null : String(value)))));
  const replica = (await pipeline.query(`SELECT id, ${pick('replica')} FROM ${database}.${family} ORDER BY id`)).map(canonical);
  return { source, replica };
}

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`values at the edges of all types arrive as the server prints them, from snapshot and binlog, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query("SET NAMES utf8mb4, time_zone = '+00:00'");
    for (const family of Object.keys(families)) {
      const columns = columnsOf(family, flavor);
      await root.query(
        `CREATE TABLE ${family} (id INT PRIMARY KEY, ${columns.map(({ type }, i) => `c${i} ${type}${type.endsWith('NULL') ? '' : ' NULL'}`).join(', ')}) CHARACTER SET utf8mb4`,
      );
      for (const [i, row] of rowsOf(columns).entries()) await root.query(`INSERT INTO ${family} VALUES (${i}, ${row.join(', ')})`);
    }
    await using pipeline = await openPipeline({ server, databases: [name] });
    await pipeline.start();
    await pipeline.caughtUp(root);
    for (const family of Object.keys(families)) {
      const columns = columnsOf(family, flavor);
      for (const [i, row] of rowsOf(columns).entries()) {
        await root.query(`INSERT INTO ${family} VALUES (${1000 + i}, ${row.join(', ')})`);
        await root.query(`INSERT INTO ${family} (id) VALUES (${2000 + i})`);
        await root.query(`UPDATE ${family} SET ${row.map((value, c) => `c${c} = ${value}`).join(', ')} WHERE id = ${2000 + i}`);
      }
    }
    await pipeline.caughtUp(root);
    for (const family of Object.keys(families)) {
      const columns = columnsOf(family, flavor);
      const { source, replica } = await bothSides({ pipeline, root, database: name }, family, columns);
      assert.deepEqual(replica, source, family);
      const types = await pipeline.query(
        `SELECT data_type FROM duckdb_columns() WHERE schema_name = '${name}' AND table_name = '${family}' AND column_name <> 'id' ORDER BY column_index`,
      );
      assert.deepEqual(
        types.map(([type], i) => `${columns[i]?.type}: ${type}`),
        columns.map(({ type, replicaType }) => `${type}: ${typeof replicaType === 'string' ? replicaType : replicaType[flavor]}`),
      );
    }
    await pipeline.assertEqual();
  });

  const zeros = ["'0000-00-00'", "'2024-00-10'", "'2024-05-00'", "'2024-05-06'"];

  for (const handling of ['null', 'text', 'fail'] as const) {
    test(`temporal.invalid.handling=${handling}: dates that do not exist, from snapshot and binlog, on ${flavor}`, { skip }, async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { root, name } = database;
      await root.query("SET sql_mode = '', time_zone = '+00:00'");
      await root.query('CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, dt DATETIME(3) NOT NULL, ts TIMESTAMP NOT NULL)');
      const insert = async (from: number): Promise<void> => {
        for (const [i, date] of zeros.entries()) {
          const stamp = date.includes('-00') ? "'0000-00-00'" : date;
          await root.query(`INSERT INTO t VALUES (${from + i}, ${date}, ${date}, ${stamp})`);
        }
      };
      if (handling !== 'fail') await insert(0);
      await using pipeline = await openPipeline({ server, databases: [name], sink: { 'temporal.invalid.handling': handling } });
      const worker = await pipeline.start();
      await pipeline.caughtUp(root);
      await insert(10);
      if (handling === 'fail') {
        const { code, stderr } = await worker.ended;
        assert.notEqual(code, 0);
        assert.match(stderr, /error VALUE_UNREPRESENTABLE: .*\bd\b/);
        assert.match(stderr, /next: .*temporal\.invalid\.handling/);
        // What the log has is not lost: with another setting it goes on from there.
        return;
      }
      await pipeline.caughtUp(root);
      const rows = await pipeline.query(
        `SELECT d::VARCHAR, dt::VARCHAR, ts::VARCHAR FROM ${name}.t WHERE id <> 13 AND id <> 3 ORDER BY id`,
      );
      const [source] = await root.query<RowDataPacket[][]>({
        sql: 'SELECT CAST(d AS CHAR), CAST(dt AS CHAR), CAST(ts AS CHAR) FROM t WHERE id NOT IN (3, 13) ORDER BY id',
        rowsAsArray: true,
      });
      assert.equal(rows.length, 6);
      assert.deepEqual(rows, handling === 'text' ? source : rows.map(() => [null, null, null]));
      const report = await pipeline.assertEqual();
      assert.equal(report.tables[0]?.substitutions, handling === 'null' ? 18 : 0);
    });
  }
}
