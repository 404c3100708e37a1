import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { column, History, int, table, text, type Row } from '../group.fixture.ts';
import { openWarehouse } from './warehouse.fixture.ts';

const orders = table('shop', 'orders', [column('id', int, { nullable: false }), column('note', text)]);
const signal = new AbortController().signal;
const allOrders = 'SELECT * FROM shop.orders ORDER BY id';

test('sinks, queries and a pinned reader work on one file at once', async () => {
  await using warehouse = await openWarehouse();
  const other = await warehouse.openTask({ connector: 'second', nameFormat: 'copy.${database}_${table}' });
  const history = new History();
  const begin = history.transaction((tx) => tx.insert(orders, [0, 'x'])).group();
  await Promise.all([warehouse.task.put(begin, signal), other.put(begin, signal)]);
  await Promise.all([warehouse.task.flush(signal), other.flush(signal)]);
  await using pin = await warehouse.replica.pin();
  for (let id = 1; id <= 20; id++) {
    const group = history.transaction((tx) => tx.insert(orders, [id, 'x'])).group();
    const both = Promise.all([warehouse.task, other].map((task) => task.put(group, signal).then(() => task.flush(signal))));
    const [[count] = []] = await warehouse.rows('SELECT count(*) FROM copy.shop_orders');
    assert.ok(Number(count) >= id);
    await both;
  }
  await warehouse.replica.checkpointWhenIdle();
  assert.deepEqual(await pin.query('SELECT count(*) FROM shop.orders', signal), [['1']]);
  assert.deepEqual(await warehouse.rows('SELECT count(*) FROM shop.orders'), [['21']]);
});

test('names that are one to DuckDB, or reserved, are refused with the setting that repairs it', async () => {
  const row: Row = [1, 'x'];
  const upper = table('shop', 'ORDERS', orders.columns);
  const reserved = table('main', 'orders', orders.columns);
  for (const schema of [upper, reserved]) {
    await using warehouse = await openWarehouse();
    const history = new History();
    await warehouse.task.put(history.transaction((tx) => tx.insert(orders, row)).group(), signal);
    await warehouse.task.put(history.transaction((tx) => tx.insert(schema, row)).group(), signal);
    await assert.rejects(warehouse.task.flush(signal), { code: 'NAME_COLLISION', nextStep: /replica\.name\.map/ });
  }
  await using warehouse = await openWarehouse({ nameMap: 'main.orders:mine.orders' });
  await warehouse.task.put(new History().transaction((tx) => tx.insert(reserved, row)).group(), signal);
  await warehouse.task.put(new History('other').transaction((tx) => tx.insert(orders, row)).group(), signal);
  await warehouse.task.flush(signal);
  assert.deepEqual(await warehouse.rows('SELECT * FROM mine.orders'), [['1', 'x']]);
  await warehouse.task.put(new History('third').transaction((tx) => tx.insert(orders, row)).group(), signal);
  await assert.rejects(warehouse.task.flush(signal), { code: 'NAME_COLLISION' });
});

test('a file named like its schema is no obstacle, and a second opener is refused', async () => {
  await using warehouse = await openWarehouse();
  assert.match(warehouse.file, /shop\.duckdb$/);
  await warehouse.task.put(new History().transaction((tx) => tx.insert(orders, [1, 'x'])).group(), signal);
  await warehouse.task.flush(signal);
  assert.deepEqual(await warehouse.rows(allOrders), [['1', 'x']]);
  await assert.rejects(openWarehouse({ file: warehouse.file }), { code: 'WAREHOUSE_LOCKED' });
});

test('queries only read, end when they are aborted, and return at most what was asked for', async () => {
  await using warehouse = await openWarehouse();
  const { replica } = warehouse;
  for (const sql of [
    'CREATE TABLE t (a INT)',
    'INSERT INTO millrace.format VALUES (2)',
    "COPY millrace.format TO '/tmp/x'",
    'SELECT 1; SELECT 2',
    ' ;',
    'DROP SCHEMA millrace CASCADE',
  ]) {
    await assert.rejects(replica.query(sql, { maxRows: 1 }, signal), { code: 'WAREHOUSE_FAILED' });
  }
  const answer = await replica.query('SELECT 1 AS one, NULL, [1, 2]::INT[] AS list FROM range(10)', { maxRows: 2 }, signal);
  assert.deepEqual(answer.rows, [
    ['1', null, '[1, 2]'],
    ['1', null, '[1, 2]'],
  ]);
  assert.equal(answer.truncated, true);
  assert.deepEqual(
    answer.columns.map(({ name }) => name),
    ['one', 'NULL', 'list'],
  );
  await replica.query('SHOW ALL TABLES', { maxRows: 1 }, signal);
  const abort = new AbortController();
  const long = replica.query('SELECT count(*) FROM range(1e12::BIGINT)', { maxRows: 1 }, abort.signal);
  setTimeout(() => abort.abort(new Error('enough')), 50);
  await assert.rejects(long, /enough/);
});

test('a file that another process has open is refused, with what to do', async () => {
  await using warehouse = await openWarehouse();
  const script = `
    const { openWarehouse } = await import(${JSON.stringify(join(import.meta.dirname, 'warehouse.fixture.ts'))});
    await openWarehouse({ file: process.argv[1] }).then(() => console.log('opened'), (error) => console.log(error.code));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, warehouse.file], { encoding: 'utf8' });
  assert.equal(stdout.trim(), 'WAREHOUSE_LOCKED');
});

test('bookkeeping of another format version is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-replica-'));
  const file = join(folder, 'replica.duckdb');
  try {
    {
      await using warehouse = await openWarehouse({ file });
      using session = await warehouse.replica.openSession();
      await session.run('UPDATE millrace.format SET version = 99');
    }
    await assert.rejects(openWarehouse({ file }), { code: 'DATA_VERSION' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a rebuilt table has its rows and its definition', async () => {
  await using warehouse = await openWarehouse();
  const { replica } = warehouse;
  const history = new History();
  await warehouse.task.put(history.transaction((tx) => tx.insert(orders, [1, 'a'], [2, null])).group(), signal);
  await warehouse.task.flush(signal);
  const describe = "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE schema_name = 'shop' ORDER BY column_index";
  const before = await warehouse.rows(describe);
  const [record] = replica.tables();
  assert.ok(record !== undefined);
  await replica.compact(record);
  assert.deepEqual(await warehouse.rows(describe), before);
  await warehouse.task.put(history.transaction((tx) => tx.delete(orders, [1, 'a'])).group(), signal);
  await warehouse.task.flush(signal);
  assert.deepEqual(await warehouse.rows(allOrders), [['2', null]]);
  assert.ok((await replica.deadShare(record)) < 0.3);
});

test('tables with quotes and dots in their names are looked after', async () => {
  await using warehouse = await openWarehouse();
  const { replica } = warehouse;
  const odd = table('d"1', 'we"ird.na`me', [column('id', int, { nullable: false })]);
  await warehouse.task.put(new History().transaction((tx) => tx.insert(odd, [1], [2])).group(), signal);
  await warehouse.task.flush(signal);
  using session = await replica.openSession();
  await session.run(`INSERT INTO "d""1"."we""ird.na\`me" FROM range(300000)`);
  await session.run(`DELETE FROM "d""1"."we""ird.na\`me" WHERE id < 299990`);
  assert.deepEqual(await replica.compactWhenIdle(signal), ['d"1.we"ird.na`me']);
  assert.deepEqual(await warehouse.rows(`SELECT count(*) FROM "d""1"."we""ird.na\`me"`), [['10']]);
});

test('text that is not UTF-8 is repaired and counted', async () => {
  await using warehouse = await openWarehouse();
  const group = new History().transaction((tx) => tx.insert(orders, [1, 'abcdefghijklmnop'], [2, 'é'], [3, 'x'])).group();
  const [entry] = group.entries;
  assert.ok(entry?.kind === 'changes');
  const { bytes } = entry.batch;
  bytes[bytes.indexOf(0x64)] = 0xff;
  bytes[bytes.indexOf(0x78)] = 0xa9;
  await warehouse.task.put(group, signal);
  await warehouse.task.flush(signal);
  assert.deepEqual(await warehouse.rows('SELECT note FROM shop.orders ORDER BY id'), [['abc\ufffdefghijklmnop'], ['é'], ['\ufffd']]);
  assert.deepEqual(warehouse.replica.tables()[0]?.substitutions, { note: 2 });
});
