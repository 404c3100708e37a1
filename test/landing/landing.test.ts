import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createDatabase } from '../../src/warehouse/snowflake/account.fixture.ts';
import { column, History, int, table, text } from '../../src/warehouse/group.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from '../snowflake-emulator/snowflake-emulator.ts';
import { openTestLanding } from './landing.fixture.ts';

let emulator: SnowflakeEmulator;
before(async () => {
  emulator = await openSnowflakeEmulator();
});
after(() => emulator[Symbol.asyncDispose]());

const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', text)]);

test('records land with metadata and content, and a replica follows them', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map: 'src.shop.orders:orders' });
  const history = new History('src');
  const first = history
    .snapshotBegin('s1', [orders])
    .chunk('s1', orders, [
      [1, 'a'],
      [2, 'b'],
    ])
    .snapshotEnd('s1', [orders])
    .group();
  const second = history
    .transaction((tx) => {
      tx.update(orders, [1, 'a'], [1, 'A']);
      tx.delete(orders, [2, 'b']);
      tx.insert(orders, [3, 'c']);
    })
    .group();
  await landing.take(first);
  assert.deepEqual(await landing.rows('SELECT * FROM "SHOP"."ORDERS"'), [
    ['1', 'a'],
    ['2', 'b'],
  ]);
  await landing.take(second);
  assert.deepEqual(await landing.rows('SELECT * FROM "SHOP"."ORDERS"'), [
    ['1', 'A'],
    ['3', 'c'],
  ]);
  const landed = await landing.rows(
    `SELECT CAST("RECORD_METADATA":"offset" AS VARCHAR), CAST("RECORD_METADATA":"topic" AS VARCHAR), CAST("RECORD_CONTENT":"op" AS VARCHAR) FROM "LANDING"."ORDERS"`,
  );
  assert.deepEqual(landed, [
    ['0', 'src.shop.orders', 'r'],
    ['1', 'src.shop.orders', 'r'],
    ['2', 'src.shop.orders', 'u'],
    ['3', 'src.shop.orders', 'd'],
    ['4', 'src.shop.orders', null],
    ['5', 'src.shop.orders', 'c'],
  ]);
});

test('a merge waits for its time, and not beyond the end', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map: 'src.shop.orders:orders', mergeMs: 3_600_000 });
  const history = new History('src');
  await landing.take(history.transaction((tx) => tx.insert(orders, [1, 'a'])).group());
  await landing.take(history.transaction((tx) => tx.insert(orders, [2, 'b'])).group());
  assert.deepEqual(await landing.rows('SELECT * FROM "SHOP"."ORDERS"'), []);
  assert.ok(landing.task.pending());
  assert.equal(landing.task.due?.(false), false);
  assert.equal(landing.task.due?.(true), true);
  await landing.take();
  assert.equal((await landing.rows('SELECT * FROM "SHOP"."ORDERS"')).length, 2);
  assert.equal(landing.task.pending(), false);
});

test('half a transaction lands, and is merged with its other half', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map: 'src.shop.orders:orders' });
  const history = new History('src');
  await landing.take(history.transaction((tx) => tx.insert(orders, [1, 'a'])).group(true));
  assert.deepEqual(await landing.rows('SELECT * FROM "SHOP"."ORDERS"'), []);
  await landing.take(history.transaction((tx) => tx.insert(orders, [2, 'b'])).group());
  assert.equal((await landing.rows('SELECT * FROM "SHOP"."ORDERS"')).length, 2);
});
