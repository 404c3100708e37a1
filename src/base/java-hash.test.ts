import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inJavaOrder } from './java-hash.ts';

// As Kafka Connect 4.3 listed them.
test('partitions stand in the order of their Java maps', () => {
  const partitions = ['other', 'rg_o_dbz', 'zz'].map((server) => ({ server }));
  assert.deepEqual(
    inJavaOrder(partitions, (partition) => partition).map(({ server }) => server),
    ['zz', 'rg_o_dbz', 'other'],
  );
});

test('tables come in the order that was recorded without locks', () => {
  const tables = ['a', 'b', 'c', 'zz_end'].map((table) => `snapshot_no_lock.${table}`);
  assert.deepEqual(
    inJavaOrder(tables, (name) => name, 'grown').map((name) => name.split('.')[1]),
    ['zz_end', 'b', 'c', 'a'],
  );
});
