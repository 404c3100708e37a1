/**
 * The same of a source with transformations, whose rows are records in the log: from the first moment that the replica has
 * tables, every read sees a state that the source had.
 */
import { test } from 'node:test';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openBank, readBank, startTransfers, type BankReads } from './bank.ts';
import { openPipeline, until } from './harness.ts';
import { runSeed } from './random-workload.ts';

interface Case {
  readonly name: string;
  readonly source: Readonly<Record<string, string>>;
  readonly schemaOf: (database: string) => string;
}

const cases: readonly Case[] = [
  {
    name: 'topics under other names',
    source: {
      transforms: 'route',
      'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
      'transforms.route.regex': '(p\\d+)\\..*\\.(.*)',
      'transforms.route.replacement': '$1.routed.$2',
    },
    schemaOf: () => 'routed',
  },
  {
    name: 'rows without their envelopes',
    source: {
      transforms: 'unwrap',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    },
    schemaOf: (database) => database,
  },
];

for (const flavor of flavors) {
  for (const { name, source, schemaOf } of cases) {
    test(
      `every read of a replica behind transformations sees a state of the source: ${name}, on ${flavor}`,
      { skip: withoutServer(flavor) },
      async (t) => {
        const seed = runSeed();
        t.diagnostic(`MILLRACE_SEED=${seed}`);
        const server = await sharedServer(flavor);
        await using database = await freshDatabase(server);
        await openBank(database, { thousands: 4 });
        await using pipeline = await openPipeline({
          server,
          databases: [database.name],
          source: { 'snapshot.fetch.size': '50', ...source },
        });
        const schema = schemaOf(database.name);
        const read = new AbortController();
        const reads: BankReads = { count: 0, states: new Set() };
        await using writing = startTransfers({ server, database: database.name, seed, bulk: 0 });
        await pipeline.start();
        const reading = readBank(pipeline, { schema, reads }, read.signal);
        await Promise.race([until('the reads have seen different states', () => reads.states.size >= 6), reading, writing.ended]);
        const transactions = await writing.stop();
        await pipeline.caughtUp(database.root, 120_000);
        read.abort();
        await reading;
        t.diagnostic(`${transactions} transactions, ${reads.count} reads, ${reads.states.size} different states`);
      },
    );
  }
}
