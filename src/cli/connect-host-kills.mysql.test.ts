/** kill -9 of a worker while connectors change their states: what was answered holds, and nothing is lost or doubled. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sourceConnector } from '../../test/pipeline/harness.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { sleep } from '../base/abort.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { openConfigStore } from '../worker/config-store.ts';
import type { ChildRequest } from './connect-host.child.ts';
import { never, until } from './connect-host.fixture.ts';
import { openControlClient } from './control-client.ts';
import { defaultLogSettings, embeddedLogOptions } from './log-settings.ts';

const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 1e9));
const rounds = process.env['MILLRACE_LONG'] === '1' ? 100 : 12;

/** A small generator, so that a seed repeats a run. */
function createRandom(start: number): (below: number) => number {
  let state = start | 1;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((state >>> 0) >>> 8) % below;
  };
}

test(
  `a worker that is killed at changes of state comes back with what it had answered (seed ${seed})`,
  { skip: withoutServer('mysql') },
  async () => {
    const random = createRandom(seed);
    const server = await sharedServer('mysql');
    await using database = await freshDatabase(server);
    const { root } = database;
    await root.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT); CREATE TABLE keyless (v INT)');
    const folder = mkdtempSync(join(tmpdir(), 'millrace-kills-'));
    const dataFolder = join(folder, 'data');
    let child: ChildProcess | undefined;
    const start = async (): Promise<ChildProcess> => {
      const started = fork(join(import.meta.dirname, 'connect-host.child.ts'), [dataFolder, join(folder, 'worker.log')], {
        stdio: 'inherit',
      });
      child = started;
      const [message] = (await once(started, 'message')) as readonly unknown[];
      assert.equal(message, 'started');
      return started;
    };
    const kill = async (): Promise<void> => {
      if (child?.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    };
    /** Asks, and kills at once, after the answer, or some time later; says whether the answer came. */
    const askAndKill = async (running: ChildProcess, request: ChildRequest): Promise<boolean> => {
      const answered = once(running, 'message').then(([message]: readonly unknown[]) => {
        assert.equal(message, 'done');
        return true;
      });
      running.send(request);
      const moment = random(3);
      const result = moment === 0 ? await Promise.race([answered, sleep(random(20), never).then(() => false)]) : await answered;
      if (moment === 2) await sleep(random(400), never);
      answered.catch(() => undefined);
      await kill();
      return result;
    };
    const write = async (): Promise<void> => {
      await root.query(
        'INSERT INTO t (v) VALUES (1), (2); UPDATE t SET v = v + 1 ORDER BY id DESC LIMIT 5; INSERT INTO keyless VALUES (1), (1)',
      );
      await root.query('DELETE FROM keyless LIMIT 1');
    };
    try {
      const source = sourceConnector({ server, databases: [database.name] }, { prefix: 'kills' });
      const sink = {
        name: 'duck',
        config: {
          'connector.class': 'io.millrace.DuckDbSinkConnector',
          'topics.regex': 'kills\\..*',
          'duckdb.file': join(folder, 'r.duckdb'),
        },
      };
      const connectors = [source, sink];
      for (let round = 0; round < rounds; round++) {
        const running = await start();
        await write();
        const connector = connectors[random(2)] ?? source;
        const stored = await storedTarget(dataFolder, connector.name);
        const methods = stored === undefined ? (['create'] as const) : (['pause', 'resume', 'stop', 'restart', 'put', 'delete'] as const);
        const method = methods[random(methods.length)] ?? 'resume';
        const changed = { ...connector.config, 'max.batch.size': String(round + 1) };
        const request: ChildRequest =
          method === 'create' || method === 'put' ? { method, name: connector.name, config: changed } : { method, name: connector.name };
        const answered = await askAndKill(running, request);
        const now = await storedTarget(dataFolder, connector.name);
        if (!answered) continue;
        const expected = {
          create: 'STARTED',
          resume: 'STARTED',
          pause: 'PAUSED',
          stop: 'STOPPED',
          delete: undefined,
          restart: stored,
          put: stored,
        }[method];
        assert.equal(now, expected, `${method} in round ${round}`);
      }
      // In the end all of them run, and source and replica are equal.
      const running = await start();
      for (const { name, config } of connectors) {
        running.send({ method: 'put', name, config } satisfies ChildRequest);
        assert.deepEqual(await once(running, 'message'), ['done', undefined]);
        running.send({ method: 'resume', name } satisfies ChildRequest);
        assert.deepEqual(await once(running, 'message'), ['done', undefined]);
      }
      await write();
      await until(
        async () => {
          const params = { tables: [], onePosition: false, maxDifferences: 5 };
          const report = await openControlClient(dataFolder)
            .call('verify', params, { signal: never })
            .catch(() => undefined);
          return report?.tables.length === 2 && report.tables.every((table) => table.equal);
        },
        () => `source and replica did not become equal: ${folder}`,
      );
      await kill();
    } finally {
      await kill();
      if (process.env['MILLRACE_KEEP'] !== '1') rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** What the config topic says of a connector, now that nobody works on it or beside who does. */
async function storedTarget(dataFolder: string, name: string): Promise<string | undefined> {
  await using log = await openEmbeddedLog(embeddedLogOptions(dataFolder, defaultLogSettings), never);
  return openConfigStore(log, 'connect-configs')
    .load()
    .find((connector) => connector.name === name)?.target;
}
