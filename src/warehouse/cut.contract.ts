import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { OpenContractWarehouse } from './contract-warehouse.fixture.ts';
import { column, History, int, table, text } from './group.fixture.ts';

const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', text)]);
const signal = new AbortController().signal;

const joined = (rows: readonly (readonly unknown[])[] | undefined): string => (rows ?? []).map(([id]) => id).join();

/** How every warehouse commits exactly at a position. */
export function testCuts(name: string, open: OpenContractWarehouse): void {
  test(`${name}: a cut commits exactly the transactions up to its position, wherever that lies`, async () => {
    const ids = [1, 2, 3, 4, 5, 6];
    for (const cutAfter of ids.slice(1)) {
      await using warehouse = await open();
      const seen = async () => joined(await warehouse.read('shop', 'orders'));
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
      const cut = task.cutAt({ source: 'src', position }, seen, signal);
      for (const group of rest) await task.put(group, signal);
      assert.equal(await cut, ids.slice(0, cutAfter).join());
      await task.flush(signal);
      assert.equal(await seen(), ids.join());
    }
  });

  test(`${name}: a held task lets a cut lie before what it has taken already`, async () => {
    await using warehouse = await open();
    const seen = async () => joined(await warehouse.read('shop', 'orders'));
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
    assert.equal(await seen(), '1');
    const [position] = positions;
    assert.ok(position !== undefined);
    assert.equal(await task.cutAt({ source: 'src', position }, seen, signal), '1,2,3');
    hold?.[Symbol.dispose]();
    await task.flush(signal);
    assert.equal(await seen(), '1,2,3,4,5');
    await assert.rejects(task.cutAt({ source: 'src', position }, seen, signal), { code: 'VERIFY_UNDECIDED' });
  });

  test(`${name}: an offset inside of a group survives a restart`, async () => {
    await using warehouse = await open();
    const seen = async () => joined(await warehouse.read('shop', 'orders'));
    const history = new History();
    for (const id of [1, 2, 3]) history.transaction((tx) => tx.insert(orders, [id, 'x']));
    const group = history.group();
    const position = history.ends[1];
    assert.ok(position !== undefined);
    const cut = warehouse.task.cutAt({ source: 'src', position }, seen, signal);
    await Promise.all([warehouse.task.put(group, signal), cut]);
    await warehouse.task[Symbol.asyncDispose]();
    const again = await warehouse.openTask();
    assert.deepEqual(
      again.committed().map(({ seq, applied }) => [seq, applied]),
      [[0, 2]],
    );
    await again.put(group, signal);
    await again.flush(signal);
    assert.equal(await seen(), '1,2,3');
  });
}
