import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { openWarehouse } from './duckdb/warehouse.fixture.ts';
import { column, History, int, table } from './group.fixture.ts';

const orders = table('shop', 'orders', [column('id', int, { nullable: false })]);
const signal = new AbortController().signal;

test('a sink whose flushes cost something waits for its interval, longer when the position alone has moved, and not at the end', async () => {
  await using warehouse = await openWarehouse({ task: { flushTimes: { intervalMs: 60_000, idleIntervalMs: 3_600_000 } } });
  const { task } = warehouse;
  const history = new History();
  assert.equal(task.due?.(true), false);
  await task.put(history.group(), signal);
  assert.deepEqual([task.pending(), task.due?.(false), task.due?.(true), task.applied?.('src')], [true, false, false, 1]);
  await task.put(history.transaction((tx) => tx.insert(orders, [1])).group(), signal);
  assert.deepEqual([task.due?.(false), task.due?.(true), task.applied?.('src')], [false, true, 0]);
  await task.flush(signal);
  assert.deepEqual([task.pending(), task.due?.(true), task.applied?.('src')], [false, false, 2]);
});

test('a flush is due once its interval has passed since the first change, or the idle one since the position moved', async () => {
  await using warehouse = await openWarehouse({ task: { flushTimes: { intervalMs: 1, idleIntervalMs: 3_600_000 } } });
  await using idle = await openWarehouse({ task: { flushTimes: { intervalMs: 3_600_000, idleIntervalMs: 1 } } });
  const group = new History().transaction((tx) => tx.insert(orders, [1])).group();
  await warehouse.task.put(group, signal);
  await idle.task.put(new History().group(), signal);
  await setTimeout(5);
  assert.deepEqual([warehouse.task.due?.(false), idle.task.due?.(false)], [true, true]);
});
