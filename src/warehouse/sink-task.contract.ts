import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { chunkOf, column, History, int, table, text, type Row } from './group.fixture.ts';
import type { OpenContractWarehouse } from './contract-warehouse.fixture.ts';

const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', text)]);
const items = table(
  'shop',
  'items',
  [column('order_id', int, { nullable: false }), column('nr', int, { nullable: false }), column('qty', int)],
  [0, 1],
);
const events = table('shop', 'events', [column('kind', text), column('at_ms', { kind: 'int', bits: 64, unsigned: false })], []);
const signal = new AbortController().signal;

/** What every warehouse does with rows, snapshots and offsets. */
export function testSinkTask(name: string, open: OpenContractWarehouse): void {
  test(`${name}: changes of whole transactions arrive, and the offset with them`, async () => {
    await using warehouse = await open();
    const history = new History();
    await warehouse.task.put(history.transaction((tx) => tx.insert(orders, [1, 'a'], [2, 'b'])).group(), signal);
    assert.equal(warehouse.task.pending(), true);
    const offsets = await warehouse.task.flush(signal);
    assert.equal(warehouse.task.pending(), false);
    assert.deepEqual(await warehouse.read('shop', 'orders'), [
      ['1', 'a'],
      ['2', 'b'],
    ]);
    assert.deepEqual(offsets, [
      { source: 'src', logId: 'log-1', seq: 1, applied: 0, position: history.position, committedMs: 1_700_000_000_000 },
    ]);
    history.transaction((tx) => {
      tx.update(orders, [1, 'a'], [1, 'c']);
      tx.delete(orders, [2, 'b']);
      tx.insert(orders, [3, null]);
      tx.insert(items, [3, 1, 10], [3, 2, 20]);
    });
    await warehouse.task.put(history.group(), signal);
    await warehouse.task.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'orders'), [
      ['1', 'c'],
      ['3', null],
    ]);
    assert.deepEqual(await warehouse.read('shop', 'items'), [
      ['3', '1', '10'],
      ['3', '2', '20'],
    ]);
  });

  test(`${name}: a task that is opened again goes on after its stored offset and skips what is applied`, async () => {
    await using warehouse = await open();
    const history = new History();
    const groups = [1, 2, 3].map((id) => history.transaction((tx) => tx.insert(orders, [id, 'x'])).group());
    for (const group of groups.slice(0, 2)) await warehouse.task.put(group, signal);
    await warehouse.task.flush(signal);
    await warehouse.task[Symbol.asyncDispose]();
    const again = await warehouse.openTask();
    assert.equal(again.committed()[0]?.seq, 2);
    for (const group of groups) await again.put(group, signal);
    await again.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'orders'), [
      ['1', 'x'],
      ['2', 'x'],
      ['3', 'x'],
    ]);
    await again[Symbol.asyncDispose]();
    await assert.rejects(warehouse.openTask({ logId: 'another' }), { code: 'LOG_IDENTITY' });
  });

  test(`${name}: of two tasks under one name the second to commit is refused`, async () => {
    await using warehouse = await open();
    const group = new History().transaction((tx) => tx.insert(orders, [1, 'x'])).group();
    const other = await warehouse.openTask();
    await warehouse.task.put(group, signal);
    await other.put(group, signal);
    await warehouse.task.flush(signal);
    await assert.rejects(other.flush(signal), { code: 'WAREHOUSE_FENCED' });
    assert.deepEqual(await warehouse.read('shop', 'orders'), [['1', 'x']]);
  });

  test(`${name}: rows without a key are replicated one by one, equal ones too`, async () => {
    await using warehouse = await open();
    const history = new History();
    await warehouse.task.put(
      history.transaction((tx) => tx.insert(events, ['a', 1n], ['a', 1n], ['a', 1n], [null, null], [null, null])).group(),
      signal,
    );
    await warehouse.task.flush(signal);
    history.transaction((tx) => {
      tx.delete(events, ['a', 1n], [null, null]);
      tx.update(events, ['a', 1n], ['b', 2n]);
    });
    await warehouse.task.put(history.group(), signal);
    await warehouse.task.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'events'), [
      ['a', '1'],
      ['b', '2'],
      [null, null],
    ]);
  });

  test(`${name}: absent columns keep what the replica has, also when the key changes`, async () => {
    await using warehouse = await open();
    const wide = table('shop', 'wide', [
      column('id', int, { nullable: false }),
      column('a', text),
      column('b', int, { defaultText: '42' }),
      column('c', { kind: 'date' }),
    ]);
    const history = new History();
    await warehouse.task.put(
      history.transaction((tx) => tx.insert(wide, [1, 'one', 1, '2024-01-01'], [2, 'two', null, null], [3, 'three', 3, null])).group(),
      signal,
    );
    await warehouse.task.flush(signal);
    history.transaction((tx) => {
      tx.update(wide, [1, undefined, undefined, undefined], [undefined, undefined, 11, undefined]);
      tx.update(wide, [2, undefined, undefined, undefined], [20, undefined, undefined, '2024-02-02']);
      tx.update(wide, [3, undefined, undefined, undefined], [undefined, null, undefined, undefined]);
      tx.insert(wide, [4, undefined, undefined, '2024-04-04']);
      tx.insert(wide, [2, 'new two', 5, null]);
    });
    await warehouse.task.put(history.group(), signal);
    await warehouse.task.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'wide'), [
      ['1', 'one', '11', '2024-01-01'],
      ['2', 'new two', '5', null],
      ['3', null, '3', null],
      ['4', null, '42', '2024-04-04'],
      ['20', 'two', null, '2024-02-02'],
    ]);
  });

  test(`${name}: nothing of an open transaction is committed, however large it is`, async () => {
    await using warehouse = await open({ task: { flushBytes: 2000 } });
    const history = new History();
    await warehouse.task.put(history.transaction((tx) => tx.insert(orders, [0, 'before'])).group(), signal);
    for (let part = 0; part < 5; part++) {
      history.transaction((tx) => {
        for (let i = 0; i < 100; i++) tx.insert(orders, [1 + part * 100 + i, `part ${part}`]);
        if (part > 0) tx.update(orders, [1, `part ${part === 1 ? 0 : `0, seen ${part - 1}`}`], [1, `part 0, seen ${part}`]);
      });
      await warehouse.task.put(history.group(part < 4), signal);
      if (part === 3) {
        await warehouse.task.flush(signal);
        assert.equal((await warehouse.read('shop', 'orders'))?.length, 1);
        assert.equal(warehouse.task.committed()[0]?.seq, 1);
      }
    }
    await warehouse.task.flush(signal);
    const rows = await warehouse.read('shop', 'orders');
    assert.deepEqual([rows?.length, new Set(rows?.map(([id]) => id)).size], [501, 501]);
    assert.equal(rows?.find(([id]) => id === '1')?.[1], 'part 0, seen 4');
  });

  test(`${name}: transactions before an open one are committed, and not repeated after a restart`, async () => {
    await using warehouse = await open();
    const history = new History();
    const first = history
      .transaction((tx) => tx.insert(events, ['closed', 1n]))
      .transaction((tx) => tx.insert(events, ['open', 1n]))
      .group(true);
    const second = history
      .transaction((tx) => tx.insert(events, ['open', 2n]))
      .transaction((tx) => tx.insert(events, ['next', 1n]))
      .group();
    await warehouse.task.put(first, signal);
    await warehouse.task.flush(signal);
    assert.deepEqual(
      warehouse.task.committed().map(({ seq, applied }) => [seq, applied]),
      [[0, 1]],
    );
    await warehouse.task[Symbol.asyncDispose]();
    const again = await warehouse.openTask();
    await again.put(first, signal);
    await again.put(second, signal);
    await again.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'events'), [
      ['closed', '1'],
      ['next', '1'],
      ['open', '1'],
      ['open', '2'],
    ]);
  });

  test(`${name}: a snapshot shows nothing until its end, then all of its tables at once`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const history = new History();
    await task.put(history.snapshotBegin('s1', [orders, items]).group(), signal);
    await task.put(
      history
        .chunk('s1', orders, [
          [1, 'a'],
          [2, 'b'],
        ])
        .group(),
      signal,
    );
    await task.flush(signal);
    assert.equal(await warehouse.read('shop', 'orders'), undefined);
    await task.put(history.transaction((tx) => tx.update(orders, [1, 'a'], [1, 'changed'])).group(), signal);
    await task.put(
      history
        .chunk('s1', orders, [[3, 'c']])
        .chunk('s1', items, [[1, 1, 5]])
        .group(),
      signal,
    );
    await task.flush(signal);
    await task[Symbol.asyncDispose]();
    const again = await warehouse.openTask();
    await again.put(
      history
        .transaction((tx) => tx.delete(orders, [2, 'b']))
        .snapshotEnd('s1', [orders, items])
        .group(),
      signal,
    );
    await again.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'orders'), [
      ['1', 'changed'],
      ['3', 'c'],
    ]);
    assert.deepEqual(await warehouse.read('shop', 'items'), [['1', '1', '5']]);
    assert.deepEqual(await warehouse.leftovers(), []);
  });

  test(`${name}: a table that is read again stays as it was until the new state is whole`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const history = new History();
    await task.put(history.transaction((tx) => tx.insert(orders, [1, 'old'])).group(), signal);
    await task.put(
      history
        .snapshotBegin('s2', [orders], false)
        .chunk('s2', orders, [
          [1, 'read'],
          [2, 'read'],
        ])
        .group(),
      signal,
    );
    await task.put(history.transaction((tx) => tx.update(orders, [2, 'read'], [2, 'later'])).group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'orders'), [['1', 'old']]);
    await task.put(history.snapshotEnd('s2', [orders]).group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'orders'), [
      ['1', 'read'],
      ['2', 'later'],
    ]);
  });

  test(`${name}: a snapshot that begins anew forgets what the first try had loaded`, async () => {
    await using warehouse = await open();
    const history = new History();
    await warehouse.task.put(
      history
        .snapshotBegin('s1', [orders])
        .chunk('s1', orders, [[1, 'first']])
        .group(),
      signal,
    );
    await warehouse.task.put(
      history
        .snapshotBegin('s2', [orders])
        .chunk('s2', orders, [[2, 'second']])
        .snapshotEnd('s2', [orders])
        .group(),
      signal,
    );
    await warehouse.task.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'orders'), [['2', 'second']]);
  });

  test(`${name}: chunks of many rows go through in one commit`, async () => {
    await using warehouse = await open();
    const history = new History();
    history.snapshotBegin('s', [orders]);
    const rows = Array.from({ length: 5000 }, (_, id): Row => [id, `row ${id}`]);
    for (let at = 0; at < rows.length; at += 700) history.chunk('s', orders, rows.slice(at, at + 700));
    await warehouse.task.put(history.snapshotEnd('s', [orders]).group(), signal);
    await warehouse.task.flush(signal);
    const read = await warehouse.read('shop', 'orders');
    assert.deepEqual([read?.length, new Set(read?.map(([, note]) => note)).size], [5000, 5000]);
    assert.deepEqual(read?.[0], ['0', 'row 0']);
    assert.equal(chunkOf(orders, rows).count, 5000);
  });

  test(`${name}: chunks of more than a unit holds in memory arrive, and a cut lies where it should in what follows them`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const history = new History();
    const long = 'x'.repeat(10_000);
    await task.put(history.snapshotBegin('s', [orders], false).group(), signal);
    for (let from = 0; from < 2000; from += 500) {
      const rows = Array.from({ length: 500 }, (_, nth): Row => [from + nth, long]);
      await task.put(history.chunk('s', orders, rows).group(), signal);
    }
    const ids = [1, 2, 3];
    for (const id of ids) history.transaction((tx) => tx.insert(items, [id, 1, 1]));
    await task.put(history.group(), signal);
    const [, position] = history.ends;
    assert.ok(position !== undefined);
    const seen = async (): Promise<number | undefined> => (await warehouse.read('shop', 'items'))?.length;
    assert.equal(await task.cutAt({ source: 'src', position }, seen, signal), 2);
    await task.put(
      history
        .transaction((tx) => tx.delete(orders, [7, long]))
        .snapshotEnd('s', [orders])
        .group(),
      signal,
    );
    await task.flush(signal);
    const read = await warehouse.read('shop', 'orders');
    assert.deepEqual([read?.length, new Set(read?.map(([, note]) => note)).size, await seen()], [1999, 1, 3]);
    assert.deepEqual(await warehouse.leftovers(), []);
  });

  test(`${name}: a unit that failed on its way is told of by the next flush, and makes one wanted though nothing more comes`, async () => {
    await using warehouse = await open({ invalidTemporal: 'fail', task: { flushRows: 1 } });
    const days = table('d', 'days', [column('id', int, { nullable: false }), column('day', { kind: 'date' })]);
    const group = new History().transaction((tx) => tx.insert(days, [1, '0000-00-00'])).group();
    await warehouse.task.put(group, signal);
    await setTimeout(100);
    assert.equal(warehouse.task.pending(), true);
    await assert.rejects(warehouse.task.flush(signal), { code: 'VALUE_UNREPRESENTABLE' });
  });
}
