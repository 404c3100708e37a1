/** MySQL to Snowflake by the command line, on a real server and the emulator: what readers see, also across a kill. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RowDataPacket } from 'mysql2';
import { sleep } from '../../src/base/abort.ts';
import { ownIdentifier } from '../../src/warehouse/snowflake/identifiers.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { connectDriver } from '../snowflake-emulator/driver.fixture.ts';
import { openSnowflakeEmulator } from '../snowflake-emulator/snowflake-emulator.ts';
import { bankTables, openBank, startTransfers } from './bank.ts';
import { openPipeline, sourceConnector, until } from './harness.ts';
import { runSeed } from './random-workload.ts';
import { snowflakeSink } from './snowflake-sink.ts';

const emulator = await openSnowflakeEmulator();
after(() => emulator[Symbol.asyncDispose]());

test(
  'every read of a replica in Snowflake sees a state of MySQL, also across a kill, and the end is equal',
  { skip: withoutServer('mysql') },
  async (t) => {
    const seed = runSeed();
    t.diagnostic(`MILLRACE_SEED=${seed}`);
    const server = await sharedServer('mysql');
    await using database = await freshDatabase(server);
    await openBank(database);
    const prefix = 'bank';
    await using pipeline = await openPipeline({
      server,
      connectors: [
        sourceConnector({ server, databases: [database.name], source: { 'snapshot.fetch.size': '50' } }, { prefix }),
        snowflakeSink(emulator, 'snowflake', { prefix }),
      ],
    });
    const schema = `"MILLRACE"."${database.name.toUpperCase()}"`;
    const state = `${ownIdentifier('snowflake')}__STATE`;
    await using reader = await connectDriver(emulator);
    const [sum] = (
      await database.root.query<RowDataPacket[]>('SELECT (SELECT SUM(balance) FROM checking) + (SELECT SUM(balance) FROM savings) AS money')
    )[0];
    const read = async (): Promise<string> => {
      const [row] = await reader.rows(
        `SELECT (SELECT SUM("BALANCE") FROM ${schema}."CHECKING") + (SELECT SUM("BALANCE") FROM ${schema}."SAVINGS") AS "MONEY",
       (SELECT COUNT(*) FROM ${schema}."SIDES") - 2 * (SELECT COUNT(*) FROM ${schema}."TRANSFERS") AS "HALVES",
       (SELECT COUNT(*) FROM ${schema}."TRANSFERS") AS "TRANSFERS"`,
      );
      assert.equal(Number(row?.['MONEY']), Number(sum?.['money']));
      assert.equal(Number(row?.['HALVES']), 0);
      return String(row?.['TRANSFERS']);
    };
    // Several statements, each at the state that the last commit has left: Millrace tells its id.
    const readApart = async (): Promise<string> => {
      const at = await reader.value(`SELECT "VALUE" FROM "MILLRACE"."MILLRACE"."${state}" WHERE "KIND" = 'commit'`);
      const one = (what: string, table: string): Promise<unknown> =>
        reader.value(`SELECT ${what} FROM ${schema}."${table}" AT(STATEMENT => '${String(at)}')`);
      const checking = Number(await one('SUM("BALANCE")', 'CHECKING'));
      const transfers = await one('COUNT(*)', 'TRANSFERS');
      const deltas = Number(await one('SUM("DELTA")', 'SIDES'));
      const amounts = Number(await one('SUM("AMOUNT")', 'TRANSFERS'));
      const gains = Number(await one('SUM(GREATEST("DELTA", 0))', 'SIDES'));
      const savings = Number(await one('SUM("BALANCE")', 'SAVINGS'));
      const sides = Number(await one('COUNT(*)', 'SIDES'));
      const cents = (value: number): number => Math.round(value * 100);
      const told = [cents(checking + savings), cents(deltas), cents(gains), sides];
      assert.deepEqual(told, [cents(Number(sum?.['money'])), 0, cents(amounts), 2 * Number(transfers)], `apart, at ${String(at)}`);
      return String(transfers);
    };
    await using writing = startTransfers({ server, database: database.name, seed, bulk: 0, pauseMs: 20 });
    const first = await pipeline.start();
    const published = async (): Promise<boolean> => {
      const tables = await reader.rows('SHOW TABLES IN DATABASE "MILLRACE"');
      return tables.filter((row) => row['schema_name'] === database.name.toUpperCase()).length === bankTables.length;
    };
    await until('the snapshot is published', () => published().catch(() => false), { deadlineMs: 60_000 });
    // between the snapshot's publication and the note of its statement, the statement noted is older than the tables
    const isNoted = async (): Promise<boolean> => {
      try {
        await readApart();
        return true;
      } catch (error) {
        assert.match(String(error), /Time travel data is not available/);
        return false;
      }
    };
    await until('the statement of the snapshot is noted', isNoted, { deadlineMs: 10_000 });
    const states = new Set<string>();
    await until('the reads have seen different states', async () => states.add(await read()).add(await readApart()).size >= 3, {
      deadlineMs: 60_000,
    });
    await first.kill9();
    const second = await pipeline.start();
    const more = states.size + 2;
    await until('the reads have seen further states', async () => states.add(await read()).add(await readApart()).size >= more, {
      deadlineMs: 60_000,
    });
    await writing.stop();
    await database.root.query(`ALTER TABLE transfers ADD COLUMN kind VARCHAR(10) NOT NULL DEFAULT 'old';
    UPDATE transfers SET kind = 'new' WHERE id % 2 = 0`);
    await pipeline.caughtUp(database.root, 60_000);
    for (const name of bankTables) {
      const [there] = await database.root.query<RowDataPacket[]>({ sql: `SELECT * FROM ${name}`, rowsAsArray: true });
      const here = await reader.rows(`SELECT * FROM ${schema}."${name.toUpperCase()}"`);
      const printed = (rows: readonly (readonly unknown[])[]): readonly string[] =>
        rows.map((row) => JSON.stringify(row.map((cell) => (Number.isNaN(Number(cell)) ? String(cell) : Number(cell))))).toSorted();
      assert.deepEqual(printed(here.map((row) => Object.values(row))), printed(there as unknown[][]), name);
    }
    t.diagnostic(`${states.size} states, ${emulator.statements.length} statements`);
    // what nothing changes, costs nothing
    await sleep(500, new AbortController().signal);
    const before = emulator.statements.length;
    await sleep(1500, new AbortController().signal);
    assert.equal(emulator.statements.length, before);
    assert.equal((await second.stop()).code, 0);
  },
);
