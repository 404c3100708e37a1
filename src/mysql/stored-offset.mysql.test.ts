/** The offset that a source stores: in Debezium's form, and every one of them a place to go on from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { freshDatabase, withoutServer } from '../../test/servers/shared.ts';
import { silentLogger } from '../base/logger.ts';
import { flavors, startServer } from '../cli/private-server.ts';
import type { SourceBatch, SourceState, StateRecord } from '../connect/tasks.ts';
import { batchRows } from './snapshot.fixture.ts';
import type { SourceConfig } from './source-config.ts';
import { configOf } from './source-task.fixture.ts';
import { openSourceTask } from './source-task.ts';

type Offset = Readonly<Record<string, unknown>>;

/** What a log has of a source after a batch. */
class Stored {
  readonly offset: Offset | undefined;
  readonly records: ReadonlyMap<string, StateRecord>;
  /** First columns of the rows of the stream up to there. */
  readonly ids: readonly string[];

  constructor(offset?: Offset, records: ReadonlyMap<string, StateRecord> = new Map(), ids: readonly string[] = []) {
    this.offset = offset;
    this.records = records;
    this.ids = ids;
  }

  after({ group, offset, state }: SourceBatch): Stored {
    const records = new Map(this.records);
    for (const record of state) records.set(`${record.topic} ${record.key}`, record);
    const ids = group.entries.flatMap((entry) => (entry.kind === 'changes' ? batchRows(entry.batch).map((row) => String(row[0])) : []));
    return new Stored(JSON.parse(JSON.stringify(offset)) as Offset, records, [...this.ids, ...ids]);
  }

  state(): SourceState {
    const { offset, records } = this;
    return {
      offset,
      state: (topic) =>
        new Map([...records.values()].flatMap(({ topic: own, key, value }) => (own === topic && value !== null ? [[key, value]] : []))),
    };
  }
}

/** Polls from what is stored until the row with 99, or so often; all that was stored on the way. */
async function follow(config: SourceConfig, from: Stored, polls = Infinity): Promise<Stored[]> {
  const signal = AbortSignal.timeout(30_000);
  await using task = await openSourceTask({ config, state: from.state(), log: silentLogger, keepsTables: () => false }, signal);
  const all: Stored[] = [];
  for (let last = from; !last.ids.includes('99') && all.length < polls;) {
    last = last.after(await task.poll(signal));
    all.push(last);
  }
  return all;
}

for (const flavor of flavors) {
  test(`of every offset that is stored the rest comes, each row once, on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
    // a server of its own: what others change beside it moves the offset, too
    await using server = await startServer({ flavor });
    await using database = await freshDatabase(server);
    const { root } = database;
    // Small groups, so that there are offsets amid a transaction, too.
    const config = { ...configOf(server, database.name, { 'snapshot.mode': 'no_data' }), groupBytes: 256 };
    await root.query('CREATE TABLE t (id INT PRIMARY KEY, note VARCHAR(400))');
    const [begun = new Stored()] = await follow(config, new Stored(), 1);
    const note = "REPEAT('x', 400)";
    const rows = (first: number, count: number): string => Array.from({ length: count }, (_, i) => `(${first + i}, ${note})`).join();
    await root.query(`INSERT INTO t VALUES ${rows(1, 3)}`);
    await root.query(
      `BEGIN; INSERT INTO t VALUES ${rows(11, 4)}; INSERT INTO t VALUES ${rows(21, 4)}; INSERT INTO t VALUES ${rows(31, 2)}; COMMIT`,
    );
    await root.query('CREATE TABLE later (id INT PRIMARY KEY)');
    await root.query('INSERT INTO later VALUES (41), (42)');
    await root.query("UPDATE t SET note = '' WHERE id = 1; FLUSH BINARY LOGS; UPDATE t SET note = '' WHERE id IN (2, 3)");
    await root.query('INSERT INTO t VALUES (99, NULL)');

    const stored = await follow(config, begun);
    const whole = stored.at(-1)?.ids ?? [];
    assert.deepEqual(whole, ['1', '2', '3', '11', '12', '13', '14', '21', '22', '23', '24', '31', '32', '41', '42', '1', '2', '3', '99']);
    // Of the last insert: its BEGIN and its TABLE_MAP are done, and of the event after them a row.
    const last = stored.at(-1)?.offset;
    assert.deepEqual([last?.['event'], last?.['row']], [2, 1]);
    const [events] = await root.query<RowDataPacket[]>(
      `SHOW BINLOG EVENTS IN '${String(last?.['file'])}' FROM ${String(last?.['pos'])} LIMIT 1`,
    );
    assert.match(String(events[0]?.['Info']), /^BEGIN/, 'its place is the begin');
    assert.ok(
      stored.some(({ offset }) => Number(offset?.['event']) > 3),
      'one amid a transaction',
    );
    assert.ok(
      stored.some(({ offset }) => offset?.['event'] === undefined),
      'one after a statement',
    );

    for (const { offset, ids } of stored.slice(0, -1)) {
      const text = JSON.stringify(offset);
      const rest = whole.slice(ids.length);
      // As PATCH leaves it: nothing else is stored.
      const patched = (await follow(config, new Stored(offset))).at(-1)?.ids;
      assert.deepEqual(patched, rest, text);
    }
    for (const each of stored.slice(0, -1)) {
      assert.deepEqual((await follow(config, each)).at(-1)?.ids, whole, 'with what is stored beside it');
    }
    const [first, second] = stored;
    // Another has gone on meanwhile, and stored nothing but its offset.
    const foreign = new Stored(second?.offset, first?.records, second?.ids);
    assert.deepEqual((await follow(config, foreign)).at(-1)?.ids, whole);
  });
}
