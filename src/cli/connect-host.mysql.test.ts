/** Connectors that come and go in one worker, on real servers, with real files. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { RowDataPacket } from 'mysql2/promise';
import { sourceConnector } from '../../test/pipeline/harness.ts';
import type { Connector } from '../../test/pipeline/harness.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { isMillraceError } from '../base/errors.ts';
import { connectStatus } from '../worker/connect-service.ts';
import { never, openTestHost, statesOf, until } from './connect-host.fixture.ts';
import type { TestHost } from './connect-host.fixture.ts';
import { openControlClient } from './control-client.ts';
import { flavors, startServer } from './private-server.ts';

const program = join(import.meta.dirname, 'main.ts');

function duckdbSink(host: TestHost, prefix: string, name = 'duck', file = 'replica.duckdb'): Connector {
  return {
    name,
    config: {
      'connector.class': 'io.millrace.DuckDbSinkConnector',
      'topics.regex': `${prefix}\\..*`,
      'duckdb.file': join(host.folder, file),
      'replica.name.format': `${name}_\${database}.\${table}`,
    },
  };
}

async function create(host: TestHost, { name, config }: Connector, initialState?: 'PAUSED' | 'STOPPED'): Promise<void> {
  await host.service.create({ name, config, ...(initialState === undefined ? {} : { initialState }) }, never);
}

async function becomesEqual(host: TestHost, tables = 1): Promise<void> {
  await until(
    async () => {
      const report = await host.verify().catch(() => undefined);
      return report?.tables.length === tables && report.tables.every((table) => table.equal);
    },
    () => 'source and replica did not become equal',
  );
}

for (const flavor of flavors) {
  test(
    `a connector is created, paused, resumed, stopped and deleted while its rows come, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      await database.root.query('CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO t VALUES (1, "a"), (2, "b")');
      await using host = await openTestHost();
      const { service } = host;
      const source = sourceConnector({ server, databases: [database.name] }, { prefix: 'life' });
      // A sink may be there before its source.
      await create(host, duckdbSink(host, 'life'));
      await host.settles('duck', 'RUNNING/RUNNING');
      await create(host, source);
      await host.settles('source', 'RUNNING/RUNNING');
      await becomesEqual(host);

      await service.pause('source');
      await host.settles('source', 'PAUSED/PAUSED');
      await database.root.query('INSERT INTO t VALUES (3, "c"); UPDATE t SET v = "x" WHERE id = 1');
      const [paused] = (await host.verify()).tables;
      assert.match(paused?.undecided ?? '', /^source is PAUSED/, 'a position that is not to come is not waited for');
      await service.resume('source');
      await host.settles('source', 'RUNNING/RUNNING');
      await becomesEqual(host);

      const waiting = host.verify();
      await service.pause('duck');
      await host.settles('duck', 'PAUSED/PAUSED');
      assert.match((await waiting).tables[0]?.undecided ?? 'equal', /^duck is PAUSED|^equal$/);
      await database.root.query('DELETE FROM t WHERE id = 2');
      assert.equal((await host.query(`SELECT count(*) FROM duck_${database.name}.t`))[0]?.[0], '3', 'a paused sink is read as it is');
      await service.resume('duck');
      await becomesEqual(host);

      await service.stop('duck');
      await host.settles('duck', 'STOPPED/');
      assert.deepEqual(service.tasks('duck'), []);
      await database.root.query('INSERT INTO t VALUES (4, "d")');
      await service.resume('duck');
      await host.settles('duck', 'RUNNING/RUNNING');
      await becomesEqual(host);

      await service.delete('source');
      assert.equal(statesOf(service, 'source'), '');
      await database.root.query('INSERT INTO t VALUES (5, "e")');
      await create(host, source);
      await host.settles('source', 'RUNNING/RUNNING');
      await becomesEqual(host);
      const topics = [`life.${database.name}.t`];
      await until(
        () => service.activeTopics('duck').length > 0,
        () => 'the sink has no active topic',
      );
      assert.deepEqual(service.activeTopics('duck'), topics);
      assert.deepEqual(
        (await service.offsets('duck')).offsets.map(({ partition }) => partition),
        [{ kafka_topic: topics[0], kafka_partition: 0 }],
      );
    },
  );
}

test('a worker that starts again brings back all connectors in their states', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  await database.root.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)');
  await using host = await openTestHost();
  const options = { server, databases: [database.name] };
  await create(host, sourceConnector(options, { name: 'runs', prefix: 'runs' }));
  await create(host, sourceConnector(options, { name: 'stops', prefix: 'stops' }), 'STOPPED');
  await create(host, sourceConnector(options, { name: 'rests', prefix: 'rests' }), 'PAUSED');
  await create(host, duckdbSink(host, 'runs'));
  await host.settles('runs', 'RUNNING/RUNNING');
  await host.settles('rests', 'PAUSED/');
  await host.settles('stops', 'STOPPED/');
  await host.settles('duck', 'RUNNING/RUNNING');
  await becomesEqual(host);
  await host.service.pause('duck');
  await host.settles('duck', 'PAUSED/PAUSED');
  await database.root.query('INSERT INTO t VALUES (2)');

  await host.restart();
  await host.settles('runs', 'RUNNING/RUNNING');
  await host.settles('rests', 'PAUSED/');
  await host.settles('stops', 'STOPPED/');
  await host.settles('duck', 'PAUSED/PAUSED');
  assert.deepEqual([...host.service.connectors()].sort(), ['duck', 'rests', 'runs', 'stops']);
  await host.service.resume('duck');
  await becomesEqual(host);
});

test('sources and sinks are made and deleted side by side, and none disturbs another', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using one = await freshDatabase(server);
  await using two = await freshDatabase(server);
  for (const { root } of [one, two]) {
    await root.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT); INSERT INTO t (v) VALUES (1)');
  }
  await using host = await openTestHost();
  let writing = true;
  const write = async (): Promise<void> => {
    while (writing) {
      for (const { root } of [one, two]) await root.query('INSERT INTO t (v) VALUES (2); UPDATE t SET v = v + 1 ORDER BY id DESC LIMIT 3');
    }
  };
  const written = write();
  try {
    await create(host, sourceConnector({ server, databases: [one.name] }, { name: 's1', prefix: 's1' }));
    // Both in one file, the second comes while the first runs.
    await create(host, duckdbSink(host, 's1', 'd1'));
    await host.settles('d1', 'RUNNING/RUNNING');
    await create(host, sourceConnector({ server, databases: [two.name] }, { name: 's2', prefix: 's2' }));
    await create(host, duckdbSink(host, 's2', 'd2'));
    await create(host, duckdbSink(host, 's2', 'd3', 'other.duckdb'));
    for (const name of ['s1', 's2', 'd1', 'd2', 'd3']) await host.settles(name, 'RUNNING/RUNNING');
    await host.service.delete('d1');
    await host.service.delete('s1');
    // Its place is taken while the writes go on.
    await create(host, sourceConnector({ server, databases: [one.name] }, { name: 's1', prefix: 's1' }));
    await host.settles('s1', 'RUNNING/RUNNING');
  } finally {
    writing = false;
    await written;
  }
  await becomesEqual(host, 2);
  const report = await host.verify();
  assert.ok(report.tables.every((table) => table.equal));
});

for (const flavor of flavors) {
  test(
    `offsets of a stopped source are set and reset, and the replica becomes equal, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { root } = database;
      await root.query(
        'CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE keyless (v INT); INSERT INTO t VALUES (1, 1); INSERT INTO keyless VALUES (1), (1)',
      );
      await using host = await openTestHost();
      const { service } = host;
      await create(host, sourceConnector({ server, databases: [database.name] }, { prefix: 'moved' }));
      await create(host, duckdbSink(host, 'moved'));
      await becomesEqual(host, 2);
      await service.stop('source');
      await host.settles('source', 'STOPPED/');
      const { offsets } = await service.offsets('source');
      assert.deepEqual(
        offsets.map(({ partition }) => partition),
        [{ server: 'moved' }],
      );
      const { ts_sec, file, pos } = offsets[0]?.offset ?? {};
      assert.ok(typeof ts_sec === 'number' && typeof file === 'string' && typeof pos === 'number', JSON.stringify(offsets));

      // Changes that it has yet to see, then back before them, and over others.
      await root.query('INSERT INTO t VALUES (2, 2); INSERT INTO keyless VALUES (2)');
      await service.resume('source');
      await becomesEqual(host, 2);
      await service.stop('source');
      await host.settles('source', 'STOPPED/');
      const answer = await service.alterOffsets('source', offsets);
      assert.match(answer.message, /^The Connect framework-managed offsets for this connector have been altered successfully\. However,/);
      assert.deepEqual((await service.offsets('source')).offsets, offsets);
      await service.resume('source');
      await host.settles('source', 'RUNNING/RUNNING');
      await root.query('UPDATE t SET v = 3 WHERE id = 1');
      await becomesEqual(host, 2);

      await service.stop('source');
      await host.settles('source', 'STOPPED/');
      await root.query('DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (4, 4)');
      await service.resetOffsets('source');
      assert.deepEqual((await service.offsets('source')).offsets, []);
      await service.resume('source');
      await becomesEqual(host, 2);

      await service.stop('duck');
      await assert.rejects(
        service.alterOffsets('duck', [{ partition: { kafka_topic: 'x', kafka_partition: 0 }, offset: { kafka_offset: 1 } }]),
        /stored in its replica/,
      );
      await assert.rejects(service.resetOffsets('duck'), /stored in its replica/);
    },
  );
}

test('topics that Debezium has begun keep its values until the owner says otherwise', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  const { root } = database;
  await root.query('CREATE TABLE t (id INT PRIMARY KEY, j JSON)');
  await using host = await openTestHost();
  const { service } = host;
  const source = sourceConnector({ server, databases: [database.name] }, { prefix: 'taken' });
  const [[status]] = await root.query<RowDataPacket[]>('SHOW BINARY LOG STATUS');
  await create(host, source, 'STOPPED');
  const offset = { file: String(status?.['File']), pos: Number(status?.['Position']) };
  await service.alterOffsets('source', [{ partition: { server: 'taken' }, offset }]);
  await service.resume('source');
  await host.settles('source', 'RUNNING/RUNNING');
  // A double in a document, of which Debezium prints another text than the server (finding 36).
  const write = (id: number): Promise<unknown> => root.query(`INSERT INTO t VALUES (${id}, JSON_OBJECT('d', 1e-7))`);
  const told = async (id: number): Promise<string | undefined> => {
    let text: string | undefined;
    await until(
      async () => {
        const { stdout } = await promisify(execFile)(process.execPath, [
          program,
          'tail',
          `taken.${database.name}.t`,
          '--data',
          host.dataFolder,
        ]);
        text = stdout.split('\n').find((line) => line.includes(`"id":${id},`));
        return text !== undefined;
      },
      () => `there is no record of row ${id}`,
    );
    return /\\"d\\": ?([^}]*)/.exec(text ?? '')?.[1];
  };
  await write(1);
  const first = await told(1);
  await host.restart();
  await write(2);
  assert.equal(await told(2), first, 'also after a restart');
  assert.equal(service.config('source')['millrace.compat'], undefined);
  await host.service.patchConfig('source', { 'millrace.compat': 'none' }, never);
  await host.settles('source', 'RUNNING/RUNNING');
  await write(3);
  assert.notEqual(await told(3), first);
});

test('a failed task shows its trace, and is restarted by itself', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  await database.root.query(`CREATE TABLE t (id INT PRIMARY KEY); CREATE USER 'u_${database.name}'@'%' IDENTIFIED BY 'one'`);
  await database.root.query(`GRANT ALL ON *.* TO 'u_${database.name}'@'%'`);
  await using host = await openTestHost({
    'millrace.task.restart.backoff.ms': '200',
    'millrace.task.restart.backoff.max.ms': '400',
    'millrace.task.restart.max': '1000',
  });
  const { name, config } = sourceConnector({ server, databases: [database.name] }, { prefix: 'failed' });
  await create(host, { name, config: { ...config, 'database.user': `u_${database.name}`, 'database.password': 'one' } });
  await host.settles(name, 'RUNNING/RUNNING');
  await database.root.query(`ALTER USER 'u_${database.name}'@'%' IDENTIFIED BY 'two'`);
  await host.service.restart(name, { includeTasks: true, onlyFailed: false });
  await host.settles(name, 'RUNNING/FAILED');
  const { trace } = host.service.taskStatus(name, 0);
  assert.match(trace ?? '', /^io\.millrace\.MillraceException: MYSQL_ACCESS_DENIED: /);
  assert.match(trace ?? '', /\n\tnext: /);
  assert.match(trace ?? '', /\n\tat /);
  await database.root.query(`ALTER USER 'u_${database.name}'@'%' IDENTIFIED BY 'one'`);
  await host.settles(name, 'RUNNING/RUNNING');
  await database.root.query(`DROP USER 'u_${database.name}'@'%'`);
});

test(
  'resync is kept for a source that is paused, and repairs one whose place in the binlog is gone',
  { skip: withoutServer('mysql') },
  async () => {
    await using server = await startServer({ flavor: 'mysql' });
    await using database = await freshDatabase(server);
    const { root, name: databaseName } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1)');
    await using host = await openTestHost();
    const { service } = host;
    const resync = (): Promise<unknown> => openControlClient(host.dataFolder).call('resync', { tables: [] }, { signal: never });
    const { name, config } = sourceConnector({ server, databases: [databaseName] }, { prefix: 'kept' });
    await create(host, { name, config });
    await create(host, duckdbSink(host, 'kept'));
    await becomesEqual(host);
    const snapshots = (): number => readFileSync(join(host.folder, 'worker.log'), 'utf8').split('a snapshot of tables is taken').length - 1;
    const before = snapshots();
    await service.pause(name);
    await host.settles(name, 'PAUSED/PAUSED');
    await resync();
    // Answered, it outlives the worker.
    await host.restart();
    await host.service.resume(name);
    await host.settles(name, 'RUNNING/RUNNING');
    await until(
      () => snapshots() > before,
      () => 'no snapshot was taken',
    );
    await becomesEqual(host);
    await host.service.stop(name);
    await host.settles(name, 'STOPPED/');
    await root.query('INSERT INTO t VALUES (2, 2); FLUSH BINARY LOGS; INSERT INTO t VALUES (3, 3); FLUSH BINARY LOGS');
    await root.query('PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY');
    await host.service.resume(name);
    await host.settles(name, 'RUNNING/FAILED');
    assert.match(host.service.taskStatus(name, 0).trace ?? '', /BINLOG_PURGED/);
    await resync();
    await host.settles(name, 'RUNNING/RUNNING');
    await becomesEqual(host);
  },
);

test('what Kafka Connect refuses is refused with its words', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using host = await openTestHost();
  const { service } = host;
  const source = sourceConnector({ server, databases: ['none'] }, { prefix: 'refused' });
  await create(host, source, 'STOPPED');
  const refused = async (work: () => unknown, status: number, message: string | RegExp): Promise<void> => {
    await assert.rejects(
      async () => work(),
      (error) => {
        assert.ok(isMillraceError(error));
        assert.equal(connectStatus(error), status, error.message);
        if (typeof message === 'string') assert.equal(error.message, message);
        else assert.match(error.message, message);
        return true;
      },
    );
  };
  const { name, config } = source;
  await refused(() => service.create({ name, config }, never), 409, 'Connector source already exists');
  await refused(
    () => service.create({ name: 'x', config: { ...config, name: 'y' } }, never),
    400,
    "Connector name configuration (y) doesn't match connector name in the URL (x)",
  );
  await refused(
    () => service.create({ name: 'c-noclass', config: { a: 'b' } }, never),
    400,
    'Connector config {name=c-noclass, a=b} contains no connector type',
  );
  await refused(() => service.create({ name: 'two', config: { ...config, 'tasks.max': '2' } }, never), 400, /1 error\(s\):\n.*tasks\.max/s);
  await refused(() => service.create({ name: 'two', config }, never), 400, /topic\.prefix: The connector source has this prefix already/);
  await refused(() => service.connector('none'), 404, 'Connector none not found');
  await refused(() => service.status('none'), 404, 'No status found for connector none');
  await refused(() => service.taskStatus('source', 3), 404, 'No status found for task source-3');
  await refused(() => service.pause('none'), 404, 'Unknown connector none');
  await refused(() => service.restart('none', { includeTasks: true, onlyFailed: false }), 404, 'Unknown connector: none');
  await refused(() => service.restartTask('source', 7), 404, 'Unknown task: source-7');
  await refused(() => service.alterOffsets('source', []), 400, 'Partitions / offsets need to be provided for an alter offsets request');
  await service.resume('source');
  await refused(
    () => service.resetOffsets('source'),
    400,
    /^Connectors must be in the STOPPED state before their offsets can be modified\./,
  );
});
