import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { isMillraceError } from '../base/errors.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import { encodeGroup } from './group-codec.ts';
import { offsetKey, offsetTopic } from './offset-records.ts';
import type { Log } from './log.ts';
import { insertBatch, sampleGroup } from './sample-batches.ts';
import { arbitraryGroup } from './sample-groups.ts';

/** What the suite sets of a log. Absent: no limit. */
export interface ContractOptions {
  readonly maxBytes?: number;
  readonly retentionMs?: number;
  readonly retentionBytes?: number;
  readonly onFull?: () => void;
}

/** Makes a place for a log, gone with the test, and returns what opens the log there, again and again. */
export type LogPlace = (t: TestContext) => (options?: ContractOptions) => Promise<Log>;

const { signal } = new AbortController();
const context = { connector: 'shop-source' };

/** Registers the tests that every log passes. */
export function testLogContract(name: string, place: LogPlace): void {
  testAppending(name, place);
  testState(name, place);
  testConsumers(name, place);
  testRetention(name, place);
  testSizeLimit(name, place);
}

async function appendRows(log: Log, source: string, ids: readonly number[]): Promise<void> {
  for (const id of ids) await log.append(insertBatch(source, 'orders', [id]), context, signal);
}

/** Groups of 100 KB or a bit more. */
async function appendLarge(log: Log, source: string, count: number, stop = signal): Promise<void> {
  const ids = Array.from({ length: 4000 }, (_, id) => id);
  for (let i = 0; i < count; i++) await log.append(insertBatch(source, 'orders', ids), context, stop);
}

function seqs(groups: readonly CommitGroup[]): readonly number[] {
  return groups.map((group) => group.seq);
}

function testAppending(name: string, place: LogPlace): void {
  void test(`${name}: numbers are given from 1 on, for each source apart, and go on after reopening`, async (t) => {
    const open = place(t);
    {
      await using log = await open();
      assert.equal(await log.append(insertBatch('a', 'orders', [1]), context, signal), 1);
      assert.equal(await log.append(insertBatch('a', 'orders', [2]), context, signal), 2);
      assert.equal(await log.append(insertBatch('b', 'orders', [3]), context, signal), 1);
    }
    await using log = await open();
    assert.equal(await log.append(insertBatch('a', 'orders', [4]), context, signal), 3);
    assert.deepEqual(log.range('a'), { first: 1, last: 3 });
    assert.deepEqual(log.range('b'), { first: 1, last: 1 });
    assert.equal(log.range('c'), undefined);
    assert.deepEqual(log.sources(), ['a', 'b']);
  });

  void test(`${name}: any group is read as it was appended, by this log and by one opened later`, async (t) => {
    const open = place(t);
    const appended: CommitGroup[] = [];
    {
      await using log = await open();
      const appendAndRead = fc.asyncProperty(arbitraryGroup, async (group) => {
        const seq = await log.append({ group, offset: {}, state: [] }, context, signal);
        const expected = { ...group, seq };
        assert.deepEqual(log.read({ source: group.source, afterSeq: seq - 1, maxBytes: 1 }), [expected]);
        appended.push(expected);
      });
      await fc.assert(appendAndRead, { numRuns: 100, endOnFailure: true });
    }
    await using log = await open();
    for (const group of appended) {
      assert.deepEqual(log.read({ source: group.source, afterSeq: group.seq - 1, maxBytes: 1 }), [group]);
    }
  });

  void test(`${name}: reading takes as many groups as fit, at least one, and none past the end`, async (t) => {
    await using log = await place(t)();
    await appendLarge(log, 'a', 4);
    assert.deepEqual(seqs(log.read({ source: 'a', afterSeq: 0, maxBytes: 1 })), [1]);
    assert.deepEqual(seqs(log.read({ source: 'a', afterSeq: 1, maxBytes: 150_000 })), [2, 3]);
    assert.deepEqual(seqs(log.read({ source: 'a', afterSeq: 0, maxBytes: 100_000_000 })), [1, 2, 3, 4]);
    assert.deepEqual(log.read({ source: 'a', afterSeq: 4, maxBytes: 1 }), []);
    assert.deepEqual(log.read({ source: 'never', afterSeq: 0, maxBytes: 1 }), []);
  });

  void test(`${name}: a group that was read keeps its values when the source reuses its memory`, async (t) => {
    await using log = await place(t)();
    const batch = insertBatch('a', 'orders', [1]);
    const [entry] = batch.group.entries;
    assert(entry?.kind === 'changes');
    const before = entry.batch.bytes.slice();
    await log.append(batch, context, signal);
    const [first] = log.read({ source: 'a', afterSeq: 0, maxBytes: 1 });
    entry.batch.bytes.fill(0);
    const [second] = log.read({ source: 'a', afterSeq: 0, maxBytes: 1 });
    for (const group of [first, second]) {
      const read = group?.entries[0];
      assert(read?.kind === 'changes');
      assert.deepEqual(read.batch.bytes, before);
    }
  });

  void test(`${name}: every group of one table version has the same schema object`, async (t) => {
    const open = place(t);
    {
      await using log = await open();
      await appendRows(log, 'a', [1, 2]);
    }
    await using log = await open();
    const schemas = log.read({ source: 'a', afterSeq: 0, maxBytes: 1e6 }).map((group) => {
      const [entry] = group.entries;
      return entry?.kind === 'changes' ? entry.batch.schema : undefined;
    });
    assert(schemas[0] !== undefined);
    assert.equal(schemas[0], schemas[1]);
  });
}

function testState(name: string, place: LogPlace): void {
  void test(`${name}: offset and state of a connector are those of its last group`, async (t) => {
    const open = place(t);
    const group = sampleGroup('a', []);
    {
      await using log = await open();
      assert.equal((await log.loadSource('one', signal)).offset, undefined);
      const state = [
        { topic: 'tables', key: 'shop.orders', value: '1' },
        { topic: 'tables', key: 'shop.items', value: '2' },
      ];
      await log.append({ group, offset: { pos: 1 }, state }, { connector: 'one' }, signal);
      const later = [
        { topic: 'tables', key: 'shop.orders', value: null },
        { topic: 'tables', key: 'shop.items', value: '3' },
      ];
      await log.append({ group, offset: { pos: 2, gtids: 'x:1-5' }, state: later }, { connector: 'one' }, signal);
      await log.append({ group: { ...group, source: 'b' }, offset: { pos: 9 }, state }, { connector: 'two' }, signal);
    }
    await using log = await open();
    const one = await log.loadSource('one', signal);
    assert.deepEqual(one.offset, { pos: 2, gtids: 'x:1-5' });
    assert.deepEqual([...one.state('tables')], [['shop.items', '3']]);
    assert.deepEqual([...one.state('others')], []);
    const two = await log.loadSource('two', signal);
    assert.deepEqual(two.offset, { pos: 9 });
    assert.equal(two.state('tables').size, 2);
  });

  void test(`${name}: a source has an offset per partition, which can be set and forgotten`, async (t) => {
    await using log = await place(t)();
    const group = sampleGroup('a', []);
    const partition = { filename: '/tmp/in.txt' };
    await log.append({ group, offset: { position: 14 }, partition, state: [] }, { connector: 'one' }, signal);
    await log.append({ group, offset: { pos: 4 }, state: [{ topic: 'tables', key: 'k', value: 'v' }] }, { connector: 'one' }, signal);
    const one = await log.loadSource('one', signal);
    assert.deepEqual(
      new Set(one.offsets),
      new Set([
        { partition, offset: { position: 14 } },
        { partition: { server: 'a' }, offset: { pos: 4 } },
      ]),
    );
    log.putSource('one', [
      { topic: offsetTopic, key: offsetKey('one', partition), value: null },
      { topic: offsetTopic, key: offsetKey('one', { server: 'a' }), value: '{"pos":9}' },
    ]);
    assert.deepEqual((await log.loadSource('one', signal)).offsets, [{ partition: { server: 'a' }, offset: { pos: 9 } }]);
    log.clearSource('one');
    const forgotten = await log.loadSource('one', signal);
    assert.deepEqual(forgotten.offsets, []);
    assert.equal(forgotten.state('tables').size, 0);
    assert.deepEqual(log.range('a'), { first: 1, last: 2 });
  });

  void test(`${name}: an append that fails leaves nothing behind, and the next one has its number`, async (t) => {
    await using log = await place(t)();
    await appendRows(log, 'a', [1]);
    const batch = insertBatch('a', 'orders', [2]);
    const state = [{ topic: 'tables', key: 'k', value: 'v' }];
    // no JSON can be made of it
    await assert.rejects(log.append({ ...batch, offset: { pos: 2n }, state }, context, signal), TypeError);
    assert.deepEqual(log.range('a'), { first: 1, last: 1 });
    const left = await log.loadSource(context.connector, signal);
    assert.deepEqual(left.offset, { id: 1 });
    assert.equal(left.state('tables').size, 0);
    assert.equal(await log.append(batch, context, signal), 2);
    assert.deepEqual(log.read({ source: 'a', afterSeq: 1, maxBytes: 1 }), [{ ...batch.group, seq: 2 }]);
  });

  void test(`${name}: an append that was aborted before it began stores nothing`, async (t) => {
    await using log = await place(t)();
    const reason = new Error('stop');
    await assert.rejects(log.append(insertBatch('a', 'orders', [1]), context, AbortSignal.abort(reason)), reason);
    assert.equal(log.range('a')?.last ?? 0, 0);
  });

  void test(`${name}: records put outside of a source are kept apart from those of connectors`, async (t) => {
    const open = place(t);
    {
      await using log = await open();
      log.put([
        { topic: 'configs', key: 'a', value: '{}' },
        { topic: 'configs', key: 'b', value: '{"x":1}' },
      ]);
      log.put([{ topic: 'configs', key: 'a', value: null }]);
      const state = [{ topic: 'configs', key: 'c', value: '3' }];
      await log.append({ group: sampleGroup('a', []), offset: {}, state }, context, signal);
    }
    await using log = await open();
    assert.deepEqual([...log.get('configs')], [['b', '{"x":1}']]);
    assert.equal(log.get('status').size, 0);
  });

  void test(`${name}: a log keeps its identity, another one has another`, async (t) => {
    const open = place(t);
    await using first = await open();
    await using again = await open();
    await using other = await place(t)();
    assert.equal(again.id, first.id);
    assert.notEqual(other.id, first.id);
  });
}

function testConsumers(name: string, place: LogPlace): void {
  void test(`${name}: a consumer begins at 0 and is where it said last, even if that is back`, async (t) => {
    const open = place(t);
    {
      await using log = await open();
      await appendRows(log, 'a', [1, 2, 3]);
      log.register('sink', ['a', 'b']);
      log.acknowledge('sink', 'a', 3);
      log.register('sink', ['a', 'b']);
      log.acknowledge('sink', 'a', 2);
      assert.deepEqual(log.consumers(), [
        { consumer: 'sink', source: 'a', seq: 2 },
        { consumer: 'sink', source: 'b', seq: 0 },
      ]);
    }
    await using log = await open();
    assert.deepEqual(log.consumers()[0], { consumer: 'sink', source: 'a', seq: 2 });
  });

  void test(`${name}: an acknowledgement does not register its consumer`, async (t) => {
    await using log = await place(t)();
    await appendRows(log, 'a', [1]);
    log.register('sink', ['a']);
    log.unregister('sink');
    log.acknowledge('sink', 'a', 1);
    assert.deepEqual(log.consumers(), []);
  });
}

function testRetention(name: string, place: LogPlace): void {
  void test(`${name}: groups past their time go as far as every consumer has acknowledged them`, async (t) => {
    await using log = await place(t)({ retentionMs: 0 });
    await appendRows(log, 'a', [1, 2, 3, 4]);
    await appendRows(log, 'b', [1]);
    await delay(5);
    log.register('fast', ['a']);
    log.register('slow', ['a', 'b']);
    log.acknowledge('fast', 'a', 4);
    assert.equal(log.applyRetention(), 0);
    log.acknowledge('slow', 'a', 2);
    assert.equal(log.applyRetention(), 2);
    assert.deepEqual(log.range('a'), { first: 3, last: 4 });
    assert.deepEqual(log.range('b'), { first: 1, last: 1 });
    log.unregister('slow');
    assert.equal(log.applyRetention(), 3);
    assert.deepEqual(log.range('a'), { first: 5, last: 4 });
    assert.deepEqual(log.range('b'), { first: 2, last: 1 });
    assert.equal(log.stats().groups, 0);
  });

  void test(`${name}: numbers, offsets and state go on when every group was removed`, async (t) => {
    const open = place(t);
    {
      await using log = await open({ retentionMs: 0 });
      await appendRows(log, 'a', [1, 2]);
      await delay(5);
      assert.equal(log.applyRetention(), 2);
    }
    await using log = await open();
    assert.deepEqual((await log.loadSource(context.connector, signal)).offset, { id: 2 });
    assert.deepEqual(log.read({ source: 'a', afterSeq: 2, maxBytes: 1 }), []);
    assert.equal(await log.append(insertBatch('a', 'orders', [3]), context, signal), 3);
    assert.deepEqual(log.range('a'), { first: 3, last: 3 });
  });

  void test(`${name}: groups past the size go, those within it stay`, async (t) => {
    await using log = await place(t)({ retentionBytes: 250_000 });
    await appendLarge(log, 'a', 5);
    assert.deepEqual(log.range('a'), { first: 1, last: 5 });
    const [group] = log.read({ source: 'a', afterSeq: 4, maxBytes: 1 });
    assert(group !== undefined);
    const size = encodeGroup(group).bytes.length;
    assert(3 * size > 250_000 && 2 * size < 250_000);
    assert.equal(log.applyRetention(), 2);
    assert.deepEqual(log.range('a'), { first: 3, last: 5 });
    assert.equal(log.applyRetention(), 0);
  });

  void test(`${name}: within the limits nothing is removed`, async (t) => {
    await using log = await place(t)({ retentionMs: 3_600_000, retentionBytes: 1e9 });
    await appendRows(log, 'a', [1, 2]);
    assert.equal(log.applyRetention(), 0);
    assert.deepEqual(log.stats().groups, 2);
  });

  void test(`${name}: a reader whose next group is gone is told so, and one beyond the end too`, async (t) => {
    await using log = await place(t)({ retentionMs: 0 });
    await appendRows(log, 'a', [1, 2]);
    await delay(5);
    log.register('sink', ['a']);
    log.acknowledge('sink', 'a', 1);
    log.applyRetention();
    assert.throws(
      () => log.read({ source: 'a', afterSeq: 0, maxBytes: 1 }),
      (error) => isMillraceError(error, 'LOG_START_GONE'),
    );
    assert.deepEqual(seqs(log.read({ source: 'a', afterSeq: 1, maxBytes: 1 })), [2]);
    assert.throws(
      () => log.read({ source: 'a', afterSeq: 3, maxBytes: 1 }),
      (error) => isMillraceError(error, 'LOG_IDENTITY'),
    );
  });
}

function testSizeLimit(name: string, place: LogPlace): void {
  void test(`${name}: at its limit an append waits, says so once, and goes on when a consumer has acknowledged`, async (t) => {
    const told: number[] = [];
    await using log = await place(t)({ maxBytes: 1_500_000, onFull: () => told.push(1) });
    log.register('sink', ['a']);
    const appending = appendLarge(log, 'a', 30);
    while (told.length === 0) await delay(5);
    const waitingAt = log.range('a')?.last ?? 0;
    assert(waitingAt > 3 && waitingAt < 30, `full after ${waitingAt} groups`);
    await delay(300);
    assert.equal(log.range('a')?.last, waitingAt);
    assert.equal(told.length, 1);
    assert.equal(seqs(log.read({ source: 'a', afterSeq: 0, maxBytes: 1e9 })).length, waitingAt);
    const acknowledging = setInterval(() => log.acknowledge('sink', 'a', log.range('a')?.last ?? 0), 10);
    await appending;
    clearInterval(acknowledging);
    assert.equal(log.range('a')?.last, 30);
    assert(log.stats().bytes <= 1_500_000);
  });

  void test(`${name}: an append that waits for room can be aborted`, async (t) => {
    const stop = new AbortController();
    const reason = new Error('stop');
    await using log = await place(t)({ maxBytes: 500_000, onFull: () => setTimeout(() => stop.abort(reason), 10) });
    log.register('sink', ['a']);
    await assert.rejects(appendLarge(log, 'a', Infinity, stop.signal), reason);
  });

  void test(`${name}: without a consumer a full log drops its oldest groups`, async (t) => {
    await using log = await place(t)({ maxBytes: 1_000_000 });
    await appendLarge(log, 'a', 30);
    const range = log.range('a');
    assert.equal(range?.last, 30);
    assert(range.first > 20);
    // no more than need be
    assert(log.stats().bytes <= 1_000_000 && log.stats().bytes > 700_000);
  });

  void test(`${name}: a transaction that has begun is not stopped by the limit, the one after it is`, async (t) => {
    const told: number[] = [];
    const stop = new AbortController();
    await using log = await place(t)({ maxBytes: 800_000, onFull: () => told.push(1) });
    log.register('sink', ['a']);
    const ids = Array.from({ length: 4000 }, (_, id) => id);
    const batch = insertBatch('a', 'orders', ids);
    for (let i = 1; i <= 20; i++) await log.append({ ...batch, group: { ...batch.group, open: i < 20 } }, context, signal);
    assert.equal(told.length, 0);
    const next = log.append(batch, context, stop.signal);
    while (told.length === 0) await delay(5);
    stop.abort();
    await assert.rejects(next);
    assert.equal(log.range('a')?.last, 20);
  });
}
