import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inJavaHashOrder } from './java-hash-order.ts';

test('tables come in the order that was recorded without locks', () => {
  const tables = ['a', 'b', 'c', 'zz_end'].map((table) => `snapshot_no_lock.${table}`);
  assert.deepEqual(
    inJavaHashOrder(tables, (name) => name).map((name) => name.split('.')[1]),
    ['zz_end', 'b', 'c', 'a'],
  );
});
