/**
 * kill -9 at random moments, in the snapshot and in the stream, while random transactions run: nothing is missing and
 * nothing is there twice. `MILLRACE_SEED` repeats a run's statements and moments; how they meet is up to the machine.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../../src/base/abort.ts';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline } from './harness.ts';
import { createTables, openWorkload, Random, runSeed } from './random-workload.ts';

const rounds = process.env['MILLRACE_LONG'] === '1' ? 300 : 30;
/** Rounds after which everything is compared, and begun anew with a snapshot every other time. */
const part = 10;

for (const flavor of flavors) {
  test(`${rounds} kills at random moments leave source and replica equal, on ${flavor}`, { skip: withoutServer(flavor) }, async (t) => {
    const seed = runSeed();
    t.diagnostic(`MILLRACE_SEED=${seed}`);
    const random = new Random(seed);
    const server = await sharedServer(flavor);
    let kills = 0;
    let transactions = 0;
    let schemaChanges = 0;
    while (kills < rounds) {
      await using database = await freshDatabase(server);
      await createTables(database.root, 4000);
      const source = { 'snapshot.fetch.size': '300', 'snapshot.max.threads': String(1 + random.int(2)) };
      await using pipeline = await openPipeline({ server, databases: [database.name], source });
      const end = Math.min(rounds, kills + 2 * part);
      while (kills < end) {
        await using workload = await openWorkload({ url: server.root.url, database: database.name, seed: random.int(2 ** 31), pauseMs: 5 });
        workload.start();
        for (const upTo = kills + part; kills < upTo; kills++) {
          // Half of them while it starts, which is where most of what is decided once is decided.
          const worker = await pipeline.start({ wait: random.chance(0.5) });
          await sleep(random.int(1500), new AbortController().signal);
          assert.equal(worker.hasEnded, false, `it ended by itself in round ${kills}:\n${worker.stderr.slice(-4000)}`);
          await worker.kill9();
        }
        const worker = await pipeline.start();
        await workload.stop();
        transactions += workload.transactions;
        schemaChanges += workload.schemaChanges;
        await pipeline.caughtUp(database.root, 120_000);
        await pipeline.becomesEqual();
        await worker.kill9();
      }
    }
    t.diagnostic(`${kills} kills, ${transactions} transactions, ${schemaChanges} schema changes`);
  });
}
