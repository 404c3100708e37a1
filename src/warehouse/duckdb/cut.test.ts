import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourcePosition } from '../../connect/commit-group.ts';
import { column, History, int, table, text } from '../group.fixture.ts';
import { openWarehouse } from './warehouse.fixture.ts';

const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', text)]);
const signal = new AbortController().signal;

async function seen(warehouse: { rows(sql: string): Promise<readonly (readonly (string | null)[])[]> }): Promise<string> {
  return (await warehouse.rows('SELECT id FROM shop.orders ORDER BY id')).map(([id]) => id).join();
}

test('a cut commits exactly the transactions up to its position, wherever that lies', async () => {
  const ids = [1, 2, 3, 4, 5, 6];
  for (const cutAfter of ids.slice(1)) {
    await using warehouse = await openWarehouse();
    const { task } = warehouse;
    const history = new History();
    const groups = [[1], [2, 3, 4], [5], [6]].map((part) => {
      for (const id of part) history.transaction((tx) => tx.insert(orders, [id, 'x']));
      return history.group();
    });
    const position = history.ends[cutAfter - 1];
    assert.ok(position !== undefined);
    const [first, ...rest] = groups;
    assert.ok(first !== undefined);
    await task.put(first, signal);
    await task.flush(signal);
    const cut = task.cutAt({ source: 'src', position }, () => seen(warehouse), signal);
    for (const group of rest) await task.put(group, signal);
    assert.equal(await cut, ids.slice(0, cutAfter).join());
    await task.flush(signal);
    assert.equal(await seen(warehouse), ids.join());
  }
});

test('a held task lets a cut lie before what it has taken already', async () => {
  await using warehouse = await openWarehouse();
  const { task } = warehouse;
  const history = new History();
  await task.put(history.transaction((tx) => tx.insert(orders, [1, 'x'])).group(), signal);
  await task.flush(signal);
  const hold = task.hold?.('src');
  const positions: SourcePosition[] = [];
  for (const id of [2, 3]) history.transaction((tx) => tx.insert(orders, [id, 'x']));
  positions.push(history.position);
  for (const id of [4, 5]) history.transaction((tx) => tx.insert(orders, [id, 'x']));
  await task.put(history.group(), signal);
  await task.flush(signal);
  assert.equal(await seen(warehouse), '1');
  const [position] = positions;
  assert.ok(position !== undefined);
  assert.equal(await task.cutAt({ source: 'src', position }, () => seen(warehouse), signal), '1,2,3');
  hold?.[Symbol.dispose]();
  await task.flush(signal);
  assert.equal(await seen(warehouse), '1,2,3,4,5');
  await assert.rejects(
    task.cutAt({ source: 'src', position }, () => seen(warehouse), signal),
    { code: 'VERIFY_UNDECIDED' },
  );
});

test('an offset inside of a group survives a restart', async () => {
  await using warehouse = await openWarehouse();
  const history = new History();
  for (const id of [1, 2, 3]) history.transaction((tx) => tx.insert(orders, [id, 'x']));
  const group = history.group();
  const position = history.ends[1];
  assert.ok(position !== undefined);
  const cut = warehouse.task.cutAt({ source: 'src', position }, () => seen(warehouse), signal);
  await Promise.all([warehouse.task.put(group, signal), cut]);
  await warehouse.task[Symbol.asyncDispose]();
  const again = await warehouse.openTask();
  assert.deepEqual(
    again.committed().map(({ seq, applied }) => [seq, applied]),
    [[0, 2]],
  );
  await again.put(group, signal);
  await again.flush(signal);
  assert.equal(await seen(warehouse), '1,2,3');
});
