import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isMillraceError } from '../../src/base/errors.ts';
import type { CommitGroup } from '../../src/connect/commit-group.ts';
import type { TableSchema } from '../../src/event/table-schema.ts';
import { column, History, int, table, text } from '../../src/warehouse/group.fixture.ts';
import { createDatabase } from '../../src/warehouse/snowflake/account.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from '../snowflake-emulator/snowflake-emulator.ts';
import { openTestLanding, type TestLanding } from './landing.fixture.ts';

let emulator: SnowflakeEmulator;
before(async () => {
  emulator = await openSnowflakeEmulator();
});
after(() => emulator[Symbol.asyncDispose]());

const id = column('id', int, { nullable: false });
const note = column('note', text);
const map = 'src.shop.orders:orders';
const ordersOf = (...more: Parameters<typeof table>[2]): TableSchema => table('shop', 'orders', [id, ...more]);
const replica = 'SELECT * FROM "SHOP"."ORDERS"';

async function columns(landing: TestLanding): Promise<readonly (string | null)[]> {
  const { columns: names } = await landing.session.run(replica);
  return names;
}

for (const asTable of [false, true]) {
  const kind = asTable ? 'table' : 'view';
  test(`columns come, go and change their type amid one group (${kind})`, async () => {
    await using landing = await openTestLanding(await createDatabase(emulator), { map, table: asTable });
    const history = new History('src');
    const first = ordersOf(note, column('n', int));
    const second = ordersOf(
      note,
      column('n', { kind: 'int', bits: 64, unsigned: false }),
      column('grade', int, { nullable: false, defaultText: '5' }),
    );
    const third = ordersOf(
      column('n', { kind: 'int', bits: 64, unsigned: false }),
      column('grade', int, { nullable: false, defaultText: '5' }),
    );
    const group = history
      .transaction((tx) => tx.insert(first, [1, 'a', 10], [2, 'b', 20]))
      .transaction((tx) =>
        tx.ddl({ kind: 'alterTable', before: first, after: second, columns: [{ from: 0 }, { from: 1 }, { from: 2 }, { fill: '5' }] }),
      )
      .transaction((tx) => {
        tx.update(second, [1, 'a', 10n, 5], [1, 'A', 5_000_000_000n, 6]);
        tx.insert(second, [3, 'c', 30n, 7]);
      })
      .transaction((tx) => tx.ddl({ kind: 'alterTable', before: second, after: third, columns: [{ from: 0 }, { from: 2 }, { from: 3 }] }))
      .transaction((tx) => tx.delete(third, [3, 30n, 7]))
      .group();
    await landing.take(group);
    assert.deepEqual(await columns(landing), ['ID', 'N', 'GRADE']);
    assert.deepEqual(await landing.rows(replica), [
      ['1', '5000000000', '6'],
      ['2', '20', '5'],
    ]);
    // and once more, from the definitions that are stored
    await landing.reopen();
    await landing.take(history.transaction((tx) => tx.insert(third, [4, 40n, 8])).group());
    assert.equal((await landing.rows(replica)).length, 3);
  });

  test(`a key that becomes another one (${kind})`, async () => {
    await using landing = await openTestLanding(await createDatabase(emulator), { map, table: asTable });
    const region = column('region', int, { nullable: false, defaultText: '7' });
    const narrow = ordersOf(note);
    const wide = table('shop', 'orders', [id, note, region], [2, 0]);
    const history = new History('src');
    await landing.take(
      history
        .transaction((tx) => tx.insert(narrow, [1, 'a'], [2, 'b'], [3, 'c']))
        .transaction((tx) => tx.delete(narrow, [3, 'c']))
        .transaction((tx) =>
          tx.ddl({ kind: 'alterTable', before: narrow, after: wide, columns: [{ from: 0 }, { from: 1 }, { fill: '7' }] }),
        )
        .transaction((tx) => {
          tx.update(wide, [1, 'a', 7], [1, 'A', 7]);
          tx.insert(wide, [1, 'other', 8]);
          tx.delete(wide, [2, 'b', 7]);
        })
        .group(),
    );
    assert.deepEqual(await landing.rows(replica), [
      ['1', 'A', '7'],
      ['1', 'other', '8'],
    ]);
  });

  test(`what was truncated or dropped is gone, and what comes afterwards stays (${kind})`, async () => {
    await using landing = await openTestLanding(await createDatabase(emulator), { map, table: asTable });
    const orders = ordersOf(note);
    const history = new History('src');
    await landing.take(history.transaction((tx) => tx.insert(orders, [1, 'a'], [2, 'b'])).group());
    await landing.take(
      history
        .transaction((tx) => tx.insert(orders, [3, 'c']))
        .transaction((tx) => tx.ddl({ kind: 'truncateTable', before: orders }))
        .transaction((tx) => tx.insert(orders, [2, 'B']))
        .group(),
    );
    assert.deepEqual(await landing.rows(replica), [['2', 'B']]);
    await landing.take(
      history
        .transaction((tx) => tx.ddl({ kind: 'dropTable', before: orders }))
        .transaction((tx) => tx.ddl({ kind: 'createTable', after: orders }))
        .transaction((tx) => tx.insert(orders, [5, 'e']))
        .group(),
    );
    assert.deepEqual(await landing.rows(replica), [['5', 'e']]);
  });
}

test('a server that counts anew, and a connector that begins anew, are newer than all before', async () => {
  const account = await createDatabase(emulator);
  const orders = ordersOf(note);
  const first = new History('src');
  first.file = 'binlog.000900';
  const groups: CommitGroup[] = [first.transaction((tx) => tx.insert(orders, [1, 'a'], [2, 'b'])).group()];
  first.file = 'binlog.000001';
  first.pos = 4;
  groups.push(
    first
      .transaction((tx) => {
        tx.update(orders, [1, 'a'], [1, 'A']);
        tx.delete(orders, [2, 'b']);
      })
      .group(),
  );
  {
    await using landing = await openTestLanding(account, { map });
    for (const group of groups) await landing.take(group);
    assert.deepEqual(await landing.rows(replica), [['1', 'A']]);
    await landing.reopen();
    await landing.take(first.transaction((tx) => tx.insert(orders, [3, 'c'])).group());
    assert.equal((await landing.rows(replica)).length, 2);
  }
  await using other = await openTestLanding(account, { map, connector: 'other' });
  const second = new History('src');
  await other.take(second.transaction((tx) => tx.insert(orders, [1, 'again'], [3, 'c'])).group());
  assert.deepEqual(await other.rows(replica), [
    ['1', 'again'],
    ['3', 'c'],
  ]);
});

test('with tasks Millrace lands and Snowflake merges; a change of the schema renews the task', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map, runner: 'triggered.task', table: true });
  const orders = ordersOf(note);
  const wider = ordersOf(note, column('grade', int));
  const history = new History('src');
  const run = (): Promise<unknown> => landing.session.run('EXECUTE TASK "LANDING"."ORDERS__TASK"');
  await landing.take(history.transaction((tx) => tx.insert(orders, [1, 'a'])).group());
  assert.deepEqual(await landing.rows(replica), []);
  await run();
  assert.deepEqual(await landing.rows(replica), [['1', 'a']]);
  await landing.take(
    history
      .transaction((tx) => tx.insert(orders, [2, 'b']))
      .transaction((tx) =>
        tx.ddl({ kind: 'alterTable', before: orders, after: wider, columns: [{ from: 0 }, { from: 1 }, { fill: null }] }),
      )
      .transaction((tx) => tx.insert(wider, [3, 'c', 9]))
      .group(),
  );
  await run();
  assert.deepEqual(await landing.rows(replica), [
    ['1', 'a', null],
    ['2', 'b', null],
    ['3', 'c', '9'],
  ]);
});

test('a dynamic table is made of all that has landed', async () => {
  await using landing = await openTestLanding(await createDatabase(emulator), { map, runner: 'dynamic.table' });
  const orders = ordersOf(note);
  const history = new History('src');
  await landing.take(history.transaction((tx) => tx.insert(orders, [1, 'a'], [2, 'b'])).group());
  await landing.take(
    history
      .transaction((tx) => {
        tx.update(orders, [1, 'a'], [1, 'A']);
        tx.delete(orders, [2, 'b']);
      })
      .group(),
  );
  await landing.session.run('ALTER DYNAMIC TABLE "SHOP"."ORDERS" REFRESH');
  assert.deepEqual(await landing.rows(replica), [['1', 'A']]);
});

test('columns of their own: added as records need them, NOT NULL goes, the replica is the same', async () => {
  const account = await createDatabase(emulator);
  await using landing = await openTestLanding(account, { map, schematized: true });
  await landing.session.run('CREATE TABLE "LANDING"."ORDERS" ("RECORD_METADATA" VARIANT, "OP" VARCHAR, "MUST" NUMBER(5,0) NOT NULL)');
  const orders = ordersOf(note);
  const history = new History('src');
  await landing.take(history.transaction((tx) => tx.insert(orders, [1, 'a'], [2, 'b'])).group());
  await landing.take(history.transaction((tx) => tx.delete(orders, [2, 'b'])).group());
  assert.deepEqual(await landing.rows(replica), [['1', 'a']]);
  assert.deepEqual(await landing.rows(`SELECT "OP", CAST("AFTER":"note" AS VARCHAR), "MUST" FROM "LANDING"."ORDERS"`), [
    ['c', 'a', null],
    ['c', 'b', null],
    ['d', null, null],
    [null, null, null],
  ]);
});

/** The sink is opened again until all has gone through. Answers that are lost are the store's, and its suite's. */
const faults: readonly (readonly [statement: string, nth: number])[] = [
  ['COMMIT', 1],
  ['COMMIT', 2],
  ['MERGE', 1],
  ['MERGE', 2],
  ['ALTER TABLE', 1],
  ['UPDATE', 2],
  ['CREATE OR REPLACE VIEW', 1],
  ['CREATE OR REPLACE VIEW', 2],
  ['CREATE STREAM', 1],
  ['COPY', 2],
  ['INSERT INTO', 3],
];

test('whatever is refused on the way, records land once and the replica is right', async (t) => {
  const narrow = ordersOf(note);
  const wide = ordersOf(note, column('grade', int, { nullable: false, defaultText: '5' }));
  for (const [statement, nth] of faults) {
    await t.test(`${statement} is refused for a while (${nth})`, async () => {
      await using landing = await openTestLanding(await createDatabase(emulator), { map });
      const history = new History('src');
      const groups = [
        history.transaction((tx) => tx.insert(narrow, [1, 'a'], [2, 'b'])).group(),
        history
          .transaction((tx) => tx.update(narrow, [1, 'a'], [1, 'A']))
          .transaction((tx) =>
            tx.ddl({ kind: 'alterTable', before: narrow, after: wide, columns: [{ from: 0 }, { from: 1 }, { fill: '5' }] }),
          )
          .transaction((tx) => tx.insert(wide, [3, 'c', 7]))
          .group(),
        history.transaction((tx) => tx.delete(wide, [2, 'b', 5])).group(),
      ];
      emulator.faults.add({ kind: 'error', code: '000604', match: { sql: new RegExp(`^${statement}`), nth } });
      for (let attempt = 0; attempt < 8; attempt++) {
        try {
          const from = landing.task.committed()[0]?.seq ?? 0;
          await landing.take(...groups.slice(from));
          break;
        } catch (error) {
          assert.ok(isMillraceError(error) && error.retriable, String(error));
          await landing.reopen().catch((again: unknown) => assert.ok(isMillraceError(again) && again.retriable, String(again)));
        }
      }
      emulator.faults.clear();
      assert.deepEqual(await landing.rows(replica), [
        ['1', 'A', '5'],
        ['3', 'c', '7'],
      ]);
      const landed = await landing.rows(`SELECT CAST("RECORD_METADATA":"offset" AS VARCHAR) FROM "LANDING"."ORDERS"`);
      assert.deepEqual(landed, [['0'], ['1'], ['2'], ['3'], ['4'], ['5']]);
    });
  }
});
