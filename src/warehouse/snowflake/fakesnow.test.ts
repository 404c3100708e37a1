/** A second opinion on the statements of a flush: an emulator that is not ours. It is lax where ours is strict. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakesnow, withoutFakesnow } from '../../../test/fakesnow/fakesnow.ts';
import { column, History, int, table, text } from '../group.fixture.ts';
import { loadDriver, type Driver } from './driver.ts';
import { openSnowflakeSession } from './session.ts';
import { openTestSnowflake } from './snowflake.fixture.ts';

const signal = new AbortController().signal;

/** What fakesnow has no word for, and what of it does not bear on rows. */
async function patientDriver(): Promise<Driver> {
  const real = await loadDriver();
  return {
    configure: (options) => real.configure(options),
    createConnection(options) {
      const connection = real.createConnection(options);
      const execute = connection.execute.bind(connection);
      connection.execute = (statement) => {
        const sqlText = /^(?:ALTER SESSION|REMOVE|SHOW TRANSACTIONS)/.test(statement.sqlText)
          ? 'SELECT 1'
          : statement.sqlText.replace(/ COPY GRANTS$/, '').replace(/^BEGIN TRANSACTION NAME .*/, 'BEGIN');
        return execute({ ...statement, sqlText });
      };
      return connection;
    },
  };
}

test(
  'rows with and without a key, of partial images and of a snapshot are in fakesnow as in the source',
  { skip: withoutFakesnow() },
  async () => {
    await using fakesnow = await startFakesnow();
    const driver = await patientDriver();
    const connection = { account: fakesnow.account, accessUrl: fakesnow.url, username: 'U', password: 'p' };
    const database = 'REPLICA';
    {
      await using session = await openSnowflakeSession(driver, { connection, lockTimeoutSeconds: 20 }, signal);
      await session.run(`CREATE DATABASE "${database}"`);
    }
    await using warehouse = await openTestSnowflake({ driver, connection, database });
    const { task } = warehouse;
    const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', text), column('qty', int)]);
    const events = table('shop', 'events', [column('kind', text), column('at', { kind: 'datetime', fsp: 6 })], []);
    const loaded = table('shop', 'loaded', orders.columns);
    const at = '2026-11-24 10:20:30.123456';
    const history = new History();
    history.transaction((tx) => {
      tx.insert(orders, [1, 'a', 1], [2, 'b', 2], [3, null, 3]);
      tx.insert(events, ['x', at], ['x', at], ['y', null]);
    });
    await task.put(history.group(), signal);
    await task.flush(signal);
    history.transaction((tx) => {
      tx.update(orders, [1, 'a', 1], [1, `it's`, 10]);
      tx.update(orders, [2, undefined, undefined], [20, undefined, 22]);
      tx.delete(orders, [3, null, 3]);
      tx.insert(orders, [4, 'back\\slash', null]);
      tx.delete(events, ['x', at], ['y', null]);
    });
    history
      .snapshotBegin('s', [loaded])
      .chunk('s', loaded, [
        [1, 'one', 1],
        [2, 'two', null],
      ])
      .snapshotEnd('s', [loaded]);
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('shop', 'orders'), [
      ['1', `it's`, '10'],
      ['4', 'back\\slash', null],
      ['20', 'b', '22'],
    ]);
    assert.deepEqual(
      (await warehouse.read('shop', 'events'))?.map(([kind]) => kind),
      ['x'],
    );
    assert.deepEqual(await warehouse.read('shop', 'loaded'), [
      ['1', 'one', '1'],
      ['2', 'two', null],
    ]);
  },
);
