/** Properties of Debezium that say how the source goes about the server, and which tables it looks at. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { flavors } from '../cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { parseSourceConfig } from './connector-config.ts';
import { RecordedSource } from './signals/recorded-source.fixture.ts';
import type { RecordedRow } from './signals/recorded-source.fixture.ts';
import { configOf } from './source-task.fixture.ts';

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`database.exclude.list, database.initial.statements, guardrails, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await using other = await freshDatabase(server);
    await database.root.query('CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE log (who INT, what TEXT); INSERT INTO t VALUES (1)');
    await other.root.query('CREATE TABLE seen (id INT PRIMARY KEY); INSERT INTO seen VALUES (2)');
    // Others use the server at the same time: every database but one is left out by name.
    const extra = {
      'database.include.list': '',
      'database.exclude.list': `(?!${other.name}$).*`,
      'include.schema.changes': 'false',
      'database.initial.statements': `INSERT INTO ${database.name}.log VALUES (1, 'a;;b'); INSERT INTO ${database.name}.log VALUES (2, 'c')`,
    };
    await using source = new RecordedSource({ config: configOf(server, database.name, extra) });
    await source.start();
    await source.until('the snapshot is done', () => source.kinds.includes('snapshotEnd'));
    assert.deepEqual(
      source.rows.map(({ table, cells }) => [table, cells[0]]),
      [['seen', '2']],
    );
    const [told] = await database.root.query<RowDataPacket[]>('SELECT DISTINCT who, what FROM log ORDER BY who');
    assert.deepEqual(
      told.map((row) => [Number(row['who']), String(row['what'])]),
      [
        [1, 'a;b'],
        [2, 'c'],
      ],
    );
    await source.kill();

    const guarded = (action: string): RecordedSource =>
      new RecordedSource({
        config: configOf(server, database.name, { 'guardrail.collections.max': '1', 'guardrail.collections.limit.action': action }),
      });
    await assert.rejects(guarded('fail').start(), { code: 'CONFIG_INVALID', message: /2 tables, more than guardrail\.collections\.max=1/ });
    await using warned = guarded('warn');
    await warned.start();
    assert.ok(warned.said.some((line) => line.includes('more than guardrail.collections.max=1')));
  });

  test(`heartbeat.action.query: its own faults end the task, those of its run do not, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { name, root } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE hb (id INT PRIMARY KEY); INSERT INTO hb VALUES (1)');
    const beating = (query: string): RecordedSource =>
      new RecordedSource({ config: configOf(server, name, { 'heartbeat.interval.ms': '100', 'heartbeat.action.query': query }) });
    await using twice = beating(`INSERT INTO ${name}.hb VALUES (1)`);
    await twice.start();
    await twice.until('a fault is told of', () => twice.said.some((line) => line.includes('heartbeat.action.query failed')));
    const beats = twice.kinds.filter((kind) => kind === 'heartbeat').length;
    await twice.until('it beats on', () => twice.kinds.filter((kind) => kind === 'heartbeat').length > beats);
    for (const query of ['INSERT INTO', 'INSERT INTO hb VALUES (2)']) {
      await using broken = beating(query);
      await broken.start();
      await assert.rejects(
        broken.until('it ends', () => false),
        { code: 'CONFIG_INVALID', message: /heartbeat\.action\.query cannot be run/ },
        query,
      );
    }
  });

  test(
    `an incremental snapshot with INSERT_DELETE leaves no rows of windows, and goes on when its table is altered, on ${flavor}`,
    { skip },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { name, root } = database;
      const values = Array.from({ length: 100 }, (_, i) => `(${i + 1})`).join(', ');
      await root.query(`CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES ${values};
      CREATE TABLE debezium_signal (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048) NULL)`);
      const config = configOf(server, name, {
        'snapshot.mode': 'no_data',
        'signal.data.collection': `${name}.debezium_signal`,
        'incremental.snapshot.chunk.size': '5',
        'incremental.snapshot.watermarking.strategy': 'insert_delete',
        'incremental.snapshot.allow.schema.changes': 'true',
      });
      await using source = new RecordedSource({ config });
      await source.start();
      await source.until('it streams', () => source.kinds.includes('schema'));
      await root.query(`INSERT INTO debezium_signal VALUES ('a', 'execute-snapshot', '{"data-collections":["${name}.t"]}')`);
      await source.until('some chunks are there', () => source.rowsOf('t').length >= 20);
      await root.query('ALTER TABLE t ADD COLUMN more INT DEFAULT 7');
      const ids = (): readonly (string | null | undefined)[] => source.rowsOf('t').map(({ cells }) => cells[0]);
      await source.until('all rows are there', () => new Set(ids()).size === 100);
      assert.equal(ids().length, 100, 'each once');
      assert.deepEqual(source.rowsOf('t').at(-1)?.cells, ['100', '7']);
      const [left] = await root.query<RowDataPacket[]>('SELECT id FROM debezium_signal');
      assert.deepEqual(
        left.map((row) => String(row['id'])),
        ['a'],
      );
    },
  );
}

for (const flavor of flavors) {
  test(
    `gtid.source.includes and .excludes leave out rows of other servers' transactions, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { root } = database;
      await root.query('CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1)');
      // As if another server's transaction had been replicated to this one.
      const other = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
      const number = Date.now();
      const foreign =
        flavor === 'mysql'
          ? (sql: string, n: number): string => `SET gtid_next = '${other}:${number + n}'; ${sql}; SET gtid_next = 'AUTOMATIC'`
          : (sql: string): string => `SET SESSION server_id = 77777; ${sql}; SET SESSION server_id = @@GLOBAL.server_id`;
      const named = flavor === 'mysql' ? other.toUpperCase() : '\\d+-77777';
      const ids = async (
        properties: Readonly<Record<string, string>>,
        first: number,
        isLast = (row: RecordedRow): boolean => row.cells[0] === String(first + 2),
      ): Promise<readonly (string | null | undefined)[]> => {
        await using source = new RecordedSource({
          config: configOf(server, database.name, { 'snapshot.mode': 'no_data', 'include.schema.changes': 'false', ...properties }),
        });
        await source.start();
        await source.until('it streams', () => source.kinds.includes('schema'));
        await root.query(foreign(`INSERT INTO t VALUES (${first}, 0)`, first));
        await root.query(foreign(`UPDATE t SET v = v + 1 WHERE id = 1`, first + 1));
        await root.query(`INSERT INTO t VALUES (${first + 1}, 0)`);
        await root.query(foreign(`DELETE FROM t WHERE id = ${first}`, first + 2));
        await root.query(`INSERT INTO t VALUES (${first + 2}, 0)`);
        await source.until('the last row is there', () => source.rowsOf('t').some(isLast));
        return source.rowsOf('t').map(({ cells }) => cells[0]);
      };
      assert.deepEqual(await ids({ 'gtid.source.excludes': `x, ${named}` }, 10), ['11', '12']);
      assert.deepEqual(await ids({ 'gtid.source.includes': `x,${named}` }, 20, ({ op }) => op === 'delete'), ['20', '1', '20']);
      assert.deepEqual(await ids({ 'gtid.source.includes': `.*` }, 30), ['30', '1', '31', '30', '32']);
      assert.deepEqual(await ids({ 'gtid.source.excludes': named, 'gtid.source.filter.dml.events': 'false' }, 40), [
        '40',
        '1',
        '41',
        '40',
        '42',
      ]);
    },
  );
}

test('connect.timeout.ms ends the wait for a server that takes the connection and says nothing', async () => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  try {
    const address = silent.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { port } = address;
    const config = parseSourceConfig({
      name: 'silent',
      config: {
        'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
        'database.hostname': '127.0.0.1',
        'database.port': String(port),
        'database.user': 'u',
        'topic.prefix': 'p',
        'connect.timeout.ms': '300',
      },
    });
    const source = new RecordedSource({ config });
    await assert.rejects(source.start(), { code: 'MYSQL_UNREACHABLE', retriable: true });
  } finally {
    silent.close();
  }
});
