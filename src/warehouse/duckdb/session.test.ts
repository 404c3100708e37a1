import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWarehouse } from './warehouse.fixture.ts';

test('a commit that fails by its own statements is not tried again', async () => {
  await using warehouse = await openWarehouse();
  using session = await warehouse.replica.openSession();
  await session.run('CREATE TABLE t AS SELECT 1 AS a');
  await session.run('BEGIN');
  await session.run('DELETE FROM t');
  await session.run('ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 5');
  await assert.rejects(session.run('COMMIT'), {
    code: 'WAREHOUSE_FAILED',
    retriable: false,
    message: /^TransactionContext Error: Failed to commit/,
  });
});
