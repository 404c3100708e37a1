import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { withoutServer } from '../../test/servers/shared.ts';
import { MillraceError } from '../base/errors.ts';
import { flavors, startServer } from './private-server.ts';

async function first(url: string, sql: string): Promise<Record<string, unknown>> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query(sql);
    const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
    return typeof row === 'object' && row !== null ? { ...row } : {};
  } finally {
    await connection.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether a server runs on this folder. */
function isUsed(folder: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && Number(pid) !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`--datadir=${folder}`)
      );
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`a private ${flavor} server writes a row binlog, in UTC, and gives its options their way`, { skip }, async () => {
    await using server = await startServer({ flavor, options: { 'server-id': '77' } });
    const settings = await first(
      server.url,
      'SELECT @@log_bin AS log_bin, @@binlog_format AS format, @@server_id AS id, @@time_zone AS zone',
    );
    assert.deepEqual(settings, { log_bin: 1, format: 'ROW', id: 77, zone: '+00:00' });
    assert.match(server.version, flavor === 'mysql' ? /^\d+\.\d+\.\d+/ : /^\d+\.\d+\.\d+-MariaDB/);
  });

  test(`a killed ${flavor} server restarts on the same port with what was committed`, { skip }, async () => {
    await using server = await startServer({ flavor });
    const { port, pid } = server;
    const connection = await createConnection({ uri: server.root.url, multipleStatements: true });
    connection.on('error', () => {});
    await connection.query('CREATE DATABASE d; CREATE TABLE d.t (id int PRIMARY KEY); INSERT INTO d.t VALUES (1), (2)');
    await server.kill9();
    assert.equal(isAlive(pid), false);
    await server.restart({ 'binlog-row-metadata': 'FULL' });
    assert.equal(server.port, port);
    assert.notEqual(server.pid, pid);
    const found = await first(server.url, 'SELECT count(*) AS n, @@binlog_row_metadata AS metadata FROM d.t');
    assert.deepEqual(found, { n: 2, metadata: 'FULL' });
  });

  test(`a ${flavor} server on a folder of the caller keeps what is in it`, { skip }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-kept-'));
    try {
      {
        await using server = await startServer({ flavor, dataDir: folder });
        await first(server.root.url, 'CREATE DATABASE kept');
      }
      await using server = await startServer({ flavor, dataDir: folder });
      assert.deepEqual(await first(server.root.url, "SHOW DATABASES LIKE 'kept'"), { 'Database (kept)': 'kept' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test(`a ${flavor} server whose first start was cut short starts on the same folder`, { skip }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-cut-'));
    const module = JSON.stringify(new URL('./private-server.ts', import.meta.url).href);
    const script = `await (await import(${module})).startServer({ flavor: '${flavor}', dataDir: ${JSON.stringify(folder)} })`;
    try {
      // In the middle of the copy, before the server makes its users, and while it does.
      for (const [awaited, laterMs] of [
        ['', 0],
        ['data', 50],
        ['server.log', 300],
      ] as const) {
        const starter = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
        const isUnderWay = (): boolean =>
          awaited === '' ? readdirSync(folder).some((name) => name.startsWith('data')) : existsSync(join(folder, awaited));
        while (starter.exitCode === null && !isUnderWay()) await new Promise((done) => setTimeout(done, 2));
        await new Promise((done) => setTimeout(done, laterMs));
        starter.kill('SIGKILL');
        // Its server, if it has come so far, is ended by its watcher, and holds the folder until then.
        while (isUsed(folder)) await new Promise((done) => setTimeout(done, 20));
      }
      await using server = await startServer({ flavor, dataDir: folder });
      assert.deepEqual(await first(server.url, 'SELECT 1 AS n'), { n: 1 });
      assert.deepEqual(await first(server.root.url, 'SELECT 2 AS n'), { n: 2 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test(`a ${flavor} server that cannot start says the end of its log`, { skip }, async () => {
    await assert.rejects(startServer({ flavor, options: { 'no-such-option': 'x' } }), (error) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.code, 'MYSQL_UNREACHABLE');
      assert.match(error.message, /no-such-option/);
      return true;
    });
  });

  test(`a ${flavor} server ends with a process that is killed, and its temporary folder with it`, { skip }, async () => {
    const script = `
      import { startServer } from ${JSON.stringify(new URL('./private-server.ts', import.meta.url).href)};
      const server = await startServer({ flavor: '${flavor}' });
      console.log(JSON.stringify({ pid: server.pid, folder: server.dataDir }));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(parent.stdout, 'data');
    const { pid, folder }: { pid: number; folder: string } = JSON.parse(String(line));
    parent.kill('SIGKILL');
    for (let tries = 0; (isAlive(pid) || existsSync(folder)) && tries < 200; tries++) await new Promise((done) => setTimeout(done, 50));
    assert.equal(isAlive(pid), false);
    assert.equal(existsSync(folder), false);
  });
}
