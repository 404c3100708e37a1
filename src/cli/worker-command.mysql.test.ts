/** `millrace worker` and `millrace connectors` as a user runs them: processes, files, a port. */
import { freePort } from '../../test/servers/free-port.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative as relativeTo } from 'node:path';
import { after, test } from 'node:test';
import { sourceConnector } from '../../test/pipeline/harness.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { until } from './connect-host.fixture.ts';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly ended: Promise<Ended>;
  said(): string;
  stop(): Promise<Ended>;
}

const processes: ChildProcess[] = [];

after(() => {
  // Those of a test that failed.
  for (const each of processes) if (each.exitCode === null) each.kill('SIGKILL');
});

function start(words: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...words], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]: readonly unknown[]): Ended => ({
    code: typeof code === 'number' ? code : null,
    stdout,
    stderr,
  }));
  return {
    ended,
    said: () => stderr,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

test(
  'a worker with files, told over REST by the command line, from its start to SIGTERM and again',
  { skip: withoutServer('mysql') },
  async () => {
    const server = await sharedServer('mysql');
    await using database = await freshDatabase(server);
    await database.root.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)');
    const folder = mkdtempSync(join(tmpdir(), 'millrace-command-'));
    try {
      const url = `http://127.0.0.1:${await freePort()}`;
      const data = join(folder, 'data');
      writeFileSync(
        join(folder, 'worker.properties'),
        `listeners=${url}\nbootstrap.servers=kafka:9092\ngroup.id=g\nmillrace.data=${data}\n`,
      );
      const source = sourceConnector({ server, databases: [database.name] }, { prefix: 'cmd' });
      const { 'database.password': password = '', ...open } = source.config;
      const lines = Object.entries({ name: source.name, ...open, 'database.password': '${env:DB_PASSWORD}' }).map(
        ([key, value]) => `${key}=${value}`,
      );
      writeFileSync(join(folder, 'source.properties'), lines.join('\n'));
      const sink = {
        'connector.class': 'io.millrace.DuckDbSinkConnector',
        'topics.regex': 'cmd\\..*',
        'duckdb.file': join(folder, 'r.duckdb'),
      };
      writeFileSync(join(folder, 'sink.json'), JSON.stringify({ name: 'duck', config: sink }));
      const held = { 'connector.class': 'FileStreamSink', topics: 'lines', file: join(folder, 'held.txt') };
      writeFileSync(join(folder, 'held.json'), JSON.stringify({ name: 'held', config: held, initial_state: 'STOPPED' }));
      const env = { DB_PASSWORD: password };
      const run = (...words: readonly string[]): Promise<Ended> => start(words).ended;
      const connectors = (...words: readonly string[]): Promise<Ended> => run('connectors', ...words, '--url', url);
      const isRunning = async (name: string): Promise<boolean> => / {2}task 0 {2}RUNNING/.test((await connectors('status', name)).stdout);
      const down = await connectors('list');
      assert.equal(down.code, 2);
      assert.match(down.stderr, /WORKER_NOT_RUNNING/);

      const files = ['worker.properties', 'source.properties', 'held.json'].map((name) => join(folder, name));
      const worker = start(['worker', ...files], env);
      await until(
        () => worker.said().includes('worker started'),
        () => worker.said(),
      );
      assert.match(worker.said(), /bootstrap\.servers is accepted and not needed/);
      assert.match((await connectors('status', 'held')).stdout, /^sink held {2}STOPPED/);
      assert.equal((await connectors('create', join(folder, 'sink.json'))).code, 0);
      await until(
        () => isRunning('source'),
        () => worker.said(),
      );
      await until(
        () => isRunning('duck'),
        () => worker.said(),
      );
      await until(
        async () => (await run('verify', '--data', data)).code === 0,
        () => worker.said(),
      );
      const listed = await connectors('list', '--json');
      assert.match(listed.stdout, /"database\.password":"\$\{env:DB_PASSWORD\}"/, 'a secret is not told');
      assert.match((await connectors('list')).stdout, /duck +sink +RUNNING +RUNNING +io\.millrace\.DuckDbSinkConnector/);
      const twice = await connectors('create', join(folder, 'sink.json'));
      assert.equal(twice.code, 1);
      assert.match(twice.stderr, /Connector duck already exists/);
      writeFileSync(join(folder, 'text.duckdb'), 'no database');
      writeFileSync(
        join(folder, 'broken.json'),
        JSON.stringify({ name: 'broken', config: { ...sink, 'duckdb.file': join(folder, 'text.duckdb') } }),
      );
      assert.equal((await run('status', '--data', data)).code, 0);
      assert.equal((await connectors('create', join(folder, 'broken.json'))).code, 0);
      await until(
        async () => (await run('status', '--data', data)).code === 1,
        () => worker.said(),
      );
      assert.match((await run('status', '--data', data)).stdout, /sink broken {2}FAILED\n {2}WAREHOUSE_\w+: .*text\.duckdb.*\n {2}next: /);
      assert.equal((await connectors('delete', 'broken')).code, 0);
      const relative = await run('query', '--data', data, '--file', relativeTo(process.cwd(), join(folder, 'r.duckdb')), 'SELECT 1');
      assert.equal(relative.code, 0, relative.stderr);
      assert.equal((await connectors('stop', 'duck')).code, 0);
      await until(
        async () => (await connectors('status', 'duck')).stdout.includes('STOPPED'),
        () => worker.said(),
      );
      const query = await run(
        'query',
        '--data',
        data,
        '--json',
        '--file',
        join(folder, 'r.duckdb'),
        `SELECT count(*) AS n FROM ${database.name}.t`,
      );
      assert.equal(query.stdout, '{"n":2}\n', query.stderr);
      const status = await run('status', '--data', data);
      assert.match(status.stdout, /sink duck {2}STOPPED/);
      const ended = await worker.stop();
      assert.equal(ended.code, 0, ended.stderr);

      // Copied again from the beginning; the connectors stay.
      assert.match((await run('resync', '--all', '--data', data)).stdout, /removed/);

      // Again, without the file of the sink: it is there as it was.
      const again = start(['worker', join(folder, 'worker.properties')], env);
      await until(
        () => again.said().includes('worker started'),
        () => again.said(),
      );
      await until(
        () => isRunning('source'),
        () => again.said(),
      );
      assert.match((await connectors('status', 'duck')).stdout, /sink duck {2}STOPPED/);
      assert.equal((await connectors('resume', 'duck')).code, 0);
      await until(
        () => isRunning('duck'),
        () => again.said(),
      );
      await until(
        async () => (await run('verify', '--data', data)).code === 0,
        () => again.said(),
      );
      const offsets = await connectors('offsets', 'source', '--json');
      assert.match(offsets.stdout, /^\{"offsets":\[\{"partition":\{"server":"cmd"\},"offset":\{"ts_sec":\d+,"file":"[^"]+","pos":\d+/);
      assert.equal((await connectors('delete', 'source', 'duck', 'held')).code, 0);
      assert.equal((await connectors('list')).stdout, 'no connectors\n');
      assert.equal((await again.stop()).code, 0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test('a worker whose properties cannot be used ends at once with code 2 and names them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-command-'));
  try {
    writeFileSync(
      join(folder, 'worker.properties'),
      'topic.tracking.enable=perhaps\nconfig.providers=vault\nconfig.providers.vault.class=com.example.Vault\n',
    );
    const wrong = await start(['worker', join(folder, 'worker.properties'), '--data', join(folder, 'data')]).ended;
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /CONFIG_INVALID: .*topic\.tracking\.enable/);
    writeFileSync(join(folder, 'worker.properties'), 'config.providers=vault\nconfig.providers.vault.class=com.example.Vault\n');
    const unsupported = await start(['worker', join(folder, 'worker.properties'), '--data', join(folder, 'data')]).ended;
    assert.equal(unsupported.code, 2);
    assert.match(unsupported.stderr, /CONFIG_UNSUPPORTED: .*com\.example\.Vault/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
