/** What a user does with the command line, from the first snapshot to a repaired data folder, on real servers. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { RowDataPacket } from 'mysql2';
import { flavors, startServer } from '../src/cli/private-server.ts';
import { openPipeline, sourceConnector, until } from './pipeline/harness.ts';
import type { Pipeline } from './pipeline/harness.ts';
import { freshDatabase, sharedServer, withoutServer } from './servers/shared.ts';
import type { FreshDatabase } from './servers/shared.ts';

async function fill({ root }: FreshDatabase): Promise<void> {
  await root.query(`
    CREATE TABLE customers (id INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL, born DATE NULL, balance DECIMAL(12,2) NOT NULL);
    CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT UNSIGNED NOT NULL, at DATETIME(6) NOT NULL, note TEXT NULL);
    CREATE TABLE empty_one (id INT PRIMARY KEY);
    INSERT INTO customers VALUES (1, 'Ana', '1990-02-03', 10.50), (2, 'Björn', NULL, -1.25), (3, '大輔 🎉', '2001-12-31', 0);
    INSERT INTO orders (customer, at, note) VALUES (1, '2025-01-02 03:04:05.678901', 'x'), (2, '2025-01-02 03:04:06', NULL);
  `);
}

/** Runs until all that the server had written is committed. */
async function catchUp(pipeline: Pipeline): Promise<void> {
  const worker = await pipeline.start({ args: ['--until-caught-up'], wait: false });
  const { code, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
}

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`run --until-caught-up ends by itself, and goes on at the next start, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await fill(database);
    await using pipeline = await openPipeline({ server, databases: [database.name] });
    await catchUp(pipeline);
    await database.root.query(`
      UPDATE customers SET balance = balance + 1 WHERE id <> 2; DELETE FROM orders WHERE id = 1;
      INSERT INTO orders (customer, at) VALUES (3, '2025-05-05 05:05:05'); ALTER TABLE customers ADD COLUMN city VARCHAR(20) NULL;
      UPDATE customers SET city = 'Köln' WHERE id = 1; CREATE TABLE later (id INT PRIMARY KEY, v JSON); INSERT INTO later VALUES (1, '{"a": [1, 2]}');
    `);
    await catchUp(pipeline);

    // No worker runs: the file itself is asked.
    const query = await pipeline.millrace('query', '--json', `SELECT id, name, balance, city FROM ${database.name}.customers ORDER BY id`);
    assert.equal(query.code, 0, query.stderr);
    assert.deepEqual(
      query.stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
      [
        { id: 1, name: 'Ana', balance: 11.5, city: 'Köln' },
        { id: 2, name: 'Björn', balance: -1.25, city: null },
        { id: 3, name: '大輔 🎉', balance: 1, city: null },
      ],
    );
    const table = await pipeline.millrace('query', `SELECT id, note FROM ${database.name}.orders ORDER BY id`);
    assert.equal(table.stdout, 'id  note\n──  ────\n 2  ∅\n 3  ∅\n(2 rows)\n');

    // verify without a worker starts one of its own.
    const files = ['source.json', 'sink.json'].map((name) => join(pipeline.folder, name));
    const equal = await pipeline.millrace('verify', ...files);
    assert.equal(equal.code, 0, equal.stdout + equal.stderr);
    for (const name of ['customers', 'orders', 'empty_one', 'later']) {
      assert.match(equal.stdout, new RegExp(`equal +${database.name}\\.${name} `));
    }
  });

  test(`run --until-caught-up waits for a table that only a new snapshot repairs, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const digits = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(' UNION ALL ');
    await database.root.query(`
      CREATE TABLE old (id INT PRIMARY KEY, code INT);
      INSERT INTO old WITH digits AS (${digits})
        SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d, a.d FROM digits a, digits b, digits c, digits d, digits e`);
    await using pipeline = await openPipeline({ server, databases: [database.name], sink: { 'topics.regex': '.*[.]codes' } });
    await catchUp(pipeline);
    // The sink was never told of the rows.
    await database.root.query('RENAME TABLE old TO codes; INSERT INTO codes VALUES (100000, 5)');
    await catchUp(pipeline);
    const query = await pipeline.millrace('query', '--json', `SELECT count(*) AS n, sum(code)::BIGINT AS s FROM ${database.name}.codes`);
    assert.equal(query.stdout, '{"n":100001,"s":450005}\n', query.stderr);
  });

  test(`verify names a difference that was made from outside: exit code 1, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await fill(database);
    await using pipeline = await openPipeline({ server, databases: [database.name] });
    await catchUp(pipeline);
    const instance = await DuckDBInstance.create(pipeline.duckdbFile);
    const connection = await instance.connect();
    await connection.run(
      `UPDATE "${database.name}".customers SET name = 'Anna' WHERE id = 1; DELETE FROM "${database.name}".orders WHERE id = 2`,
    );
    connection.closeSync();
    instance.closeSync();
    const worker = await pipeline.start();
    const people = await pipeline.millrace('verify');
    assert.equal(people.code, 1, people.stderr);
    assert.match(people.stdout, new RegExp(`different +${database.name}\\.customers`));
    assert.match(people.stdout, /id=1: name is Ana, in the replica Anna/);
    assert.match(people.stdout, /id=2: not in the replica/);
    const one = await pipeline.millrace('verify', '--json', '--table', `${database.name}.empty_one`);
    assert.equal(one.code, 0);
    const unknown = await pipeline.millrace('verify', '--table', `${database.name}.nope`);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /^error VERIFY_UNDECIDED: .*nope/);

    // A resync repairs it while the worker runs.
    const resync = await pipeline.millrace('resync', `${database.name}.customers`, `${database.name}.orders`);
    assert.equal(resync.code, 0, resync.stderr);
    await pipeline.caughtUp(database.root);
    const deadline = performance.now() + 30_000;
    while ((await pipeline.millrace('verify')).code !== 0) assert.ok(performance.now() < deadline, 'the resync did not repair it');
    const { code } = await worker.stop();
    assert.equal(code, 0);
  });

  test(`a data folder that was lost is noticed, and resync --all repairs it, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await fill(database);
    await using pipeline = await openPipeline({ server, databases: [database.name] });
    await catchUp(pipeline);
    await rm(join(pipeline.dataFolder, 'log'), { recursive: true });
    const refused = await (await pipeline.start({ wait: false })).ended;
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /^error LOG_IDENTITY: /m);
    assert.match(refused.stderr, /millrace resync --all/);
    const repaired = await pipeline.millrace('resync', '--all');
    assert.equal(repaired.code, 0, repaired.stderr);
    await database.root.query('DELETE FROM orders');
    await catchUp(pipeline);
    await pipeline.start();
    await pipeline.assertEqual();
  });

  test(`tail prints the records in order, to the end or on and on, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await fill(database);
    await using pipeline = await openPipeline({ server, databases: [database.name] });
    await catchUp(pipeline);
    const topic = `${pipeline.prefix}.${database.name}.customers`;
    const { code, stdout, stderr } = await pipeline.millrace('tail', topic, '--json');
    assert.equal(code, 0, stderr);
    const lines = stdout.trim().split('\n');
    for (const [offset, line] of lines.entries()) {
      assert.ok(line.startsWith(`{"topic":"${topic}","partition":0,"offset":${offset},"key":`), line);
      assert.ok(line.includes(`"payload":{"id":${offset + 1}}`), line);
    }
    assert.equal(lines.length, 3);
    const unknown = await pipeline.millrace('tail', 'nope.nope.nope');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, new RegExp(topic.replaceAll('.', '\\.')), 'it says which topics there are');
  });

  test(`a wrong password and a missing database end the run with their codes, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using pipeline = await openPipeline({ server, source: { 'database.password': 'wrong' } });
    const { code, stderr } = await (await pipeline.start({ wait: false })).ended;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^error MYSQL_ACCESS_DENIED: /m);
    assert.match(stderr, /^ {2}next: {2}.*database\.password/m);
    const doctor = await pipeline.millrace('doctor', join(pipeline.folder, 'source.json'));
    assert.equal(doctor.code, 1);
    assert.match(doctor.stderr, /^error MYSQL_ACCESS_DENIED: /);
  });

  test(`a purged binlog is named with what repairs it, and when_needed repairs it by itself, on ${flavor}`, { skip }, async () => {
    // MariaDB keeps binlogs that no replica has asked for, unless told otherwise.
    const options: Record<string, string> = flavor === 'mariadb' ? { 'slave-connections-needed-for-purge': '0' } : {};
    await using server = await startServer({ flavor, options });
    await using database = await freshDatabase(server);
    await fill(database);
    await using pipeline = await openPipeline({ server, databases: [database.name] });
    await catchUp(pipeline);
    const purge = async (): Promise<void> => {
      await database.root.query("INSERT INTO customers VALUES (RAND() * 1e9, 'lost', NULL, 0); FLUSH BINARY LOGS; FLUSH BINARY LOGS");
      const names = async (): Promise<readonly string[]> => {
        const [files] = await database.root.query<RowDataPacket[]>('SHOW BINARY LOGS');
        return files.map((file) => String(file['Log_name']));
      };
      const last = (await names()).at(-1) ?? '';
      // A server keeps files that it may need for its own recovery, for a moment.
      await until('the binlogs are purged', async () => {
        await database.root.query(`PURGE BINARY LOGS TO '${last}'`);
        return (await names())[0] === last;
      });
    };
    await purge();
    const refused = await (await pipeline.start({ wait: false })).ended;
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /^error BINLOG_PURGED: /m);
    assert.match(refused.stderr, /millrace resync|when_needed/);
    const repaired = await pipeline.millrace('resync', '--all');
    assert.equal(repaired.code, 0, repaired.stderr);
    await catchUp(pipeline);
    await purge();
    await pipeline.configure(
      sourceConnector({ server, databases: [database.name], source: { 'snapshot.mode': 'when_needed' } }, { prefix: pipeline.prefix }),
    );
    await catchUp(pipeline);
    await pipeline.start();
    await pipeline.assertEqual();
  });

  test(`two sources and two sinks share a worker, and one replica file, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using left = await freshDatabase(server);
    await using right = await freshDatabase(server);
    await fill(left);
    await fill(right);
    const folder = await openPipeline({ server, connectors: [] });
    const sink = (name: string, prefix: string): { name: string; config: Record<string, string> } => ({
      name,
      config: { 'connector.class': 'io.millrace.DuckDbSinkConnector', 'topics.regex': `${prefix}\\..*`, 'duckdb.file': folder.duckdbFile },
    });
    await using pipeline = folder;
    for (const connector of [
      sourceConnector({ server, databases: [left.name] }, { name: 'left', prefix: 'l' }),
      sourceConnector({ server, databases: [right.name] }, { name: 'right', prefix: 'r' }),
      sink('sink-left', 'l'),
      sink('sink-right', 'r'),
    ]) {
      await pipeline.configure(connector);
    }
    await pipeline.start();
    await left.root.query("INSERT INTO customers VALUES (9, 'left', NULL, 1)");
    await right.root.query("INSERT INTO customers VALUES (9, 'right', NULL, 1)");
    await pipeline.caughtUp(left.root);
    const { tables } = await pipeline.assertEqual();
    assert.equal(tables.length, 6);
    const { tasks } = await pipeline.status();
    assert.deepEqual(
      new Map(tasks.map(({ connector, state }) => [connector, state])),
      new Map(['left', 'right', 'sink-left', 'sink-right'].map((name) => [name, 'RUNNING'])),
    );
  });
}
