/**
 * kill -9 at the named points of the pipeline, each asserted as hit while a workload writes; after the restart the replica
 * is equal to the source. The points are calls of `failpoint` (src/base/failpoint.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../../src/base/abort.ts';
import { flavors, type Flavor } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline, type Ended, type Pipeline } from './harness.ts';
import { createTables, openWorkload, runSeed, type Workload } from './random-workload.ts';

interface Point {
  readonly name: string;
  readonly where: string;
}

const snapshotPoints: readonly Point[] = [
  { name: 'chunk', where: 'rows of a chunk are loaded and not committed' },
  { name: 'chunk:2', where: 'the same in a later chunk' },
  { name: 'publication', where: 'the tables of a snapshot are about to appear' },
];

const streamPoints: readonly Point[] = [
  { name: 'appended', where: 'a group is durable in the log, the sink does not know' },
  { name: 'appended:20', where: 'the same later' },
  { name: 'staged', where: 'the changes of a table are staged, those of others not yet' },
  { name: 'staged:7', where: 'the same later' },
  { name: 'deleted', where: 'between DELETE and INSERT' },
  { name: 'deleted:5', where: 'the same later' },
  { name: 'ddl', where: 'in a schema change' },
  { name: 'commit', where: 'all is done but the COMMIT' },
  { name: 'committed', where: 'the COMMIT is done and nobody knows' },
  { name: 'committed:10', where: 'the same later' },
];

async function started(flavor: Flavor): Promise<AsyncDisposableStack & { readonly parts: Parts }> {
  const stack = new AsyncDisposableStack();
  const server = await sharedServer(flavor);
  const database = stack.use(await freshDatabase(server));
  await createTables(database.root);
  const source = { 'snapshot.fetch.size': '500' };
  const pipeline = stack.use(await openPipeline({ server, databases: [database.name], source }));
  const seed = runSeed();
  const open = async (offset: number): Promise<Workload> => {
    const workload = await openWorkload({ url: server.root.url, database: database.name, seed: seed + offset, ddlShare: 0.05, pauseMs: 4 });
    workload.start();
    return workload;
  };
  return Object.assign(stack, { parts: { database, pipeline, seed, open } });
}

interface Parts {
  readonly database: Awaited<ReturnType<typeof freshDatabase>>;
  readonly pipeline: Pipeline;
  readonly seed: number;
  readonly open: (offset: number) => Promise<Workload>;
}

/** The worker died by the point, and by nothing else. */
function assertDied(pipeline: Pipeline, { name, where }: Point, { signal, code, stderr }: Ended): void {
  assert.equal(pipeline.takeFailpoint(), name.split(':')[0], `not hit: ${where}; ended with ${signal ?? code}:\n${stderr.slice(-3000)}`);
  assert.equal(signal, 'SIGKILL');
}

/** Dies at each point in turn while the workload writes. */
async function dieAt(pipeline: Pipeline, points: readonly Point[]): Promise<void> {
  for (const point of points) {
    const worker = await pipeline.start({ failpoint: point.name, wait: false });
    const timer = setTimeout(() => void worker.kill9(), 60_000);
    assertDied(pipeline, point, await worker.ended);
    clearTimeout(timer);
  }
}

for (const flavor of flavors) {
  test(
    `killed at every point of a snapshot, the replica is equal after the restart, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async (t) => {
      await using stack = await started(flavor);
      const { pipeline, database, seed, open } = stack.parts;
      t.diagnostic(`MILLRACE_SEED=${seed}`);
      await using workload = await open(0);
      await dieAt(pipeline, snapshotPoints);
      const worker = await pipeline.start();
      await workload.stop();
      await pipeline.caughtUp(database.root);
      await pipeline.becomesEqual();
      assert.equal((await worker.stop()).code, 0);
    },
  );

  test(
    `killed at every point of the stream, the replica is equal after each restart, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async (t) => {
      await using stack = await started(flavor);
      const { pipeline, database, seed, open } = stack.parts;
      t.diagnostic(`MILLRACE_SEED=${seed}`);
      const first = await pipeline.start();
      await pipeline.caughtUp(database.root);
      assert.equal((await first.stop()).code, 0);
      for (const [index, point] of streamPoints.entries()) {
        await using workload = await open(index);
        await dieAt(pipeline, [point]);
        const worker = await pipeline.start();
        await workload.stop();
        await pipeline.caughtUp(database.root);
        await pipeline.becomesEqual();
        await worker.kill9();
      }
    },
  );

  test(`offsets that are committed apart from the rows are found out, on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
    await using stack = await started(flavor);
    const { pipeline, database } = stack.parts;
    const env = { MILLRACE_MUTANT: 'offsets-apart' };
    const first = await pipeline.start({ env });
    await pipeline.caughtUp(database.root);
    await first.stop();
    const point = { name: 'commit:4', where: 'the rows are committed, the offsets are not' };
    // A commit may be one of a position alone, which does no harm when it comes twice.
    for (let attempt = 0; ; attempt++) {
      const worker = await pipeline.start({ env, failpoint: point.name, wait: false });
      while (!worker.hasEnded) {
        await database.root.query("INSERT INTO events VALUES (1, 'once?', NULL)");
        await sleep(10, new AbortController().signal);
      }
      assertDied(pipeline, point, await worker.ended);
      const restarted = await pipeline.start({ env });
      await pipeline.caughtUp(database.root);
      const { tables } = await pipeline.verify();
      await restarted.stop();
      const events = tables.find(({ table }) => table === `${database.name}.events`);
      if (events?.equal === false) {
        assert.ok(
          events.differences.every(({ kind }) => kind === 'extra'),
          JSON.stringify(events),
        );
        break;
      }
      assert.ok(attempt < 4, 'rows that are there twice were not noticed');
    }
  });
}
