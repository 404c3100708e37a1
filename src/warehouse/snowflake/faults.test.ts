import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Fault } from '../../../test/snowflake-emulator/faults.ts';
import { openSnowflakeEmulator } from '../../../test/snowflake-emulator/snowflake-emulator.ts';
import { isMillraceError } from '../../base/errors.ts';
import { column, History, int, table } from '../group.fixture.ts';
import { printRow, randomHistory } from '../random-history.fixture.ts';
import { createDatabase } from './account.fixture.ts';
import { openTestSnowflake } from './snowflake.fixture.ts';

const emulator = await openSnowflakeEmulator();
after(() => emulator[Symbol.asyncDispose]());
const signal = new AbortController().signal;
const groups = 12;

const faults: Readonly<Record<string, readonly Fault[]>> = {
  'the service is unavailable': ['^COPY', '^MERGE', '^COMMIT'].map((sql) => ({
    kind: 'unavailable',
    match: { sql: new RegExp(sql), nth: 2 },
  })),
  'the connection breaks before a statement is done': ['^MERGE', '^COMMIT'].map((sql) => ({
    kind: 'drop',
    phase: 'beforeExecution',
    match: { sql: new RegExp(sql), nth: 2 },
  })),
  'the connection breaks when a statement is done': ['^COPY', '^MERGE', '^COMMIT', '^CREATE'].map((sql) => ({
    kind: 'drop',
    phase: 'afterExecution',
    match: { sql: new RegExp(sql), nth: 2 },
  })),
  'the token expires': ['^PUT', '^MERGE', '^COMMIT', '^DROP'].map((sql) => ({
    kind: 'tokenExpired',
    match: { sql: new RegExp(sql), nth: 2 },
  })),
  'the session ends': ['^COPY', '^MERGE', '^INSERT', '^COMMIT', '^CREATE'].map((sql) => ({
    kind: 'error',
    code: '390111',
    match: { sql: new RegExp(sql), nth: 3 },
  })),
  'answers come late': ['^COPY', '^MERGE', '^COMMIT'].map((sql) => ({
    kind: 'slow',
    delayMs: 50,
    match: { sql: new RegExp(sql) },
    times: 2,
  })),
  'files cannot be uploaded': [{ kind: 'upload', path: /part/, status: 403, times: 2 }],
  'files cannot be copied': [{ kind: 'error', code: '000603', match: { sql: /^COPY/, nth: 2 } }],
  'locks are waited for too long': ['^UPDATE', '^MERGE'].map((sql) => ({
    kind: 'error',
    code: '000625',
    sqlState: '57014',
    match: { sql: new RegExp(sql), nth: 2 },
  })),
};

for (const [index, [what, list]] of Object.entries(faults).entries()) {
  test(`nothing is lost or repeated when ${what}`, async () => {
    const seed = Number(process.env['MILLRACE_SEED'] ?? 1) + index;
    const steps = randomHistory(seed, groups);
    await using warehouse = await openTestSnowflake(await createDatabase(emulator), { task: { flushRows: 20 } });
    emulator.faults.clear();
    const before = emulator.faults.struck.length;
    emulator.faults.add(...list);
    let { task } = warehouse;
    for (let attempt = 0; ; attempt++) {
      assert.ok(attempt < 30, 'it comes through in the end');
      try {
        if (attempt > 0) task = await warehouse.openTask();
        const stored = task.committed()[0]?.seq ?? 0;
        for (const { group } of steps.slice(stored)) {
          await task.put(group, signal);
          if (group.seq % 2 === 0) await task.flush(signal);
        }
        await task.flush(signal);
        break;
      } catch (error) {
        // as the worker does it: a passing fault closes the task and opens it again
        if (!isMillraceError(error) || !error.retriable) throw error;
        await task[Symbol.asyncDispose]();
      }
    }
    emulator.faults.clear();
    assert.ok(emulator.faults.struck.length > before, 'faults have struck');
    for (const [name, rows] of steps.at(-1)?.visible ?? []) {
      assert.deepEqual(((await warehouse.read('d', name)) ?? []).map(printRow).toSorted(), rows, name);
    }
    assert.deepEqual(warehouse.resync, []);
    await task[Symbol.asyncDispose]();
    await (await warehouse.openTask())[Symbol.asyncDispose]();
    assert.deepEqual(await warehouse.leftovers(), []);
  });
}

test('a commit whose answer is lost, and whose session with it, is found to have come through', async () => {
  const orders = table('shop', 'orders', [column('id', int, { nullable: false })]);
  const account = await createDatabase(emulator);
  await using warehouse = await openTestSnowflake(account);
  const history = new History();
  await warehouse.task.put(history.transaction((tx) => tx.insert(orders, [1])).group(), signal);
  await warehouse.task.flush(signal);
  const before = emulator.faults.struck.length;
  emulator.faults.add({ kind: 'drop', phase: 'afterExecution', match: { sql: /^COMMIT/ } });
  await warehouse.task.put(history.transaction((tx) => tx.insert(orders, [2])).group(), signal);
  const flushed = warehouse.task.flush(signal);
  while (emulator.faults.struck.length === before) await setTimeout(2);
  // before the driver asks again
  emulator.expireTokens('session');
  emulator.expireTokens('master');
  assert.equal((await flushed)[0]?.seq, 2);
  await using reader = await openTestSnowflake(account, { connector: 'reader' });
  assert.deepEqual(await reader.read('shop', 'orders'), [['1'], ['2']]);
});

test('nothing is sent while nothing changes, and a flush of one table is a handful of statements', async () => {
  const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', { kind: 'text' })]);
  await using warehouse = await openTestSnowflake(await createDatabase(emulator));
  const history = new History();
  await warehouse.task.put(history.transaction((tx) => tx.insert(orders, [1, 'a'])).group(), signal);
  await warehouse.task.flush(signal);
  await warehouse.task.put(history.transaction((tx) => tx.update(orders, [1, 'a'], [1, 'b'])).group(), signal);
  await warehouse.leftovers();
  const before = emulator.statements.length;
  await warehouse.task.flush(signal);
  await warehouse.settled();
  const words = emulator.statements.slice(before).map(({ sql }) => /^\w+/.exec(sql)?.[0]);
  assert.deepEqual(words, ['CREATE', 'PUT', 'COPY', 'BEGIN', 'UPDATE', 'MERGE', 'COMMIT', 'UPDATE', 'DROP']);
  const flushed = emulator.statements.length;
  await warehouse.task.flush(signal);
  assert.equal(emulator.statements.length, flushed);
});
