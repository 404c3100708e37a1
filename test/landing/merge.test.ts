import assert from 'node:assert/strict';
import { after as afterAll, before, test } from 'node:test';
import type { ConnectRecord } from '../../src/connect/record.ts';
import { column, History, int, table, type Transaction } from '../../src/warehouse/group.fixture.ts';
import { createDatabase } from '../../src/warehouse/snowflake/account.fixture.ts';
import { contentText, metadataText } from '../../src/warehouse/snowflake/landing/landed-json.ts';
import { createLandingSql, mergeStatements, ownNames } from '../../src/warehouse/snowflake/landing/merge-landed.ts';
import { createSteps } from '../../src/warehouse/snowflake/landing/replica-steps.ts';
import { replicaOf, type LandedReplica } from '../../src/warehouse/snowflake/landing/replica-table.ts';
import { openSnowflakeSession, type SnowflakeSession } from '../../src/warehouse/snowflake/session.ts';
import { qualified } from '../../src/warehouse/snowflake/sql-text.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from '../snowflake-emulator/snowflake-emulator.ts';
import { createTestIntake, metadata, never } from './landing.fixture.ts';

/*
 * The generated statements alone, under what third-party topics do: keys whose partition changes, partitions at different
 * speeds, batches cut anywhere, stretches that come again.
 */

let emulator: SnowflakeEmulator;
before(async () => {
  emulator = await openSnowflakeEmulator();
});
afterAll(() => emulator[Symbol.asyncDispose]());

const items = table('shop', 'items', [column('id', int, { nullable: false }), column('v', int)]);
const long = process.env['MILLRACE_LONG'] === '1';
const rounds = long ? 60 : 3;
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000);

function createRandom(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Delivered {
  readonly record: ConnectRecord;
  readonly key: number;
  /** Its place in the source's order. */
  readonly order: number;
  /** The row after it; null: deleted. */
  readonly after: number | null;
}

/** Inserts, updates, deletes and changes of keys, and the rows that remain. */
async function createHistory(random: (below: number) => number): Promise<readonly Delivered[]> {
  const history = new History('src');
  const rows = new Map<number, number>();
  const told: (readonly [key: number, after: number | null])[] = [];
  const step = (tx: Transaction): void => {
    const key = random(8);
    const old = rows.get(key);
    if (old === undefined) {
      const value = random(1000);
      tx.insert(items, [key, value]);
      rows.set(key, value);
      told.push([key, value]);
    } else if (random(3) === 0) {
      tx.delete(items, [key, old]);
      rows.delete(key);
      told.push([key, null]);
    } else {
      const other = random(4) === 0 ? random(8) : key;
      if (other !== key && rows.has(other)) return;
      const value = random(1000);
      tx.update(items, [key, old], [other, value]);
      rows.delete(key);
      rows.set(other, value);
      if (other !== key) told.push([key, null]);
      told.push([other, value]);
    }
  };
  for (let at = 0; at < 25; at++) history.transaction((tx) => Array.from({ length: 1 + random(3) }, () => step(tx)));
  const records = await createTestIntake().take(history.group(), never);
  const events = records.flatMap((each) =>
    each.kind === 'record' && each.record !== null && each.record.value !== null ? [each.record] : [],
  );
  assert.equal(events.length, told.length);
  return events.map((record, order) => ({ record, order, key: told[order]?.[0] ?? -1, after: told[order]?.[1] ?? null }));
}

/** Three partitions at their own speeds, each with rewinds; a key changes its partition half way. */
function deliver(events: readonly Delivered[], random: (below: number) => number): readonly (readonly Delivered[])[] {
  const half = events.length / 2;
  const partitions = [0, 1, 2].map((partition) =>
    events.filter(({ key, order }) => (order < half ? key % 2 : (key * 7 + 1) % 3) === partition),
  );
  const at = [0, 0, 0];
  const batches: Delivered[][] = [];
  while (partitions.some((partition, index) => (at[index] ?? 0) < partition.length)) {
    const batch: Delivered[] = [];
    for (const [index, partition] of partitions.entries()) {
      const from = at[index] ?? 0;
      const until = Math.min(partition.length, from + random(7));
      batch.push(...partition.slice(from, until));
      // a restart that has forgotten some offsets
      at[index] = random(4) === 0 ? Math.max(0, until - random(6)) : until;
    }
    batches.push(batch);
  }
  return batches;
}

async function land(session: SnowflakeSession, { landing }: LandedReplica, batch: readonly Delivered[]): Promise<void> {
  if (batch.length === 0) return;
  const binds = batch.flatMap(({ record, order }) => [
    metadataText(record, order, { ...metadata, epoch: 0 }),
    contentText(record.valueSchema, record.value, 4),
  ]);
  const rows = batch.map(() => `SELECT ? AS "M", ? AS "C"`).join(' UNION ALL ');
  await session.run(
    `INSERT INTO ${qualified(landing)} ("RECORD_METADATA", "RECORD_CONTENT") SELECT PARSE_JSON("M"), PARSE_JSON("C") FROM (${rows})`,
    binds,
  );
}

/** The newest event of each key among those that have come. */
function expected(delivered: readonly Delivered[]): readonly (readonly string[])[] {
  const newest = new Map<number, Delivered>();
  for (const each of delivered) if ((newest.get(each.key)?.order ?? -1) < each.order) newest.set(each.key, each);
  return [...newest.values()]
    .filter(({ after }) => after !== null)
    .map(({ key, after }) => [String(key), String(after)])
    .toSorted((a, b) => Number(a[0]) - Number(b[0]));
}

for (const asTable of [false, true]) {
  test(`rewinds, partitions at their own speed and changes of partitions show no older state (${asTable ? 'table' : 'view'})`, async () => {
    const { driver, connection, database } = await createDatabase(emulator);
    await using session = await openSnowflakeSession(driver, { connection: { ...connection, database }, lockTimeoutSeconds: 20 }, never);
    await session.run('CREATE SCHEMA "LANDING"');
    for (let round = 0; round < rounds; round++) {
      const random = createRandom(seed + round);
      const events = await createHistory(random);
      const [first] = events;
      assert.ok(first !== undefined);
      const landing = { database, schema: 'LANDING', table: `ITEMS_${round}` };
      const replica = replicaOf(first.record, {
        landing,
        schematized: false,
        version: 4,
        letters: 'upper',
        form: { runner: 'millrace', table: asTable, warehouse: '', schedule: '' },
        columnOf: (field) => field,
        nameOf: () => ({ schema: 'SHOP', table: `ITEMS_${round}` }),
      });
      assert.ok(typeof replica !== 'string', 'a replica');
      const batches = deliver(events, random);
      // some have landed before there was a replica
      const [early = [], ...later] = batches;
      await session.run(createLandingSql(landing, false));
      await land(session, replica, early);
      for (const { sql } of createSteps(replica)) await session.run(sql);
      const delivered = [...early];
      for (const batch of [[], ...later]) {
        await land(session, replica, batch);
        delivered.push(...batch);
        await session.run('BEGIN');
        for (const statement of mergeStatements(replica, ownNames(replica).stream)) await session.run(statement);
        await session.run('COMMIT');
        const { rows } = await session.run(`SELECT * FROM "SHOP"."ITEMS_${round}" ORDER BY "ID"`);
        assert.deepEqual(rows, expected(delivered), `MILLRACE_SEED=${seed + round}`);
      }
      // all of it once more
      for (const statement of mergeStatements(replica, landing)) await session.run(statement);
      const { rows } = await session.run(`SELECT * FROM "SHOP"."ITEMS_${round}" ORDER BY "ID"`);
      assert.deepEqual(rows, expected(events), `MILLRACE_SEED=${seed + round}`);
    }
  });
}
