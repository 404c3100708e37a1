import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWarehouse } from './warehouse.fixture.ts';

test('what another transaction did to the table passes; what a statement does by itself does not', async () => {
  await using warehouse = await openWarehouse();
  using session = await warehouse.replica.openSession();
  using other = await warehouse.replica.openSession();
  await session.run('CREATE TABLE t AS SELECT 1 AS a');
  await session.run('BEGIN');
  await session.run('DELETE FROM t');
  await other.run('ALTER TABLE t ADD COLUMN b INTEGER');
  await assert.rejects(session.run('COMMIT'), { code: 'WAREHOUSE_FAILED', retriable: true });
  await assert.rejects(session.run("INSERT INTO t VALUES ('no number', 1)"), { code: 'WAREHOUSE_FAILED', retriable: false });
});
