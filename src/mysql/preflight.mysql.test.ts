import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withoutServer } from '../../test/servers/shared.ts';
import { openConnection, type ServerConnection } from '../binlog/connection.ts';
import { flavors, startServer, type Login, type PrivateServer } from '../cli/private-server.ts';
import { parseSourceConfig } from './connector-config.ts';
import type { PreflightResult } from './preflight-result.ts';
import { runPreflight } from './preflight.ts';

const { signal } = new AbortController();

const classNames = {
  mysql: 'io.debezium.connector.mysql.MySqlConnector',
  mariadb: 'io.debezium.connector.mariadb.MariaDbConnector',
};

interface Server extends Login {
  readonly host: string;
  readonly port: number;
}

function connect({ host, port }: Server, { user, password }: Pick<Login, 'user' | 'password'>): Promise<ServerConnection> {
  return openConnection({ host, port, user, password }, signal);
}

async function preflight(
  server: PrivateServer,
  properties: Readonly<Record<string, string>> = {},
  login: Pick<Login, 'user' | 'password'> = server,
): Promise<PreflightResult[]> {
  const config = parseSourceConfig({
    name: 'source',
    config: {
      'connector.class': classNames[server.flavor],
      'database.hostname': server.host,
      'database.port': String(server.port),
      'database.user': login.user,
      'database.password': login.password,
      'database.server.id': '7001',
      'topic.prefix': 'p',
      'database.include.list': 'shop',
      ...properties,
    },
  });
  await using connection = await connect(server, login);
  return await runPreflight(connection, config, signal);
}

function result(results: readonly PreflightResult[], check: string): PreflightResult {
  const found = results.find((each) => each.check === check);
  assert.ok(found !== undefined, `${check} is among ${results.map((each) => each.check).join(', ')}`);
  return found;
}

for (const flavor of flavors) {
  describe(`preflight on ${flavor}`, { skip: withoutServer(flavor) }, () => {
    let server: PrivateServer;
    let root: ServerConnection;
    before(async () => {
      server = await startServer({ flavor });
      root = await connect(server, server.root);
      await run('CREATE DATABASE shop', 'USE shop', 'CREATE TABLE goods (id INT PRIMARY KEY, name VARCHAR(20))');
    });
    after(async () => {
      await root[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    async function run(...statements: readonly string[]): Promise<void> {
      for (const statement of statements) await root.query(statement, signal);
    }

    test('a server that is made for it has no failure', async () => {
      const results = await preflight(server);
      assert.deepEqual(
        results.filter(({ status }) => status === 'fail'),
        [],
      );
      for (const check of [
        'server version',
        'log_bin',
        'binlog_format',
        'binlog_row_image',
        'binlog retention',
        'REPLICATION SLAVE',
        'SELECT',
        'server_id',
        'keys',
        'storage engines',
        'captured tables',
        'XA transactions',
      ]) {
        assert.equal(result(results, check).status, 'ok', check);
      }
    });

    // What a statement can set: the status that it leads to, and that the repair makes it right again.
    const settings: readonly {
      readonly check: string;
      readonly set: string;
      readonly status: 'warn' | 'fail';
      readonly only?: 'mysql' | 'mariadb';
    }[] = [
      { check: 'binlog_format', set: "SET GLOBAL binlog_format = 'STATEMENT'", status: 'fail' },
      { check: 'binlog_format', set: "SET GLOBAL binlog_format = 'MIXED'", status: 'fail' },
      { check: 'binlog_row_image', set: "SET GLOBAL binlog_row_image = 'MINIMAL'", status: 'warn' },
      { check: 'binlog_row_image', set: "SET GLOBAL binlog_row_image = 'NOBLOB'", status: 'warn' },
      { check: 'binlog_row_metadata', set: "SET GLOBAL binlog_row_metadata = 'MINIMAL'", status: 'warn' },
      { check: 'binlog_row_value_options', set: "SET GLOBAL binlog_row_value_options = 'PARTIAL_JSON'", status: 'fail', only: 'mysql' },
      { check: 'binlog retention', set: 'SET GLOBAL binlog_expire_logs_seconds = 7200', status: 'warn' },
      { check: 'gtid_mode', set: 'SET GLOBAL gtid_mode = ON_PERMISSIVE', status: 'warn', only: 'mysql' },
      { check: 'binlog_alter_two_phase', set: 'SET GLOBAL binlog_alter_two_phase = ON', status: 'fail', only: 'mariadb' },
      { check: 'max_binlog_total_size', set: 'SET GLOBAL max_binlog_total_size = 10485760', status: 'warn', only: 'mariadb' },
    ];
    for (const { check, set, status, only } of settings) {
      if (only !== undefined && only !== flavor) continue;
      test(`${set} is seen, and the repair repairs it`, async () => {
        await run(set);
        const seen = result(await preflight(server), check);
        assert.equal(seen.status, status);
        assert.ok(seen.repair !== undefined);
        for (const statement of seen.repair.split('; ')) if (statement.startsWith('SET ')) await run(statement.replace(/ {2}--.*/, ''));
        const repaired = (await preflight(server)).find((each) => each.check === check);
        assert.ok(repaired === undefined || repaired.status === 'ok', repaired?.message);
      });
    }

    test('a connector for the other flavor is refused', async () => {
      const other = flavor === 'mysql' ? 'mariadb' : 'mysql';
      const results = await preflight(server, { 'connector.class': classNames[other] });
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fail'],
      );
      assert.match(results[0]?.repair ?? '', new RegExp(classNames[flavor]));
    });

    test('the server’s own id is refused', async () => {
      assert.equal(result(await preflight(server, { 'database.server.id': '1' }), 'server_id').status, 'fail');
    });

    test('no captured table, no key, no transactions', async () => {
      assert.equal(result(await preflight(server, { 'table.include.list': 'shop.nothing' }), 'captured tables').status, 'fail');
      await run('CREATE TABLE keyless (a INT, b INT, UNIQUE (a))', 'CREATE TABLE old (id INT PRIMARY KEY) ENGINE = MyISAM');
      const results = await preflight(server);
      const keys = result(results, 'keys');
      assert.equal(keys.status, 'warn');
      assert.match(keys.message, /shop\.keyless\b/);
      assert.doesNotMatch(keys.message, /goods|old/);
      const engines = result(results, 'storage engines');
      assert.equal(engines.status, 'warn');
      assert.match(engines.message, /shop\.old \(MyISAM\)/);
      await run(keys.repair ?? '', engines.repair ?? '');
      const repaired = await preflight(server);
      assert.deepEqual([result(repaired, 'keys').status, result(repaired, 'storage engines').status], ['ok', 'ok']);
      await run('DROP TABLE keyless, old');
    });

    test('prepared XA transactions are named', async () => {
      await using other = await connect(server, server.root);
      for (const statement of ["XA START 'gid'", 'INSERT INTO shop.goods VALUES (99, NULL)', "XA END 'gid'", "XA PREPARE 'gid'"]) {
        await other.query(statement, signal);
      }
      let prepared: PreflightResult[];
      try {
        prepared = await preflight(server);
      } finally {
        // Left prepared, it would hold up every later test.
        await other.query("XA ROLLBACK 'gid'", signal);
      }
      const found = result(prepared, 'XA transactions');
      assert.equal(found.status, 'warn');
      assert.match(found.message, /'gid'/);
      assert.equal(result(await preflight(server), 'XA transactions').status, 'ok');
    });

    test('cascades are named where the binlog does not show them', async () => {
      await run(
        'CREATE TABLE child (id INT PRIMARY KEY, g INT, CONSTRAINT fk_goods FOREIGN KEY (g) REFERENCES goods (id) ON DELETE CASCADE)',
      );
      const found = result(await preflight(server), 'foreign keys');
      assert.equal(found.status, flavor === 'mysql' ? 'ok' : 'warn', found.message);
      if (flavor === 'mariadb') assert.match(found.message, /shop\.child \(fk_goods\)/);
      await run('DROP TABLE child');
    });

    describe('privileges', () => {
      const poor = { user: 'poor', password: 'poor' };
      const asPoor = async (...grants: readonly string[]): Promise<PreflightResult[]> => {
        await run(
          "DROP USER IF EXISTS 'poor'@'%'",
          "CREATE USER 'poor'@'%' IDENTIFIED BY 'poor'",
          ...grants.map((grant) => `${grant} TO 'poor'@'%'`),
        );
        return preflight(server, {}, poor);
      };
      const client = flavor === 'mysql' ? 'REPLICATION CLIENT' : 'BINLOG MONITOR';
      const serverWide = `GRANT REPLICATION SLAVE, ${client} ON *.*`;

      test('missing ones are named with their GRANT, which suffices', async () => {
        const results = await asPoor('GRANT SELECT ON shop.*');
        const missing = results.filter(({ check }) => check === 'REPLICATION SLAVE' || check === client);
        assert.deepEqual(
          missing.map(({ status }) => status),
          ['fail', 'fail'],
        );
        await run(...missing.map(({ repair }) => repair ?? ''));
        assert.deepEqual(
          (await preflight(server, {}, poor)).filter(({ status }) => status === 'fail'),
          [],
        );
      });

      test('SELECT counts by server, database, pattern and table, not by column', async () => {
        const select = async (...grants: readonly string[]): Promise<string> =>
          result(await asPoor(serverWide, ...grants), 'SELECT').status;
        assert.equal(await select('GRANT SELECT ON *.*'), 'ok');
        assert.equal(await select('GRANT SELECT ON `sh%`.*'), 'ok');
        assert.equal(await select('GRANT SELECT, INSERT ON shop.goods'), 'ok');
        assert.equal(await select('GRANT ALL PRIVILEGES ON `sho_`.*'), 'ok');
        assert.equal(await select('GRANT SELECT (id), INSERT ON shop.goods'), 'fail');
        assert.equal(await select('GRANT INSERT ON shop.*'), 'fail');
        const none = result(await asPoor(serverWide), 'captured tables');
        assert.equal(none.status, 'fail');
        assert.match(none.message, /may see none/);
      });

      test('the repair of SELECT names the database', async () => {
        const denied = result(await asPoor(serverWide, 'GRANT INSERT ON shop.*'), 'SELECT');
        await run(denied.repair ?? '');
        assert.equal(result(await preflight(server, {}, poor), 'SELECT').status, 'ok');
      });

      test('privileges of a default role count', async () => {
        await run('DROP ROLE IF EXISTS reader', 'CREATE ROLE reader', `${serverWide} TO reader`, 'GRANT SELECT ON *.* TO reader');
        const inactive = await asPoor('GRANT reader');
        assert.equal(result(inactive, 'REPLICATION SLAVE').status, 'fail');
        assert.match(result(inactive, 'REPLICATION SLAVE').message, /reader/);
        await run(flavor === 'mysql' ? "SET DEFAULT ROLE reader TO 'poor'@'%'" : "SET DEFAULT ROLE reader FOR 'poor'@'%'");
        const active = await preflight(server, {}, poor);
        assert.deepEqual(
          active.filter(({ status }) => status === 'fail'),
          [],
        );
      });

      if (flavor === 'mysql') {
        test('without RELOAD snapshots need GTIDs', async () => {
          const withGtids = await asPoor(serverWide, 'GRANT SELECT ON *.*');
          assert.equal(result(withGtids, 'RELOAD').status, 'warn');
          assert.equal(result(withGtids, 'XA_RECOVER_ADMIN').status, 'warn');
          await run('SET GLOBAL gtid_mode = ON_PERMISSIVE');
          assert.equal(result(await preflight(server, {}, poor), 'RELOAD').status, 'fail');
          await run('SET GLOBAL gtid_mode = ON');
        });

        test('a partial revoke counts', async () => {
          await run('SET GLOBAL partial_revokes = ON');
          const results = await asPoor(serverWide, 'GRANT SELECT ON *.*');
          assert.equal(result(results, 'SELECT').status, 'ok');
          await run("REVOKE SELECT ON shop.* FROM 'poor'@'%'");
          const revoked = await preflight(server, {}, poor);
          assert.ok(revoked.some(({ check, status }) => status === 'fail' && (check === 'SELECT' || check === 'captured tables')));
          await run("DROP USER 'poor'@'%'", 'SET GLOBAL partial_revokes = OFF');
        });
      }
    });

    test('settings that need a restart: no binlog, filters, a replica that does not log, cascades in the engine', async () => {
      const replica =
        flavor === 'mysql' ? { 'log-replica-updates': 'OFF', 'innodb-native-foreign-keys': 'ON' } : { 'log-slave-updates': 'OFF' };
      await using other = await startServer({ flavor, options: { ...replica, 'binlog-ignore-db': 'shop' } });
      {
        await using admin = await connect(other, other.root);
        await admin.query('CREATE DATABASE shop', signal);
        await admin.query('CREATE TABLE shop.goods (id INT PRIMARY KEY)', signal);
        await admin.query(
          'CREATE TABLE shop.child (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES shop.goods (id) ON UPDATE CASCADE)',
          signal,
        );
        const name = flavor === 'mysql' ? 'log_replica_updates' : 'log_slave_updates';
        assert.ok(!(await preflight(other)).some(({ check }) => check === name), 'it replicates from nowhere');
        await admin.query(
          flavor === 'mysql' ? "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'nowhere'" : "CHANGE MASTER TO MASTER_HOST = 'nowhere'",
          signal,
        );
        // As root: MariaDB shows the sources to SLAVE MONITOR only.
        const results = await preflight(other, {}, other.root);
        assert.equal(result(results, name).status, 'fail');
        assert.equal(result(results, 'binlog filters').status, 'warn');
        assert.match(result(results, 'binlog filters').message, /shop/);
        assert.equal(result(results, 'foreign keys').status, 'warn');
      }
      await other.restart({ 'skip-log-bin': 'ON' });
      const without = result(await preflight(other), 'log_bin');
      assert.equal(without.status, 'fail');
      assert.match(without.repair ?? '', /option file/);
    });
  });
}
