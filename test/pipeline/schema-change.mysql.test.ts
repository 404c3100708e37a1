/**
 * Schema changes while rows stream: after each statement the replica's tables have the source's columns in the source's
 * order, NOT NULL as there, and equal rows. Without and with the columns' names in the binlog (binlog_row_metadata).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline, type Pipeline } from './harness.ts';

/** What is done to the tables, with rows before, between and after in the same stream. */
interface Step {
  readonly name: string;
  readonly sql: readonly string[];
}

const tables = [
  "CREATE TABLE items (id INT NOT NULL PRIMARY KEY, name VARCHAR(30) NOT NULL, price DECIMAL(8,2) NULL, state ENUM('new','old') NOT NULL DEFAULT 'new')",
  'CREATE TABLE other (a INT NOT NULL, b VARCHAR(10) NULL)',
] as const;

const insert = (id: number): string => `INSERT INTO items (id, name) VALUES (${id}, 'row ${id}')`;

const steps: readonly Step[] = [
  {
    name: 'a column at the end',
    sql: ['ALTER TABLE items ADD COLUMN note VARCHAR(20) NULL', "UPDATE items SET note = 'n' WHERE id < 3", insert(100)],
  },
  {
    name: 'a NOT NULL column with a default',
    sql: [insert(101), "ALTER TABLE items ADD COLUMN code CHAR(3) NOT NULL DEFAULT 'abc'", insert(102)],
  },
  {
    name: 'columns first and in between',
    sql: [
      'ALTER TABLE items ADD COLUMN zero INT NOT NULL DEFAULT 5 FIRST, ADD COLUMN mid DATETIME(3) NULL AFTER name',
      insert(103),
      "UPDATE items SET mid = '2024-05-06 07:08:09.123' WHERE id > 99",
    ],
  },
  {
    name: 'a NOT NULL column without a default',
    sql: [
      'ALTER TABLE items ADD COLUMN plain INT NOT NULL, ADD COLUMN word VARCHAR(5) NOT NULL',
      'INSERT INTO items (id, name, plain, word) VALUES (104, "x", 1, "w")',
    ],
  },
  { name: 'a column that goes', sql: ['ALTER TABLE items DROP COLUMN mid, DROP COLUMN plain, DROP COLUMN word', insert(105)] },
  {
    name: 'a column with another name',
    sql: ['ALTER TABLE items RENAME COLUMN note TO remark', "UPDATE items SET remark = 'r' WHERE id = 100", insert(106)],
  },
  {
    name: 'two columns that exchange their names',
    sql: ['ALTER TABLE items RENAME COLUMN code TO remark, RENAME COLUMN remark TO code', insert(107)],
  },
  {
    name: 'a wider type',
    sql: [
      'ALTER TABLE items MODIFY COLUMN zero BIGINT NOT NULL DEFAULT 5, MODIFY COLUMN name VARCHAR(100) NOT NULL',
      'UPDATE items SET zero = 9000000000 WHERE id = 101',
      insert(108),
    ],
  },
  {
    name: 'a narrower type',
    sql: [
      'UPDATE items SET zero = 7',
      'ALTER TABLE items MODIFY COLUMN zero TINYINT UNSIGNED NOT NULL',
      'INSERT INTO items (id, name, zero) VALUES (109, "x", 255)',
    ],
  },
  {
    name: 'another kind of type',
    sql: [
      'ALTER TABLE items MODIFY COLUMN price DOUBLE NULL',
      'UPDATE items SET price = 1.25 WHERE id < 5',
      'ALTER TABLE items MODIFY COLUMN price VARCHAR(30) NULL',
      "UPDATE items SET price = 'cheap' WHERE id = 2",
    ],
  },
  {
    name: 'NULL allowed and refused',
    sql: [
      'ALTER TABLE items MODIFY COLUMN name VARCHAR(100) NULL',
      'UPDATE items SET name = NULL WHERE id = 3',
      "UPDATE items SET name = 'again' WHERE id = 3",
      'ALTER TABLE items MODIFY COLUMN name VARCHAR(100) NOT NULL',
      'INSERT INTO items (id, name, zero) VALUES (110, "x", 1)',
    ],
  },
  {
    name: 'another order',
    sql: [
      'ALTER TABLE items MODIFY COLUMN zero TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER name, MODIFY COLUMN state ENUM("new","old") NOT NULL DEFAULT "new" FIRST',
      insert(111),
    ],
  },
  {
    name: 'a new value of an ENUM',
    sql: [
      'ALTER TABLE items MODIFY COLUMN state ENUM("new","old","between") NOT NULL DEFAULT "new" FIRST',
      "UPDATE items SET state = 'between' WHERE id < 4",
      insert(112),
    ],
  },
  {
    name: 'CHANGE COLUMN: name and type at once',
    sql: [
      'ALTER TABLE items CHANGE COLUMN remark longer TEXT NULL',
      "UPDATE items SET longer = REPEAT('ä', 500) WHERE id = 2",
      insert(113),
    ],
  },
  {
    name: 'another key',
    sql: [
      'ALTER TABLE items DROP PRIMARY KEY, ADD PRIMARY KEY (name, id)',
      "UPDATE items SET name = 'moved' WHERE id = 2",
      'DELETE FROM items WHERE id = 111',
    ],
  },
  {
    name: 'a table loses its key',
    sql: [
      'ALTER TABLE items DROP PRIMARY KEY',
      'INSERT INTO items SELECT * FROM items WHERE id < 10',
      'DELETE FROM items WHERE id = 4 LIMIT 1',
    ],
  },
  {
    name: 'a table gets a key',
    sql: [
      'DELETE FROM items WHERE id < 10',
      'ALTER TABLE items ADD PRIMARY KEY (id)',
      insert(3),
      "UPDATE items SET name = 'three' WHERE id = 3",
    ],
  },
  {
    name: 'a table that is new',
    sql: ['CREATE TABLE fresh (k VARCHAR(20) PRIMARY KEY, v JSON NULL)', `INSERT INTO fresh VALUES ('a', '{"x": 1}'), ('b', NULL)`],
  },
  {
    name: 'a table like another, and one of a query',
    sql: [
      'CREATE TABLE twin LIKE items',
      'INSERT INTO twin SELECT * FROM items',
      'CREATE TABLE picked (PRIMARY KEY (id)) AS SELECT id, name FROM items WHERE id > 104',
      "UPDATE picked SET name = 'p' WHERE id = 105",
    ],
  },
  {
    name: 'two tables that exchange their names',
    sql: [
      'RENAME TABLE items TO items_tmp, twin TO items, items_tmp TO twin',
      insert(120),
      'UPDATE twin SET name = "was items" WHERE id = 105',
    ],
  },
  { name: 'a table with another name', sql: ['ALTER TABLE picked RENAME TO chosen', 'DELETE FROM chosen WHERE id = 105'] },
  { name: 'TRUNCATE', sql: ['INSERT INTO other VALUES (8, "h")', 'TRUNCATE TABLE other', 'INSERT INTO other VALUES (9, "i"), (9, "i")'] },
  {
    name: 'a table that goes, and comes again with other columns',
    sql: ['DROP TABLE fresh', 'CREATE TABLE fresh (k INT PRIMARY KEY, w TIME NOT NULL)', "INSERT INTO fresh VALUES (1, '-01:02:03')"],
  },
  { name: 'several tables at once', sql: ['DROP TABLE IF EXISTS twin, chosen, never_there'] },
];

interface TableColumn {
  readonly table: string;
  readonly name: string;
  readonly notNull: boolean;
}

async function sourceColumns(root: Connection): Promise<readonly TableColumn[]> {
  const [rows] = await root.query<RowDataPacket[]>(
    'SELECT TABLE_NAME AS t, COLUMN_NAME AS c, IS_NULLABLE AS n FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION',
  );
  return rows.map((row) => ({ table: String(row['t']), name: String(row['c']), notNull: row['n'] === 'NO' }));
}

async function replicaColumns(pipeline: Pipeline, schema: string): Promise<readonly TableColumn[]> {
  const rows = await pipeline.query(
    `SELECT table_name, column_name, is_nullable FROM duckdb_columns() WHERE schema_name = '${schema}' ORDER BY table_name, column_index`,
  );
  return rows.map(([table, name, nullable]) => ({ table: table ?? '', name: name ?? '', notNull: nullable === 'false' }));
}

for (const flavor of flavors) {
  for (const metadata of ['MINIMAL', 'FULL'] as const) {
    test(
      `after each schema change the replica is as the source, with ${metadata} metadata, on ${flavor}`,
      { skip: withoutServer(flavor) },
      async (t) => {
        const server = await sharedServer(flavor, { 'binlog-row-metadata': metadata });
        await using database = await freshDatabase(server);
        const { root, name } = database;
        for (const sql of tables) await root.query(sql);
        for (let id = 1; id < 60; id++) await root.query(insert(id));
        await root.query("INSERT INTO other VALUES (1, 'a'), (1, 'a'), (2, NULL)");
        await using pipeline = await openPipeline({ server, databases: [name] });
        const worker = await pipeline.start();
        await pipeline.caughtUp(root);
        for (const step of steps) {
          for (const sql of step.sql) await root.query(sql);
          try {
            await pipeline.caughtUp(root);
            // Where the binlog alone cannot say what became of the rows, the table is read again by itself.
            await pipeline.becomesEqual();
            assert.deepEqual(await replicaColumns(pipeline, name), await sourceColumns(root));
          } catch (error) {
            throw new Error(`after ${step.name}: ${step.sql.join('; ')}\n${worker.stderr.slice(-2000)}`, { cause: error });
          }
        }
        t.diagnostic(`${steps.length} steps, of which ${worker.stderr.match(/read anew/g)?.length ?? 0} needed the table to be read again`);
      },
    );
  }
}
