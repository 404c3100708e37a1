import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectDriver, type Driver } from './driver.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from './snowflake-emulator.ts';

let emulator: SnowflakeEmulator;
let driver: Driver;

before(async () => {
  emulator = await openSnowflakeEmulator();
  driver = await connectDriver(emulator);
  await driver.run("ALTER SESSION SET TIMEZONE = 'UTC'");
});

after(async () => {
  await driver[Symbol.asyncDispose]();
  await emulator[Symbol.asyncDispose]();
});

async function refused(sql: string, code: string): Promise<void> {
  await assert.rejects(driver.run(sql), { code }, sql);
}

test('names without quotes are upper case, quoted ones keep their case, and both live side by side', async () => {
  await driver.run('CREATE TABLE Names (Id NUMBER(1,0), "id" NUMBER(1,0), "with ""quotes"" . and dots" NUMBER(1,0))');
  await driver.run('INSERT INTO "NAMES" (ID, "id", "with ""quotes"" . and dots") VALUES (1, 2, 3)');
  assert.deepEqual(await driver.rows('SELECT * FROM names'), [{ ID: '1', id: '2', 'with "quotes" . and dots': '3' }]);
  await driver.run('CREATE TABLE "names" ("ID" NUMBER(1,0))');
  assert.equal(await driver.value('SELECT COUNT(*) FROM "names"'), '0');
  assert.equal(await driver.value('SELECT COUNT(*) FROM names'), '1');
  await refused('SELECT "Id" FROM names', '000904');
  await refused('CREATE TABLE x (order NUMBER(1,0))', '001003');
  await driver.run('ALTER SESSION SET QUOTED_IDENTIFIERS_IGNORE_CASE = TRUE');
  assert.equal(await driver.value('SELECT "id" FROM "Names" LIMIT 1'), '1');
  await driver.run('ALTER SESSION UNSET QUOTED_IDENTIFIERS_IGNORE_CASE');
});

test('MERGE counts what it did, and refuses two source rows for one row', async () => {
  await driver.run('CREATE TABLE m (k NUMBER(5,0), v VARCHAR)');
  await driver.run("INSERT INTO m VALUES (1, 'one'), (2, 'two'), (3, 'three')");
  const source =
    "(SELECT column1 AS k, column2 AS v, column3 AS del FROM (VALUES (1, 'uno', FALSE), (2, NULL, TRUE), (4, 'four', FALSE), (5, NULL, TRUE))) s";
  const statement = await driver.run(
    `MERGE INTO m t USING ${source} ON t.k = s.k WHEN MATCHED AND s.del THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
     WHEN NOT MATCHED AND NOT s.del THEN INSERT (k, v) VALUES (s.k, s.v)`
      .replace('FROM VALUES', 'FROM (VALUES')
      .replace('TRUE)) s', 'TRUE))) s'),
  );
  assert.equal(statement.getNumUpdatedRows(), 3);
  assert.deepEqual(await driver.rows('SELECT * FROM m ORDER BY k'), [
    { K: '1', V: 'uno' },
    { K: '3', V: 'three' },
    { K: '4', V: 'four' },
  ]);
  await refused("MERGE INTO m t USING (SELECT 1 AS k UNION ALL SELECT 1) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = 'x'", '100090');
  await driver.run('MERGE INTO m t USING (SELECT 1 AS k UNION ALL SELECT 1) s ON t.k = s.k WHEN MATCHED THEN DELETE');
  assert.equal(await driver.value('SELECT COUNT(*) FROM m'), '2');
  // Rows that match nothing are inserted, each of them.
  await driver.run('MERGE INTO m t USING (SELECT 9 AS k UNION ALL SELECT 9) s ON t.k = s.k WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k)');
  assert.equal(await driver.value('SELECT COUNT(*) FROM m WHERE k = 9'), '2');
  await refused("UPDATE m SET v = s.v FROM (SELECT 9 AS k, 'a' AS v UNION ALL SELECT 9, 'b') s WHERE m.k = s.k", '100090');
});

test('values that a column cannot hold are refused with their own codes', async () => {
  await driver.run('CREATE TABLE c (n NUMBER(5,2), t VARCHAR(3) NOT NULL, b BINARY(2), d DATE, ts TIMESTAMP_NTZ(3), bo BOOLEAN)');
  await refused("INSERT INTO c (n, t) VALUES (1000, 'a')", '100039');
  await refused("INSERT INTO c (n, t) VALUES ('x', 'a')", '100038');
  await refused("INSERT INTO c (t) VALUES ('abcd')", '100078');
  await refused('INSERT INTO c (n) VALUES (1)', '100072');
  await refused("INSERT INTO c (t, b) SELECT 'a', TO_BINARY('010203', 'HEX')", '100145');
  await refused("INSERT INTO c (t, d) VALUES ('a', '2024-02-30')", '100040');
  await refused("INSERT INTO c (t, ts) VALUES ('a', '2024-02-20 25:00:00')", '100035');
  await refused("INSERT INTO c (t, bo) VALUES ('a', 'perhaps')", '100037');
  await refused("INSERT INTO c (t, b) VALUES ('a', 'ff')", '002023');
  await refused("INSERT INTO c (t, nope) VALUES ('a', 1)", '000904');
  await refused("INSERT INTO c (t) VALUES ('a', 1)", '002020');
  await driver.run("INSERT INTO c (n, t, ts) VALUES (1.005, 'äöü', '2024-02-20 01:02:03.4567')");
  assert.deepEqual(await driver.rows('SELECT n, t, TO_VARCHAR(ts, \'YYYY-MM-DD"T"HH24:MI:SS.FF6\') AS ts FROM c'), [
    { N: '1.01', T: 'äöü', TS: '2024-02-20T01:02:03.456000' },
  ]);
});

test("a VARIANT's null is not NULL; a cast makes it so", async () => {
  await driver.run('CREATE TABLE j (id NUMBER(1,0), v VARIANT)');
  await driver.run(
    `INSERT INTO j SELECT 1, PARSE_JSON('{"b": null, "a": {"x": [1, 2.50, "t"]}, "n": 12345678901234567890.10}') UNION ALL SELECT 2, NULL`,
  );
  assert.deepEqual(
    await driver.rows('SELECT v:b IS NULL AS a, v:b::VARCHAR IS NULL AS b, v:zz IS NULL AS c, IS_NULL_VALUE(v:b) AS d FROM j WHERE id = 1'),
    [{ A: false, B: true, C: true, D: true }],
  );
  assert.deepEqual(
    await driver.rows(
      'SELECT TO_JSON(v) AS j, v:a.x[1]::NUMBER(5,2) AS n, v:"a":"x"[2]::VARCHAR AS t, TYPEOF(v:n) AS k FROM j WHERE id = 1',
    ),
    [{ J: '{"a":{"x":[1,2.5,"t"]},"b":null,"n":12345678901234567890.1}', N: '2.50', T: 't', K: 'DECIMAL' }],
  );
  assert.equal(await driver.value("SELECT PARSE_JSON('1.8446744073709552e19')::FLOAT = 1.8446744073709552e19"), true);
  await refused("INSERT INTO j VALUES (3, PARSE_JSON('1'))", '002014');
  await refused("INSERT INTO j SELECT 3, 'text'", '002023');
  await refused(`SELECT PARSE_JSON('{"a":1,"a":2}')`, '100069');
  await refused("SELECT PARSE_JSON('{')", '100069');
  await refused("SELECT PARSE_JSON('1e400')", '100069');
  assert.equal(await driver.value('SELECT PARSE_JSON(\'{"a":1.7976931348623157E308}\'):a::FLOAT'), '1.7976931348623157e+308');
  await refused('SELECT v:a::NUMBER(5,0) FROM j WHERE id = 1', '100071');
  await refused('SELECT TRY_CAST(v AS NUMBER(5,0)) FROM j', '001065');
  assert.deepEqual(await driver.rows("SELECT OBJECT_CONSTRUCT('k', 1, 'gone', NULL) AS o, ARRAY_CONSTRUCT(1, NULL, 'x') AS a"), [
    { O: { k: 1 }, A: [1, null, 'x'] },
  ]);
});

test('functions that verify needs', async () => {
  assert.deepEqual(
    await driver.rows(`SELECT MD5('abc') AS a, SHA2('abc', 256) AS b, TO_NUMBER(SUBSTR(MD5('abc'), 1, 15), 'XXXXXXXXXXXXXXX') AS c,
      MD5(TO_BINARY('00FF', 'HEX')) AS d, EQUAL_NULL(NULL, NULL) AS e, IFF(1 = 2, 'x', 'y') AS f, MOD(10, 3) AS g, TRY_CAST('x' AS NUMBER(1,0)) AS h`),
    [
      {
        A: '900150983cd24fb0d6963f7d28e17f72',
        B: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
        C: String(BigInt('0x900150983cd24fb')),
        D: 'd07d34efac6328007ad67c7e0a985e00',
        E: true,
        F: 'y',
        G: '1',
        H: null,
      },
    ],
  );
  await driver.run('CREATE TABLE x (v NUMBER(38,0))');
  await driver.run('INSERT INTO x VALUES (5), (3), (6)');
  assert.deepEqual(await driver.rows('SELECT BITXOR_AGG(v) AS a, COUNT(*) AS b, SUM(v) AS c, MIN(v) AS d, MAX(v) AS e FROM x'), [
    { A: '0', B: '3', C: '14', D: '3', E: '6' },
  ]);
  assert.deepEqual(await driver.rows('SELECT v FROM x QUALIFY ROW_NUMBER() OVER (PARTITION BY MOD(v, 2) ORDER BY v DESC) = 1 ORDER BY v'), [
    { V: '5' },
    { V: '6' },
  ]);
  assert.deepEqual(
    await driver.rows(`SELECT SPLIT_PART('a.b.c', '.', 2) AS a, SPLIT_PART('a.b.c', '.', -1) AS b, SPLIT_PART('a', '.', 5) AS c, SPLIT_PART('a.b', '.', 0) AS d,
      TO_VARCHAR(TO_TIMESTAMP_NTZ(1700000000123456000, 9), 'HH24:MI:SS.FF6') AS e, TO_VARCHAR(TO_TIMESTAMP_NTZ(-1, 3), 'YYYY HH24:MI:SS.FF3') AS f`),
    [{ A: 'b', B: 'c', C: '', D: 'a', E: '22:13:20.123456', F: '1969 23:59:59.999' }],
  );
  await refused('SELECT TO_TIMESTAMP_NTZ(1700000000)', '001003');
  await refused('SELECT HASH(1)', '001003');
  await refused('SELECT HASH_AGG(v) FROM x', '001003');
  await refused("SELECT TO_NUMBER('fff', 'XX')", '100039');
});

test('numbers keep all of their digits', async () => {
  const digits = '12345678901234567890123456789012345678';
  assert.equal(await driver.value(`SELECT ${digits}`), digits);
  assert.equal(await driver.value(`SELECT CAST('${digits}' AS NUMBER(38,0)) - 1`), '12345678901234567890123456789012345677');
  assert.deepEqual(
    await driver.rows(
      'SELECT 1 / 3 AS a, -7.5 / 2 AS b, 10 / 4 AS c, AVG(x) AS d, AVG(y) AS e FROM (SELECT 1 AS x, 1.5e0 AS y UNION ALL SELECT 2, 2.5e0)',
    ),
    [{ A: '0.333333', B: '-3.7500000', C: '2.500000', D: '1.500000', E: '2' }],
  );
  assert.deepEqual(
    await driver.rows(
      "SELECT CAST('-0.5' AS NUMBER(2,2)) AS a, TO_VARCHAR(CAST('0.05' AS NUMBER(2,2))) AS b, TO_VARIANT(CAST('-0.5' AS NUMBER(2,2))) AS c, CAST('0.5' AS NUMBER(1,1)) / 2 AS d",
    ),
    [{ A: '-0.50', B: '0.05', C: -0.5, D: '0.2500000' }],
  );
  await refused('SELECT 1 / 0', '100051');
  await refused(`SELECT ${digits}9`, '100039');
  await refused(`SELECT CAST('${digits}' AS NUMBER(37,0))`, '100038');
});

test('ALTER TABLE widens, and refuses what Snowflake refuses', async () => {
  await driver.run('CREATE TABLE a (id NUMBER(5,0) NOT NULL, t VARCHAR(5), n NUMBER(5,2))');
  await driver.run("INSERT INTO a VALUES (1, 'a', 1.5)");
  await driver.run('ALTER TABLE a ALTER COLUMN id SET DATA TYPE NUMBER(10,0), COLUMN t SET DATA TYPE VARCHAR(10)');
  await refused('ALTER TABLE a ALTER COLUMN n SET DATA TYPE NUMBER(6,3)', '002108');
  await refused('ALTER TABLE a ALTER COLUMN n SET DATA TYPE VARCHAR', '002108');
  await refused('ALTER TABLE a ALTER COLUMN t SET DATA TYPE VARCHAR(3)', '002108');
  await refused('ALTER TABLE a ADD COLUMN x NUMBER(1,0) NOT NULL', '002028');
  await driver.run('ALTER TABLE a ADD COLUMN x NUMBER(1,0) NOT NULL DEFAULT 7, y VARCHAR');
  await refused('ALTER TABLE a ALTER COLUMN y SET NOT NULL', '002059');
  await driver.run('ALTER TABLE a RENAME COLUMN y TO z');
  await driver.run('ALTER TABLE a ALTER COLUMN id DROP NOT NULL');
  await driver.run('ALTER TABLE a DROP COLUMN IF EXISTS nope, n');
  assert.deepEqual(await driver.rows('SELECT * FROM a'), [{ ID: '1', T: 'a', X: '7', Z: null }]);
  const described = await driver.rows('DESCRIBE TABLE a');
  assert.deepEqual(
    described.map((row) => [row['name'], row['type'], row['null?']]),
    [
      ['ID', 'NUMBER(10,0)', 'Y'],
      ['T', 'VARCHAR(10)', 'Y'],
      ['X', 'NUMBER(1,0)', 'N'],
      ['Z', 'VARCHAR(16777216)', 'Y'],
    ],
  );
});

test('tables are cloned, renamed, swapped and dropped; schemas, too', async () => {
  await driver.run('CREATE SCHEMA one');
  await driver.run('CREATE TABLE one.t (id NUMBER(1,0))');
  await driver.run('INSERT INTO one.t VALUES (1)');
  await driver.run('CREATE TABLE one.c CLONE one.t');
  await driver.run('INSERT INTO one.c VALUES (2)');
  await driver.run('ALTER TABLE one.t SWAP WITH one.c');
  assert.equal(await driver.value('SELECT COUNT(*) FROM one.t'), '2');
  await driver.run('ALTER TABLE one.c RENAME TO one.d');
  await refused('SELECT * FROM one.c', '002003');
  await driver.run('CREATE SCHEMA two');
  await driver.run('CREATE TABLE two.t (id NUMBER(1,0))');
  await driver.run('ALTER SCHEMA one SWAP WITH two');
  assert.equal(await driver.value('SELECT COUNT(*) FROM one.t'), '0');
  assert.equal(await driver.value('SELECT COUNT(*) FROM two.d'), '1');
  await driver.run('ALTER SCHEMA two RENAME TO three');
  await driver.run('DROP SCHEMA one');
  await refused('SELECT * FROM one.t', '002003');
  await driver.run('DROP TABLE IF EXISTS one.t');
  await refused('DROP TABLE three.zzz', '002003');
  await refused('CREATE TABLE three.d (x NUMBER(1,0))', '002002');
  await driver.run('CREATE TABLE IF NOT EXISTS three.d (x NUMBER(1,0))');
  await driver.run('USE SCHEMA public');
});

test('a temporary table is of its session and hides another', async () => {
  await driver.run('CREATE TABLE shared (id NUMBER(1,0))');
  await driver.run('INSERT INTO shared VALUES (1)');
  await driver.run('CREATE TEMPORARY TABLE shared (id NUMBER(1,0))');
  assert.equal(await driver.value('SELECT COUNT(*) FROM shared'), '0');
  await using other = await connectDriver(emulator);
  assert.equal(await other.value('SELECT COUNT(*) FROM shared'), '1');
  await driver.run('DROP TABLE shared');
  assert.equal(await driver.value('SELECT COUNT(*) FROM shared'), '1');
});

test('queries: WITH, joins, subqueries, sets, views and the catalogue', async () => {
  await driver.run('CREATE TABLE q (id NUMBER(3,0), g VARCHAR, n NUMBER(5,0))');
  await driver.run("INSERT INTO q VALUES (1, 'a', 10), (2, 'a', NULL), (3, 'b', 30)");
  assert.deepEqual(
    await driver.rows(
      'WITH s AS (SELECT g, SUM(n) AS total FROM q GROUP BY g) SELECT q.id, s.total FROM q JOIN s ON q.g = s.g WHERE q.id IN (SELECT MAX(id) FROM q GROUP BY g) ORDER BY q.id',
    ),
    [
      { ID: '2', TOTAL: '10' },
      { ID: '3', TOTAL: '30' },
    ],
  );
  assert.deepEqual(await driver.rows('SELECT id FROM q MINUS SELECT 1 ORDER BY 1 DESC'), [{ ID: '3' }, { ID: '2' }]);
  assert.deepEqual(await driver.rows('SELECT id FROM q ORDER BY n DESC'), [{ ID: '2' }, { ID: '3' }, { ID: '1' }]);
  await driver.run('CREATE VIEW qv AS SELECT id, n + 1 AS m FROM q WHERE n IS NOT NULL');
  assert.deepEqual(await driver.rows('SELECT m FROM qv ORDER BY m'), [{ M: '11' }, { M: '31' }]);
  assert.deepEqual(
    await driver.rows(
      "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'Q' ORDER BY ordinal_position LIMIT 2",
    ),
    [
      { COLUMN_NAME: 'ID', DATA_TYPE: 'NUMBER' },
      { COLUMN_NAME: 'G', DATA_TYPE: 'TEXT' },
    ],
  );
  assert.deepEqual(
    (await driver.rows('DESCRIBE VIEW qv')).map((row) => [row['name'], row['type']]),
    [
      ['ID', 'NUMBER(3,0)'],
      ['M', 'NUMBER(6,0)'],
    ],
  );
  await refused('SELECT g, COUNT(*) FROM q', '000979');
  await refused('SELECT id FROM q a JOIN q b ON a.id = b.id', '000979');
});

test('limits and clauses that Snowflake does not take', async () => {
  await driver.run('CREATE TABLE lim (a NUMBER(10,0), b VARCHAR)');
  await refused(`INSERT INTO lim (a) VALUES ${Array.from({ length: 16_385 }, () => '(1)').join(',')}`, '001795');
  await refused(`SELECT '${'x'.repeat(1_048_576)}'`, '000900');
  await refused('SELECT a FROM lim QUALIFY a = 1', '002303');
  await refused('SELECT ROW_NUMBER() OVER () FROM lim', '002303');
  await refused('SELECT ROW_NUMBER() FROM lim', '002301');
  await refused('MERGE INTO lim USING (SELECT 1 AS x) s ON a = x WHEN MATCHED THEN DELETE WHEN MATCHED AND x = 1 THEN DELETE', '002036');
  await refused('MERGE INTO lim t USING (SELECT 1 AS x) s ON t.a = s.x WHEN NOT MATCHED THEN INSERT (a) VALUES (t.a)', '000904');
  await refused('UPDATE lim SET a = 1, a = 2', '002021');
  await refused('INSERT INTO lim (a, a) VALUES (1, 2)', '002021');
  await refused('CREATE TABLE twice (a NUMBER(1,0), A NUMBER(1,0))', '002025');
  await refused('CREATE TABLE p (a NUMBER(39,0))', '002010');
  await refused('CREATE TABLE p (a TIMESTAMP)', '001003');
  await refused('SELECT a + b FROM lim', '001044');
  await refused('SELECT 1 WHERE a', '000904');
  await refused('SELECT b FROM lim WHERE b', '002016');
  await refused("SELECT CAST(CAST('10:00:00' AS TIME(6)) AS VARCHAR)", '001003');
  await refused("SELECT CAST(CAST('2024-01-01' AS DATE) AS VARCHAR)", '001003');
  await refused("ALTER SESSION SET DATE_OUTPUT_FORMAT = 'DD/MM/YYYY'", '001003');
  await refused('ALTER SESSION SET NO_SUCH_PARAMETER = 1', '001003');
  await refused("ALTER SESSION SET BINARY_INPUT_FORMAT = 'BASE64'", '001003');
});

test('a clone of the past, a file format by its name, and a schema of another', async () => {
  await driver.run('CREATE SCHEMA src');
  await driver.run('CREATE TABLE src.t (a NUMBER(2,0))');
  const then = (await driver.run('INSERT INTO src.t VALUES (1)')).getQueryId();
  await driver.run('DELETE FROM src.t');
  await driver.run(`CREATE TABLE src.past CLONE src.t AT(STATEMENT => '${then}')`);
  assert.equal(await driver.value('SELECT COUNT(*) FROM src.past'), '1');
  await driver.run('CREATE TRANSIENT SCHEMA copied CLONE src');
  assert.equal(await driver.value('SELECT COUNT(*) FROM copied.past'), '1');
  await driver.run('CREATE TRANSIENT TABLE src.tr (a NUMBER(1,0))');
  await refused('CREATE TABLE src.perm CLONE src.tr', '003540');
  await driver.run('CREATE FILE FORMAT src.pq TYPE = PARQUET USE_LOGICAL_TYPE = TRUE');
  await driver.run('CREATE STAGE src.st');
  assert.deepEqual(
    await driver.rows('COPY INTO src.t FROM @src.st FILE_FORMAT = (FORMAT_NAME = src.pq) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE'),
    [{ status: 'Copy executed with 0 files processed.' }],
  );
  await driver.run('USE SCHEMA public');
});

test('forms that the emulator does not know are refused by name', async () => {
  const forms = [
    'GRANT ALL ON TABLE a TO ROLE b',
    'CREATE PIPE p AS COPY INTO a FROM @b',
    'SELECT * FROM a SAMPLE (10)',
    'EXPLAIN SELECT 1',
    'CALL p()',
    'UNDROP TABLE a',
  ];
  for (const form of forms) await refused(form, '001003');
  await refused('SELECT', '001003');
  await refused('SELECT 1; SELECT 2', '000008');
});
