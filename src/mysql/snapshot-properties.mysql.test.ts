/** `snapshot.*` and `streaming.delay.ms` of Debezium on real servers: what is copied, in which order, when, and what follows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flavors } from '../cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import type { FreshDatabase, SharedServer } from '../../test/servers/shared.ts';
import { RecordedSource } from './signals/recorded-source.fixture.ts';
import { tableTopic } from './source-models.ts';
import { configOf } from './source-task.fixture.ts';

type Properties = Readonly<Record<string, string>>;

function sourceOf(server: SharedServer, { name }: FreshDatabase, extra: Properties = {}, keepsTables = false): RecordedSource {
  // A quiet source hands out something, too.
  const config = configOf(server, name, { 'include.schema.changes': 'false', 'heartbeat.interval.ms': '100', ...extra });
  return new RecordedSource({ config, keepsTables });
}

async function makeTables({ root }: FreshDatabase, rows = 3): Promise<void> {
  const values = Array.from({ length: rows }, (_, i) => `(${i + 1}, 'n${i + 1}')`).join(', ');
  await root.query(`CREATE TABLE t (id INT PRIMARY KEY, note VARCHAR(20)); INSERT INTO t VALUES ${values}`);
}

const idsOf = (source: RecordedSource, table: string, how: string): readonly number[] =>
  source.rowsOf(table).flatMap(({ op, cells }) => (op === how ? [Number(cells[0])] : []));

/** Inserts rows of rising ids until the work is done, or has failed; gives the last one. */
async function writingFrom({ root }: FreshDatabase, first: number, work: () => Promise<void>): Promise<number> {
  let next = first;
  let done = false;
  const writing = (async (): Promise<void> => {
    while (!done) await root.query(`INSERT INTO t VALUES (${++next}, 'while')`);
  })();
  try {
    await work();
  } finally {
    done = true;
    await writing;
  }
  return next;
}

const parts = 'snapshot.mode.configuration.based.';

/** What a mode copies of three rows at its first start, whether it streams, and what it copies at the second one. */
const modes: readonly {
  readonly mode: string;
  readonly more?: Properties;
  readonly first: number;
  readonly streams: boolean;
  readonly second: number;
}[] = [
  { mode: 'initial', first: 3, streams: true, second: 0 },
  { mode: 'INITIAL_ONLY', first: 3, streams: false, second: 0 },
  { mode: 'always', first: 3, streams: true, second: 4 },
  { mode: 'no_data', first: 0, streams: true, second: 0 },
  { mode: 'schema_only', first: 0, streams: true, second: 0 },
  { mode: 'never', first: 0, streams: true, second: 0 },
  { mode: 'when_needed', first: 3, streams: true, second: 0 },
  { mode: 'configuration_based', more: { [`${parts}snapshot.data`]: 'true' }, first: 3, streams: false, second: 0 },
  { mode: 'configuration_based', more: { [`${parts}start.stream`]: 'true' }, first: 0, streams: true, second: 0 },
  {
    mode: 'configuration_based',
    more: { [`${parts}start.stream`]: 'true', [`${parts}snapshot.data`]: 'true' },
    first: 3,
    streams: true,
    second: 0,
  },
];

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`snapshot.mode says what is copied, and what follows, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    const tryOut = async ({ mode, more = {}, first, streams, second }: (typeof modes)[number]): Promise<void> => {
      await using database = await freshDatabase(server);
      await makeTables(database);
      await using source = sourceOf(server, database, { 'snapshot.mode': mode, ...more });
      await source.start();
      const begun = (): boolean =>
        source.kinds.includes(first > 0 ? 'snapshotEnd' : 'schema') && (!streams || source.kinds.includes('heartbeat'));
      await source.until(`${mode} begins`, begun);
      await database.root.query("INSERT INTO t VALUES (4, 'n4')");
      if (streams) await source.until(`${mode} streams`, () => idsOf(source, 't', 'insert').length === 1);
      assert.equal(idsOf(source, 't', 'read').length, first, mode);
      source.rows.length = 0;
      source.kinds.length = 0;
      await source.kill();
      await source.start();
      if (!streams) {
        await assert.rejects(source.task.poll(AbortSignal.timeout(300)), mode);
        return;
      }
      if (second > 0) await source.until(`${mode} copies again`, () => idsOf(source, 't', 'read').length === second);
      await database.root.query("INSERT INTO t VALUES (5, 'n5')");
      await source.until(`${mode} streams again`, () => idsOf(source, 't', 'insert').includes(5));
      assert.equal(idsOf(source, 't', 'read').length, second, mode);
    };
    // They wait most of the time.
    await Promise.all(modes.map(tryOut));
  });

  test(`snapshot.mode=recovery goes on from the stored place, the definitions taken anew, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    for (const mode of ['recovery', 'schema_only_recovery']) {
      await using without = sourceOf(server, database, { 'snapshot.mode': mode });
      await assert.rejects(without.start(), { code: 'CONFIG_INVALID', message: /snapshot\.mode=recovery goes on from a stored position/ });
      await using source = sourceOf(server, database);
      await source.start();
      await source.until('it streams', () => source.kinds.includes('snapshotEnd'));
      await source.kill();
      await database.root.query("INSERT INTO t VALUES (40, 'missed')");
      source.forget(tableTopic);
      source.rows.length = 0;
      await source.start(configOf(server, database.name, { 'include.schema.changes': 'false', 'snapshot.mode': mode }));
      await source.until('the missed row is there', () => source.rowsOf('t').length > 0);
      assert.deepEqual(source.rowsOf('t'), [{ how: 'changes', op: 'insert', table: 't', cells: ['40', 'missed'] }]);
      await database.root.query('DELETE FROM t WHERE id = 40');
    }
  });

  test(`each locking mode copies each row once while rows are written, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    const lockingModes = ['minimal', 'extended', 'minimal_percona', 'minimal_percona_no_table_locks', 'minimal_at_least_once', 'none'];
    for (const mode of lockingModes) {
      await using database = await freshDatabase(server);
      await makeTables(database, 200);
      await using source = sourceOf(
        server,
        database,
        { 'snapshot.locking.mode': mode, 'snapshot.lock.timeout.ms': '500', 'snapshot.fetch.size': '20', 'snapshot.max.threads': '2' },
        true,
      );
      const next = await writingFrom(database, 1000, async () => {
        await source.start();
        await source.until('the snapshot is done', () => source.kinds.includes('snapshotEnd'));
      });
      await source.until('all are there', () => idsOf(source, 't', 'insert').includes(next) || idsOf(source, 't', 'read').includes(next));
      const ids = source.rowsOf('t').flatMap(({ how, cells }) => (how === 'told' ? [] : [Number(cells[0])]));
      assert.equal(ids.length, new Set(ids).size, `${mode}: a row came twice`);
      assert.equal(ids.length, 200 + next - 1000, `${mode}: a row is missing`);
    }
  });

  test(`what of which tables is copied, in which order, by how many threads, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    for (const [table, rows] of [
      ['few', 5],
      ['many', 900],
      ['some', 60],
    ] as const) {
      const values = Array.from({ length: rows }, (_, i) => `(${i + 1}, ${i % 3})`).join(', ');
      await root.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, v INT); INSERT INTO ${table} VALUES ${values}; ANALYZE TABLE ${table}`);
    }
    const orderOf = (source: RecordedSource): readonly string[] => [...new Set(source.rows.map(({ table }) => table))];
    const copied = async (properties: Properties): Promise<RecordedSource> => {
      const source = sourceOf(server, database, properties);
      await source.start();
      await source.until('the snapshot is done', () => source.kinds.includes('snapshotEnd'));
      await source.kill();
      return source;
    };
    const counts = (source: RecordedSource): readonly number[] => ['few', 'many', 'some'].map((table) => source.rowsOf(table).length);

    const ascending = await copied({ 'snapshot.tables.order.by.row.count': 'ascending' });
    assert.deepEqual(orderOf(ascending), ['few', 'some', 'many']);
    const descending = await copied({ 'snapshot.tables.order.by.row.count': 'DESCENDING' });
    assert.deepEqual(orderOf(descending), ['many', 'some', 'few']);
    assert.deepEqual(orderOf(await copied({})), ['few', 'many', 'some']);

    const threads = await copied({ 'snapshot.max.threads': '4', 'snapshot.fetch.size': '7', 'min.row.count.to.stream.results': '0' });
    assert.deepEqual(counts(threads), [5, 900, 60]);
    assert.deepEqual(new Set(idsOf(threads, 'many', 'read')).size, 900);
    assert.ok(threads.kinds.filter((kind) => kind === 'chunk').length > 100, 'chunks are as small as snapshot.fetch.size says');

    await using part = await copied({
      'snapshot.include.collection.list': `${name}.(FEW|m.*)`,
      'snapshot.select.statement.overrides': `${name}.many`,
      [`snapshot.select.statement.overrides.${name}.many`]: `SELECT * FROM ${name}.many WHERE v = 1 ORDER BY id DESC;`,
    });
    assert.deepEqual(counts(part), [5, 300, 0]);
    await root.query('INSERT INTO some VALUES (1000, 0); INSERT INTO many VALUES (1000, 0)');
    await part.start();
    await part.until(
      'rows of all tables are streamed',
      () => idsOf(part, 'some', 'insert').length === 1 && idsOf(part, 'many', 'insert').length === 1,
    );
  });

  test(`snapshot.delay.ms and streaming.delay.ms wait before the one and the other, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database);
    await using source = sourceOf(server, database, { 'snapshot.delay.ms': '1500', 'streaming.delay.ms': '700' });
    const started = source.start();
    const waits = (property: string): boolean => source.said.some((line) => line.includes(`waits as ${property} says`));
    for (let tries = 0; tries < 500 && !waits('snapshot.delay.ms'); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    await database.root.query("INSERT INTO t VALUES (4, 'before the snapshot')");
    await started;
    await source.until('it streams', () => source.kinds.includes('snapshotEnd'));
    assert.deepEqual(idsOf(source, 't', 'read'), [1, 2, 3, 4]);
    assert.ok(waits('streaming.delay.ms'));
  });

  test(`topics have each change of a table that is read anew, tables each row once, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await makeTables(database, 500);
    await using source = sourceOf(server, database, { 'snapshot.fetch.size': '10' }, true);
    const task = await source.start();
    await source.until('it streams', () => source.kinds.includes('snapshotEnd'));
    let next = 1000;
    const told = (): boolean => source.rows.some(({ how }) => how === 'told');
    for (let round = 0; round < 10 && !told(); round++) {
      source.rows.length = 0;
      source.kinds.length = 0;
      const before = next;
      next = await writingFrom(database, before, async () => {
        task.requestSnapshot?.([`${database.name}.t`]);
        await source.until('it is read anew', () => source.kinds.includes('snapshotEnd'));
      });
      await source.until('all are there', () => idsOf(source, 't', 'insert').includes(next));
      const streamed = source.rowsOf('t').flatMap(({ op, cells }) => (op === 'insert' ? [Number(cells[0])] : []));
      assert.deepEqual(
        streamed,
        Array.from({ length: next - before }, (_, i) => before + 1 + i),
        'each change once and in order',
      );
      const rows = source.rowsOf('t');
      const begun = rows.findIndex(({ how }) => how === 'chunk');
      const kept = new Map<number, number>();
      for (const { how, cells } of rows.slice(begun)) if (how !== 'told') kept.set(Number(cells[0]), (kept.get(Number(cells[0])) ?? 0) + 1);
      for (const { how, cells } of rows) if (how === 'told') assert.equal(kept.get(Number(cells[0])), 1, 'a told change is in a chunk');
    }
    assert.ok(told(), 'no change came while its row was read');
  });
}
