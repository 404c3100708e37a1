/** The server goes away and comes back, the connection is cut, stalled, delayed: the worker reconnects and ends equal. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { sleep } from '../../src/base/abort.ts';
import { flavors, startServer, type Flavor } from '../../src/cli/private-server.ts';
import { startProxy, type Proxy } from '../servers/proxy.ts';
import { freshDatabase, sharedServer, withoutServer, type FreshDatabase } from '../servers/shared.ts';
import { openPipeline, until, type Pipeline } from './harness.ts';
import { createTables, openWorkload, Random, runSeed, type Workload } from './random-workload.ts';

interface Parts {
  readonly database: FreshDatabase;
  readonly proxy: Proxy;
  readonly pipeline: Pipeline;
  readonly workload: Workload;
  readonly random: Random;
}

/** A pipeline whose source goes through a proxy, and a writer that does not. */
async function throughProxy(t: TestContext, flavor: Flavor, rows: number, work: (parts: Parts) => Promise<void>): Promise<void> {
  const seed = runSeed();
  t.diagnostic(`MILLRACE_SEED=${seed}`);
  const server = await sharedServer(flavor);
  await using database = await freshDatabase(server);
  await createTables(database.root, rows);
  await using proxy = await startProxy(server);
  const { user, password } = server;
  const through = { flavor, host: proxy.host, port: proxy.port, user, password };
  await using pipeline = await openPipeline({ server: through, databases: [database.name], source: { 'snapshot.fetch.size': '500' } });
  await using workload = await openWorkload({ url: server.root.url, database: database.name, seed });
  workload.start();
  await work({ database, proxy, pipeline, workload, random: new Random(seed) });
}

const pause = async (ms: number): Promise<void> => sleep(ms, new AbortController().signal);

/** The worker has lived through it all, and has everything. */
async function endsEqual({ pipeline, database, workload }: Parts): Promise<void> {
  await workload.stop();
  await pipeline.caughtUp(database.root, 120_000);
  await pipeline.assertEqual();
}

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`cut between and within packets, in the snapshot and after it, the worker goes on, on ${flavor}`, { skip }, async (t) => {
    await throughProxy(t, flavor, 6000, async (parts) => {
      const { pipeline, proxy, random, database } = parts;
      const worker = await pipeline.start();
      const anew = { deadlineMs: 30_000, describe: (): string => worker.stderr };
      for (let i = 0; i < 2; i++) {
        const before = proxy.accepted;
        proxy.cutAfter(10_000 + random.int(50_000));
        await until('it connects anew', () => proxy.accepted > before, anew);
      }
      proxy.cutAfter(Infinity);
      await pipeline.caughtUp(database.root);
      for (let i = 0; i < 4; i++) {
        const before = proxy.accepted;
        if (random.chance(0.5)) proxy.cut();
        else proxy.cutAfter(1 + random.int(5000));
        await until('it connects anew', () => proxy.accepted > before, anew);
        await pause(random.int(300));
      }
      proxy.cutAfter(Infinity);
      assert.equal(worker.hasEnded, false);
      await endsEqual(parts);
      assert.match(worker.stderr, /interrupted, it is tried again/);
    });
  });

  test(`a peer that falls silent is noticed, and a slow one is waited for, on ${flavor}`, { skip }, async (t) => {
    await throughProxy(t, flavor, 500, async (parts) => {
      const { pipeline, proxy, database } = parts;
      const worker = await pipeline.start();
      await pipeline.caughtUp(database.root);
      proxy.stall();
      // The server sends a heartbeat every second: ten seconds without one, and it is taken for dead.
      await until('the silence is noticed', async () => (await pipeline.status()).tasks.some((task) => task.state === 'RESTARTING'), {
        deadlineMs: 30_000,
      });
      proxy.refuse();
      proxy.resume();
      proxy.cut();
      await pause(1000);
      proxy.accept();
      proxy.delay(40);
      await endsEqual(parts);
      assert.equal(worker.hasEnded, false);
    });
  });

  test(`the server restarts, in order and not, and the worker goes on, on ${flavor}`, { skip }, async (t) => {
    const seed = runSeed();
    t.diagnostic(`MILLRACE_SEED=${seed}`);
    await using server = await startServer({ flavor });
    const setup = await freshDatabase(server);
    const { name } = setup;
    await createTables(setup.root);
    await setup.root.end();
    await using pipeline = await openPipeline({ server, databases: [name] });
    const worker = await pipeline.start();
    await using workload = await openWorkload({ url: server.root.url, database: name, seed, ddlShare: 0, reconnects: true });
    workload.start();
    for (const way of ['stop', 'kill9'] as const) {
      await pause(1500);
      await server[way]();
      await pause(500);
      await server.restart();
    }
    await pause(500);
    await workload.stop();
    const root = await createConnection({ uri: server.root.url });
    await pipeline.caughtUp(root, 120_000);
    await root.end();
    await pipeline.assertEqual();
    assert.equal(worker.hasEnded, false);
    assert.match(worker.stderr, /interrupted, it is tried again/);
  });
}
