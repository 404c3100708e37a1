import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openConnection, type ServerConnection } from '../binlog/connection.ts';
import { flavors, startServer, type PrivateServer } from '../cli/private-server.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';
import { withoutServer } from '../../test/servers/shared.ts';
import { readBinlogFile, type BinlogSeen } from './binlog-file.fixture.ts';
import { captureTable } from './captured.ts';
import { readTableDefinitions, readTableSchemas } from './read-schema.ts';

const { signal } = new AbortController();

for (const flavor of flavors) {
  describe(`table definitions of ${flavor}`, { skip: withoutServer(flavor) }, () => {
    let server: PrivateServer;
    let root: ServerConnection;
    before(async () => {
      server = await startServer({ flavor });
      root = await openConnection({ host: server.host, port: server.port, user: server.root.user, password: server.root.password }, signal);
      await run('CREATE DATABASE s', 'USE s');
    });
    after(async () => {
      await root[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    async function run(...statements: readonly string[]): Promise<void> {
      for (const statement of statements) await root.query(statement, signal);
    }

    async function schemaOf(table: string): Promise<TableSchema> {
      const [schema] = await readTableSchemas(root, (id) => id.database === 's' && id.table === table, signal);
      assert.ok(schema !== undefined, `${table} is there`);
      return schema;
    }

    /** Runs the statements between two rotations, and reads the binlog file between them. */
    async function logged(...statements: readonly string[]): Promise<BinlogSeen> {
      await run('FLUSH BINARY LOGS');
      const files = await root.query('SHOW BINARY LOGS', signal);
      await run(...statements, 'FLUSH BINARY LOGS');
      const path = join(server.dataDir, 'data', files.at(-1)?.[0] ?? '');
      return readBinlogFile(path, { checksums: (await root.query('SELECT @@binlog_checksum', signal))[0]?.[0] === 'CRC32' });
    }

    test('tables whose names differ in letter case or accents only are all read', async () => {
      const names = ['twin', 'Twin', 'TWIN', 'twín'];
      for (const [i, name] of names.entries()) await run(`CREATE TABLE \`${name}\` (c${i} INT PRIMARY KEY)`);
      const read = await readTableSchemas(root, (id) => names.includes(id.table), signal);
      const found = read.map(
        ({ table, columns, primaryKey }) => `${table} ${columns.map((column) => column.name).join()} ${primaryKey.join()}`,
      );
      assert.deepEqual(found.toSorted(), names.map((name, i) => `${name} c${i} 0`).toSorted());
    });

    test('numeric columns', async () => {
      await run(`CREATE TABLE numbers (a TINYINT NOT NULL, b TINYINT UNSIGNED, c SMALLINT ZEROFILL, d MEDIUMINT DEFAULT -5,
        e INT UNSIGNED DEFAULT '7', f BIGINT UNSIGNED DEFAULT 18446744073709551615, g BIT(5) DEFAULT b'101', h DECIMAL(10,2) DEFAULT 3.5,
        i FLOAT(7,3), j DOUBLE UNSIGNED, k YEAR DEFAULT 99, l BOOL DEFAULT TRUE, m DECIMAL, n BIT, id SERIAL)`);
      const columns = withoutWidths((await schemaOf('numbers')).columns);
      assert.deepEqual(columns, [
        { name: 'a', type: { kind: 'int', bits: 8, unsigned: false }, nullable: false, nativeType: 'TINYINT' },
        { name: 'b', type: { kind: 'int', bits: 8, unsigned: true }, nullable: true, nativeType: 'TINYINT UNSIGNED', defaultText: null },
        {
          name: 'c',
          type: { kind: 'int', bits: 16, unsigned: true },
          nullable: true,
          nativeType: 'SMALLINT UNSIGNED ZEROFILL',
          defaultText: null,
        },
        { name: 'd', type: { kind: 'int', bits: 24, unsigned: false }, nullable: true, nativeType: 'MEDIUMINT', defaultText: '-5' },
        { name: 'e', type: { kind: 'int', bits: 32, unsigned: true }, nullable: true, nativeType: 'INT UNSIGNED', defaultText: '7' },
        {
          name: 'f',
          type: { kind: 'int', bits: 64, unsigned: true },
          nullable: true,
          nativeType: 'BIGINT UNSIGNED',
          defaultText: '18446744073709551615',
        },
        { name: 'g', type: { kind: 'bit', length: 5 }, nullable: true, nativeType: 'BIT', length: 5, defaultText: "b'101'" },
        {
          name: 'h',
          type: { kind: 'decimal', precision: 10, scale: 2, unsigned: false },
          nullable: true,
          nativeType: 'DECIMAL',
          length: 10,
          scale: 2,
          defaultText: '3.50',
        },
        {
          name: 'i',
          type: { kind: 'float', unsigned: false },
          nullable: true,
          nativeType: 'FLOAT',
          length: 7,
          scale: 3,
          defaultText: null,
        },
        { name: 'j', type: { kind: 'double', unsigned: true }, nullable: true, nativeType: 'DOUBLE UNSIGNED', defaultText: null },
        { name: 'k', type: { kind: 'year' }, nullable: true, nativeType: 'YEAR', defaultText: '1999' },
        { name: 'l', type: { kind: 'int', bits: 8, unsigned: false }, nullable: true, nativeType: 'TINYINT', defaultText: '1' },
        {
          name: 'm',
          type: { kind: 'decimal', precision: 10, scale: 0, unsigned: false },
          nullable: true,
          nativeType: 'DECIMAL',
          length: 10,
          scale: 0,
          defaultText: null,
        },
        { name: 'n', type: { kind: 'bit', length: 1 }, nullable: true, nativeType: 'BIT', length: 1, defaultText: null },
        {
          name: 'id',
          type: { kind: 'int', bits: 64, unsigned: true },
          nullable: false,
          nativeType: 'BIGINT UNSIGNED',
          autoIncrement: true,
        },
      ]);
      assert.equal((await schemaOf('numbers')).columns[11]?.length, 1, 'BOOL keeps its width');
    });

    test('texts, labels and binaries', async () => {
      await run(
        `CREATE TABLE texts (a CHAR(3) DEFAULT 'ab', b VARCHAR(40) CHARACTER SET latin1 DEFAULT 'it''s "d" \\\\ x', c LONGTEXT,
        d ENUM('a,b','c''d','e\\\\f','','x)y','n\\nl') DEFAULT 'c''d', e SET('q','é') DEFAULT 'q,é', f BINARY(4) DEFAULT 'ab',
        g VARBINARY(9) DEFAULT x'00ff10', h BLOB, i VARCHAR(9) COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'it''s',
        j VARCHAR(9) DEFAULT 'NULL', k CHAR(4) CHARACTER SET binary, l ENUM('x') CHARACTER SET latin1 NOT NULL)
        DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_general_ci COMMENT='tab'`,
      );
      const schema = await schemaOf('texts');
      const utf8 = { charset: 'utf8mb4', collation: 'utf8mb4_general_ci' };
      const latin = { charset: 'latin1', collation: 'latin1_swedish_ci' };
      assert.deepEqual(schema.columns, [
        { name: 'a', type: { kind: 'text' }, nullable: true, nativeType: 'CHAR', length: 3, ...utf8, defaultText: 'ab' },
        { name: 'b', type: { kind: 'text' }, nullable: true, nativeType: 'VARCHAR', length: 40, ...latin, defaultText: 'it\'s "d" \\ x' },
        { name: 'c', type: { kind: 'text' }, nullable: true, nativeType: 'LONGTEXT', ...utf8, defaultText: null },
        {
          name: 'd',
          type: { kind: 'enum', labels: ['a,b', "c'd", 'e\\f', '', 'x)y', 'n\nl'] },
          nullable: true,
          nativeType: 'ENUM',
          ...utf8,
          defaultText: "c'd",
        },
        { name: 'e', type: { kind: 'set', labels: ['q', 'é'] }, nullable: true, nativeType: 'SET', ...utf8, defaultText: 'q,é' },
        { name: 'f', type: { kind: 'binary', fixedLength: 4 }, nullable: true, nativeType: 'BINARY', length: 4, defaultText: '0x61620000' },
        { name: 'g', type: { kind: 'binary' }, nullable: true, nativeType: 'VARBINARY', length: 9, defaultText: '0x00ff10' },
        { name: 'h', type: { kind: 'binary' }, nullable: true, nativeType: 'BLOB', defaultText: null },
        {
          name: 'i',
          type: { kind: 'text' },
          nullable: false,
          nativeType: 'VARCHAR',
          length: 9,
          charset: 'utf8mb4',
          collation: 'utf8mb4_bin',
          defaultText: '',
          comment: "it's",
        },
        { name: 'j', type: { kind: 'text' }, nullable: true, nativeType: 'VARCHAR', length: 9, ...utf8, defaultText: 'NULL' },
        { name: 'k', type: { kind: 'binary', fixedLength: 4 }, nullable: true, nativeType: 'BINARY', length: 4, defaultText: null },
        { name: 'l', type: { kind: 'enum', labels: ['x'] }, nullable: false, nativeType: 'ENUM', ...latin },
      ]);
      assert.deepEqual([schema.charset, schema.collation, schema.comment], ['utf8mb4', 'utf8mb4_general_ci', 'tab']);
    });

    test('temporal columns, with defaults in UTC', async () => {
      await run(
        `SET time_zone = '+02:00'`,
        `CREATE TABLE times (a DATE DEFAULT '2020-1-2', b TIME(3) DEFAULT '12:00:00', c DATETIME(6) DEFAULT NOW(6) ON UPDATE NOW(6),
        d TIMESTAMP NULL DEFAULT '2020-01-01 02:00:00', e TIMESTAMP DEFAULT CURRENT_TIMESTAMP, f YEAR, g DATETIME)`,
      );
      assert.deepEqual(withoutWidths((await schemaOf('times')).columns), [
        { name: 'a', type: { kind: 'date' }, nullable: true, nativeType: 'DATE', defaultText: '2020-01-02' },
        { name: 'b', type: { kind: 'time', fsp: 3 }, nullable: true, nativeType: 'TIME', length: 3, defaultText: '12:00:00.000' },
        {
          name: 'c',
          type: { kind: 'datetime', fsp: 6 },
          nullable: true,
          nativeType: 'DATETIME',
          length: 6,
          defaultText: 'CURRENT_TIMESTAMP(6)',
          defaultExpression: true,
          onUpdateNow: true,
        },
        { name: 'd', type: { kind: 'timestamp', fsp: 0 }, nullable: true, nativeType: 'TIMESTAMP', defaultText: '2020-01-01 00:00:00' },
        {
          name: 'e',
          type: { kind: 'timestamp', fsp: 0 },
          nullable: true,
          nativeType: 'TIMESTAMP',
          defaultText: 'CURRENT_TIMESTAMP',
          defaultExpression: true,
        },
        { name: 'f', type: { kind: 'year' }, nullable: true, nativeType: 'YEAR', defaultText: null },
        { name: 'g', type: { kind: 'datetime', fsp: 0 }, nullable: true, nativeType: 'DATETIME', defaultText: null },
      ]);
    });

    test('spatial, vector and the flavor’s own columns', async () => {
      const own = flavor === 'mysql' ? 'j JSON, k JSON NOT NULL' : 'j UUID, k INET4, l INET6, m JSON, n VARCHAR(99) COMPRESSED';
      await run(`CREATE TABLE others (a GEOMETRY, b POINT NOT NULL, c GEOMETRYCOLLECTION, d VECTOR(3), ${own})`);
      const kinds = (await schemaOf('others')).columns.map(({ nativeType, type }) => `${nativeType} ${type.kind}`);
      const expected = {
        mysql: ['GEOMCOLLECTION geometry', 'VECTOR vector', 'JSON json', 'JSON json'],
        mariadb: [
          'GEOMETRYCOLLECTION geometry',
          'VECTOR vector',
          'UUID uuid',
          'INET4 inet4',
          'INET6 inet6',
          'LONGTEXT text',
          'VARCHAR text',
        ],
      };
      assert.deepEqual(kinds, ['GEOMETRY geometry', 'POINT geometry', ...expected[flavor]]);
    });

    test('the columns are those of the row images: computed and invisible ones too', async () => {
      const seen = await logged(
        'CREATE TABLE computed (id INT PRIMARY KEY, v INT AS (id + 1), s INT AS (id + 2) STORED, i INT INVISIBLE, t TEXT)',
        "INSERT INTO computed (id, i, t) VALUES (1, 2, 'x')",
        'ALTER TABLE computed ADD COLUMN f VARCHAR(3) FIRST, MODIFY t TEXT AFTER id',
        "INSERT INTO computed (id, i, t) VALUES (2, 2, 'x')",
      );
      const schema = await schemaOf('computed');
      assert.deepEqual(
        schema.columns.map(({ name, generated, invisible }) => [name, generated, invisible]),
        [
          ['f', undefined, undefined],
          ['id', undefined, undefined],
          ['t', undefined, undefined],
          ['v', 'virtual', undefined],
          ['s', 'stored', undefined],
          ['i', undefined, true],
        ],
      );
      const images = seen.tableMaps.filter(({ table }) => table === 'computed').map(({ types }) => types);
      const [long, varchar, blob] = [3, 15, 252];
      assert.deepEqual(images, [
        [long, long, long, long, blob],
        [varchar, long, blob, long, long, long],
      ]);
      assert.deepEqual(schema.primaryKey, [1]);
    });

    test('the key is what the server puts in the before image under binlog_row_image=MINIMAL', async () => {
      const tables = {
        pk: 'b INT NOT NULL UNIQUE, a INT, c INT, PRIMARY KEY (c, a)',
        second: 'x INT UNIQUE, a INT NOT NULL, b INT NOT NULL, c VARCHAR(9), UNIQUE kb (b), UNIQUE ka (a)',
        prefix: 'a INT NOT NULL, b VARCHAR(50) NOT NULL, UNIQUE (b(5)), UNIQUE (a)',
        nullable: 'a INT, b INT, UNIQUE (a)',
        none: 'a INT, b INT, KEY (a)',
        pair: 'a INT NOT NULL, b INT NOT NULL, c INT NOT NULL, UNIQUE z (c, a), UNIQUE y (b)',
      };
      const statements = ['SET binlog_row_image = MINIMAL'];
      for (const [name, columns] of Object.entries(tables)) {
        const count = columns.match(/\bINT\b|\bVARCHAR\b/g)?.length ?? 0;
        statements.push(
          `CREATE TABLE key_${name} (${columns})`,
          `INSERT INTO key_${name} VALUES (${Array(count).fill('1').join(',')})`,
          `DELETE FROM key_${name}`,
        );
      }
      const seen = await logged(...statements, 'SET binlog_row_image = FULL');
      for (const name of Object.keys(tables)) {
        const schema = await schemaOf(`key_${name}`);
        const deleted = seen.rows.find(({ table, event }) => table === `key_${name}` && event === 'delete');
        const expected = schema.primaryKey.length === 0 ? schema.columns.map((_, i) => i) : schema.primaryKey.toSorted((a, b) => a - b);
        assert.deepEqual(deleted?.present, expected, name);
      }
      assert.deepEqual((await schemaOf('key_pk')).primaryKey, [2, 1], 'in key order');
      assert.deepEqual((await schemaOf('key_nullable')).primaryKey, []);
    });

    test('column lists take columns out, but none of the key', async () => {
      await run('CREATE TABLE listed (a INT, secret INT, id INT, c INT, PRIMARY KEY (id, secret))');
      const { full, captured, positions } = captureTable(await schemaOf('listed'), (_table, column) => !['a', 'secret'].includes(column));
      assert.equal(full.columns.length, 4);
      assert.deepEqual(
        captured.columns.map(({ name }) => name),
        ['secret', 'id', 'c'],
      );
      assert.deepEqual(positions, [1, 2, 3]);
      assert.deepEqual(captured.primaryKey, [1, 0]);
    });

    test('views are no tables; names differ by case and hold any character', async () => {
      await run(
        'CREATE TABLE `odd`` "t\'é` (`c``1` INT, `ü` INT)',
        'CREATE TABLE cased (a INT)',
        'CREATE TABLE CASED (b INT)',
        'CREATE VIEW seen AS SELECT * FROM cased',
      );
      const names = ['odd` "t\'é', 'cased', 'CASED', 'seen'];
      const schemas = await readTableSchemas(root, ({ table }) => names.includes(table), signal);
      assert.deepEqual(
        schemas.map(({ table, columns }) => [table, ...columns.map(({ name }) => name)]),
        [
          ['CASED', 'b'],
          ['cased', 'a'],
          ['odd` "t\'é', 'c`1', 'ü'],
        ],
      );
    });

    if (flavor === 'mysql') {
      test('the generated invisible primary key is a column, even where the server hides it', async () => {
        const seen = await logged(
          'SET sql_generate_invisible_primary_key = ON',
          'CREATE TABLE gipk (a INT)',
          'SET sql_generate_invisible_primary_key = OFF',
          'INSERT INTO gipk VALUES (1)',
          'SET show_gipk_in_create_table_and_information_schema = OFF',
        );
        const schema = await schemaOf('gipk');
        assert.deepEqual(
          schema.columns.map(({ name }) => name),
          ['my_row_id', 'a'],
        );
        assert.deepEqual(schema.primaryKey, [0]);
        assert.equal(seen.tableMaps.find(({ table }) => table === 'gipk')?.types.length, 2);
      });
    } else {
      test('system versioning puts the end of a row’s version in the key', async () => {
        const seen = await logged(
          'SET binlog_row_image = MINIMAL',
          'CREATE TABLE versioned (id INT PRIMARY KEY, b INT) WITH SYSTEM VERSIONING',
          'INSERT INTO versioned VALUES (1, 2)',
          'UPDATE versioned SET b = 3',
          'SET binlog_row_image = FULL',
        );
        const schema = await schemaOf('versioned');
        assert.deepEqual(
          schema.columns.map(({ name, versioning }) => [name, versioning]),
          [
            ['id', undefined],
            ['b', undefined],
            ['row_start', 'start'],
            ['row_end', 'end'],
          ],
        );
        assert.deepEqual(seen.rows.find(({ event }) => event === 'update')?.present, schema.primaryKey);
        await run(
          'CREATE TABLE named (id INT PRIMARY KEY, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING',
        );
        assert.deepEqual((await schemaOf('named')).primaryKey, [0, 1]);
      });

      test('a unique key over long values has a hidden column at the end of the row images', async () => {
        const seen = await logged(
          'CREATE TABLE hashed (id INT, a TEXT NOT NULL UNIQUE, b VARCHAR(9) NOT NULL, UNIQUE (b) USING HASH) WITH SYSTEM VERSIONING',
          "INSERT INTO hashed VALUES (1, 'x', 'y')",
          'CREATE TABLE hashed_2 (id INT, a TEXT NOT NULL UNIQUE, b VARCHAR(4000) CHARSET latin1 NOT NULL, c INT, UNIQUE (b, c), UNIQUE (id))',
          "INSERT INTO hashed_2 VALUES (1, 'x', 'y', 2)",
        );
        for (const [table, types] of [
          ['hashed', [3, 252, 15, 17, 17, 8, 8]],
          ['hashed_2', [3, 252, 15, 3, 8, 8]],
        ] as const) {
          const schema = await schemaOf(table);
          assert.deepEqual(seen.tableMaps.find((map) => map.table === table)?.types, types, table);
          assert.equal(schema.columns.length, types.length, table);
        }
        const { captured, positions } = captureTable(await schemaOf('hashed_2'), () => true);
        assert.deepEqual(
          captured.columns.map(({ name }) => name),
          ['id', 'a', 'b', 'c'],
        );
        assert.deepEqual(positions, [0, 1, 2, 3]);
      });

      test('a sequence is no table', async () => {
        await run('CREATE SEQUENCE counter');
        assert.deepEqual(await readTableDefinitions(root, ({ table }) => table === 'counter', signal), []);
      });
    }
  });
}

/** MariaDB gives every integer its display width, MySQL does not. */
function withoutWidths(columns: readonly Column[]): Column[] {
  return columns.map((column) => {
    if (column.type.kind !== 'int' && column.type.kind !== 'year') return column;
    const { length: _, ...rest } = column;
    return rest;
  });
}
