import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../base/abort.ts';
import { isMillraceError } from '../base/errors.ts';
import { flavors, startServer } from '../cli/private-server.ts';
import { startProxy } from '../../test/servers/proxy.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import type { StreamStart } from './dump.ts';
import type { BinlogEvent } from './events.ts';
import { GtidSet } from './gtid-set.ts';
import { MariadbGtidList } from './mariadb-gtid.ts';
import { readRows } from './row-image.ts';
import { endOfBinlog, eventsOf, freshServerId, never, onlyOne, plain, readTo, rowsEventsOf, rowsOf, settingsOf } from './stream.fixture.ts';
import { openBinlogStream } from './stream.ts';

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`a transaction is a GTID, its rows and an XID, at the server's positions, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY, v INT)');
    const before = await endOfBinlog(root, flavor);
    const events = await eventsOf(server, root, async () => {
      await root.query('BEGIN; INSERT INTO t VALUES (1, 1), (2, 2); UPDATE t SET v = 3 WHERE id = 2; DELETE FROM t WHERE id = 1; COMMIT');
      await root.query(`ALTER TABLE t ADD c INT`);
    });
    const first = events.findIndex((event) => event.type === 'TABLE_MAP' && event.table.database === name);
    const start = events.slice(0, first).findLastIndex(({ type }) => type === 'GTID' || type === 'MARIADB_GTID');
    const mine = events.slice(start).filter((event) => event.type !== 'TABLE_MAP');
    const rows = ['ROWS', 'ROWS', 'ROWS', 'XID'];
    const types = flavor === 'mysql' ? ['GTID', 'QUERY', ...rows, 'GTID', 'QUERY'] : ['MARIADB_GTID', ...rows, 'MARIADB_GTID', 'QUERY'];
    assert.deepEqual(
      mine.slice(0, types.length).map(({ type }) => type),
      types,
    );
    const ddl = mine[types.length - 1];
    assert.ok(ddl?.type === 'QUERY' && ddl.standalone && ddl.sql === 'ALTER TABLE t ADD c INT' && ddl.database === name);
    assert.equal(ddl.status.clientCollation, 224);
    const log = await rowsOf(root, `SHOW BINLOG EVENTS IN '${before.file}' FROM ${before.position}`);
    const ends = new Set(log.map((row) => Number(row[4])));
    for (const event of events) {
      if (event.type === 'XID' || event.type === 'QUERY' || event.type === 'GTID') {
        assert.ok(ends.has(event.nextPosition), `${event.type} ${event.nextPosition}`);
      }
    }
  });

  test(`a stream begins behind the transactions of a GTID set, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)');
    const [row] = await rowsOf(root, flavor === 'mysql' ? 'SELECT @@gtid_executed' : 'SELECT @@gtid_current_pos');
    const text = row?.[0] ?? '';
    await root.query('INSERT INTO t VALUES (2); FLUSH BINARY LOGS; INSERT INTO t VALUES (3)');
    const end = await endOfBinlog(root, flavor);
    const start: StreamStart = flavor === 'mysql' ? { gtids: GtidSet.parse(text) } : { mariadbGtids: MariadbGtidList.parse(text) };
    await using stream = await openBinlogStream({ connection: settingsOf(server), serverId: freshServerId(), start }, never);
    const events = await readTo(stream, end);
    assert.deepEqual(
      rowsEventsOf(events, name).flatMap((event) => readRows(event).map(({ after }) => after?.[0])),
      [2, 3],
    );
    const rotations = events.filter((event) => event.type === 'ROTATE');
    assert.equal(rotations.at(-1)?.file, end.file);
    assert.ok(rotations.some(({ artificial }) => !artificial));
  });

  test(`heartbeats come while nothing happens, at the stream's position, on ${flavor}`, { skip }, async () => {
    await using server = await startServer({ flavor });
    const root = await import('mysql2/promise').then(({ createConnection }) => createConnection(server.root.url));
    const position = await endOfBinlog(root, flavor);
    await using stream = await openBinlogStream(
      { connection: settingsOf(server), serverId: freshServerId(), start: { position }, heartbeatMs: 200 },
      never,
    );
    let heartbeats = 0;
    while (heartbeats < 3) {
      for (const event of await stream.read(AbortSignal.timeout(10_000))) {
        if (event.type !== 'HEARTBEAT') continue;
        heartbeats++;
        assert.deepEqual({ file: event.file, position: event.nextPosition }, position);
      }
    }
    await root.end();
  });

  test(`a file without checksums is read, and the change to checksums, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor, { 'binlog-checksum': 'NONE' });
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY)');
    const events = await eventsOf(server, root, async () => {
      await root.query(
        "INSERT INTO t VALUES (1); SET GLOBAL binlog_checksum = 'CRC32'; INSERT INTO t VALUES (2); SET GLOBAL binlog_checksum = 'NONE'",
      );
      await root.query('INSERT INTO t VALUES (3)');
    });
    assert.deepEqual(
      rowsEventsOf(events, name).flatMap((event) => readRows(event).map(({ after }) => after?.[0])),
      [1, 2, 3],
    );
    const checksums = events.flatMap((event) => (event.type === 'FORMAT_DESCRIPTION' ? [event.checksum] : []));
    assert.deepEqual([...new Set(checksums)], [false, true]);
  });

  test(`an event of more than 16 MiB is read, and read on behind it, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor, { 'max-allowed-packet': '256M' });
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY, v LONGBLOB)');
    const sizes = [0xff_ffff - 40, 0xff_ffff, 0x1fe_ffff, 40_000_000, 3];
    const events = await eventsOf(server, root, async () => {
      for (const [id, size] of sizes.entries()) await root.query(`INSERT INTO t VALUES (${id}, REPEAT(CHAR(${id + 65}), ${size}))`);
    });
    const found = rowsEventsOf(events, name).flatMap((event) => readRows(event).map(({ after }) => after?.[1]));
    assert.deepEqual(
      found.map((value) => (value instanceof Uint8Array ? value.length : 0)),
      sizes,
    );
    for (const [id, value] of found.entries()) assert.ok(value instanceof Uint8Array && value.every((byte) => byte === id + 65));
  });

  test(`a purged binlog is BINLOG_PURGED, by position and by GTID, on ${flavor}`, { skip }, async () => {
    // MariaDB 11 keeps every file until so many replicas have read it.
    const options = flavor === 'mysql' ? {} : { 'slave-connections-needed-for-purge': '0' };
    await using server = await startServer({ flavor, options });
    const root = await import('mysql2/promise').then(({ createConnection }) =>
      createConnection({ uri: server.root.url, multipleStatements: true }),
    );
    await root.query('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)');
    const [row] = await rowsOf(root, flavor === 'mysql' ? 'SELECT @@gtid_executed' : 'SELECT @@gtid_current_pos');
    const position = await endOfBinlog(root, flavor);
    await root.query(
      'INSERT INTO d.t VALUES (1); FLUSH BINARY LOGS; INSERT INTO d.t VALUES (2); FLUSH BINARY LOGS; INSERT INTO d.t VALUES (3)',
    );
    const end = await endOfBinlog(root, flavor);
    // A file is kept as long as the engine may need it to recover, whatever it is asked for.
    const deadline = AbortSignal.timeout(60_000);
    while ((await rowsOf(root, 'SHOW BINARY LOGS')).length > 1) {
      await root.query(`PURGE BINARY LOGS TO '${end.file}'`);
      await sleep(100, deadline);
    }
    const text = row?.[0] ?? '';
    const starts: StreamStart[] = [
      { position },
      { position: { ...end, position: 1_000_000 } },
      flavor === 'mysql' ? { gtids: GtidSet.parse(text) } : { mariadbGtids: MariadbGtidList.parse(text) },
    ];
    for (const start of starts) {
      await using stream = await openBinlogStream({ connection: settingsOf(server), serverId: freshServerId(), start }, never);
      const events: BinlogEvent[] = [];
      await assert.rejects(
        async () => {
          for (;;) events.push(...(await stream.read(AbortSignal.timeout(10_000))));
        },
        (error) => isMillraceError(error, 'BINLOG_PURGED') && !error.retriable,
      );
      assert.ok(events.every(({ type }) => type === 'ROTATE' || type === 'FORMAT_DESCRIPTION'));
    }
    await root.end();
  });

  test(`of two readers with one server id the older gets SERVER_ID_IN_USE, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const position = await endOfBinlog(database.root, flavor);
    const options = { connection: settingsOf(server), serverId: freshServerId(), start: { position }, heartbeatMs: 300 };
    await using older = await openBinlogStream(options, never);
    await older.read(AbortSignal.timeout(10_000));
    await using newer = await openBinlogStream(options, never);
    await newer.read(AbortSignal.timeout(10_000));
    await assert.rejects(
      async () => {
        for (;;) await older.read(AbortSignal.timeout(20_000));
      },
      (error) => isMillraceError(error, 'SERVER_ID_IN_USE'),
    );
  });

  test(`a reader that does not read holds the server back, and misses nothing, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await using proxy = await startProxy(server);
    await root.query('CREATE TABLE t (id INT PRIMARY KEY, v LONGBLOB)');
    const position = await endOfBinlog(root, flavor);
    const options = {
      connection: { ...settingsOf(server), host: proxy.host, port: proxy.port },
      serverId: freshServerId(),
      start: { position },
    };
    await using stream = await openBinlogStream({ ...options, maxUnreadBytes: 1024 * 1024 }, never);
    for (let id = 0; id < 64; id++) await root.query(`INSERT INTO t VALUES (${id}, REPEAT('x', 1048576))`);
    const end = await endOfBinlog(root, flavor);
    await sleep(1500, never);
    assert.ok(proxy.bytesFromServer < 32 * 1024 * 1024, `${proxy.bytesFromServer} bytes came`);
    const events = await readTo(stream, end);
    assert.equal(rowsEventsOf(events, name).length, 64);
  });

  test(`a peer that says nothing any more is noticed within the read deadline, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await using proxy = await startProxy(server);
    const position = await endOfBinlog(database.root, flavor);
    const options = {
      connection: { ...settingsOf(server), host: proxy.host, port: proxy.port },
      serverId: freshServerId(),
      start: { position },
    };
    await using stream = await openBinlogStream({ ...options, heartbeatMs: 300 }, never);
    await stream.read(never);
    proxy.stall();
    const stalled = performance.now();
    await assert.rejects(
      async () => {
        for (;;) await stream.read(AbortSignal.timeout(20_000));
      },
      (error) => isMillraceError(error, 'BINLOG_DISCONNECTED') && error.retriable,
    );
    assert.ok(performance.now() - stalled < 5000);
    proxy.resume();
  });

  test(`an aborted read ends at once and the stream can be read again, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY)');
    const position = await endOfBinlog(root, flavor);
    await using stream = await openBinlogStream(
      { connection: settingsOf(server), serverId: freshServerId(), start: { position }, heartbeatMs: 60_000 },
      never,
    );
    const reason = new Error('enough');
    const aborter = new AbortController();
    setTimeout(() => aborter.abort(reason), 300);
    await assert.rejects(async () => {
      for (;;) await stream.read(aborter.signal);
    }, reason);
    await root.query('INSERT INTO t VALUES (1)');
    assert.equal(rowsEventsOf(await readTo(stream, await endOfBinlog(root, flavor)), name).length, 1);
  });

  test(`statements come with the rows if they are asked for, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10))');
    const sql = "INSERT INTO t VALUES (1, 'é')";
    const work = async (): Promise<unknown> => {
      if (flavor === 'mysql') await root.query('SET SESSION binlog_rows_query_log_events = ON');
      await root.query('TRUNCATE t');
      return root.query(sql);
    };
    const statements = (events: readonly BinlogEvent[]): string[] =>
      events.flatMap((event) => (event.type === 'ROWS_QUERY' ? [event.sql] : []));
    assert.ok(statements(await eventsOf(server, root, work, { annotateRows: true })).includes(sql));
    if (flavor === 'mariadb') assert.ok(!statements(await eventsOf(server, root, work)).includes(sql));
  });

  test(`the ends of XA transactions are told, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY)');
    const events = await eventsOf(server, root, async () => {
      await root.query(
        `XA START '${name}','b',7; INSERT INTO t VALUES (1); XA END '${name}','b',7; XA PREPARE '${name}','b',7; XA COMMIT '${name}','b',7`,
      );
      await root.query(`XA START '${name}'; INSERT INTO t VALUES (2); XA END '${name}'; XA COMMIT '${name}' ONE PHASE`);
    });
    const prepared = events.filter((event) => event.type === 'XA_PREPARE').filter(({ gtrid }) => Buffer.from(gtrid).toString() === name);
    assert.deepEqual(prepared.map(({ onePhase, formatId, bqual }) => [onePhase, formatId, Buffer.from(bqual).toString()])[0], [
      false,
      7,
      'b',
    ]);
    const commits = events.filter((event) => event.type === 'QUERY').filter(({ sql }) => sql.startsWith('XA COMMIT'));
    assert.ok(commits.length >= 1 && commits.every(({ standalone }) => standalone));
    assert.equal(rowsEventsOf(events, name).length, 2);
  });
}

test('the events of compressed transactions come as others do, small and large', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  const { root, name } = database;
  await root.query('CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)');
  const events = await eventsOf(server, root, async () => {
    await root.query('SET SESSION binlog_transaction_compression = ON');
    await root.query("INSERT INTO t (v) VALUES ('a'), ('b')");
    await root.query("INSERT INTO t (v) SELECT CONCAT(a.v, REPEAT('x', 2000)) FROM t a, t b, t c");
    await root.query(
      "BEGIN; INSERT INTO t (v) SELECT REPEAT('y', 20000) FROM t a, t b, t c LIMIT 600; INSERT INTO t (v) VALUES (REPEAT('z', 1500000)); UPDATE t SET v = CONCAT(v, '!') LIMIT 3; COMMIT",
    );
  });
  assert.ok(!events.some(({ type }) => type === 'OTHER'));
  const inserted = rowsEventsOf(events, name)
    .filter(({ kind }) => kind === 'insert')
    .flatMap((event) => readRows(event));
  assert.equal(inserted.length, 2 + 8 + 600 + 1);
  assert.equal(plain(inserted.at(-1)?.after?.[1])?.length, 1_500_000);
  const updated = onlyOne(rowsEventsOf(events, name).filter(({ kind }) => kind === 'update'));
  assert.equal(readRows(updated).length, 3);
  // Whoever has a position in the middle of a transaction has not seen its end.
  const xid = events.findLast((event) => event.type === 'XID');
  const gtid = events.findLast((event) => event.type === 'GTID');
  assert.ok(xid !== undefined && gtid !== undefined);
  assert.deepEqual([updated.nextPosition, updated.size], [gtid.nextPosition, 0]);
  assert.equal(xid.nextPosition - xid.size, gtid.nextPosition);
});

test('tagged GTIDs are read, and a stream begins behind them', { skip: withoutServer('mysql') }, async () => {
  await using server = await startServer({ flavor: 'mysql' });
  const root = await import('mysql2/promise').then(({ createConnection }) =>
    createConnection({ uri: server.root.url, multipleStatements: true }),
  );
  await root.query('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)');
  const position = await endOfBinlog(root, 'mysql');
  const insert = (id: number): Promise<unknown> => root.query(`SET gtid_next = 'AUTOMATIC:some_tag'; INSERT INTO d.t VALUES (${id})`);
  await insert(1);
  const [before] = await rowsOf(root, 'SELECT @@gtid_executed, @@server_uuid');
  await insert(2);
  await root.query('FLUSH BINARY LOGS');
  const [after] = await rowsOf(root, 'SELECT @@gtid_executed');
  const end = await endOfBinlog(root, 'mysql');
  const options = { connection: settingsOf(server), serverId: freshServerId() };
  await using stream = await openBinlogStream({ ...options, start: { position } }, never);
  const events = await readTo(stream, end);
  const tagged = events.filter((event) => event.type === 'GTID');
  assert.deepEqual(
    tagged.map(({ source, gno }) => [source, gno]),
    [
      [`${before?.[1]}:some_tag`, 1],
      [`${before?.[1]}:some_tag`, 2],
    ],
  );
  assert.ok(
    tagged.every(({ originalCommitMicros, transactionLength }) => (originalCommitMicros ?? 0) > 1.7e15 && (transactionLength ?? 0) > 100),
  );
  const previous = events.findLast((event) => event.type === 'PREVIOUS_GTIDS');
  assert.ok(previous?.gtids.equals(GtidSet.parse(after?.[0] ?? '')));
  await using second = await openBinlogStream(
    { ...options, serverId: freshServerId(), start: { gtids: GtidSet.parse(before?.[0] ?? '') } },
    never,
  );
  assert.deepEqual(
    rowsEventsOf(await readTo(second, end), 'd').flatMap((event) => readRows(event).map((row) => row.after)),
    [[2]],
  );
  await root.end();
});

test("MariaDB's compressed events come as others do", { skip: withoutServer('mariadb') }, async () => {
  const server = await sharedServer('mariadb', {
    'log-bin-compress': 'ON',
    'log-bin-compress-min-len': '10',
    'binlog-row-metadata': 'FULL',
  });
  await using database = await freshDatabase(server);
  const { root, name } = database;
  const create = `CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT COMMENT '${'long '.repeat(50)}') DEFAULT CHARSET utf8mb4`;
  const events = await eventsOf(server, root, async () => {
    await root.query(create);
    await root.query("INSERT INTO t VALUES (1, REPEAT('a', 2000)), (2, REPEAT('b', 2000))");
    await root.query("UPDATE t SET v = REPEAT('c', 100000) WHERE id = 1");
    await root.query('DELETE FROM t WHERE id = 2');
  });
  assert.ok(events.some((event) => event.type === 'QUERY' && event.sql === create));
  const rows = rowsEventsOf(events, name).flatMap((event) => readRows(event).map(({ before, after }) => [event.kind, before, after]));
  const u = undefined;
  assert.deepEqual(rows, [
    ['insert', u, [1, 'a'.repeat(2000)]],
    ['insert', u, [2, 'b'.repeat(2000)]],
    ['update', [1, 'a'.repeat(2000)], [1, 'c'.repeat(100_000)]],
    ['delete', [2, 'b'.repeat(2000)], u],
  ]);
});
