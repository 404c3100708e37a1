/**
 * The same of a source with transformations, whose rows are records in the log: from the first moment that the replica has
 * tables, every read sees a state that the source had.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { bankTables, openBank, readBank, startTransfers, type BankReads } from './bank.ts';
import { openPipeline, until } from './harness.ts';
import { runSeed } from './random-workload.ts';

interface Case {
  readonly name: string;
  readonly source: Readonly<Record<string, string>>;
  readonly schemaOf: (database: string) => string;
  /** The tables are read again amid it: only envelopes tell such rows from those that stream. */
  readonly again: boolean;
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
    again: true,
  },
  {
    name: 'rows without their envelopes',
    source: {
      transforms: 'unwrap',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    },
    schemaOf: (database) => database,
    again: false,
  },
];

for (const flavor of flavors) {
  for (const { name, source, schemaOf, again } of cases) {
    test(
      `every read of a replica behind transformations sees a state of the source: ${name}, on ${flavor}`,
      { skip: withoutServer(flavor) },
      async (t) => {
        const seed = runSeed();
        t.diagnostic(`MILLRACE_SEED=${seed}`);
        const server = await sharedServer(flavor);
        await using database = await freshDatabase(server);
        await openBank(database, { thousands: 2 });
        await using pipeline = await openPipeline({
          server,
          databases: [database.name],
          source: { 'snapshot.fetch.size': '200', ...source },
        });
        const schema = schemaOf(database.name);
        const read = new AbortController();
        const reads: BankReads = { count: 0, states: new Set() };
        await using writing = startTransfers({ server, database: database.name, seed, bulk: 0, pauseMs: 10 });
        const worker = await pipeline.start();
        const reading = readBank(pipeline, { schema, reads }, read.signal);
        const seen = (states: number): Promise<unknown> =>
          Promise.race([until('the reads have seen different states', () => reads.states.size >= states), reading, writing.ended]);
        await seen(5);
        if (again) {
          assert.equal((await pipeline.millrace('resync', ...bankTables.map((table) => `${database.name}.${table}`))).code, 0);
          const isOver = (): boolean => worker.stderr.split('the snapshot has ended').length > 2;
          await Promise.race([until('the tables are read again', isOver, { deadlineMs: 120_000 }), reading, writing.ended]);
          await seen(reads.states.size + 2);
        }
        const transactions = await writing.stop();
        await pipeline.caughtUp(database.root, 120_000);
        read.abort();
        await reading;
        const sums = (from: string): string =>
          `SELECT (SELECT count(*) FROM ${from}.transfers), (SELECT count(*) FROM ${from}.sides), (SELECT sum(balance) FROM ${from}.checking)`;
        const [row = {}] = (await database.root.query<RowDataPacket[]>(sums(database.name)))[0];
        assert.deepEqual(await pipeline.query(sums(schema)), [Object.values(row).map(String)]);
        t.diagnostic(`${transactions} transactions, ${reads.count} reads, ${reads.states.size} different states`);
      },
    );
  }
}
