import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flavors, type Flavor } from '../cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { readRows, type RowValue } from './row-image.ts';
import { eventsOf, onlyOne, plain, rowsEventsOf, rowsOf } from './stream.fixture.ts';

/** How a column's value is asked of the server as text, and how ours becomes that text. */
type Form = 'text' | 'number' | 'bits' | 'bytes' | 'spatial';

interface Case {
  readonly sql: string;
  readonly form: Form;
  readonly only?: Flavor;
  readonly values: readonly string[];
}

const texts = ["''", "'a'", "'trailing  '", "'ünï €'", "REPEAT('x', 200)"];
const longTexts = [...texts, "REPEAT('y', 256)", "REPEAT('é', 3000)"];
const bytes = ["''", "X'00'", "X'FF00FE'", "X'0001020000'", "REPEAT(X'80', 200)"];
const points = ["ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(0 0,1 1,2.5 -3)')"];

const cases: readonly Case[] = [
  { sql: 'TINYINT', form: 'text', values: ['-128', '-1', '0', '127'] },
  { sql: 'TINYINT UNSIGNED', form: 'text', values: ['0', '128', '255'] },
  { sql: 'SMALLINT', form: 'text', values: ['-32768', '-1', '32767'] },
  { sql: 'SMALLINT UNSIGNED', form: 'text', values: ['65535', '32768'] },
  { sql: 'MEDIUMINT', form: 'text', values: ['-8388608', '-1', '8388607'] },
  { sql: 'MEDIUMINT UNSIGNED', form: 'text', values: ['16777215'] },
  { sql: 'INT', form: 'text', values: ['-2147483648', '-1', '2147483647'] },
  { sql: 'INT UNSIGNED', form: 'text', values: ['4294967295', '2147483648'] },
  { sql: 'BIGINT', form: 'text', values: ['-9223372036854775808', '-1', '9223372036854775807', '4294967296'] },
  { sql: 'BIGINT UNSIGNED', form: 'text', values: ['18446744073709551615', '9223372036854775808', '0'] },
  { sql: 'FLOAT', form: 'number', values: ['0', '-1.5', '3.4028234e38', '1e-38', '0.1'] },
  { sql: 'DOUBLE', form: 'number', values: ['0', '-1.5', '1.7976931348623157e308', '5e-324', '0.1', '-0.0'] },
  { sql: 'DECIMAL(1,0)', form: 'text', values: ['-9', '0', '9'] },
  { sql: 'DECIMAL(12,2)', form: 'text', values: ['0.00', '-0.01', '9999999999.99', '-9999999999.99', '1000000000.5', '123.4'] },
  {
    sql: 'DECIMAL(65,30)',
    form: 'text',
    values: ['-12345678901234567890123456789012345.678901234567890123456789012345', '0.000000000000000000000000000001', '1'],
  },
  { sql: 'DECIMAL(65,0)', form: 'text', values: [`-${'9'.repeat(65)}`, `1${'0'.repeat(64)}`, '0'] },
  { sql: 'DECIMAL(30,30)', form: 'text', values: ['-0.123456789012345678901234567890', '0'] },
  { sql: 'DECIMAL(18,9)', form: 'text', values: ['123456789.987654321', '-1.000000001', '-100000000'] },
  { sql: 'DECIMAL(10,1) UNSIGNED', form: 'text', values: ['0', '999999999.9'] },
  { sql: 'YEAR', form: 'number', values: ['1901', '2155', "'0000'"] },
  { sql: 'DATE', form: 'text', values: ["'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'0000-00-00'", "'2024-00-00'"] },
  { sql: 'TIME', form: 'text', values: ["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"] },
  { sql: 'TIME(1)', form: 'text', values: ["'-00:00:00.1'", "'12:34:56.7'"] },
  { sql: 'TIME(2)', form: 'text', values: ["'-01:00:00.01'", "'12:34:56.78'"] },
  { sql: 'TIME(3)', form: 'text', values: ["'-838:59:58.999'", "'00:00:00.001'"] },
  { sql: 'TIME(4)', form: 'text', values: ["'-00:00:59.9999'", "'00:00:00.0001'"] },
  { sql: 'TIME(6)', form: 'text', values: ["'-838:59:58.999999'", "'-00:00:00.000001'", "'23:59:59.999999'", "'-00:00:01.000000'"] },
  {
    sql: 'DATETIME',
    form: 'text',
    values: ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'0000-00-00 00:00:00'", "'2024-00-00 00:00:00'"],
  },
  { sql: 'DATETIME(1)', form: 'text', values: ["'2024-02-29 12:34:56.7'"] },
  { sql: 'DATETIME(3)', form: 'text', values: ["'2024-02-29 12:34:56.789'"] },
  { sql: 'DATETIME(6)', form: 'text', values: ["'2024-02-29 12:34:56.789012'", "'1000-12-31 23:59:59.000001'"] },
  { sql: 'TIMESTAMP', form: 'text', values: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00 00:00:00'"] },
  { sql: 'TIMESTAMP(2)', form: 'text', values: ["'2024-02-29 12:34:56.78'"] },
  { sql: 'TIMESTAMP(6)', form: 'text', values: ["'2024-02-29 12:34:56.789012'"] },
  { sql: 'BIT(1)', form: 'bits', values: ["b'0'", "b'1'"] },
  { sql: 'BIT(13)', form: 'bits', values: ["b'1111111111111'", "b'1'"] },
  { sql: 'BIT(64)', form: 'bits', values: ["X'FFFFFFFFFFFFFFFF'", "X'0102030405060708'"] },
  { sql: "ENUM('a','b,c','ü')", form: 'text', values: ["'a'", "'b,c'", "'ü'", "''"] },
  { sql: `ENUM(${Array.from({ length: 300 }, (_, i) => `'m${i}'`).join(',')})`, form: 'text', values: ["'m0'", "'m299'"] },
  { sql: "SET('a','b','ü')", form: 'text', values: ["''", "'a'", "'a,ü'", "'a,b,ü'"] },
  { sql: `SET(${Array.from({ length: 64 }, (_, i) => `'s${i}'`).join(',')})`, form: 'text', values: ["'s63'", "'s0,s31,s32,s63'"] },
  { sql: 'CHAR(0)', form: 'text', values: ["''"] },
  { sql: 'CHAR(255) CHARSET utf8mb4', form: 'text', values: texts },
  { sql: 'CHAR(10) CHARSET latin1', form: 'text', values: ["'ünï €'", "'x  '"] },
  { sql: 'VARCHAR(255) CHARSET utf8mb4', form: 'text', values: texts },
  { sql: 'VARCHAR(255) CHARSET latin1', form: 'text', values: texts },
  { sql: 'VARCHAR(5000) CHARSET utf8mb4', form: 'text', values: longTexts },
  { sql: 'VARCHAR(100) CHARSET ucs2', form: 'text', values: ["'ünï €'"] },
  { sql: 'VARCHAR(100) CHARSET utf16le', form: 'text', values: ["'ünï €'"] },
  { sql: 'VARCHAR(100) CHARSET utf32', form: 'text', values: ["'ünï €'"] },
  { sql: 'VARCHAR(100) CHARSET sjis', form: 'text', values: ["'日本'"] },
  { sql: 'VARCHAR(100) CHARSET gbk', form: 'text', values: ["'中文'"] },
  { sql: 'VARCHAR(100) CHARSET koi8r', form: 'text', values: ["'привет'"] },
  { sql: 'TINYTEXT', form: 'text', values: texts.slice(0, 4) },
  { sql: 'TEXT CHARSET latin1', form: 'text', values: longTexts },
  { sql: 'MEDIUMTEXT', form: 'text', values: longTexts },
  { sql: 'LONGTEXT', form: 'text', values: [...longTexts, "REPEAT('z', 70000)"] },
  { sql: 'BINARY(5)', form: 'bytes', values: bytes.slice(0, 4) },
  { sql: 'BINARY(255)', form: 'bytes', values: bytes },
  { sql: 'VARBINARY(255)', form: 'bytes', values: bytes },
  { sql: 'VARBINARY(300)', form: 'bytes', values: bytes },
  { sql: 'TINYBLOB', form: 'bytes', values: bytes },
  { sql: 'BLOB', form: 'bytes', values: bytes },
  { sql: 'MEDIUMBLOB', form: 'bytes', values: bytes },
  { sql: 'LONGBLOB', form: 'bytes', values: [...bytes, "REPEAT(X'00', 70000)"] },
  { sql: 'GEOMETRY', form: 'spatial', values: points },
  { sql: 'POINT', form: 'spatial', values: points.slice(0, 1) },
  { sql: 'JSON', form: 'text', values: [`'{"b": 1, "aa": [1.5, "x\\\\n", null, true]}'`, "'[]'", '\'"text"\'', "'null'"] },
  { sql: 'VECTOR(3)', form: 'bytes', only: 'mysql', values: ["STRING_TO_VECTOR('[1,2.5,-3]')"] },
  { sql: 'VECTOR(3) NOT NULL', form: 'bytes', only: 'mariadb', values: ["VEC_FromText('[1,2.5,-3]')"] },
  { sql: 'INET6', form: 'bytes', only: 'mariadb', values: ["'2001:db8::1'", "'::'"] },
  { sql: 'INET4', form: 'bytes', only: 'mariadb', values: ["'192.168.0.1'", "'0.0.0.0'"] },
  { sql: 'VARCHAR(500) COMPRESSED', form: 'text', only: 'mariadb', values: longTexts.slice(0, 6) },
  { sql: 'TEXT COMPRESSED CHARSET latin1', form: 'text', only: 'mariadb', values: longTexts },
  { sql: 'BLOB COMPRESSED', form: 'bytes', only: 'mariadb', values: bytes },
];

const asked: Readonly<Record<Form, string>> = {
  text: 'CAST(v AS CHAR CHARACTER SET utf8mb4)',
  number: 'CAST(v AS DOUBLE)',
  bits: 'CAST(CAST(v AS UNSIGNED) AS CHAR)',
  bytes: 'HEX(v)',
  spatial: 'CONCAT(LPAD(HEX(ST_SRID(v)), 8, 0), HEX(ST_AsBinary(v)))',
};

function shown(value: RowValue, form: Form): string | number | null {
  return form === 'number' && value !== null ? Number(value) : plain(value);
}

for (const flavor of flavors) {
  for (const metadata of ['FULL', 'MINIMAL']) {
    test(
      `readRows gives what SELECT gives, for every type, on ${flavor} with ${metadata} metadata`,
      { skip: withoutServer(flavor) },
      async () => {
        const server = await sharedServer(flavor, { 'binlog-row-metadata': metadata });
        await using database = await freshDatabase(server);
        const { root } = database;
        await root.query("SET SESSION sql_mode = '', time_zone = '+00:00'; SET NAMES utf8mb4");
        const mine = cases.filter(({ only }) => only === undefined || only === flavor);
        const events = await eventsOf(server, root, async () => {
          for (const [i, { sql, values }] of mine.entries()) {
            await root.query(`CREATE TABLE t${i} (id INT PRIMARY KEY, v ${sql}) DEFAULT CHARSET utf8mb4`);
            await root.query(`INSERT INTO t${i} VALUES ${values.map((value, id) => `(${id}, ${value})`).join(', ')}`);
            if (!sql.includes('NOT NULL')) await root.query(`INSERT INTO t${i} VALUES (999, NULL)`);
          }
        });
        const rowsEvents = rowsEventsOf(events, database.name);
        for (const [i, { sql, form }] of mine.entries()) {
          const number = metadata === 'MINIMAL' && /^(ENUM|SET)/.test(sql);
          const select = number ? asked.bits : asked[form];
          const expected = await rowsOf(root, `SELECT id, ${select} FROM t${i} ORDER BY id`);
          const found = rowsEvents.filter(({ table }) => table.table === `t${i}`).flatMap((event) => readRows(event));
          const values = found.map(({ after, before }) => {
            assert.equal(before, undefined);
            return [plain(after?.[0]), shown(after?.[1], form)];
          });
          const wanted = expected.map(([id, value]) => [
            id,
            value === null || value === undefined || form !== 'number' ? value : Number(value),
          ]);
          const ours =
            form === 'spatial' ? values.map(([id, value]) => [id, value === null ? null : littleEndianSrid(String(value))]) : values;
          assert.deepEqual(ours, wanted, sql);
        }
      },
    );
  }

  test(`columns that are not in the row image are undefined on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root } = database;
    const changes = async (image: string): Promise<unknown> => {
      const events = await eventsOf(server, root, async () => {
        await root.query(`SET SESSION binlog_row_image = ${image}`);
        await root.query("REPLACE INTO t VALUES (1, 2, 'three', 'four')");
        await root.query('UPDATE t SET b = 5 WHERE id = 1');
        await root.query('UPDATE t SET d = NULL WHERE id = 1');
        await root.query('DELETE FROM t');
      });
      return rowsEventsOf(events, database.name).flatMap((event) =>
        readRows(event, hints).map((row) => [event.kind, row.before, row.after]),
      );
    };
    const hints = { collations: Uint16Array.of(0, 0, 45, 45) };
    await root.query('CREATE TABLE t (id INT PRIMARY KEY, b INT, c VARCHAR(10), d TEXT) DEFAULT CHARSET utf8mb4');
    const u = undefined;
    assert.deepEqual(await changes('FULL'), [
      ['insert', u, [1, 2, 'three', 'four']],
      ['update', [1, 2, 'three', 'four'], [1, 5, 'three', 'four']],
      ['update', [1, 5, 'three', 'four'], [1, 5, 'three', null]],
      ['delete', [1, 5, 'three', null], u],
    ]);
    assert.deepEqual(await changes('MINIMAL'), [
      ['insert', u, [1, 2, 'three', 'four']],
      ['update', [1, u, u, u], [u, 5, u, u]],
      ['update', [1, u, u, u], [u, u, u, null]],
      ['delete', [1, u, u, u], u],
    ]);
    assert.deepEqual(await changes('NOBLOB'), [
      ['insert', u, [1, 2, 'three', 'four']],
      ['update', [1, 2, 'three', u], [1, 5, 'three', u]],
      ['update', [1, 5, 'three', u], [1, 5, 'three', null]],
      ['delete', [1, 5, 'three', u], u],
    ]);
  });

  test(`a table of 300 columns with NULLs between is read on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root } = database;
    await root.query(`CREATE TABLE t (${Array.from({ length: 300 }, (_, i) => `c${i} INT`).join(', ')})`);
    const row = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? null : i));
    const events = await eventsOf(server, root, () => root.query(`INSERT INTO t VALUES (${row.map(String).join(', ')})`));
    assert.deepEqual(readRows(onlyOne(rowsEventsOf(events, database.name))), [{ before: undefined, after: row }]);
  });
}

test('diffs of a partial JSON update are read', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  const { root } = database;
  await root.query('CREATE TABLE t (id INT PRIMARY KEY, a JSON, n INT, b JSON)');
  await root.query(`INSERT INTO t VALUES (1, '{"a": 1, "b": [1, 2, 3], "c": "${'x'.repeat(100)}"}', 7, '{"k": "${'y'.repeat(100)}"}')`);
  const events = await eventsOf(server, root, async () => {
    await root.query('SET SESSION binlog_row_value_options = PARTIAL_JSON, binlog_row_image = MINIMAL');
    await root.query(`UPDATE t SET a = JSON_REMOVE(JSON_SET(a, '$.a', 1.5, '$."new key"', CAST('{"z": null}' AS JSON)), '$.b[1]'), n = 8`);
    await root.query(`UPDATE t SET n = 9, b = '[]'`);
  });
  const [first, second] = rowsEventsOf(events, database.name).map((event) => ({ partial: event.partial, rows: readRows(event) }));
  assert.deepEqual(first, {
    partial: true,
    rows: [
      {
        before: [1, undefined, undefined, undefined],
        after: [
          undefined,
          [
            { operation: 'replace', path: '$.a', value: '1.5' },
            { operation: 'insert', path: '$."new key"', value: '{"z": null}' },
            { operation: 'remove', path: '$.b[1]', value: undefined },
          ],
          8,
          undefined,
        ],
      },
    ],
  });
  assert.deepEqual(second?.rows[0]?.after, [undefined, undefined, 9, '[]']);
});

/** Stored geometries begin with their SRID, little-endian. */
function littleEndianSrid(hex: string): string {
  return `${Buffer.from(Buffer.from(hex.slice(0, 8), 'hex').toReversed())
    .toString('hex')
    .toUpperCase()}${hex.slice(8)}`;
}
