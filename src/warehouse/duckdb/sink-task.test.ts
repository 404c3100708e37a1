import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column, History, int, table, text } from '../group.fixture.ts';
import { openWarehouse } from './warehouse.fixture.ts';

const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', text)]);
const signal = new AbortController().signal;

test('changes of whole transactions arrive, and the offset with them', async () => {
  await using warehouse = await openWarehouse();
  const history = new History();
  await warehouse.task.put(history.transaction((tx) => tx.insert(orders, [1, 'a'], [2, 'b'])).group(), signal);
  const offsets = await warehouse.task.flush(signal);
  assert.deepEqual(await warehouse.rows('SELECT * FROM shop.orders ORDER BY id'), [['1', 'a'], ['2', 'b']]);
  assert.equal(offsets[0]?.seq, 1);
  await warehouse.task.put(
    history
      .transaction((tx) => {
        tx.update(orders, [1, 'a'], [1, 'c']);
        tx.delete(orders, [2, 'b']);
        tx.insert(orders, [3, null]);
      })
      .group(),
    signal,
  );
  await warehouse.task.flush(signal);
  assert.deepEqual(await warehouse.rows('SELECT * FROM shop.orders ORDER BY id'), [['1', 'c'], ['3', null]]);
});
