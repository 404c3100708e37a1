import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connectDriver, type Driver } from './driver.fixture.ts';
import { writeParquet } from './parquet.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from './snowflake-emulator.ts';

let emulator: SnowflakeEmulator;
let driver: Driver;
let folder: string;

before(async () => {
  emulator = await openSnowflakeEmulator();
  // The driver waits seconds between its attempts by itself.
  driver = await connectDriver(emulator, { sfRetryMaxLoginRetries: 1 });
  folder = await mkdtemp(join(tmpdir(), 'emulator-faults-'));
});

after(async () => {
  await driver[Symbol.asyncDispose]();
  await emulator[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('503 and a connection that breaks before the execution: the driver sends it again, it is done once', async () => {
  await driver.run('CREATE TABLE f1 (a NUMBER(1,0))');
  emulator.faults.add({ kind: 'unavailable', match: { sql: /INSERT INTO f1/ } });
  await driver.run('INSERT INTO f1 VALUES (1)');
  emulator.faults.add({ kind: 'drop', phase: 'beforeExecution', match: { sql: /INSERT INTO f1/ } });
  await driver.run('INSERT INTO f1 VALUES (2)');
  assert.equal(await driver.value('SELECT COUNT(*) FROM f1'), '2');
  assert.equal(emulator.faults.struck.length, 2);
});

test('a connection that breaks after a COMMIT: the answer to the second sending is that of the first', async () => {
  await driver.run('CREATE TABLE f2 (a NUMBER(1,0))');
  await driver.run('BEGIN');
  await driver.run('INSERT INTO f2 VALUES (1)');
  emulator.faults.add({ kind: 'drop', phase: 'afterExecution', match: { sql: /^COMMIT/ } });
  await driver.run('COMMIT');
  assert.equal(await driver.value('SELECT COUNT(*) FROM f2'), '1');
});

test('the nth statement that matches is the one; an expired token in the middle is no loss', async () => {
  await driver.run('CREATE TABLE f3 (a NUMBER(1,0))');
  emulator.faults.add({ kind: 'error', code: '000604', match: { sql: /INSERT INTO f3/, nth: 2 } });
  emulator.faults.add({ kind: 'tokenExpired', match: { sql: /INSERT INTO f3/, nth: 3 } });
  await driver.run('INSERT INTO f3 VALUES (1)');
  await assert.rejects(driver.run('INSERT INTO f3 VALUES (2)'), { code: '000604' });
  await driver.run('INSERT INTO f3 VALUES (3)');
  assert.equal(await driver.value('SELECT SUM(a) FROM f3'), '4');
});

test('a slow statement goes on while the driver asks for its result', async () => {
  emulator.faults.add({ kind: 'slow', delayMs: 200, match: { sql: /'slow'/ } });
  assert.equal(await driver.value("SELECT 'slow'"), 'slow');
});

test('an upload that is refused is sent again, or is an error', async () => {
  await driver.run('CREATE STAGE f5');
  const file = join(folder, 'f5.txt');
  await writeFile(file, 'content');
  emulator.faults.add({ kind: 'upload', path: /f5\.txt$/, status: 503 });
  const [row] = await driver.rows(`PUT 'file://${file}' @f5 AUTO_COMPRESS=FALSE OVERWRITE=TRUE`);
  assert.equal(row?.['status'], 'UPLOADED');
  assert.equal((await driver.rows('LIST @f5')).length, 1);
});

test('an upload that breaks off leaves no file, and is sent again', async () => {
  await driver.run('CREATE STAGE f7');
  const file = join(folder, 'f7.bin');
  await writeFile(file, Buffer.alloc(3_000_000, 7));
  emulator.faults.add({ kind: 'upload', path: /f7\.bin$/ });
  const [row] = await driver.rows(`PUT 'file://${file}' @f7 AUTO_COMPRESS=FALSE OVERWRITE=TRUE`);
  assert.equal(row?.['status'], 'UPLOADED');
  assert.deepEqual(
    (await driver.rows('LIST @f7')).map((each) => each['size']),
    ['3000000'],
  );
});

test('a COPY that fails at a file loads none of them, and remembers none', async () => {
  await driver.run('CREATE STAGE f6');
  await driver.run('CREATE TABLE f6 (id NUMBER(10,0))');
  for (const name of ['a', 'b', 'c']) await writeParquet(join(folder, `f6-${name}.parquet`), 'SELECT 1::INTEGER AS "ID"');
  await driver.run(`PUT 'file://${folder}/f6-*.parquet' @f6 AUTO_COMPRESS=FALSE`);
  const copy = 'COPY INTO f6 FROM @f6 FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE';
  emulator.faults.add({ kind: 'copy', path: /f6-b/ });
  await assert.rejects(driver.run(copy), { code: '100038' });
  assert.equal(await driver.value('SELECT COUNT(*) FROM f6'), '0');
  emulator.faults.add({ kind: 'copy', path: /f6-b/ });
  const partial = await driver.rows(`${copy} ON_ERROR = SKIP_FILE`);
  assert.deepEqual(
    partial.map((row) => row['status']),
    ['LOADED', 'LOAD_FAILED', 'LOADED'],
  );
  assert.equal((await driver.rows(copy)).length, 1);
  assert.equal(await driver.value('SELECT COUNT(*) FROM f6'), '3');
});
