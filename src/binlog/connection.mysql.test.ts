import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sleep } from '../base/abort.ts';
import { isMillraceError, type ErrorCode } from '../base/errors.ts';
import { flavors, startServer } from '../cli/private-server.ts';
import { startProxy } from '../../test/servers/proxy.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { openConnection, type ConnectionSettings, type SslMode } from './connection.ts';
import { endOfBinlog, freshServerId, never, rowsOf, settingsOf } from './stream.fixture.ts';
import { openBinlogStream } from './stream.ts';

async function codeOf(settings: ConnectionSettings): Promise<ErrorCode | undefined> {
  try {
    await using connection = await openConnection(settings, never);
    await connection.query('SELECT 1', never);
    return undefined;
  } catch (error) {
    assert.ok(isMillraceError(error), String(error));
    return error.code;
  }
}

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`flavor, version and rows as text come from ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using connection = await openConnection(settingsOf(server), never);
    assert.equal(connection.version.flavor, flavor);
    assert.ok(server.version.startsWith(`${connection.version.major}.${connection.version.minor}.${connection.version.patch}`));
    assert.deepEqual(await connection.query("SELECT 1, NULL, 18446744073709551615, 'é', DATE'2024-02-29', 1.50", never), [
      ['1', null, '18446744073709551615', 'é', '2024-02-29', '1.50'],
    ]);
    assert.deepEqual(await connection.query('DO 1', never), []);
    await assert.rejects(
      connection.query('SELECT', never),
      (error) => isMillraceError(error, 'MYSQL_QUERY_FAILED') && /1064/.test(error.message),
    );
    await assert.rejects(connection.query('SELECT * FROM mysql.nothing', never), (error) => isMillraceError(error));
  });

  test(`each way of not getting in has its code, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    const settings = settingsOf(server);
    assert.equal(await codeOf({ ...settings, password: 'wrong' }), 'MYSQL_ACCESS_DENIED');
    assert.equal(await codeOf({ ...settings, user: 'nobody' }), 'MYSQL_ACCESS_DENIED');
    assert.equal(await codeOf({ ...settings, port: 1 }), 'MYSQL_UNREACHABLE');
    assert.equal(await codeOf({ ...settings, host: 'name.invalid' }), 'MYSQL_UNREACHABLE');
    await using proxy = await startProxy(server);
    proxy.stall();
    assert.equal(await codeOf({ ...settings, port: proxy.port, connectTimeoutMs: 300 }), 'MYSQL_UNREACHABLE');
    const reason = new Error('enough');
    await assert.rejects(openConnection({ ...settings, port: proxy.port }, AbortSignal.any([AbortSignal.timeout(200)])), {
      name: 'TimeoutError',
    });
    const aborter = new AbortController();
    aborter.abort(reason);
    await assert.rejects(openConnection(settings, aborter.signal), reason);
    // A reset of a socket that is being shut down would keep this process from ending.
    proxy.resume();
    while (proxy.connections > 0) await sleep(20, never);
    await using refusing = await startProxy(server);
    refusing.refuse();
    assert.equal(await codeOf({ ...settings, port: refusing.port }), 'MYSQL_UNREACHABLE');
  });

  test(`a connection that broke while nothing was asked of it is a passing fault, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using proxy = await startProxy(server);
    await using connection = await openConnection({ ...settingsOf(server), port: proxy.port }, never);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    connection.socket().once('close', () => resolve());
    proxy.cut();
    await closed;
    await assert.rejects(connection.query('SELECT 1', never), (error) => isMillraceError(error, 'MYSQL_UNREACHABLE') && error.retriable);
  });

  test(`an aborted query ends at once, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using connection = await openConnection(settingsOf(server), never);
    const started = performance.now();
    await assert.rejects(connection.query('SELECT SLEEP(20)', AbortSignal.timeout(200)), { name: 'TimeoutError' });
    assert.ok(performance.now() - started < 5000);
  });

  test(`a user without REPLICATION SLAVE is told so, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query(`CREATE USER '${name}'@'%' IDENTIFIED BY 'secret'; GRANT SELECT ON *.* TO '${name}'@'%'`);
    const connection = { ...settingsOf(server), user: name, password: 'secret' };
    const start = { position: await endOfBinlog(root, flavor) };
    await assert.rejects(
      async () => {
        await using stream = await openBinlogStream({ connection, serverId: freshServerId(), start }, never);
        await stream.read(never);
      },
      (error) => isMillraceError(error, 'MYSQL_PRIVILEGE_MISSING'),
    );
    await root.query(`DROP USER '${name}'@'%'`);
  });

  test(`ssl.mode decides what is encrypted and what is verified, on ${flavor}`, { skip }, async () => {
    await using server = await startServer({ flavor });
    const settings = settingsOf(server);
    const encrypted = async (mode: SslMode, ca?: string, host = settings.host): Promise<boolean | ErrorCode> => {
      try {
        await using connection = await openConnection({ ...settings, host, ssl: { mode, ...(ca === undefined ? {} : { ca }) } }, never);
        const [row] = await connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'", never);
        assert.equal(connection.encrypted, row?.[1] !== '');
        return connection.encrypted;
      } catch (error) {
        if (!isMillraceError(error)) throw error;
        return error.code;
      }
    };
    assert.equal(await encrypted('disabled'), false);
    assert.equal(await encrypted('preferred'), true);
    assert.equal(await encrypted('required'), true);
    assert.equal(await encrypted('verify_ca'), 'MYSQL_TLS');
    if (flavor === 'mysql') {
      // MySQL makes certificates of its own at its first start; none names this host.
      const root = await import('mysql2/promise').then(({ createConnection }) => createConnection(server.root.url));
      const [row] = await rowsOf(root, 'SELECT @@datadir, @@ssl_ca');
      await root.end();
      const ca = await readFile(join(row?.[0] ?? '', row?.[1] ?? ''), 'utf8');
      assert.equal(await encrypted('verify_ca', ca), true);
      assert.equal(await encrypted('verify_identity', ca), 'MYSQL_TLS');
      assert.equal(await encrypted('verify_identity', ca, 'localhost'), 'MYSQL_TLS');
    }
    await server.restart(flavor === 'mysql' ? { 'tls-version': '' } : { 'skip-ssl': '1' });
    assert.equal(await encrypted('preferred'), false);
    assert.equal(await encrypted('required'), 'MYSQL_TLS');
  });

  test(`a stream is read over TLS, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    const start = { position: await endOfBinlog(root, flavor) };
    const connection: ConnectionSettings = { ...settingsOf(server), ssl: { mode: 'required' } };
    await using stream = await openBinlogStream({ connection, serverId: freshServerId(), start }, never);
    await root.query("CREATE TABLE t (v LONGTEXT); INSERT INTO t VALUES (REPEAT('x', 3000000))");
    const signal = AbortSignal.timeout(20_000);
    for (let found = false; !found;) {
      for (const event of await stream.read(signal)) {
        found ||= event.type === 'ROWS' && event.table.database === name && event.end - event.start > 3_000_000;
      }
    }
  });
}
