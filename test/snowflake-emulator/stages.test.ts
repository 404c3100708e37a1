import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connectDriver, type Driver } from './driver.fixture.ts';
import { writeParquet } from './parquet.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from './snowflake-emulator.ts';

let emulator: SnowflakeEmulator;
let driver: Driver;
let folder: string;
const format = 'FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE BINARY_AS_TEXT = FALSE) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE';

before(async () => {
  emulator = await openSnowflakeEmulator();
  driver = await connectDriver(emulator);
  await driver.run("ALTER SESSION SET TIMEZONE = 'UTC'");
  await driver.run('CREATE STAGE s');
  folder = await mkdtemp(join(tmpdir(), 'emulator-stages-'));
});

after(async () => {
  await driver[Symbol.asyncDispose]();
  await emulator[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function put(name: string, query: string): Promise<void> {
  await writeParquet(join(folder, name), query);
  await driver.run(`PUT 'file://${join(folder, name)}' @s/${name.split('.')[0] ?? ''}/ AUTO_COMPRESS=FALSE OVERWRITE=TRUE`);
}

test('COPY reads every type that a Parquet file of DuckDB has, by the exact names of columns', async () => {
  await driver.run(
    `CREATE TABLE types ("n" NUMBER(20,0), "N" NUMBER(10,3), f FLOAT, b BOOLEAN, t VARCHAR, bin BINARY, d DATE, ti TIME(6), ntz TIMESTAMP_NTZ(6), tz TIMESTAMP_TZ(6), v VARIANT, missing VARCHAR)`,
  );
  await put(
    'types.parquet',
    `SELECT 18446744073709551615::DECIMAL(20,0) AS "n", 1.5::DECIMAL(10,3) AS "N2", 0.5::DOUBLE AS "F", true AS "B", 'ä' AS "T", '\\x00\\xFF'::BLOB AS "BIN", DATE '1000-01-01' AS "D",
     TIME '23:59:59.999999' AS "TI", TIMESTAMP '9999-12-31 23:59:59.999999' AS "NTZ", TIMESTAMPTZ '2024-01-01 00:00:00+00' AS "TZ", '{"a":1}' AS "V", 5 AS "extra"`,
  );
  const [copied] = await driver.rows(`COPY INTO types FROM @s/types/ ${format}`);
  assert.deepEqual([copied?.['file'], copied?.['status'], copied?.['rows_loaded']], ['s/types/types.parquet', 'LOADED', '1']);
  const [row] = await driver.rows(
    `SELECT "n" AS a, "N" AS b, f, b AS c, t, TO_VARCHAR(bin, 'HEX') AS h, TO_VARCHAR(d, 'YYYY-MM-DD') AS d, TO_VARCHAR(ti, 'HH24:MI:SS.FF6') AS ti, TO_VARCHAR(ntz, 'YYYY-MM-DD HH24:MI:SS.FF6') AS ntz,
     TO_VARCHAR(tz, 'YYYY-MM-DD HH24:MI:SS TZHTZM') AS tz, TYPEOF(v) AS v, missing FROM types`,
  );
  assert.deepEqual(row, {
    A: '18446744073709551615',
    B: null,
    F: '0.5',
    C: true,
    T: 'ä',
    H: '00FF',
    D: '1000-01-01',
    TI: '23:59:59.999999',
    NTZ: '9999-12-31 23:59:59.999999',
    TZ: '2024-01-01 00:00:00 +0000',
    V: 'VARCHAR',
    MISSING: null,
  });
});

test('what Snowflake would read otherwise, or not at all, is refused', async () => {
  await driver.run('CREATE TABLE strict (a NUMBER(5,0) NOT NULL, b BINARY, d DATE)');
  const copy = (prefix: string, options = format): Promise<unknown> => driver.run(`COPY INTO strict FROM @s/${prefix}/ ${options}`);
  const refused = async (query: string, code: string, options?: string): Promise<void> => {
    await put('strict.parquet', query);
    await assert.rejects(copy('strict', options), { code }, query);
    assert.equal(await driver.value('SELECT COUNT(*) FROM strict'), '0');
  };
  await refused('SELECT NULL::INTEGER AS "A"', '100072');
  await refused('SELECT 100000 AS "A"', '100039');
  await refused('SELECT 1 AS "B2"', '100072');
  await refused('SELECT 1::UBIGINT AS "A"', '001003');
  await refused('SELECT 1::HUGEINT AS "A", [1] AS "B"', '001003');
  await refused(
    `SELECT 1 AS "A", DATE '2024-01-01' AS "D"`,
    '001003',
    'FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE',
  );
  await refused(
    `SELECT 1 AS "A", 'x'::BLOB AS "B"`,
    '002023',
    'FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE',
  );
  await assert.rejects(copy('strict', 'FILE_FORMAT = (TYPE = CSV)'), { code: '001003' });
  await assert.rejects(copy('strict', `FILES = ('nope.parquet') ${format}`), { code: '091016' });
  await assert.rejects(driver.run(`COPY INTO strict FROM @nostage/ ${format}`), { code: '002003' });
});

test('a table remembers the files that it has loaded, unless told otherwise', async () => {
  await driver.run('CREATE TABLE loaded (a NUMBER(5,0))');
  const copy = async (options = ''): Promise<unknown> =>
    (await driver.rows(`COPY INTO loaded FROM @s/loads/ ${format} ${options}`))[0]?.['status'];
  await put('loads.parquet', 'SELECT 1 AS "A"');
  assert.equal(await copy(), 'LOADED');
  assert.equal(await copy(), 'Copy executed with 0 files processed.');
  // DELETE keeps the memory, TRUNCATE does not; a file that has changed is another one.
  await driver.run('DELETE FROM loaded');
  assert.equal(await copy(), 'Copy executed with 0 files processed.');
  await driver.run('TRUNCATE TABLE loaded');
  assert.equal(await copy(), 'LOADED');
  assert.equal(await copy('FORCE = TRUE'), 'LOADED');
  assert.equal(await driver.value('SELECT COUNT(*) FROM loaded'), '2');
  await put('loads.parquet', 'SELECT 2 AS "A"');
  assert.equal(await copy(), 'LOADED');
  // A rollback forgets.
  await put('loads.parquet', 'SELECT 3 AS "A"');
  await driver.run('BEGIN');
  assert.equal(await copy(), 'LOADED');
  assert.equal(await copy(), 'Copy executed with 0 files processed.');
  await driver.run('ROLLBACK');
  assert.equal(await copy('PURGE = TRUE'), 'LOADED');
  assert.deepEqual(await driver.rows('LIST @s/loads/'), []);
});

test('two sessions load into one table at the same time', async () => {
  await driver.run('CREATE TABLE both (a NUMBER(10,0))');
  await put('one.parquet', 'SELECT range AS "A" FROM range(20000)');
  await put('two.parquet', 'SELECT range AS "A" FROM range(20000)');
  await using other = await connectDriver(emulator);
  await Promise.all([driver.run(`COPY INTO both FROM @s/one/ ${format}`), other.run(`COPY INTO both FROM @s/two/ ${format}`)]);
  assert.equal(await driver.value('SELECT COUNT(*) FROM both'), '40000');
});

test('what is kept in a folder is there again, without what was not committed', async () => {
  const kept = join(folder, 'account');
  {
    await using one = await openSnowflakeEmulator({ folder: kept });
    await using session = await connectDriver(one);
    await session.run('CREATE TABLE t (a NUMBER(5,0), v VARIANT)');
    await session.run(`INSERT INTO t SELECT 1, PARSE_JSON('[1]')`);
    await session.run('CREATE STAGE s');
    await session.run(`PUT 'file://${join(folder, 'one.parquet')}' @s AUTO_COMPRESS=FALSE`);
    await session.run('BEGIN');
    await session.run('INSERT INTO t (a) VALUES (2)');
  }
  await using two = await openSnowflakeEmulator({ folder: kept });
  await using session = await connectDriver(two);
  assert.deepEqual(await session.rows('SELECT * FROM t'), [{ A: '1', V: [1] }]);
  assert.equal((await session.rows('LIST @s')).length, 1);
});
