import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectDriver } from './driver.fixture.ts';
import { openSnowflakeEmulator } from './snowflake-emulator.ts';

test('the official driver logs in, writes in a transaction and reads it back', async () => {
  await using emulator = await openSnowflakeEmulator();
  await using driver = await connectDriver(emulator);
  await driver.run('CREATE TABLE t (id NUMBER(10,0) NOT NULL, name VARCHAR(10))');
  await driver.run('BEGIN');
  const inserted = await driver.run('INSERT INTO t VALUES (?, ?), (2, NULL)', { binds: [1, 'one'] });
  assert.equal(inserted.getNumUpdatedRows(), 2);
  await driver.run('COMMIT');
  assert.deepEqual(await driver.rows('SELECT id, name FROM t ORDER BY id'), [
    { ID: '1', NAME: 'one' },
    { ID: '2', NAME: null },
  ]);
  assert.equal(emulator.counts()['INSERT'], 1);
});
