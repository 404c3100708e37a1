/** What readers of the replica see while it is fed: always a state that the source had. See `bank.ts`. */
import { test } from 'node:test';
import { sleep } from '../../src/base/abort.ts';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openBank, readBank, startTransfers, type BankReads } from './bank.ts';
import { openPipeline, until } from './harness.ts';
import { runSeed } from './random-workload.ts';

interface Case {
  readonly name: string;
  readonly bulk: number;
  readonly sink: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  { name: 'small transactions', bulk: 0, sink: {} },
  {
    name: 'some of them larger than a commit group, and a sink that flushes all the time',
    bulk: 3000,
    sink: { 'flush.max.rows': '300', 'flush.max.bytes': '200000' },
  },
];

for (const flavor of flavors) {
  for (const { name, bulk, sink } of cases) {
    test(`every read of the replica sees a state of the source: ${name}, on ${flavor}`, { skip: withoutServer(flavor) }, async (t) => {
      const seed = runSeed();
      t.diagnostic(`MILLRACE_SEED=${seed}`);
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      await openBank(database);
      await using pipeline = await openPipeline({ server, databases: [database.name], source: { 'snapshot.fetch.size': '50' }, sink });
      await using writing = startTransfers({ server, database: database.name, seed, bulk });
      // The snapshot, too, is taken while they write; readers begin when its tables appear, all at once.
      await pipeline.start();
      await pipeline.caughtUp(database.root);
      const read = new AbortController();
      const reads: BankReads = { count: 0, states: new Set() };
      const reading = readBank(pipeline, { schema: database.name, reads }, read.signal);
      // On a busy machine it takes longer to see enough of them.
      const seen = until('the reads have seen different states', () => reads.states.size >= 12, { deadlineMs: 60_000 });
      await Promise.race([Promise.all([sleep(5000, new AbortController().signal), seen]), reading, writing.ended]);
      const transactions = await writing.stop();
      await pipeline.caughtUp(database.root, 120_000);
      read.abort();
      await reading;
      await pipeline.assertEqual();
      t.diagnostic(`${transactions} transactions, ${reads.count} reads, ${reads.states.size} different states`);
    });
  }
}
