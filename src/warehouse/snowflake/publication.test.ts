import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openSnowflakeEmulator } from '../../../test/snowflake-emulator/snowflake-emulator.ts';
import { column, History, int, table } from '../group.fixture.ts';
import { createDatabase } from './account.fixture.ts';
import { openTestSnowflake } from './snowflake.fixture.ts';

const emulator = await openSnowflakeEmulator();
after(() => emulator[Symbol.asyncDispose]());
const signal = new AbortController().signal;
const id = column('id', int, { nullable: false });
const [a, b] = [table('shop', 'a', [id]), table('shop', 'b', [id])];

test('tables of a snapshot in a new schema appear by one statement, those of a later one each by its own', async () => {
  await using warehouse = await openTestSnowflake(await createDatabase(emulator));
  const { task, database } = warehouse;
  const history = new History();
  const snapshot = (name: string, rows: readonly number[]): History => {
    history.snapshotBegin(name, [a, b]);
    const images = rows.map((row) => [row]);
    history.chunk(name, a, images).chunk(name, b, images);
    return history.snapshotEnd(name, [a, b]);
  };
  await task.put(snapshot('s1', [1, 2]).group(), signal);
  await task.flush(signal);
  const naming = (): readonly string[] =>
    emulator.statements.map(({ sql }) => sql).filter((sql) => sql.includes(`"${database}"."SHOP"`) && !sql.startsWith('S'));
  assert.match(naming().join('\n'), /^ALTER SCHEMA "\w+"\."MILLRACE_SINK_\w+" RENAME TO "\w+"\."SHOP"$/);
  assert.deepEqual(
    [await warehouse.read('shop', 'a'), await warehouse.read('shop', 'b')],
    [
      [['1'], ['2']],
      [['1'], ['2']],
    ],
  );
  await task.put(snapshot('s2', [3]).group(), signal);
  await task.flush(signal);
  assert.equal(naming().filter((sql) => /^CREATE OR REPLACE TABLE .* COPY GRANTS$/.test(sql)).length, 2);
  assert.deepEqual([await warehouse.read('shop', 'a'), await warehouse.read('shop', 'b')], [[['3']], [['3']]]);
  assert.deepEqual(await warehouse.leftovers(), []);
});

test('a publication that was cut off goes on where it stopped', async () => {
  const account = await createDatabase(emulator);
  await using warehouse = await openTestSnowflake(account);
  const history = new History();
  history
    .snapshotBegin('s', [a, b])
    .chunk('s', a, [[1]])
    .chunk('s', b, [[2]]);
  await warehouse.task.put(history.snapshotEnd('s', [a, b]).group(), signal);
  emulator.faults.add({ kind: 'error', code: '390111', match: { sql: /^ALTER SCHEMA/ } });
  await assert.rejects(warehouse.task.flush(signal), { code: 'WAREHOUSE_UNREACHABLE' });
  assert.equal(await warehouse.read('shop', 'a'), undefined);
  await warehouse.task[Symbol.asyncDispose]();
  const again = await warehouse.openTask();
  assert.equal(again.committed()[0]?.seq, 1);
  assert.deepEqual([await warehouse.read('shop', 'a'), await warehouse.read('shop', 'b')], [[['1']], [['2']]]);
  assert.deepEqual(await warehouse.leftovers(), []);
});
