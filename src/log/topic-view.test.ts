import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import type { Entry } from '../connect/commit-group.ts';
import { openEmbeddedLog } from './embedded/open-embedded-log.ts';
import type { EmbeddedLog } from './embedded/open-embedded-log.ts';
import type { TopicRecords } from './record-count.ts';
import { sampleBatch, sampleGroup, sampleSchema } from './sample-batches.ts';
import type { SampleRow } from './sample-batches.ts';
import { listTopics, readTopics } from './topic-view.ts';
import type { TopicRequest } from './topic-view.ts';

const { signal } = new AbortController();
const position = { file: 'binlog.000001', pos: 4, gtids: '' };

function opener(t: TestContext): (retentionMs?: number) => Promise<EmbeddedLog> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-topics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return (retentionMs = Infinity) => openEmbeddedLog({ folder, maxBytes: Infinity, retentionMs, retentionBytes: Infinity }, signal);
}

function changes(table: string, rows: readonly SampleRow[]): Entry {
  return { kind: 'changes', batch: sampleBatch(sampleSchema('shop', table), rows) };
}

function inserts(table: string, count: number): Entry {
  return changes(
    table,
    Array.from({ length: count }, (_, id) => ({ op: 'insert', id, note: 'x' })),
  );
}

function chunk(snapshot: string, table: string, count: number): Entry {
  const rows = Array.from({ length: count }, (_, id) => ({ op: 'read' as const, id, note: 'x' }));
  return { kind: 'chunk', snapshot, batch: sampleBatch(sampleSchema('shop', table), rows), position };
}

async function append(log: EmbeddedLog, ...entries: Entry[]): Promise<void> {
  await log.append({ group: sampleGroup('src', entries), offset: {}, state: [] }, { connector: 'c' }, signal);
}

function read(log: EmbeddedLog, request: Omit<TopicRequest, 'source'> = {}): readonly string[] {
  return [...readTopics(log, { source: 'src', ...request })].map(
    ({ topic, group, firstOffset, records }) => `${group.seq} ${topic} ${firstOffset}+${records}`,
  );
}

test('each topic counts its own records, across groups and several times in one', async (t) => {
  await using log = await opener(t)();
  await append(log, inserts('a', 3), inserts('b', 1), inserts('a', 2));
  await append(log, inserts('b', 4));
  await append(log, changes('a', [{ op: 'delete', id: 1, note: 'x' }]), inserts('a', 1));
  const all = ['1 src.shop.a 0+3', '1 src.shop.b 0+1', '1 src.shop.a 3+2', '2 src.shop.b 1+4', '3 src.shop.a 5+2', '3 src.shop.a 7+1'];
  assert.deepEqual(read(log), all);
  assert.deepEqual(
    read(log, { topics: new Set(['src.shop.b']) }),
    all.filter((line) => line.includes('shop.b')),
  );
  assert.deepEqual(read(log, { afterSeq: 1 }), all.slice(3));
  assert.deepEqual(
    listTopics(log).map(({ name, firstOffset, nextOffset }) => [name, firstOffset, nextOffset]),
    [
      ['src.shop.a', 0, 8],
      ['src.shop.b', 0, 5],
    ],
  );
});

test('an entry comes with its group and its batch', async (t) => {
  await using log = await opener(t)();
  await append(log, inserts('a', 2), inserts('b', 3));
  const [batch] = readTopics(log, { source: 'src', topics: new Set(['src.shop.b']) });
  assert.equal(batch?.batch?.count, 3);
  assert.equal(batch.batch.schema.table, 'b');
  assert.equal(batch.entry, batch.group.entries[1]);
});

test('offsets go on after reopening and after retention, also of a topic that has no group left', async (t) => {
  const open = opener(t);
  {
    await using log = await open(-1);
    await append(log, inserts('a', 2), inserts('old', 5));
    await append(log, inserts('a', 3));
    log.register('sink', ['src']);
    log.acknowledge('sink', 'src', 1);
    assert.equal(log.applyRetention(), 1);
  }
  await using log = await open();
  await append(log, inserts('a', 1));
  assert.deepEqual(read(log), ['2 src.shop.a 2+3', '3 src.shop.a 5+1']);
  assert.deepEqual(
    listTopics(log).map(({ name, firstOffset, nextOffset }) => [name, firstOffset, nextOffset]),
    [
      ['src.shop.a', 2, 6],
      ['src.shop.old', 5, 5],
    ],
  );
});

test('rows of a first snapshot are records, those of a resync are not, also after reopening', async (t) => {
  const open = opener(t);
  const tables = [sampleSchema('shop', 'a')];
  {
    await using log = await open();
    await append(log, { kind: 'snapshotBegin', snapshot: 's1', tables, initial: true }, chunk('s1', 'a', 2));
    await append(log, chunk('s1', 'a', 3), { kind: 'snapshotEnd', snapshot: 's1', tables });
    await append(log, { kind: 'snapshotBegin', snapshot: 's2', tables, initial: false }, chunk('s2', 'a', 10), inserts('a', 1));
  }
  await using log = await open();
  await append(log, chunk('s2', 'a', 10), inserts('a', 1));
  assert.deepEqual(read(log), ['1 src.shop.a 0+2', '2 src.shop.a 2+3', '3 src.shop.a 5+1', '4 src.shop.a 6+1']);
});

test('DDL statements are records of the topic that has the source as its name', async (t) => {
  await using log = await opener(t)();
  const place = { kind: 'event', event: 0, row: 0, thread: 0 } as const;
  const record = { statement: 'CREATE TABLE a (id INT)', database: 'shop', table: 'a', changes: [], place };
  const ddl: Entry = { kind: 'ddl', records: [record] };
  await append(log, ddl, inserts('a', 1), ddl);
  assert.deepEqual(read(log), ['1 src 0+1', '1 src.shop.a 0+1', '1 src 1+1']);
});

test('the caller can count records in another way', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-topics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const countRecords = (entry: Entry): number => (entry.kind === 'changes' ? 10 : 0);
  const limits = { maxBytes: Infinity, retentionMs: Infinity, retentionBytes: Infinity };
  await using log = await openEmbeddedLog({ folder, ...limits, countRecords }, signal);
  await append(log, inserts('a', 1));
  await append(log, inserts('a', 1));
  assert.deepEqual(read(log), ['1 src.shop.a 0+10', '2 src.shop.a 10+10']);
});

test('one entry can have records of several topics', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-topics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const limits = { maxBytes: Infinity, retentionMs: Infinity, retentionBytes: Infinity };
  const otherRecords = (): readonly TopicRecords[] => [
    { topic: '', records: 1 },
    { topic: 'history', records: 2 },
    { topic: 'none', records: 0 },
  ];
  await using log = await openEmbeddedLog({ folder, ...limits, otherRecords }, signal);
  await append(log, { kind: 'ddl', records: [] });
  await append(log, { kind: 'ddl', records: [] });
  assert.deepEqual(read(log), ['1 src 0+1', '1 history 0+2', '2 src 1+1', '2 history 2+2']);
});

test('the caller can name topics in another way, and tables that share a name share its offsets', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-topics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const topicOf = ({ table }: { readonly table: string }): string => `all.${table.replaceAll(/[^a-z]/g, '_')}`;
  const limits = { maxBytes: Infinity, retentionMs: Infinity, retentionBytes: Infinity };
  await using log = await openEmbeddedLog({ folder, ...limits, topicOf }, signal);
  await append(log, inserts('a b', 1), inserts('a-b', 2));
  await append(log, inserts('a b', 1), inserts('c', 1));
  assert.deepEqual(read(log), ['1 all.a_b 0+1', '1 all.a_b 1+2', '2 all.a_b 3+1', '2 all.c 0+1']);
  assert.deepEqual(
    listTopics(log).map(({ name, nextOffset }) => [name, nextOffset]),
    [
      ['all.a_b', 4],
      ['all.c', 1],
    ],
  );
});
