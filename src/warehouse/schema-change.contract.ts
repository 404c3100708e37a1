import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column, History, int, table, text } from './group.fixture.ts';
import type { OpenContractWarehouse } from './contract-warehouse.fixture.ts';

const signal = new AbortController().signal;
const id = column('id', int, { nullable: false });

/** What every warehouse does when definitions change between rows. */
export function testSchemaChanges(name: string, open: OpenContractWarehouse): void {
  test(`${name}: definitions change between rows, in one group`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const t1 = table('d', 't', [id]);
    const t2 = table('d', 't', [id, column('x', int)]);
    const t3 = table('d', 't', [id, column('y', text)]);
    const history = new History();
    history.transaction((tx) => tx.ddl({ kind: 'createTable', after: t1 }));
    history.transaction((tx) => tx.insert(t1, [1], [2]));
    history.transaction((tx) => tx.ddl({ kind: 'alterTable', before: t1, after: t2, columns: [{ from: 0 }, { fill: '5' }] }));
    history.transaction((tx) => {
      tx.insert(t2, [3, 30]);
      tx.update(t2, [1, 5], [1, 10]);
    });
    history.transaction((tx) => tx.ddl({ kind: 'alterTable', before: t2, after: t3, columns: [{ from: 0 }, { fill: 'y' }] }));
    history.transaction((tx) => tx.update(t3, [1, 'y'], [1, 'changed']));
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [
      ['1', 'changed'],
      ['2', 'y'],
      ['3', 'y'],
    ]);
  });

  test(`${name}: a definition changes between the rows of one transaction, as records of several tables in one topic tell it`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const t1 = table('d', 't', [id, column('v', int)]);
    const t2 = table('d', 't', [id, column('v', int), column('x', int)]);
    const t3 = table('d', 't', [id, column('v', int), column('x', int), column('y', int)]);
    const history = new History();
    history.transaction((tx) => tx.insert(t1, [1, 1], [2, 2], [3, 3]));
    await task.put(history.group(), signal);
    await task.flush(signal);
    history.transaction((tx) => {
      tx.update(t1, [1, 1], [1, 10]);
      tx.delete(t1, [3, 3]);
      tx.ddl({ kind: 'alterTable', before: t1, after: t2, columns: [{ from: 0 }, { from: 1 }, { fill: null }] });
      tx.update(t2, [2, 2, null], [2, 20, 7]);
      tx.ddl({ kind: 'alterTable', before: t2, after: t3, columns: [{ from: 0 }, { from: 1 }, { from: 2 }, { fill: null }] });
      tx.insert(t3, [4, 40, 8, 9]);
    });
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [
      ['1', '10', null, null],
      ['2', '20', '7', null],
      ['4', '40', '8', '9'],
    ]);
  });

  test(`${name}: DROP and TRUNCATE, and a table created again under the name`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const t = table('d', 't', [id]);
    const again = table('d', 't', [column('other', text)], []);
    const history = new History();
    history.transaction((tx) => tx.insert(t, [1], [2]));
    history.transaction((tx) => tx.ddl({ kind: 'truncateTable', before: t }));
    history.transaction((tx) => tx.insert(t, [1]));
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [['1']]);
    history.transaction((tx) => tx.ddl({ kind: 'dropTable', before: t }));
    history.transaction((tx) => tx.ddl({ kind: 'createTable', after: again }));
    history.transaction((tx) => tx.insert(again, ['x']));
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [['x']]);
  });

  test(`${name}: RENAME TABLE exchanges two tables, moves one to another database, and changes only letter case`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const named = (database: string, called: string) => table(database, called, [id]);
    const [one, two] = [named('d', 'one'), named('d', 'two')];
    const between = named('d', 'between');
    const history = new History();
    history.transaction((tx) => {
      tx.insert(one, [1]);
      tx.insert(two, [2]);
    });
    history.transaction((tx) =>
      tx.ddl(
        { kind: 'renameTable', before: one, after: between },
        { kind: 'renameTable', before: two, after: one },
        { kind: 'renameTable', before: between, after: two },
      ),
    );
    history.transaction((tx) => tx.insert(one, [22]));
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 'one'), [['2'], ['22']]);
    assert.deepEqual(await warehouse.read('d', 'two'), [['1']]);
    const moved = named('elsewhere', 'one');
    const cased = named('d', 'TWO');
    history.transaction((tx) =>
      tx.ddl({ kind: 'renameTable', before: one, after: moved }, { kind: 'renameTable', before: two, after: cased }),
    );
    history.transaction((tx) => tx.insert(moved, [3]));
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('elsewhere', 'one'), [['2'], ['3'], ['22']]);
    assert.equal((await warehouse.read('d', 'TWO'))?.length, 1);
    assert.deepEqual(await warehouse.leftovers(), []);
  });

  test(`${name}: CREATE TABLE … SELECT: definition and rows are one transaction, over several groups`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const t = table('d', 't', [id]);
    const history = new History();
    history.transaction((tx) => {
      tx.ddl({ kind: 'createTable', after: t });
      tx.insert(t, [1]);
    });
    await task.put(history.group(true), signal);
    await task.flush(signal);
    assert.equal(await warehouse.read('d', 't'), undefined);
    await task.put(history.transaction((tx) => tx.insert(t, [2])).group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [['1'], ['2']]);
  });

  test(`${name}: a table under a snapshot is altered where it is loaded`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const t1 = table('d', 't', [id]);
    const t2 = table('d', 't', [id, column('x', int)]);
    const history = new History();
    await task.put(history.transaction((tx) => tx.insert(t1, [7])).group(), signal);
    await task.put(
      history
        .snapshotBegin('s', [t1], false)
        .chunk('s', t1, [[1], [2]])
        .group(),
      signal,
    );
    await task.put(
      history.transaction((tx) => tx.ddl({ kind: 'alterTable', before: t1, after: t2, columns: [{ from: 0 }, { fill: '5' }] })).group(),
      signal,
    );
    await task.put(history.chunk('s', t2, [[3, 30]]).group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [['7']]);
    await task.put(history.snapshotEnd('s', [t2]).group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [
      ['1', '5'],
      ['2', '5'],
      ['3', '30'],
    ]);
  });

  test(`${name}: a table renamed from one that the replica does not have is hidden until its snapshot`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const before = table('d', 'elsewhere', [id]);
    const after = table('d', 't', [id]);
    const wider = table('d', 't', [id, column('x', int)]);
    const history = new History();
    history.transaction((tx) => tx.ddl({ kind: 'renameTable', before, after }));
    history.transaction((tx) => tx.insert(after, [9]));
    history.transaction((tx) => tx.ddl({ kind: 'alterTable', before: after, after: wider, columns: [{ from: 0 }, { fill: '5' }] }));
    history.transaction((tx) => tx.ddl({ kind: 'truncateTable', before: wider }));
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(
      warehouse.resync.map((asked) => asked.table),
      ['d.t'],
    );
    assert.equal(await warehouse.read('d', 't'), undefined);
    const snapshot = history.snapshotBegin('r', [wider], false).chunk('r', wider, [
      [1, 5],
      [9, 5],
    ]);
    await task.put(snapshot.snapshotEnd('r', [wider]).group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [
      ['1', '5'],
      ['9', '5'],
    ]);
  });

  test(`${name}: rows that are there are changed and deleted, and the table is altered, in one group`, async () => {
    await using warehouse = await open();
    const { task } = warehouse;
    const t1 = table('d', 't', [id, column('v', text)]);
    const t2 = table('d', 't', [id, column('v', text), column('w', int)]);
    const history = new History();
    history.transaction((tx) => tx.insert(t1, [1, 'a'], [2, 'b'], [3, 'c']));
    await task.put(history.group(), signal);
    await task.flush(signal);
    history.transaction((tx) => tx.insert(t1, [4, 'd']));
    history.transaction((tx) => tx.update(t1, [1, 'a'], [1, 'x']));
    history.transaction((tx) => tx.delete(t1, [2, 'b']));
    history.transaction((tx) => tx.ddl({ kind: 'alterTable', before: t1, after: t2, columns: [{ from: 0 }, { from: 1 }, { fill: null }] }));
    history.transaction((tx) => tx.insert(t2, [5, 'e', 50]));
    await task.put(history.group(), signal);
    await task.flush(signal);
    assert.deepEqual(await warehouse.read('d', 't'), [
      ['1', 'x', null],
      ['3', 'c', null],
      ['4', 'd', null],
      ['5', 'e', '50'],
    ]);
  });
}
