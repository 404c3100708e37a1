import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { flavors } from '../../cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../../test/servers/shared.ts';
import type { FreshDatabase, SharedServer } from '../../../test/servers/shared.ts';
import { configOf } from '../source-task.fixture.ts';
import { RecordedSource } from './recorded-source.fixture.ts';

const oddName = 'we`ird ta"ble';

async function makeTables({ root }: FreshDatabase): Promise<void> {
  await root.query(`CREATE TABLE t (id INT PRIMARY KEY, grp INT, note VARCHAR(20));
    CREATE TABLE \`we\`\`ird ta"ble\` (\`k\`\`ey\` VARCHAR(10), \`se lect\` INT, PRIMARY KEY (\`k\`\`ey\`, \`se lect\`));
    CREATE TABLE nokey (v INT, w INT);
    CREATE TABLE empty_one (id INT PRIMARY KEY);
    CREATE TABLE debezium_signal (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048) NULL)`);
  const ids = Array.from({ length: 200 }, (_, i) => i + 1);
  await root.query(`INSERT INTO t VALUES ${ids.map((id) => `(${id}, ${id % 4}, 'n${id}')`).join(', ')}`);
  await root.query(`INSERT INTO \`we\`\`ird ta"ble\` VALUES ('a''b', 1), ('a"b', 2), ('a\`b', 3), ('ß', 4), ('\\\\', 5)`);
  await root.query('INSERT INTO nokey VALUES (1, 1), (2, 2), (3, 3)');
}

function sourceOf(server: SharedServer, { name }: FreshDatabase, extra: Readonly<Record<string, string>> = {}): RecordedSource {
  return new RecordedSource({
    config: configOf(server, name, {
      'snapshot.mode': 'no_data',
      'include.schema.changes': 'false',
      'signal.data.collection': `${name}.debezium_signal`,
      'incremental.snapshot.chunk.size': '10',
      'notification.enabled.channels': 'sink,log',
      'notification.sink.topic.name': 'notices',
      // A quiet source hands out something, too.
      'heartbeat.interval.ms': '100',
      ...extra,
    }),
  });
}

let signals = 0;

async function signal({ root }: FreshDatabase, type: string, data: unknown): Promise<string> {
  const id = `s${++signals}`;
  await root.query('INSERT INTO debezium_signal VALUES (?, ?, ?)', [id, type, typeof data === 'string' ? data : JSON.stringify(data)]);
  return id;
}

const ids = (source: RecordedSource): readonly number[] => source.rowsOf('t').map(({ cells }) => Number(cells[0]));

for (const flavor of flavors) {
  const skip = withoutServer(flavor);
  for (const readOnly of [false, true]) {
    const how = readOnly ? 'without a write to the server' : 'with rows of the signal table';
    test(`conditions, odd names, what cannot be read, and surrogate keys, ${how}, on ${flavor}`, { skip }, async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      await makeTables(database);
      await using source = sourceOf(server, database, { 'read.only': String(readOnly) });
      const { name } = database;
      await source.start();
      await source.until('it streams', () => source.noticesOf('Initial Snapshot').includes('COMPLETED'));
      assert.deepEqual(source.noticesOf('Initial Snapshot'), ['STARTED', 'COMPLETED']);
      const execute = (members: object): Promise<string> => signal(database, 'execute-snapshot', { type: 'incremental', ...members });
      const done = (): boolean => source.noticesOf('Incremental Snapshot').at(-1) === 'COMPLETED';

      const id = await execute({
        'data-collections': [`${name}.t`, `${name}.we.*`],
        'additional-conditions': [{ 'data-collection': `${name}.t`, filter: 'grp = 1 OR grp = 2' }],
      });
      await source.until('tables are read', done);
      assert.deepEqual(
        ids(source),
        Array.from({ length: 200 }, (_, i) => i + 1).filter((each) => each % 4 === 1 || each % 4 === 2),
        'the rows of the condition, once each, in key order',
      );
      const odd = source.rowsOf(oddName).map(({ cells }) => cells[0]);
      assert.equal(odd.length, 5);
      assert.deepEqual(new Set(odd), new Set(["a'b", 'a"b', 'a`b', 'ß', '\\']));
      assert.ok(source.rows.every((row) => row.table === 'debezium_signal' || (row.op === 'refresh' && row.how === 'changes')));
      assert.ok(source.notices.filter(({ aggregate }) => aggregate === 'Incremental Snapshot').every((notice) => notice.id === id));
      const scanned = source.notices.filter(({ type }) => type === 'TABLE_SCAN_COMPLETED').map(({ data }) => Object.fromEntries(data));
      assert.deepEqual(scanned, [
        {
          scanned_collection: `${name}.t`,
          connector_name: 'p',
          total_rows_scanned: '100',
          data_collections: `${name}.t,${name}.${oddName}`,
          status: 'SUCCEEDED',
        },
        {
          scanned_collection: `${name}.${oddName}`,
          connector_name: 'p',
          total_rows_scanned: '5',
          data_collections: `${name}.${oddName}`,
          status: 'SUCCEEDED',
        },
      ]);
      assert.equal(source.said.filter((line) => line.includes('[Notification Service] Incremental Snapshot COMPLETED')).length, 1);

      source.notices.length = 0;
      await execute({
        'data-collections': [`${name}.nokey`, `${name}.gone`, `${name}.empty_one`, `${name}.t`],
        'additional-conditions': [{ 'data-collection': `${name}.t`, filter: 'no such column = 1' }],
      });
      await source.until('all are tried', done);
      assert.deepEqual(
        source.noticesOf('Incremental Snapshot').filter((text) => text.includes(' ')),
        ['NO_PRIMARY_KEY', 'UNKNOWN_SCHEMA', 'EMPTY', 'SQL_EXCEPTION'].map((status) => `TABLE_SCAN_COMPLETED ${status}`),
      );

      source.notices.length = 0;
      source.rows.length = 0;
      await execute({ 'data-collections': [`${name}.nokey`], 'surrogate-key': 'v' });
      await source.until('the table without a key is read', done);
      // Debezium's buffer has one place for rows without a key; a sink cannot tell which of them it has.
      assert.deepEqual(
        source.rowsOf('nokey').map(({ how: way, cells }) => [way, ...cells]),
        [['told', '3', '3']],
      );
      const [marks] = await database.root.query<RowDataPacket[]>("SELECT id FROM debezium_signal WHERE type LIKE 'snapshot-window%'");
      assert.equal(marks.length === 0, readOnly);
    });
  }

  test(`an incremental snapshot pauses, resumes, stops, and goes on where it was after a kill, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    await using source = sourceOf(server, database);
    const { name } = database;
    await source.start();
    await source.until('it streams', () => source.kinds.includes('schema'));
    const last = (): string | undefined => source.noticesOf('Incremental Snapshot').at(-1);
    await signal(database, 'execute-snapshot', { 'data-collections': [`${name}.t`, `${name}.empty_one`] });
    await source.until('some chunks are there', () => ids(source).length >= 30);
    await signal(database, 'pause-snapshot', { type: 'incremental' });
    await source.until('it pauses', () => last() === 'PAUSED');
    // The chunk that was open at the pause may still come.
    await source.during(500);
    const paused = ids(source).length;
    await source.kill();
    await source.start();
    await source.during(1000);
    assert.equal(ids(source).length, paused, 'paused across a restart');
    await signal(database, 'resume-snapshot', { type: 'incremental' });
    await source.until('it goes on', () => ids(source).length >= paused + 30);
    assert.ok(source.noticesOf('Incremental Snapshot').includes('RESUMED'));
    // What was polled last is lost.
    await source.task.poll(AbortSignal.timeout(5000));
    await source.kill();
    await source.start();
    await source.until('it is done', () => last() === 'COMPLETED');
    assert.deepEqual(
      ids(source),
      Array.from({ length: 200 }, (_, i) => i + 1),
      'each row once, in order, across two restarts',
    );

    source.rows.length = 0;
    source.notices.length = 0;
    await signal(database, 'execute-snapshot', { 'data-collections': [`${name}.t`, `${name}.empty_one`] });
    await source.until('some chunks are there', () => ids(source).length >= 30);
    await signal(database, 'stop-snapshot', { type: 'incremental', 'data-collections': [`${name}.empty.*`] });
    await source.until('more chunks are there', () => ids(source).length >= 60);
    await signal(database, 'stop-snapshot', { type: 'incremental' });
    await source.until('it stops', () => last() === 'STOPPED');
    const stopped = ids(source).length;
    await source.during(700);
    assert.equal(ids(source).length, stopped);
    assert.ok(stopped < 200, `${stopped} rows`);
    assert.ok(!source.noticesOf('Incremental Snapshot').includes('TABLE_SCAN_COMPLETED EMPTY'), 'the other table was stopped before');
    source.rows.length = 0;
    await signal(database, 'execute-snapshot', { 'data-collections': [`${name}.t`] });
    await source.until('a new one runs from the beginning', () => ids(source).length === 200);
  });
}
