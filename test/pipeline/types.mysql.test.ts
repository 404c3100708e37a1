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
import { families, type TypedColumn } from './type-families.ts';

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
  const pick = (side: 'source' | 'replica'): string => columns.map(({ reading }, i) => reading[side](`c${i}`)).join(', ');
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
  const source = rows.map((row) => canonical(row.map((value: unknown) => (value === null ? null : `${value as string | number}`))));
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
