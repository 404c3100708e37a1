import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { isMillraceError } from '../../src/base/errors.ts';
import { column, History, int, table, text } from '../../src/warehouse/group.fixture.ts';
import { createDatabase } from '../../src/warehouse/snowflake/account.fixture.ts';
import { StreamingClient } from '../../src/warehouse/snowflake/streaming/streaming-client.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from '../snowflake-emulator/snowflake-emulator.ts';
import { never, openTestLanding } from './landing.fixture.ts';

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
let emulator: SnowflakeEmulator;
before(async () => {
  emulator = await openSnowflakeEmulator({
    users: [
      { name: 'MILLRACE', password: 'secret' },
      { name: 'STREAMER', publicKey: keys.publicKey },
    ],
    streamingCommitMs: 20,
  });
});
after(() => emulator[Symbol.asyncDispose]());

const client = (): StreamingClient =>
  new StreamingClient({ url: emulator.url, account: emulator.account, user: 'streamer', privateKey: keys.privateKey });

const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', text)]);
const map = 'src.shop.orders:orders';
const counted = `SELECT CAST("RECORD_METADATA":"offset" AS NUMBER(10,0)), COUNT(*) FROM "LANDING"."ORDERS" GROUP BY 1`;

test('records stream into the landing table, once each, and the replica follows', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map, streaming: client() });
  const history = new History('src');
  const groups = Array.from({ length: 4 }, (_, index) =>
    history
      .transaction((tx) => {
        tx.insert(orders, [2 * index, `a${index}`], [2 * index + 1, `é"\\ ${index}`]);
        if (index > 0) tx.delete(orders, [2 * index - 1, `é"\\ ${index - 1}`]);
      })
      .group(),
  );
  const [first, second, third, fourth] = groups;
  assert.ok(first !== undefined && second !== undefined && third !== undefined && fourth !== undefined);
  await landing.take(first, second);
  // a crash before the log heard of it: all is put again
  await landing.reopen();
  await landing.take(...groups);
  const rows = await landing.rows(counted);
  assert.deepEqual(
    rows.map(([, times]) => times),
    Array.from({ length: 14 }, () => '1'),
  );
  assert.deepEqual(await landing.rows('SELECT * FROM "SHOP"."ORDERS"'), [
    ['0', 'a0'],
    ['2', 'a1'],
    ['4', 'a2'],
    ['6', 'a3'],
    ['7', 'é"\\ 3'],
  ]);
});

test('answers that are lost, tokens that expire and 503 repeat nothing and lose nothing', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map, streaming: client() });
  const history = new History('src');
  const groups = Array.from({ length: 6 }, (_, index) => history.transaction((tx) => tx.insert(orders, [index, 'x'])).group());
  for (const [index, group] of groups.entries()) {
    if (index === 1) emulator.faults.add({ kind: 'streaming', path: /POST .*rows/, phase: 'afterExecution' });
    if (index === 2) emulator.faults.add({ kind: 'streaming', path: /POST .*rows/, phase: 'beforeExecution', status: 503 });
    if (index === 3) emulator.expireTokens('streaming');
    if (index === 4) emulator.faults.add({ kind: 'streaming', path: /bulk-channel-status/, phase: 'afterExecution' });
    try {
      await landing.take(group);
    } catch (error) {
      assert.ok(isMillraceError(error) && error.retriable, String(error));
      await landing.reopen();
      await landing.take(...groups.slice(0, index + 1));
    }
  }
  assert.deepEqual(
    await landing.rows(counted),
    groups.map((_, index) => [String(index), '1']),
  );
});

test('rows of several layouts go into a table in their order', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map, streaming: client(), schematized: true });
  const history = new History('src');
  // a delete is followed by a tombstone, which has metadata alone
  const group = history
    .transaction((tx) => {
      tx.insert(orders, [1, 'a'], [2, 'b']);
      tx.delete(orders, [1, 'a']);
      tx.insert(orders, [3, 'c']);
    })
    .group();
  await landing.take(group);
  await landing.reopen();
  await landing.take(group, history.transaction((tx) => tx.delete(orders, [3, 'c'])).group());
  assert.deepEqual(await landing.rows('SELECT * FROM "SHOP"."ORDERS"'), [['2', 'b']]);
  const rows = await landing.rows(counted);
  assert.deepEqual(
    rows.map(([, times]) => times),
    Array.from({ length: 7 }, () => '1'),
  );
});

test('rows that Snowflake cannot store stop the sink, and go on being told of', async () => {
  const account = await createDatabase(emulator);
  const streaming = client();
  await using landing = await openTestLanding(account, { map, streaming, schematized: true, replicas: undefined });
  await landing.session.run('CREATE TABLE "LANDING"."ORDERS" ("RECORD_METADATA" VARIANT, "OP" NUMBER(1,0))');
  const history = new History('src');
  const group = history.transaction((tx) => tx.insert(orders, [1, 'x'])).group();
  const refused = /could not store 1 rows in ORDERS/;
  await assert.rejects(landing.take(group), refused);
  await landing.reopen();
  await assert.rejects(landing.take(group), refused);
  await landing.reopen({ tolerates: true });
  await landing.take(group);
});

test('the channels of another log are refused', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map, streaming: client(), replicas: undefined });
  const history = new History('src');
  await landing.take(history.transaction((tx) => tx.insert(orders, [1, 'x'])).group());
  await landing.reopen();
  await landing.task.open('log-2', never);
  await assert.rejects(landing.take(history.transaction((tx) => tx.insert(orders, [2, 'x'])).group()), (error) =>
    isMillraceError(error, 'LOG_IDENTITY'),
  );
});
