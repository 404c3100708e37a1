import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import type { ColumnType } from '../event/column-type.ts';
import { openConnection } from '../binlog/connection.ts';
import { flavors } from '../cli/private-server.ts';
import type { Flavor } from '../cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { batchRows, column, never, schemaOf, settingsOf } from './snapshot.fixture.ts';
import { prepareSession } from './snapshot-session.ts';
import { startRawQuery } from './raw-query.ts';
import { TextRowReader, selectList } from './text-row.ts';

/** A column's definition, the literals that are stored in it, and the texts that its cells must have. */
interface Case {
  readonly sql: string;
  readonly type: ColumnType;
  readonly scale?: number;
  readonly only?: Flavor;
  /** Pairs of literal and text; a lone literal is its own text. */
  readonly values: readonly (string | readonly [string, string])[];
}

const signed = (bits: 8 | 16 | 24 | 32 | 64): ColumnType => ({ kind: 'int', bits, unsigned: false });
const unsigned = (bits: 8 | 16 | 24 | 32 | 64): ColumnType => ({ kind: 'int', bits, unsigned: true });
const decimal = (precision: number, scale: number): ColumnType => ({ kind: 'decimal', precision, scale, unsigned: false });
const quoted = (...values: string[]): (readonly [string, string])[] => values.map((value) => [`'${value}'`, value]);

const cases: readonly Case[] = [
  { sql: 'TINYINT', type: signed(8), values: ['-128', '0', '127'] },
  { sql: 'TINYINT UNSIGNED', type: unsigned(8), values: ['0', '255'] },
  { sql: 'SMALLINT', type: signed(16), values: ['-32768', '-1', '32767'] },
  { sql: 'SMALLINT(5) UNSIGNED ZEROFILL', type: unsigned(16), values: ['7', '65535'] },
  { sql: 'MEDIUMINT', type: signed(24), values: ['-8388608', '8388607'] },
  { sql: 'MEDIUMINT UNSIGNED', type: unsigned(24), values: ['16777215'] },
  { sql: 'INT', type: signed(32), values: ['-2147483648', '-65536', '2147483647'] },
  { sql: 'INT UNSIGNED', type: unsigned(32), values: ['4294967295'] },
  { sql: 'BIGINT', type: signed(64), values: ['-9223372036854775808', '-4294967296', '-1', '9007199254740993', '9223372036854775807'] },
  {
    sql: 'BIGINT(20) UNSIGNED ZEROFILL',
    type: unsigned(64),
    values: ['0', '18446744073709551615', '4294967296', '999999999', '1000000000'],
  },
  {
    sql: 'BIT(1)',
    type: { kind: 'bit', length: 1 },
    values: [
      ["b'1'", '1'],
      ["b'0'", '0'],
    ],
  },
  { sql: 'BIT(12)', type: { kind: 'bit', length: 12 }, values: [["b'101000000001'", '2561']] },
  { sql: 'BIT(64)', type: { kind: 'bit', length: 64 }, values: [["x'FFFFFFFFFFFFFFFE'", '18446744073709551614']] },
  {
    sql: 'FLOAT',
    type: { kind: 'float', unsigned: false },
    values: ['1.1', '16777217', '3.4028234e38', '1e-45', '-0.1', '8388609'].map((v) => [v, String(Math.fround(Number(v)))] as const),
  },
  {
    sql: 'FLOAT(10,3)',
    type: { kind: 'float', unsigned: false },
    scale: 3,
    values: ['1.1', '99999.125', '-1234567.891'].map((v) => [v, String(Math.fround(Number(v)))] as const),
  },
  {
    sql: 'DOUBLE',
    type: { kind: 'double', unsigned: false },
    values: [
      '0.1',
      '1.7976931348623157e308',
      '5e-324',
      '123456789.12345679',
      '-2.2250738585072014e-308',
      '0.30000000000000004',
      '9007199254740993',
      '1e22',
      '1e23',
      '123456789012345',
    ].map((v) => [v, String(Number(v))] as const),
  },
  {
    sql: 'DOUBLE(20,4)',
    type: { kind: 'double', unsigned: false },
    scale: 4,
    values: ['1234567890123.4567', '0.1'].map((v) => [v, String(Number(v))] as const),
  },
  { sql: 'DECIMAL(1,0)', type: decimal(1, 0), values: ['-9', '0'] },
  { sql: 'DECIMAL(12,2)', type: decimal(12, 2), values: ['-9999999999.99', '-0.01', '0.00', '12.30'] },
  { sql: 'DECIMAL(18,18)', type: decimal(18, 18), values: ['-0.999999999999999999', '0.000000000000000001'] },
  { sql: 'DECIMAL(18,0)', type: decimal(18, 0), values: ['999999999999999999', '-100000000000000000'] },
  { sql: 'DECIMAL(19,9)', type: decimal(19, 9), values: ['-9999999999.999999999', '0.000000001', '-4.294967296'] },
  {
    sql: 'DECIMAL(38,0)',
    type: decimal(38, 0),
    values: [
      '99999999999999999999999999999999999999',
      '-99999999999999999999999999999999999999',
      '-18446744073709551616',
      '-79228162514264337593543950336',
      '0',
    ],
  },
  { sql: 'DECIMAL(38,38)', type: decimal(38, 38), only: 'mariadb', values: ['-0.00000000000000000000000000000000000001'] },
  { sql: 'DECIMAL(38,30)', type: decimal(38, 30), values: ['-99999999.999999999999999999999999999999'] },
  {
    sql: 'DECIMAL(65,30)',
    type: decimal(65, 30),
    values: [
      '-99999999999999999999999999999999999.999999999999999999999999999999',
      '0.000000000000000000000000000000',
      '0.500000000000000000000000000000',
    ],
  },
  { sql: 'DECIMAL(60,0) UNSIGNED ZEROFILL', type: decimal(60, 0), values: ['5', '0'] },
  { sql: 'YEAR', type: { kind: 'year' }, values: ['1901', '2155', ["'0000'", '0']] },
  { sql: 'DATE', type: { kind: 'date' }, values: quoted('0000-00-00', '2024-02-30', '2024-00-00', '9999-12-31', '0001-01-01') },
  { sql: 'TIME', type: { kind: 'time', fsp: 0 }, values: quoted('-838:59:59', '838:59:59', '00:00:00', '-00:00:01') },
  { sql: 'TIME(6)', type: { kind: 'time', fsp: 6 }, values: quoted('-838:59:58.999999', '-00:00:00.000001', '12:34:56.789000') },
  { sql: 'TIME(2)', type: { kind: 'time', fsp: 2 }, values: quoted('-00:00:00.01', '100:00:00.50') },
  {
    sql: 'DATETIME',
    type: { kind: 'datetime', fsp: 0 },
    values: quoted('0000-00-00 00:00:00', '9999-12-31 23:59:59', '2024-02-31 01:02:03'),
  },
  { sql: 'DATETIME(3)', type: { kind: 'datetime', fsp: 3 }, values: quoted('2024-06-30 23:59:59.999', '1000-01-01 00:00:00.001') },
  { sql: 'DATETIME(6)', type: { kind: 'datetime', fsp: 6 }, values: quoted('9999-12-31 23:59:59.999999') },
  {
    sql: 'TIMESTAMP NULL',
    type: { kind: 'timestamp', fsp: 0 },
    values: quoted('1970-01-01 00:00:01', '2038-01-19 03:14:07', '0000-00-00 00:00:00', '2024-02-29 12:00:00', '2000-03-01 00:00:00'),
  },
  {
    sql: 'TIMESTAMP(6) NULL',
    type: { kind: 'timestamp', fsp: 6 },
    values: quoted('2038-01-19 03:14:07.999999', '2001-12-31 23:59:59.000001'),
  },
  { sql: 'VARCHAR(20)', type: { kind: 'text' }, values: quoted('', 'a', 'trailing  ', 'ä€😀') },
  { sql: 'VARCHAR(20) CHARACTER SET latin1', type: { kind: 'text' }, values: quoted('Grüße') },
  { sql: 'CHAR(10) CHARACTER SET utf16', type: { kind: 'text' }, values: quoted('ab€') },
  {
    sql: 'LONGTEXT',
    type: { kind: 'text' },
    values: [
      ["repeat('x', 250)", 'x'.repeat(250)],
      ["repeat('y', 251)", 'y'.repeat(251)],
      ["repeat('z', 70000)", 'z'.repeat(70_000)],
    ],
  },
  {
    sql: "ENUM('a','b,c','ü')",
    type: { kind: 'enum', labels: ['a', 'b,c', 'ü'] },
    values: [...quoted('a', 'b,c', 'ü'), ["'no member'", '']],
  },
  { sql: "SET('x','y','z')", type: { kind: 'set', labels: ['x', 'y', 'z'] }, values: [["'z,x'", 'x,z'], ...quoted('', 'y')] },
  {
    sql: 'BINARY(4)',
    type: { kind: 'binary', fixedLength: 4 },
    values: [
      ["x'41'", '41000000'],
      ["x'00ff00ff'", '00ff00ff'],
    ],
  },
  {
    sql: 'VARBINARY(10)',
    type: { kind: 'binary' },
    values: [
      ["x'fb'", 'fb'],
      ["x'00fe'", '00fe'],
      ["''", ''],
    ],
  },
  { sql: 'BLOB', type: { kind: 'binary' }, values: [["repeat(x'fe', 300)", 'fe'.repeat(300)]] },
  {
    sql: 'POINT',
    type: { kind: 'geometry' },
    values: [["ST_GeomFromText('POINT(1 2)')", '000000000101000000000000000000f03f0000000000000040']],
  },
  { sql: 'JSON', type: { kind: 'json' }, only: 'mysql', values: [[`'{"b":1.50,"a":["ü"]}'`, '{"a": ["ü"], "b": 1.5}']] },
  { sql: 'JSON', type: { kind: 'json' }, only: 'mariadb', values: quoted('{"b":1.50,"a":["ü"]}') },
  { sql: 'VECTOR(2)', type: { kind: 'vector' }, only: 'mysql', values: [["STRING_TO_VECTOR('[1,2]')", '0000803f00000040']] },
  { sql: 'VECTOR(2)', type: { kind: 'vector' }, only: 'mariadb', values: [["VEC_FromText('[1,2]')", '0000803f00000040']] },
  { sql: 'UUID', type: { kind: 'uuid' }, only: 'mariadb', values: quoted('123e4567-e89b-12d3-a456-426655440000') },
  { sql: 'INET6', type: { kind: 'inet6' }, only: 'mariadb', values: quoted('2001:db8::ff00:42:8329') },
  { sql: 'INET4', type: { kind: 'inet4' }, only: 'mariadb', values: quoted('192.0.2.33') },
];

for (const flavor of flavors) {
  test(
    `values of every column type come out of the text protocol as they are stored (${flavor})`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const own = cases.filter(({ only }) => only === undefined || only === flavor);
      const definitions = own.map(({ sql }, i) => `c${i} ${sql}`);
      await database.root.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
      await database.root.query(`CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, ${definitions.join(', ')}) DEFAULT CHARSET utf8mb4`);
      const expected: (string | null)[][] = [];
      const most = Math.max(...own.map(({ values }) => values.length));
      for (let row = 0; row <= most; row++) {
        const cells = own.map(({ values }) => values[row]);
        const literals = cells.map((cell) => (cell === undefined ? 'NULL' : typeof cell === 'string' ? cell : cell[0]));
        await database.root.query(`INSERT IGNORE INTO t VALUES (DEFAULT, ${literals.join(', ')})`);
        expected.push([String(row + 1), ...cells.map((cell) => (cell === undefined ? null : typeof cell === 'string' ? cell : cell[1]))]);
      }
      const columns = own.map(({ type, scale }, i) => column(`c${i}`, type, scale === undefined ? {} : { scale }));
      const schema = schemaOf({ database: database.name, table: 't' }, [column('id', signed(32)), ...columns], [0]);

      await using connection = await openConnection(settingsOf(server), never);
      await prepareSession(connection, never);
      const reader = new TextRowReader(schema);
      const builder = new ChangeBatchBuilder(schema);
      const query = startRawQuery(
        connection,
        `SELECT ${selectList(schema.columns)} FROM ${database.name}.t ORDER BY id`,
        (bytes, start, end) => {
          builder.begin(op.read, 0);
          builder.middle();
          reader.append(bytes, start, end, builder.writer);
          builder.end();
          return true;
        },
      );
      while (await query.pull(never));
      const rows = batchRows(builder.view());
      assert.equal(rows.length, expected.length);
      for (const [i, row] of rows.entries()) {
        for (const [c, cell] of row.entries()) assert.equal(cell, expected[i]?.[c], `row ${i}, ${definitions[c - 1] ?? 'id'}`);
      }
      // Negative zero keeps its sign; MariaDB never prints one.
      await database.root.query('CREATE TABLE z (d DOUBLE, f FLOAT); INSERT INTO z VALUES (-0e0, -0e0)');
      if (flavor === 'mysql') assert.deepEqual(await connection.query(`SELECT d, f * 1e0 FROM ${database.name}.z`, never), [['-0', '-0']]);
    },
  );

  test(`rows flow again after a pause, and an abort ends the query (${flavor})`, { skip: withoutServer(flavor) }, async () => {
    const server = await sharedServer(flavor);
    await using connection = await openConnection(settingsOf(server), never);
    await prepareSession(connection, never);
    const sql = "WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, repeat('x', 10000) FROM n";
    let rows = 0;
    const query = startRawQuery(connection, sql, () => ++rows % 50 === 0);
    let pulls = 0;
    while (await query.pull(never)) pulls++;
    assert.equal(rows, 900);
    assert.ok(pulls > 10, `${pulls} pulls`);
    assert.deepEqual(await connection.query('SELECT 1', never), [['1']], 'the connection goes on');

    // Three packets of the protocol, of which the first two are full.
    if (flavor === 'mysql') {
      let size = 0;
      const large = startRawQuery(connection, "SELECT REPEAT('a', 40000000)", (_bytes, start, end) => {
        size += end - start;
        return true;
      });
      while (await large.pull(never));
      assert.equal(size, 9 + 40_000_000);
    }

    const abort = new AbortController();
    const second = startRawQuery(connection, 'SELECT SLEEP(60)', () => false);
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await assert.rejects(second.pull(abort.signal), /enough/);
  });
}
