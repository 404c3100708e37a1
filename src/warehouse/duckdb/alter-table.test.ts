import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnOrigin } from '../../event/schema-change.ts';
import type { Column } from '../../event/table-schema.ts';
import { column, History, int, table, text, type Row } from '../group.fixture.ts';
import { openWarehouse, type TestWarehouse } from './warehouse.fixture.ts';

const signal = new AbortController().signal;
const id = column('id', int, { nullable: false });
const varchar = (name: string, length: number, more: Partial<Column> = {}): Column =>
  column(name, text, { nativeType: 'VARCHAR', length, charset: 'utf8mb4', ...more });
const before = table('d', 't', [id, varchar('a', 20), column('b', int)]);
const rows: readonly Row[] = [
  [1, 'one', 10],
  [2, 'two', null],
  [3, null, 300],
];

interface AlterCase {
  readonly what: string;
  readonly columns: readonly Column[];
  readonly origins: readonly ColumnOrigin[];
  /** Of the old rows; undefined: it cannot be certain, the table needs a resync. */
  readonly expected: readonly (readonly (string | null)[])[] | undefined;
  readonly rows?: readonly Row[];
}

const [, a, b] = before.columns;
assert.ok(a !== undefined && b !== undefined);
const same: readonly ColumnOrigin[] = [{ from: 0 }, { from: 1 }, { from: 2 }];
const bigint = column('b', { kind: 'int', bits: 64, unsigned: false });
const tinyint = column('b', { kind: 'int', bits: 8, unsigned: false });

const cases: readonly AlterCase[] = [
  {
    what: 'ADD COLUMN at the end',
    columns: [id, a, b, column('c', int)],
    origins: [...same, { fill: null }],
    expected: [
      ['1', 'one', '10', null],
      ['2', 'two', null, null],
      ['3', null, '300', null],
    ],
  },
  {
    what: 'ADD COLUMN of several, one with a default before others',
    columns: [id, a, b, column('c', int), column('d', int), varchar('e', 9), column('f', int)],
    origins: [...same, { fill: null }, { fill: '5' }, { fill: 'x' }, { fill: null }],
    expected: [
      ['1', 'one', '10', null, '5', 'x', null],
      ['2', 'two', null, null, '5', 'x', null],
      ['3', null, '300', null, '5', 'x', null],
    ],
  },
  {
    what: 'ADD COLUMN of several, only the last with a default',
    columns: [id, a, b, column('c', int), column('d', int)],
    origins: [...same, { fill: null }, { fill: '5' }],
    expected: [
      ['1', 'one', '10', null, '5'],
      ['2', 'two', null, null, '5'],
      ['3', null, '300', null, '5'],
    ],
  },
  {
    what: 'ADD COLUMN NOT NULL with defaults of many types',
    columns: [
      id,
      a,
      b,
      column('n', int, { nullable: false }),
      varchar('s', 9, { nullable: false }),
      column('d', { kind: 'decimal', precision: 10, scale: 2, unsigned: false }, { nullable: false }),
      column('at', { kind: 'datetime', fsp: 0 }, { nullable: false }),
      column('bin', { kind: 'binary', fixedLength: 3 }, { nullable: false }),
      column('t', { kind: 'time', fsp: 0 }),
      column('bits', { kind: 'bit', length: 3 }),
    ],
    origins: [
      ...same,
      { fill: '7' },
      { fill: "it's" },
      { fill: '1.5' },
      { fill: '0000-00-00 00:00:00' },
      { fill: 'x' },
      { fill: '-10:00:00' },
      { fill: "b'101'" },
    ],
    expected: [
      ['1', 'one', '10', '7', "it's", '1.50', null, 'x\\x00\\x00', '-10:00:00', '5'],
      ['2', 'two', null, '7', "it's", '1.50', null, 'x\\x00\\x00', '-10:00:00', '5'],
      ['3', null, '300', '7', "it's", '1.50', null, 'x\\x00\\x00', '-10:00:00', '5'],
    ],
  },
  {
    what: 'ADD COLUMN FIRST',
    columns: [column('c', int), id, a, b],
    origins: [{ fill: '5' }, ...same],
    expected: [
      ['5', '1', 'one', '10'],
      ['5', '2', 'two', null],
      ['5', '3', null, '300'],
    ],
  },
  {
    what: 'DROP COLUMN',
    columns: [id, b],
    origins: [{ from: 0 }, { from: 2 }],
    expected: [
      ['1', '10'],
      ['2', null],
      ['3', '300'],
    ],
  },
  {
    what: 'DROP COLUMN and ADD COLUMN of one name',
    columns: [id, b, column('a', int)],
    origins: [{ from: 0 }, { from: 2 }, { fill: '0' }],
    expected: [
      ['1', '10', '0'],
      ['2', null, '0'],
      ['3', '300', '0'],
    ],
  },
  { what: 'all columns exchanged', columns: [column('only', int)], origins: [{ fill: '9' }], expected: [['9'], ['9'], ['9']] },
  {
    what: 'RENAME COLUMN',
    columns: [id, varchar('A new', 20), b],
    origins: same,
    expected: [
      ['1', 'one', '10'],
      ['2', 'two', null],
      ['3', null, '300'],
    ],
  },
  {
    what: 'two names exchanged',
    columns: [id, varchar('b', 20), column('a', int)],
    origins: same,
    expected: [
      ['1', 'one', '10'],
      ['2', 'two', null],
      ['3', null, '300'],
    ],
  },
  {
    what: 'columns reordered',
    columns: [b, id, a],
    origins: [{ from: 2 }, { from: 0 }, { from: 1 }],
    expected: [
      ['10', '1', 'one'],
      [null, '2', 'two'],
      ['300', '3', null],
    ],
  },
  {
    what: 'INT to BIGINT',
    columns: [id, a, bigint],
    origins: same,
    expected: [
      ['1', 'one', '10'],
      ['2', 'two', null],
      ['3', null, '300'],
    ],
  },
  {
    what: 'INT to TINYINT where all values fit',
    columns: [id, a, tinyint],
    origins: same,
    rows: [[1, 'one', 10]],
    expected: [['1', 'one', '10']],
  },
  { what: 'INT to TINYINT where one does not', columns: [id, a, tinyint], origins: same, expected: undefined },
  {
    what: 'INT to DECIMAL',
    columns: [id, a, column('b', { kind: 'decimal', precision: 12, scale: 3, unsigned: false })],
    origins: same,
    expected: [
      ['1', 'one', '10.000'],
      ['2', 'two', null],
      ['3', null, '300.000'],
    ],
  },
  {
    what: 'INT to VARCHAR',
    columns: [id, a, varchar('b', 10)],
    origins: same,
    expected: [
      ['1', 'one', '10'],
      ['2', 'two', null],
      ['3', null, '300'],
    ],
  },
  { what: 'VARCHAR to INT', columns: [id, column('a', int), b], origins: same, expected: undefined },
  {
    what: 'VARCHAR lengthened',
    columns: [id, varchar('a', 200), b],
    origins: same,
    expected: [
      ['1', 'one', '10'],
      ['2', 'two', null],
      ['3', null, '300'],
    ],
  },
  {
    what: 'VARCHAR shortened where all fit',
    columns: [id, varchar('a', 3), b],
    origins: same,
    expected: [
      ['1', 'one', '10'],
      ['2', 'two', null],
      ['3', null, '300'],
    ],
  },
  { what: 'VARCHAR shortened where one does not fit', columns: [id, varchar('a', 2), b], origins: same, expected: undefined },
  {
    what: 'VARCHAR to ENUM of the same labels',
    columns: [id, column('a', { kind: 'enum', labels: ['two', 'one'] }), b],
    origins: same,
    expected: [
      ['1', 'one', '10'],
      ['2', 'two', null],
      ['3', null, '300'],
    ],
  },
  {
    what: 'VARCHAR to ENUM without a label',
    columns: [id, column('a', { kind: 'enum', labels: ['one'] }), b],
    origins: same,
    expected: undefined,
  },
  {
    what: 'to NOT NULL where none is',
    columns: [id, varchar('a', 20, { nullable: false }), b],
    origins: same,
    rows: [[1, 'one', null]],
    expected: [['1', 'one', null]],
  },
  { what: 'to NOT NULL where one is', columns: [id, varchar('a', 20, { nullable: false }), b], origins: same, expected: undefined },
];

async function filled(content: readonly Row[]): Promise<{ warehouse: TestWarehouse; history: History }> {
  const warehouse = await openWarehouse();
  const history = new History();
  await warehouse.task.put(
    history
      .transaction((tx) => tx.ddl({ kind: 'createTable', after: before }))
      .transaction((tx) => tx.insert(before, ...content))
      .group(),
    signal,
  );
  return { warehouse, history };
}

for (const { what, columns, origins, expected, rows: content } of cases) {
  test(`ALTER TABLE: ${what}`, async () => {
    const opened = await filled(content ?? rows);
    await using warehouse = opened.warehouse;
    const { history } = opened;
    const after = table('d', 't', columns, columns.length > 1 ? [columns.indexOf(id)] : []);
    history.transaction((tx) => tx.ddl({ kind: 'alterTable', before, after, columns: origins }));
    await warehouse.task.put(history.group(), signal);
    await warehouse.task.flush(signal);
    if (expected === undefined) {
      assert.deepEqual(
        warehouse.resync.map(({ table: name }) => name),
        ['d.t'],
      );
      assert.equal((await warehouse.rows('SELECT * FROM d.t')).length, (content ?? rows).length);
      return;
    }
    assert.deepEqual(warehouse.resync, []);
    assert.deepEqual(await warehouse.rows(`SELECT * FROM d.t ORDER BY ${columns.includes(id) ? 'id' : '1'}`), expected);
    const declared = await warehouse.rows(
      `SELECT column_name, is_nullable FROM duckdb_columns() WHERE schema_name = 'd' ORDER BY column_index`,
    );
    assert.deepEqual(
      declared,
      columns.map(({ name, nullable, type }) => [name, String(nullable || type.kind === 'datetime')]),
    );
    const defaults = await warehouse.rows(
      `SELECT column_default FROM duckdb_columns() WHERE schema_name = 'd' AND column_default IS NOT NULL`,
    );
    assert.deepEqual(defaults, []);
  });
}

test('ADD COLUMN NOT NULL with a default copies no row, and the column is NOT NULL before the next commit', async () => {
  const opened = await filled(rows);
  await using warehouse = opened.warehouse;
  const { task } = warehouse;
  const { history } = opened;
  const after = table('d', 't', [id, a, b, column('c', int, { nullable: false })]);
  // a copy would close the gap that the deleted row leaves
  await task.flush(signal);
  await task.put(history.transaction((tx) => tx.delete(before, [1, 'one', 10])).group(), signal);
  await task.flush(signal);
  history.transaction((tx) => tx.ddl({ kind: 'alterTable', before, after, columns: [...same, { fill: '5' }] }));
  history.transaction((tx) => tx.insert(after, [4, null, null, 6]));
  await task.put(history.group(), signal);
  await task.flush(signal);
  assert.deepEqual(await warehouse.rows('SELECT id, c, rowid FROM d.t ORDER BY id'), [
    ['2', '5', '1'],
    ['3', '5', '2'],
    ['4', '6', '3'],
  ]);
  assert.deepEqual(await warehouse.rows(`SELECT column_name FROM duckdb_columns() WHERE schema_name = 'd' AND is_nullable`), [
    ['a'],
    ['b'],
  ]);
});

test('a table that cannot go on keeps its rows, drops its changes, and is whole again after a resync', async () => {
  const opened = await filled(rows);
  await using warehouse = opened.warehouse;
  const { task } = warehouse;
  const { history } = opened;
  const after = table('d', 't', [id, column('a', int), b]);
  history.transaction((tx) => tx.ddl({ kind: 'alterTable', before, after, columns: same }));
  history.transaction((tx) => tx.insert(after, [9, 9, 9]));
  await task.put(history.group(), signal);
  await task.flush(signal);
  assert.equal(warehouse.resync.length, 1);
  assert.deepEqual(await warehouse.rows('SELECT count(*) FROM d.t'), [['3']]);
  await task.put(
    history
      .snapshotBegin('r', [after], false)
      .chunk('r', after, [
        [1, 100, 1],
        [9, 9, 9],
      ])
      .snapshotEnd('r', [after])
      .group(),
    signal,
  );
  await task.put(history.transaction((tx) => tx.insert(after, [10, 10, 10])).group(), signal);
  await task.flush(signal);
  assert.deepEqual(await warehouse.rows('SELECT * FROM d.t ORDER BY id'), [
    ['1', '100', '1'],
    ['9', '9', '9'],
    ['10', '10', '10'],
  ]);
});
