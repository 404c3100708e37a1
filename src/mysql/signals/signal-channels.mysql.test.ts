import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { flavors } from '../../cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../../test/servers/shared.ts';
import type { FreshDatabase, SharedServer } from '../../../test/servers/shared.ts';
import { configOf } from '../source-task.fixture.ts';
import { RecordedSource } from './recorded-source.fixture.ts';

function sourceOf(
  server: SharedServer,
  { name }: FreshDatabase,
  extra: Readonly<Record<string, string>> = {},
  keepsTables = false,
): RecordedSource {
  return new RecordedSource({
    config: configOf(server, name, {
      'include.schema.changes': 'false',
      'signal.data.collection': `${name}.debezium_signal`,
      'notification.enabled.channels': 'sink',
      'notification.sink.topic.name': 'notices',
      // A quiet source hands out something, too.
      'heartbeat.interval.ms': '100',
      ...extra,
    }),
    keepsTables,
  });
}

async function makeTables({ root }: FreshDatabase): Promise<void> {
  await root.query(`CREATE TABLE t (id INT PRIMARY KEY, v INT);
    CREATE TABLE u (id INT PRIMARY KEY);
    CREATE TABLE debezium_signal (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048) NULL);
    INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);
    INSERT INTO u VALUES (1)`);
}

let signals = 0;

async function signal({ root }: FreshDatabase, type: string, data: unknown): Promise<void> {
  const text = data === null || typeof data === 'string' ? data : JSON.stringify(data);
  await root.query('INSERT INTO debezium_signal VALUES (?, ?, ?)', [`c${++signals}`, type, text]);
}

const idsOf = (source: RecordedSource, how: string): readonly string[] =>
  source.rowsOf('t').flatMap(({ op, cells }) => (op === how ? [String(cells[0])] : []));

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`rubbish in the signal table is passed over, now and after a restart, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    await using source = sourceOf(server, database);
    const { name } = database;
    await source.start();
    await source.until('the snapshot is done', () => source.kinds.includes('snapshotEnd'));
    const rubbish: readonly (readonly [type: string, data: unknown])[] = [
      ['execute-snapshot', '{'],
      ['execute-snapshot', null],
      ['execute-snapshot', '[]'],
      ['execute-snapshot', '"text"'],
      ['execute-snapshot', { 'data-collections': 'no list' }],
      ['execute-snapshot', { 'data-collections': [1, null, {}] }],
      ['execute-snapshot', { 'data-collections': ['(a', `${name}.t`] }],
      ['execute-snapshot', { 'data-collections': [`${name}.(t`] }],
      ['execute-snapshot', { type: 'blocking', 'data-collections': ['a++'] }],
      ['execute-snapshot', { 'data-collections': [`${name}.t`], 'additional-conditions': [{ 'data-collection': '[', filter: 'x' }] }],
      ['execute-snapshot', { 'data-collections': ['no dot; DROP TABLE t; --', '.', '..'] }],
      ['stop-snapshot', { 'data-collections': ['*'] }],
      ['stop-snapshot', '{"type":"incremental"}'],
      ['pause-snapshot', null],
      ['resume-snapshot', 'nonsense'],
      ['set-binlog-position', {}],
      ['set-binlog-position', { binlog_filename: 'none.000001', binlog_position: 4 }],
      ['set-binlog-position', { binlog_filename: "'; DROP TABLE t; --", binlog_position: 4 }],
      ['set-binlog-position', { binlog_filename: '', binlog_position: -1 }],
      ['set-binlog-position', { gtid_set: "'; DROP TABLE t; --" }],
      ['no-such-signal', '{}'],
      ['', '{}'],
      ['schema-changes', { changes: 'none' }],
      ['log', { message: { not: 'a text' } }],
      ['log', { message: 'the end at {}' }],
    ];
    for (const [type, data] of rubbish) await signal(database, type, data);
    await database.root.query('UPDATE debezium_signal SET data = "{" WHERE type = "log"');
    await database.root.query('INSERT INTO t VALUES (4, 4)');
    await source.until('what comes after it is there', () => idsOf(source, 'insert').includes('4'));
    assert.ok(
      source.said.some((line) => /the end at \S+\.\d+:\d+$/.test(line)),
      'a message is logged, with the place',
    );
    assert.ok(source.said.some((line) => line.includes("Signal 'no-such-signal' has been received but the type is not recognized")));
    assert.equal(idsOf(source, 'refresh').length, 0);
    await source.kill();
    await source.start();
    await signal(database, 'execute-snapshot', { 'data-collections': [`${name.toUpperCase()}.T`] });
    await source.until('a good one works', () => idsOf(source, 'refresh').length === 4);
  });

  test(`signals by file: lines are acted on and removed, what is none is told of, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    const folder = mkdtempSync(join(tmpdir(), 'millrace-signals-'));
    try {
      const file = join(folder, 'signals.txt');
      await using source = sourceOf(server, database, {
        'signal.enabled.channels': 'file',
        'signal.file': file,
        'signal.poll.interval.ms': '50',
      });
      await source.start();
      await source.until('the snapshot is done', () => source.kinds.includes('snapshotEnd'));
      const collections = { 'data-collections': [`${database.name}.t`] };
      writeFileSync(file, `no json\n\n${JSON.stringify({ id: 'f1', type: 'execute-snapshot', data: collections })}\n{"id":"f2"}\n`);
      await source.until('it is acted on', () => idsOf(source, 'refresh').length === 3);
      await source.until('its lines are removed', () => existsSync(file) && readFileSync(file, 'utf8') === '');
      assert.equal(source.notices.find(({ aggregate }) => aggregate === 'Incremental Snapshot')?.id, 'f1');
      assert.equal(source.said.filter((line) => line.includes('a line of the file of signals is none')).length, 2);
      await signal(database, 'execute-snapshot', collections);
      await database.root.query('INSERT INTO t VALUES (9, 9)');
      await source.until('the stream goes on', () => idsOf(source, 'insert').includes('9'));
      assert.equal(idsOf(source, 'refresh').length, 3, 'rows of the table are no signals without the channel source');
      await source.kill();
      await source.start(
        configOf(server, database.name, {
          'signal.enabled.channels': 'file',
          'signal.file': folder,
          'signal.poll.interval.ms': '10',
          'heartbeat.interval.ms': '100',
        }),
      );
      await source.during(1000);
      assert.equal(source.said.filter((line) => line.includes('the file of signals cannot be used')).length, 1, 'told once');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`signals by topic are its records, and heeded with the key topic.prefix alone, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    await using source = sourceOf(server, database, { 'signal.enabled.channels': 'kafka' });
    const task = await source.start();
    await source.until('the snapshot is done', () => source.kinds.includes('snapshotEnd'));
    const data = JSON.stringify({ 'data-collections': [`${database.name}.t`] });
    const value = `{"type":"execute-snapshot","data":${data}}`;
    const given = { id: 'k1', type: 'execute-snapshot', data };
    assert.throws(() => task.signal?.({ ...given, record: { key: 'other', value } }), { code: 'REQUEST_INVALID', message: /key "p"/ });
    task.signal?.({ ...given, record: { key: 'p', value } });
    await source.until('it is acted on', () => idsOf(source, 'refresh').length === 3);
    assert.deepEqual(source.records, [{ topic: 'p-signal', key: 'p', value }]);
    task.signal?.({ ...given, record: null });
    await source.until('one from elsewhere is no record', () => idsOf(source, 'refresh').length === 6);
    assert.equal(source.records.length, 1);
    await source.kill();
    const without = await source.start(configOf(server, database.name, { 'signal.enabled.channels': 'source,file' }));
    assert.throws(() => without.signal?.({ ...given, record: { value } }), { code: 'REQUEST_INVALID', message: /no kafka/ });
  });

  test(`blocking snapshots: whole tables in place of the stream, parts of them beside it, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    await using source = sourceOf(server, database, {}, true);
    const { name } = database;
    await source.start();
    await source.until('the snapshot is done', () => source.noticesOf('Initial Snapshot').at(-1) === 'COMPLETED');
    await source.until('it streams', () => source.kinds.includes('snapshotEnd'));
    source.rows.length = 0;
    source.kinds.length = 0;
    source.notices.length = 0;
    await signal(database, 'execute-snapshot', { type: 'blocking', 'data-collections': [`${name}.t`, `${name}.none`] });
    await database.root.query('INSERT INTO t VALUES (4, 4)');
    await source.until(
      'the stream goes on',
      () => source.kinds.includes('snapshotEnd') && source.noticesOf('Initial Snapshot').at(-1) === 'COMPLETED',
    );
    const rows = source.rowsOf('t');
    const since = rows.slice(rows.findIndex(({ how }) => how === 'chunk')).filter(({ how }) => how !== 'told');
    const four = since.filter(({ cells }) => cells[0] === '4').length;
    assert.deepEqual(idsOf(source, 'read').slice(0, 3), ['1', '2', '3']);
    assert.equal(four, 1, 'a row that was written meanwhile is in the chunk or comes after it');
    assert.equal(source.rowsOf('u').length, 0);
    assert.deepEqual(source.noticesOf('Initial Snapshot'), ['STARTED', 'IN_PROGRESS', 'TABLE_SCAN_COMPLETED SUCCEEDED', 'COMPLETED']);
    await signal(database, 'execute-snapshot', {
      type: 'blocking',
      'data-collections': [`${name}.t`],
      'additional-conditions': [{ 'data-collection': `${name}.t`, filter: 'v >= 3' }],
    });
    await source.until('a part is read', () => idsOf(source, 'refresh').length === 2);
    assert.deepEqual(idsOf(source, 'refresh'), ['3', '4']);
  });

  test(`a blocking snapshot is taken whole, whenever the source is killed, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    const values = Array.from({ length: 97 }, (_, i) => `(${i + 4}, 0)`).join(', ');
    await database.root.query(`INSERT INTO t VALUES ${values}`);
    await using source = sourceOf(server, database, { 'snapshot.fetch.size': '20' }, true);
    await source.start();
    await source.until('it streams', () => source.kinds.includes('snapshotEnd'));
    for (const more of [0, 1, 2, 3, 5]) {
      source.rows.length = 0;
      source.kinds.length = 0;
      await signal(database, 'execute-snapshot', { type: 'blocking', 'data-collections': [`${database.name}.t`] });
      await source.until('the signal has come', () => source.rowsOf('debezium_signal').length === 1);
      const { batches } = source;
      await source.until('some more batches have come', () => source.batches >= batches + more);
      await source.kill();
      await source.start();
      await source.until('it is taken', () => source.kinds.includes('snapshotEnd'));
      const rows = source.rowsOf('t').filter(({ how }) => how === 'chunk');
      assert.equal(new Set(rows.map(({ cells }) => cells[0])).size, 100, `killed ${more} batches after the signal`);
    }
  });

  test(`tables are read anew after set-binlog-position, whenever the source is killed, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    await using source = sourceOf(server, database, {}, true);
    await source.start();
    await source.until('it streams', () => source.kinds.includes('snapshotEnd'));
    for (const more of [0, 1, 2, 3]) {
      const [[place]] = await database.root.query<RowDataPacket[]>(flavor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
      await database.root.query(`INSERT INTO t VALUES (${100 + more}, 0)`);
      source.rows.length = 0;
      source.kinds.length = 0;
      await signal(database, 'set-binlog-position', { binlog_filename: place?.['File'], binlog_position: place?.['Position'] });
      await source.until('the signal has come', () => source.rowsOf('debezium_signal').length === 1);
      const { batches } = source;
      await source.until('some more batches have come', () => source.batches >= batches + more);
      await source.kill();
      await source.start();
      await source.until('the tables are read anew', () => source.kinds.includes('snapshotEnd'));
      const read = new Set(source.rowsOf('t').flatMap(({ how, cells }) => (how === 'chunk' ? [cells[0]] : [])));
      assert.equal(read.size, 4 + more, `killed ${more} batches after the signal`);
    }
  });

  for (const keepsTables of [false, true]) {
    const who = keepsTables ? 'a sink keeps tables' : 'no sink keeps tables';
    test(`set-binlog-position goes back in the binlog, ${who}, on ${flavor}`, { skip }, async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      await makeTables(database);
      await using source = sourceOf(server, database, {}, keepsTables);
      await source.start();
      await source.until('the snapshot is done', () => source.kinds.includes('snapshotEnd'));
      const status = flavor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
      const [[place]] = await database.root.query<RowDataPacket[]>(status);
      await database.root.query('INSERT INTO t VALUES (4, 4)');
      await source.until('the row is there', () => idsOf(source, 'insert').includes('4'));
      source.rows.length = 0;
      source.kinds.length = 0;
      await signal(database, 'set-binlog-position', { binlog_filename: place?.['File'], binlog_position: place?.['Position'] });
      if (keepsTables) await source.until('the tables are read anew', () => source.kinds.includes('snapshotEnd'));
      else await source.until('the row is there again', () => idsOf(source, 'insert').includes('4'));
      await database.root.query('INSERT INTO t VALUES (5, 5)');
      await source.until('the stream goes on', () => idsOf(source, 'insert').includes('5'));
      await source.kill();
      await source.start();
      await source.during(500);
      // The signal itself was read again on the way, and after the restart it is behind.
      const jumps = source.said.filter((line) => line.includes('the stream goes on where a signal says'));
      assert.equal(jumps.length, 1, source.said.join('\n'));
      const rows = source.rowsOf('t').filter(({ how }) => how !== 'told');
      const expected = keepsTables ? ['1', '2', '3', '4', '5'] : ['4', '5'];
      assert.deepEqual(new Set(rows.map(({ cells }) => cells[0])), new Set(expected));
      assert.equal(rows.length, expected.length, 'each row once');
    });
  }
}
