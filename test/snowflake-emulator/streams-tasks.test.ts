import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectDriver, type Driver } from './driver.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from './snowflake-emulator.ts';

let emulator: SnowflakeEmulator;
let driver: Driver;

before(async () => {
  emulator = await openSnowflakeEmulator();
  driver = await connectDriver(emulator);
});

after(async () => {
  await driver[Symbol.asyncDispose]();
  await emulator[Symbol.asyncDispose]();
});

test('an append-only stream shows what was inserted since it was read by a statement that wrote', async () => {
  await driver.run('CREATE TABLE l (id NUMBER(5,0), v VARCHAR)');
  await driver.run("INSERT INTO l VALUES (0, 'before')");
  await driver.run('CREATE STREAM l_s ON TABLE l APPEND_ONLY = TRUE');
  assert.equal(await driver.value("SELECT SYSTEM$STREAM_HAS_DATA('L_S')"), false);
  await driver.run("INSERT INTO l VALUES (1, 'a'), (2, 'b')");
  await driver.run("UPDATE l SET v = 'c' WHERE id = 2");
  await driver.run('DELETE FROM l WHERE id = 0');
  assert.equal(await driver.value("SELECT SYSTEM$STREAM_HAS_DATA('MILLRACE.PUBLIC.L_S')"), true);
  // A plain SELECT moves nothing.
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual(await driver.rows('SELECT id, v, METADATA$ACTION AS a FROM l_s ORDER BY id'), [
      { ID: '1', V: 'a', A: 'INSERT' },
      { ID: '2', V: 'b', A: 'INSERT' },
    ]);
  }
  await driver.run('CREATE TABLE copy (id NUMBER(5,0))');
  await driver.run('INSERT INTO copy SELECT id FROM l_s');
  assert.equal(await driver.value('SELECT COUNT(*) FROM l_s'), '0');
  await driver.run('DROP TABLE copy');
});

test('a stream moves with its transaction, and not at all after a rollback', async () => {
  await driver.run('CREATE TABLE r (id NUMBER(5,0))');
  await driver.run('CREATE TABLE r_copy (id NUMBER(5,0))');
  await driver.run('CREATE STREAM r_s ON TABLE r');
  await driver.run('INSERT INTO r VALUES (1)');
  await driver.run('BEGIN');
  await driver.run('INSERT INTO r_copy SELECT id FROM r_s');
  await using other = await connectDriver(emulator);
  await other.run('INSERT INTO r VALUES (2)');
  // The transaction sees the same rows in each of its statements.
  assert.equal(await driver.value('SELECT COUNT(*) FROM r_s'), '1');
  await driver.run('ROLLBACK');
  assert.equal(await driver.value('SELECT COUNT(*) FROM r_s'), '2');
  await driver.run('BEGIN');
  await driver.run('INSERT INTO r_copy SELECT id FROM r_s');
  await other.run('INSERT INTO r VALUES (3)');
  await driver.run('COMMIT');
  assert.deepEqual(await driver.rows('SELECT id FROM r_s'), [{ ID: '3' }]);
  assert.equal(await driver.value('SELECT COUNT(*) FROM r_copy'), '2');
});

test('a standard stream shows the difference: an update as a pair, what came and went not at all', async () => {
  await driver.run('CREATE TABLE d (id NUMBER(5,0), v VARCHAR)');
  await driver.run("INSERT INTO d VALUES (1, 'a'), (2, 'b')");
  await driver.run('CREATE STREAM d_s ON TABLE d');
  await driver.run("UPDATE d SET v = 'A' WHERE id = 1");
  await driver.run("UPDATE d SET v = 'AA' WHERE id = 1");
  await driver.run('DELETE FROM d WHERE id = 2');
  await driver.run("INSERT INTO d VALUES (3, 'c'), (4, 'gone')");
  await driver.run('DELETE FROM d WHERE id = 4');
  assert.deepEqual(await driver.rows('SELECT id, v, METADATA$ACTION AS a, METADATA$ISUPDATE AS u FROM d_s ORDER BY id, a'), [
    { ID: '1', V: 'a', A: 'DELETE', U: true },
    { ID: '1', V: 'AA', A: 'INSERT', U: true },
    { ID: '2', V: 'b', A: 'DELETE', U: false },
    { ID: '3', V: 'c', A: 'INSERT', U: false },
  ]);
});

test('a task merges what its stream shows, in one transaction, when it is executed', async () => {
  await driver.run('CREATE TABLE landing (pos NUMBER(38,0), op VARCHAR(1), rec VARIANT)');
  await driver.run('CREATE TABLE base (id NUMBER(10,0), v VARCHAR, pos NUMBER(38,0), deleted BOOLEAN)');
  await driver.run('CREATE STREAM landing_s ON TABLE landing APPEND_ONLY = TRUE');
  await driver.run(`CREATE TASK merge_task WAREHOUSE = W SCHEDULE = '1 MINUTE' WHEN SYSTEM$STREAM_HAS_DATA('LANDING_S') AS
    BEGIN
      BEGIN TRANSACTION;
      MERGE INTO base t USING (
        SELECT e.pos AS p, e.op = 'd' AS is_del, COALESCE(e.rec:after:id, e.rec:before:id)::NUMBER(10,0) AS k, e.rec:after:v::VARCHAR AS v
        FROM landing_s e WHERE e.op IN ('c', 'u', 'r', 'd')
        QUALIFY ROW_NUMBER() OVER (PARTITION BY k ORDER BY e.pos DESC) = 1
      ) s ON t.id = s.k
      WHEN MATCHED AND s.p > t.pos AND s.is_del THEN UPDATE SET deleted = TRUE, pos = s.p
      WHEN MATCHED AND s.p > t.pos THEN UPDATE SET v = s.v, deleted = FALSE, pos = s.p
      WHEN NOT MATCHED THEN INSERT (id, v, pos, deleted) VALUES (s.k, s.v, s.p, s.is_del);
      COMMIT;
    END`);
  await driver.run(`INSERT INTO landing SELECT 1, 'c', PARSE_JSON('{"after":{"id":1,"v":"a"}}') UNION ALL SELECT 2, 'c', PARSE_JSON('{"after":{"id":2,"v":"b"}}')
    UNION ALL SELECT 3, 'u', PARSE_JSON('{"before":{"id":1},"after":{"id":1,"v":"A"}}')`);
  await driver.run('EXECUTE TASK merge_task');
  await driver.run(`INSERT INTO landing SELECT 4, 'd', PARSE_JSON('{"before":{"id":2},"after":null}')`);
  await driver.run('EXECUTE TASK merge_task');
  assert.deepEqual(await driver.rows('SELECT * FROM base ORDER BY id'), [
    { ID: '1', V: 'A', POS: '3', DELETED: false },
    { ID: '2', V: 'b', POS: '4', DELETED: true },
  ]);
  assert.equal((await driver.rows('SHOW TASKS'))[0]?.['state'], 'suspended');
  await driver.run('ALTER TASK merge_task RESUME');
  assert.equal((await driver.rows('SHOW TASKS'))[0]?.['state'], 'started');
  await assert.rejects(driver.run('CREATE TASK bad AS FROBNICATE'), { code: '001003' });
  await assert.rejects(driver.run('EXECUTE TASK nope'), { code: '002003' });
});

test('a dynamic table is what its query found at its last refresh', async () => {
  await driver.run('CREATE TABLE events (id NUMBER(5,0), pos NUMBER(10,0), op VARCHAR(1))');
  await driver.run("INSERT INTO events VALUES (1, 1, 'c'), (2, 2, 'c')");
  const newest =
    "SELECT id, pos FROM (SELECT * FROM events QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY pos DESC) = 1) WHERE op <> 'd'";
  await driver.run(`CREATE OR REPLACE DYNAMIC TABLE dyn TARGET_LAG = '1 minute' WAREHOUSE = w AS ${newest}`);
  await driver.run("INSERT INTO events VALUES (1, 3, 'u'), (2, 4, 'd')");
  const rows = (): Promise<unknown> => driver.rows('SELECT * FROM dyn ORDER BY id');
  assert.deepEqual(await rows(), [
    { ID: '1', POS: '1' },
    { ID: '2', POS: '2' },
  ]);
  await driver.run('ALTER DYNAMIC TABLE dyn REFRESH');
  assert.deepEqual(await rows(), [{ ID: '1', POS: '3' }]);
  await assert.rejects(driver.run('DELETE FROM dyn'), { code: '001003' });
  await assert.rejects(driver.run('DROP TABLE dyn'), { code: '001003' });
  assert.deepEqual(
    (await driver.rows('SHOW DYNAMIC TABLES')).map((row) => row['name']),
    ['DYN'],
  );
  await driver.run('DROP DYNAMIC TABLE dyn');
});

test('a stream of a table that is dropped is stale', async () => {
  await driver.run('CREATE TABLE s (id NUMBER(1,0))');
  await driver.run('CREATE STREAM s_s ON TABLE s');
  await driver.run('DROP TABLE s');
  assert.equal((await driver.rows("SHOW STREAMS LIKE 'S_S'"))[0]?.['stale'], 'true');
  await assert.rejects(driver.run('SELECT * FROM s_s'), { code: '001003' });
});
