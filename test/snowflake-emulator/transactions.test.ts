import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectDriver, type Driver } from './driver.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from './snowflake-emulator.ts';

let emulator: SnowflakeEmulator;
let first: Driver;
let second: Driver;

before(async () => {
  emulator = await openSnowflakeEmulator({ idleBlockingMs: 300 });
  first = await connectDriver(emulator);
  second = await connectDriver(emulator);
});

after(async () => {
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await emulator[Symbol.asyncDispose]();
});

async function table(name: string): Promise<void> {
  await first.run(`CREATE OR REPLACE TABLE ${name} (id NUMBER(10,0), v VARCHAR)`);
  await first.run(`INSERT INTO ${name} VALUES (1, 'a'), (2, 'b')`);
}

const isRefused = (code: string): object => ({ code });

test('what a transaction wrote others see after its commit, and never after a rollback', async () => {
  await table('t1');
  await first.run('BEGIN');
  await first.run("UPDATE t1 SET v = 'x' WHERE id = 1");
  await first.run("INSERT INTO t1 VALUES (3, 'c')");
  await first.run('DELETE FROM t1 WHERE id = 2');
  assert.deepEqual(await first.rows('SELECT id, v FROM t1 ORDER BY id'), [
    { ID: '1', V: 'x' },
    { ID: '3', V: 'c' },
  ]);
  const before_ = [
    { ID: '1', V: 'a' },
    { ID: '2', V: 'b' },
  ];
  assert.deepEqual(await second.rows('SELECT id, v FROM t1 ORDER BY id'), before_);
  await first.run('ROLLBACK');
  assert.deepEqual(await first.rows('SELECT id, v FROM t1 ORDER BY id'), before_);
});

test('each statement of a transaction sees what others have committed before it', async () => {
  await table('t2');
  await first.run('BEGIN');
  await first.run("INSERT INTO t2 VALUES (3, 'mine')");
  assert.equal(await first.value('SELECT COUNT(*) FROM t2'), '3');
  await second.run("INSERT INTO t2 VALUES (4, 'theirs')");
  assert.equal(await first.value('SELECT COUNT(*) FROM t2'), '4');
  await first.run('COMMIT');
});

test('a second writer of a table waits for the first, and sees its commit', async () => {
  await table('t3');
  await first.run('BEGIN');
  await first.run("UPDATE t3 SET v = 'first' WHERE id = 1");
  let done = false;
  const waiting = second.run("UPDATE t3 SET v = v || '+second' WHERE id = 1").then(() => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(done, false);
  await first.run('COMMIT');
  await waiting;
  assert.equal(await first.value('SELECT v FROM t3 WHERE id = 1'), 'first+second');
});

test('who waits for longer than LOCK_TIMEOUT is refused', async () => {
  await table('t4');
  await first.run('BEGIN');
  await first.run('DELETE FROM t4 WHERE id = 1');
  await second.run('ALTER SESSION SET LOCK_TIMEOUT = 0');
  await assert.rejects(second.run('DELETE FROM t4 WHERE id = 2'), isRefused('000625'));
  await second.run('ALTER SESSION UNSET LOCK_TIMEOUT');
  await first.run('ROLLBACK');
});

test('two that wait for each other are a deadlock, and the second of them is refused', async () => {
  await table('t5');
  await table('t6');
  await first.run('BEGIN');
  await second.run('BEGIN');
  await first.run('DELETE FROM t5');
  await second.run('DELETE FROM t6');
  const waiting = first.run('DELETE FROM t6');
  await new Promise((resolve) => setTimeout(resolve, 50));
  await assert.rejects(second.run('DELETE FROM t5'), isRefused('000636'));
  await second.run('ROLLBACK');
  await waiting;
  await first.run('ROLLBACK');
});

test('DDL commits the open transaction', async () => {
  await table('t7');
  await first.run('BEGIN');
  await first.run("INSERT INTO t7 VALUES (3, 'kept')");
  await first.run('CREATE TABLE t8 (x NUMBER(1,0))');
  await first.run('ROLLBACK');
  assert.equal(await second.value('SELECT COUNT(*) FROM t7'), '3');
});

test('a statement that fails leaves nothing and its transaction goes on', async () => {
  await table('t9');
  await first.run('BEGIN');
  await first.run("INSERT INTO t9 VALUES (3, 'c')");
  await assert.rejects(first.run("INSERT INTO t9 SELECT 1 / 0e0, 'd' UNION ALL SELECT 5, 'e'"), isRefused('100051'));
  await first.run('COMMIT');
  assert.equal(await second.value('SELECT COUNT(*) FROM t9'), '3');
});

test('a transaction whose client is gone ends when others have waited for it', async () => {
  await table('t10');
  const dead = await connectDriver(emulator);
  await dead.run('BEGIN');
  await dead.run('DELETE FROM t10');
  // Nothing tells the service that this client died: no more is sent.
  await second.run('DELETE FROM t10 WHERE id = 1');
  assert.equal(await second.value('SELECT COUNT(*) FROM t10'), '1');
  await dead[Symbol.asyncDispose]();
});

test('a session that is closed takes its transaction with it; another can be ended by its number', async () => {
  await table('t11');
  const third = await connectDriver(emulator);
  const id = String(await third.value('SELECT CURRENT_SESSION()'));
  await third.run('BEGIN');
  await third.run('DELETE FROM t11');
  const open = await first.rows('SHOW TRANSACTIONS');
  assert.ok(open.some((row) => row['session'] === id));
  await first.run(`SELECT SYSTEM$ABORT_SESSION(${id})`);
  assert.equal(await first.value('SELECT COUNT(*) FROM t11'), '2');
  await first.run('DELETE FROM t11');
});

test('a table is read as a statement left it', async () => {
  await table('t12');
  await first.run('BEGIN');
  await first.run("UPDATE t12 SET v = 'second state'");
  const commit = (await first.run('COMMIT')).getQueryId();
  await first.run('DELETE FROM t12');
  assert.equal(await first.value(`SELECT COUNT(*) FROM t12 AT(STATEMENT => '${commit}') WHERE v = 'second state'`), '2');
  assert.equal(await first.value(`SELECT COUNT(*) FROM t12 BEFORE(STATEMENT => '${commit}') WHERE v IN ('a', 'b')`), '2');
  assert.equal(await first.value('SELECT COUNT(*) FROM t12'), '0');
  await first.run('ALTER TABLE t12 SET DATA_RETENTION_TIME_IN_DAYS = 0');
  await assert.rejects(first.run(`SELECT * FROM t12 AT(STATEMENT => '${commit}')`), isRefused('000707'));
  await assert.rejects(first.run("SELECT * FROM t12 AT(STATEMENT => 'never')"), isRefused('000709'));
});

test('older versions have the columns of their time', async () => {
  await table('t13');
  const then = (await first.run('UPDATE t13 SET v = v')).getQueryId();
  await first.run('ALTER TABLE t13 DROP COLUMN v');
  await first.run('ALTER TABLE t13 ADD COLUMN w NUMBER(1,0)');
  assert.deepEqual(await first.rows(`SELECT * FROM t13 AT(STATEMENT => '${then}') ORDER BY id LIMIT 1`), [{ ID: '1', V: 'a' }]);
  assert.deepEqual(await first.rows('SELECT * FROM t13 ORDER BY id LIMIT 1'), [{ ID: '1', W: null }]);
});

test('a table keeps so many rows of the past and refuses to show what is older, but a stream loses nothing', async () => {
  await using small = await openSnowflakeEmulator({ maxEndedRows: 100 });
  await using driver = await connectDriver(small);
  await driver.run('CREATE TABLE p (n NUMBER(10,0), v VARCHAR)');
  await driver.run('CREATE TABLE q (n NUMBER(10,0))');
  await driver.run('INSERT INTO p SELECT 1, NULL UNION ALL SELECT 2, NULL');
  const oldest = (await driver.run("UPDATE p SET v = 'oldest'")).getQueryId();
  await driver.run('INSERT INTO q VALUES (0)');
  await driver.run('CREATE STREAM q_s ON TABLE q');
  for (let round = 0; round < 101; round += 1) {
    await driver.run(`UPDATE p SET v = '${round}'`);
    if (round > 95) await driver.run('UPDATE q SET n = n + 1');
  }
  const recent = (await driver.run("UPDATE p SET v = 'recent'")).getQueryId();
  await driver.run("UPDATE p SET v = 'now'");
  await assert.rejects(driver.run(`SELECT * FROM p AT(STATEMENT => '${oldest}')`), isRefused('000707'));
  assert.equal(await driver.value(`SELECT COUNT(*) FROM p AT(STATEMENT => '${recent}') WHERE v = 'recent'`), '2');
  assert.deepEqual(await driver.rows('SELECT n, METADATA$ACTION AS a FROM q_s ORDER BY n'), [
    { N: '0', A: 'DELETE' },
    { N: '5', A: 'INSERT' },
  ]);
});

test('writers beside each other never show a reader a sum that was not, nor does any commit of the past', async () => {
  const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000);
  let state = seed;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  // No idle writer is ended here, however slow the machine is.
  await using bank = await openSnowflakeEmulator();
  await using owner = await connectDriver(bank);
  await owner.run('CREATE TABLE bank (id NUMBER(3,0), v NUMBER(10,0))');
  await owner.run(`INSERT INTO bank VALUES ${Array.from({ length: 10 }, (_, id) => `(${id}, 100)`).join(', ')}`);
  const commits: string[] = [];
  let open = 3;
  const writer = async (): Promise<void> => {
    await using driver = await connectDriver(bank);
    for (let round = 0; round < 15; round += 1) {
      const [from, to, sum] = [random(10), random(10), 1 + random(50)];
      await driver.run('BEGIN');
      await driver.run(`UPDATE bank SET v = v - ${sum} WHERE id = ${from}`);
      const merge = `MERGE INTO bank t USING (SELECT ${to} AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = t.v + ${sum}`;
      await driver.run(merge);
      if (random(4) === 0) await driver.run('ROLLBACK');
      else commits.push((await driver.run('COMMIT')).getQueryId());
    }
    open -= 1;
  };
  const reader = async (): Promise<void> => {
    await using driver = await connectDriver(bank);
    while (open > 0) assert.equal(await driver.value('SELECT SUM(v) FROM bank'), '1000', `seed ${seed}`);
  };
  await Promise.all([writer(), writer(), writer(), reader()]);
  const past = await Promise.all(commits.map((id) => owner.value(`SELECT SUM(v) || ' ' || COUNT(*) FROM bank AT(STATEMENT => '${id}')`)));
  assert.deepEqual(new Set(past), new Set(['1000 10']), `seed ${seed}`);
});

test('a statement ends at its time limit, or when it is cancelled; its transaction goes on', async () => {
  await using patient = await openSnowflakeEmulator();
  await using holder = await connectDriver(patient);
  await using waiter = await connectDriver(patient);
  await holder.run('CREATE TABLE t16 (id NUMBER(10,0))');
  await holder.run('INSERT INTO t16 VALUES (1)');
  await holder.run('BEGIN');
  await holder.run('DELETE FROM t16');
  await waiter.run('ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1');
  await assert.rejects(waiter.run('DELETE FROM t16'), isRefused('000630'));
  await waiter.run('ALTER SESSION UNSET STATEMENT_TIMEOUT_IN_SECONDS');
  const rows = Array.from({ length: 10 }, (_, index) => `(${index})`).join(', ');
  const ten = `(SELECT column1 AS n FROM (VALUES ${rows}))`;
  const endless = `SELECT COUNT(*) FROM ${Array.from({ length: 10 }, (_, index) => `${ten} x${index}`).join(', ')} WHERE MD5(x0.n || x9.n) = 'x'`;
  const ended = new Promise<unknown>((resolve) => {
    const statement = waiter.connection.execute({ sqlText: endless, complete: resolve });
    setTimeout(() => statement.cancel(() => undefined), 200);
  });
  assert.equal(((await ended) as { code?: string }).code, '000604');
  await holder.run('COMMIT');
  assert.equal(await waiter.value('SELECT COUNT(*) FROM t16'), '0');
});

test('a session that is ended gives up the lock that it waits for', async () => {
  await table('t15');
  await first.run('BEGIN');
  await first.run('DELETE FROM t15');
  const third = await connectDriver(emulator);
  const id = String(await third.value('SELECT CURRENT_SESSION()'));
  const waiting = assert.rejects(third.run('DELETE FROM t15'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await second.run(`SELECT SYSTEM$ABORT_SESSION(${id})`);
  await waiting;
  await first.run('ROLLBACK');
});

test('without AUTOCOMMIT the first change opens a transaction', async () => {
  await table('t14');
  await first.run('ALTER SESSION SET AUTOCOMMIT = FALSE');
  await first.run('DELETE FROM t14');
  assert.equal(await second.value('SELECT COUNT(*) FROM t14'), '2');
  assert.notEqual(await first.value('SELECT CURRENT_TRANSACTION()'), null);
  await first.run('COMMIT');
  await first.run('ALTER SESSION UNSET AUTOCOMMIT');
  assert.equal(await second.value('SELECT COUNT(*) FROM t14'), '0');
});
