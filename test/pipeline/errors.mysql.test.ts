/**
 * What goes wrong from outside, on both servers: each is a message with code, cause and next step and an exit code that is
 * not 0; nothing is lost, and once the cause is gone the worker goes on and ends equal. More of them: end-to-end.mysql.test.ts
 * (wrong password, purged binlog, lost data folder), src/cli/command-line.test.ts (connector files, second process).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { sleep } from '../../src/base/abort.ts';
import { flavors, replicationGrants, startServer, type Flavor } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer, type SharedServer } from '../servers/shared.ts';
import { openPipeline, sourceConnector, until, type Ended } from './harness.ts';
import { createTables, openWorkload, runSeed } from './random-workload.ts';

/** The error block that every command prints: code and what, and what to do next. */
function assertFailed({ code, stderr }: Ended, expected: { readonly code: string; readonly says?: RegExp; readonly next: RegExp }): void {
  assert.match(stderr, new RegExp(`^error ${expected.code}: `, 'm'));
  const block = stderr.slice(stderr.indexOf(`error ${expected.code}: `));
  if (expected.says !== undefined) assert.match(block, expected.says);
  assert.match(block.slice(block.indexOf('  next: ')), expected.next, block);
  assert.ok(code !== 0 && code !== null, `exit code ${code}`);
}

let users = 0;

/** A user of its own with these privileges. */
async function createUser(
  root: Connection,
  privileges: string,
): Promise<{ readonly user: string; readonly password: string } & AsyncDisposable> {
  const user = `limited_${process.pid}_${++users}`;
  await root.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'secret'`);
  await root.query(`GRANT ${privileges} ON *.* TO '${user}'@'%'`);
  return { user, password: 'secret', [Symbol.asyncDispose]: async () => void (await root.query(`DROP USER '${user}'@'%'`)) };
}

/** All statements of a user from here on, by the server's own log. */
async function recordStatements(root: Connection, user: string): Promise<{ read(): Promise<readonly string[]> } & AsyncDisposable> {
  await root.query(`SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON`);
  return {
    async read() {
      const [rows] = await root.query<RowDataPacket[]>(
        'SELECT CONVERT(argument USING utf8mb4) AS statement FROM mysql.general_log WHERE user_host LIKE ? ORDER BY event_time',
        [`%${user}%`],
      );
      return rows.map((row) => String(row['statement']));
    },
    [Symbol.asyncDispose]: async () => void (await root.query('SET GLOBAL general_log = OFF; TRUNCATE mysql.general_log')),
  };
}

/** The usual privileges but these. */
const grantsWithout = (flavor: Flavor, ...missing: readonly string[]): string =>
  replicationGrants[flavor]
    .split(', ')
    .filter((privilege) => !missing.includes(privilege))
    .join(', ');

const asUser = (server: SharedServer, { user, password }: { readonly user: string; readonly password: string }): SharedServer => ({
  ...server,
  user,
  password,
});

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`a privilege that is missing is named with its GRANT, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await database.root.query('CREATE TABLE t (id INT PRIMARY KEY)');
    await using user = await createUser(database.root, grantsWithout(flavor, 'REPLICATION SLAVE'));
    await using pipeline = await openPipeline({ server: asUser(server, user), databases: [database.name] });
    const ended = await (await pipeline.start({ wait: false })).ended;
    assertFailed(ended, { code: 'MYSQL_PRIVILEGE_MISSING', says: /REPLICATION SLAVE/, next: /GRANT .*REPLICATION SLAVE/ });
    await database.root.query(`GRANT REPLICATION SLAVE ON *.* TO '${user.user}'@'%'`);
    await database.root.query('INSERT INTO t VALUES (1)');
    await pipeline.start();
    await pipeline.caughtUp(database.root);
    await pipeline.assertEqual();
  });

  test(`without RELOAD and under write load the snapshot is taken without a lock, and is equal, on ${flavor}`, { skip }, async (t) => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await createTables(database.root, 3000);
    await using user = await createUser(database.root, grantsWithout(flavor, 'RELOAD'));
    const source = { 'snapshot.fetch.size': '300', 'snapshot.max.threads': '2' };
    await using pipeline = await openPipeline({ server: asUser(server, user), databases: [database.name], source });
    const seed = runSeed();
    t.diagnostic(`MILLRACE_SEED=${seed}`);
    await using workload = await openWorkload({ url: server.root.url, database: database.name, seed, pauseMs: 3 });
    await using statements = await recordStatements(database.root, user.user);
    workload.start();
    const worker = await pipeline.start();
    await pipeline.caughtUp(database.root);
    await workload.stop();
    await pipeline.caughtUp(database.root);
    const said = await statements.read();
    assert.ok(
      said.some((statement) => /WITH CONSISTENT SNAPSHOT/i.test(statement)),
      'it read a view',
    );
    assert.deepEqual(
      said.filter((statement) => /\b(?:FLUSH|LOCK|GET_LOCK|BACKUP STAGE)\b/i.test(statement)),
      [],
    );
    await pipeline.becomesEqual();
    assert.match(worker.stderr, /a table without a key.* table=\S+events/);
  });

  test(`binlog_format=STATEMENT, and then a binlog that is off for a session, are refused or noticed, on ${flavor}`, { skip }, async () => {
    await using server = await startServer({ flavor, options: { 'binlog-format': 'STATEMENT' } });
    await using database = await freshDatabase(server);
    await database.root.query('CREATE TABLE t (id INT PRIMARY KEY)');
    await using pipeline = await openPipeline({ server, databases: [database.name] });
    const ended = await (await pipeline.start({ wait: false })).ended;
    assertFailed(ended, { code: 'MYSQL_SETTING', says: /binlog_format/i, next: /SET (?:GLOBAL|PERSIST) binlog_format\s*=\s*'?ROW/i });
    await database.root.query('SET GLOBAL binlog_format = ROW; SET SESSION binlog_format = ROW; INSERT INTO t VALUES (1)');
    await pipeline.start();
    await pipeline.caughtUp(database.root);
    await pipeline.assertEqual();
  });

  test(`two replicas with one server id: the one that is thrown out says so, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await database.root.query('CREATE TABLE t (id INT PRIMARY KEY)');
    const source = { 'database.server.id': String(2_000_000_000 + process.pid) };
    await using first = await openPipeline({ server, databases: [database.name], source });
    await using second = await openPipeline({ server, databases: [database.name], source });
    const workers = [await first.start()];
    await first.caughtUp(database.root);
    workers.push(await second.start({ wait: false }));
    const ended = await Promise.race([
      ...workers.map((worker) => worker.ended),
      sleep(20_000, new AbortController().signal).then(() => undefined),
    ]);
    assert.ok(ended, 'both run');
    assertFailed(ended, { code: 'SERVER_ID_IN_USE', next: /database\.server\.id/ });
  });

  test(`a full log waits for its sinks and says so; when they come, it goes on, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, filler VARBINARY(1000) NOT NULL)');
    const args = ['--log-max-bytes', '4MB'];
    await using pipeline = await openPipeline({ server, databases: [name], connectors: [] });
    const source = sourceConnector({ server, databases: [name] }, { prefix: 'full' });
    const sink = {
      name: 'sink',
      config: { 'connector.class': 'io.millrace.DuckDbSinkConnector', 'topics.regex': 'full\\..*', 'duckdb.file': pipeline.duckdbFile },
    };
    await pipeline.configure(source);
    await pipeline.configure(sink);
    const first = await pipeline.start({ args });
    await pipeline.caughtUp(root);
    await first.stop();
    // The sink is known to the log, and away.
    pipeline.remove('sink');
    const alone = await pipeline.start({ args });
    for (let i = 0; i < 40; i++) {
      await root.query(
        `INSERT INTO t (filler) VALUES ${Array.from({ length: 300 }, (_, row) => `(RANDOM_BYTES(${900 + (row % 100)}))`).join(',')}`,
      );
    }
    const waiting = async (): Promise<string | undefined> => (await pipeline.status()).sources[0]?.waiting;
    await until('it waits', async () => (await waiting()) !== undefined, { deadlineMs: 20_000 });
    assert.match((await waiting()) ?? '', /the log is full .*--log-max-bytes .* sink has .* to commit/);
    assert.match(alone.stderr, /the log is full/);
    // It can be stopped while it waits, and nothing is lost by that.
    const stopped = await alone.stop();
    assert.equal(stopped.code, 0, stopped.stderr);
    await pipeline.configure(sink);
    await pipeline.start({ args });
    await pipeline.caughtUp(root);
    await pipeline.assertEqual();
  });

  test(`a transaction larger than the log may be passes through it, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, filler VARBINARY(1000) NOT NULL)');
    await using pipeline = await openPipeline({ server, databases: [name] });
    const worker = await pipeline.start({ args: ['--log-max-bytes', '2MB'] });
    await pipeline.caughtUp(root);
    await root.query('BEGIN');
    for (let i = 0; i < 40; i++) {
      await root.query(
        `INSERT INTO t (filler) VALUES ${Array.from({ length: 300 }, (_, row) => `(RANDOM_BYTES(${900 + (row % 100)}))`).join(',')}`,
      );
    }
    await root.query("COMMIT; INSERT INTO t (filler) VALUES ('after')");
    await pipeline.caughtUp(root);
    await pipeline.assertEqual();
    const { code, stderr } = await worker.stop();
    assert.equal(code, 0, stderr);
  });

  test(`sinks that are added later get everything, whether the log still has its start or not, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO t VALUES (1, 'snapshot')");
    await using pipeline = await openPipeline({ server, databases: [name] });
    const addSink = async (which: string): Promise<void> => {
      const file = `${pipeline.folder}/${which}.duckdb`;
      const config = {
        'connector.class': 'io.millrace.DuckDbSinkConnector',
        'topics.regex': `${pipeline.prefix}\\..*`,
        'duckdb.file': file,
      };
      await pipeline.configure({ name: which, config });
    };
    const first = await pipeline.start();
    await root.query("INSERT INTO t VALUES (2, 'stream')");
    await pipeline.caughtUp(root);
    await first.stop();
    await addSink('second');
    // Nothing is kept that all sinks have committed.
    const second = await pipeline.start({ args: ['--log-retention-bytes', '0', '--log-retention-hours', '0'] });
    await root.query("INSERT INTO t VALUES (3, 'both')");
    await pipeline.caughtUp(root);
    assert.equal((await pipeline.assertEqual()).tables.length, 2);
    for (let i = 0; i < 3; i++) {
      await sleep(2500, new AbortController().signal);
      await root.query(`INSERT INTO t VALUES (${10 + i}, 'later')`);
    }
    await pipeline.caughtUp(root);
    await second.stop();
    await addSink('third');
    const third = await pipeline.start();
    await root.query("INSERT INTO t VALUES (4, 'all')");
    // Its start is gone: it gets a copy of its own, and never begins in the middle.
    const equal = async (): Promise<boolean> => {
      const { tables } = await pipeline.verify().catch(() => ({ tables: [] }));
      return tables.length === 3 && tables.every((table) => table.equal);
    };
    await until('the third replica is equal', equal, { intervalMs: 200, describe: () => third.stderr });
    assert.match(third.stderr, /the log no longer has what a sink begins with: its tables are copied anew/);
    // Killed amid of that, it goes on.
    await third.kill9();
    await addSink('fourth');
    const fourth = await pipeline.start();
    await until('it has asked', () => fourth.stderr.includes('its tables are copied anew'), { describe: () => fourth.stderr });
    await fourth.kill9();
    await pipeline.start();
    await pipeline.caughtUp(root);
    assert.equal((await pipeline.assertEqual()).tables.length, 4);
  });

  test(`a full snapshot leaves no table that the source no longer has, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE stays (id INT PRIMARY KEY); CREATE TABLE goes (id INT PRIMARY KEY); INSERT INTO goes VALUES (1)');
    await using pipeline = await openPipeline({ server, databases: [name] });
    const first = await pipeline.start();
    await pipeline.caughtUp(root);
    assert.equal((await pipeline.assertEqual()).tables.length, 2);
    await first.stop();
    // The source begins anew behind the statement, and never sees it.
    await root.query('DROP TABLE goes; INSERT INTO stays VALUES (1)');
    await pipeline.configure(sourceConnector({ server, databases: [name], source: { 'snapshot.mode': 'always' } }, pipeline));
    await pipeline.start();
    await pipeline.caughtUp(root);
    await pipeline.becomesEqual();
    assert.deepEqual(
      (await pipeline.verify()).tables.map(({ table }) => table),
      [`${name}.stays`],
    );
  });

  test(
    `names that are one in the replica, or reserved, are refused at the start and at the DDL, and can be mapped, on ${flavor}`,
    { skip },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { root, name } = database;
      await root.query(
        'CREATE TABLE orders (id INT PRIMARY KEY); INSERT INTO orders VALUES (1); CREATE TABLE Orders (id INT PRIMARY KEY); INSERT INTO Orders VALUES (2)',
      );
      await using atStart = await openPipeline({ server, databases: [name] });
      const refused = await (await atStart.start({ wait: false })).ended;
      assertFailed(refused, { code: 'NAME_COLLISION', says: /orders/i, next: /replica\.name\.map/ });

      await root.query('DROP TABLE Orders');
      await using pipeline = await openPipeline({ server, databases: [name] });
      const worker = await pipeline.start();
      await pipeline.caughtUp(root);
      await root.query('CREATE TABLE ORDERS (id INT PRIMARY KEY); INSERT INTO ORDERS VALUES (3); INSERT INTO orders VALUES (4)');
      assertFailed(await worker.ended, { code: 'NAME_COLLISION', says: /ORDERS/, next: /replica\.name\.map/ });
      const sink = {
        'connector.class': 'io.millrace.DuckDbSinkConnector',
        'topics.regex': `${pipeline.prefix}\\..*`,
        'duckdb.file': pipeline.duckdbFile,
      };
      await pipeline.configure({ name: 'sink', config: { ...sink, 'replica.name.map': `${name}.ORDERS:${name}.upper_orders` } });
      await pipeline.start();
      await pipeline.caughtUp(root);
      assert.equal((await pipeline.assertEqual()).tables.length, 2);
      assert.deepEqual(await pipeline.query(`SELECT id FROM ${name}.upper_orders`), [['3']]);

      await using reserved = await openPipeline({ server, databases: [name], sink: { 'replica.name.format': 'pg_catalog.${table}' } });
      assertFailed(await (await reserved.start({ wait: false })).ended, {
        code: 'NAME_COLLISION',
        says: /reserved/,
        next: /replica\.name/,
      });
    },
  );

  test(`a new binlog in place of the old one is noticed, though it has the old place again, on ${flavor}`, { skip }, async () => {
    await using server = await startServer({ flavor });
    const root = await createConnection({ uri: server.root.url, multipleStatements: true });
    await root.query('CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(2000)); INSERT INTO shop.t (id) VALUES (1)');
    await using pipeline = await openPipeline({ server, databases: ['shop'] });
    const resetWhileStopped = async (transactions: number): Promise<void> => {
      const worker = await pipeline.start();
      for (let id = 2; id < 50; id++) await root.query(`REPLACE INTO shop.t (id) VALUES (${id})`);
      await pipeline.caughtUp(root);
      await worker.stop();
      await root.query(flavor === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
      // What is lost would not be read from the old place, which lies within the new file.
      await root.query('DELETE FROM shop.t WHERE id = 1');
      for (let id = 1; id < transactions; id++) await root.query(`REPLACE INTO shop.t VALUES (${id + 1}, REPEAT('x', 2000))`);
    };
    await resetWhileStopped(20);
    const ended = await (await pipeline.start({ wait: false })).ended;
    assertFailed(ended, { code: 'BINLOG_PURGED', next: /millrace resync --all.*snapshot\.mode/ });
    const compared = await pipeline.millrace('verify', ...pipeline.files);
    assert.equal(compared.code, 2, compared.stdout);
    assert.match(compared.stderr, /error BINLOG_PURGED/);
    const repaired = await pipeline.millrace('resync', '--all');
    assert.equal(repaired.code, 0, repaired.stderr);
    // So many that their GTIDs are as many as those that were read.
    await resetWhileStopped(200);
    await pipeline.configure(sourceConnector({ server, databases: ['shop'], source: { 'snapshot.mode': 'when_needed' } }, pipeline));
    await pipeline.start();
    await pipeline.becomesEqual();
    await root.query('DELETE FROM shop.t WHERE id > 20');
    await pipeline.caughtUp(root);
    await pipeline.assertEqual();
    await root.end();
  });
}
