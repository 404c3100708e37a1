import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWakeup } from '../base/abort.ts';
import { MillraceError, isMillraceError } from '../base/errors.ts';
import { context, createTestSink, createTestSource, emptyBatch, never, openTestLog } from './loops.fixture.ts';
import type { TestLog, TestSink, TestSource } from './loops.fixture.ts';
import type { SourceBatch } from '../connect/tasks.ts';
import type { LateStartsOptions } from './late-starts.ts';
import { createSinkLoop } from './sink-loop.ts';
import type { SinkLoop } from './sink-loop.ts';
import { createSourceLoop } from './source-loop.ts';
import { silentLogger } from '../base/logger.ts';
import type { Logger } from '../base/logger.ts';
import type { SourceLoop } from './source-loop.ts';
import type { EmbeddedLog } from '../log/embedded/open-embedded-log.ts';

const passing = new MillraceError('BINLOG_DISCONNECTED', 'cut', { retriable: true });
const lasting = new MillraceError('BINLOG_CORRUPT', 'broken');

function sourceLoop({ connector }: TestSource, log: EmbeddedLog, states: string[] = [], onAppended = (): void => undefined): SourceLoop {
  return createSourceLoop({ connector, context, log, onAppended, onState: (state) => states.push(state) });
}

function sinkLoop(
  { connector }: TestSink,
  log: EmbeddedLog,
  states: string[] = [],
  lateStarts?: Omit<LateStartsOptions, 'logger'>,
): { loop: SinkLoop; wake: () => void } {
  const wakeup = createWakeup();
  const loop = createSinkLoop({
    connector,
    context: { ...context, connector: 'k' },
    sources: ['s'],
    log,
    wakeup,
    lateStarts,
    onState: (state) => states.push(state),
  });
  return { loop, wake: () => wakeup.wake() };
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, 'it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('each group of a source is durable before the next is polled, and wakes the sinks', async () => {
  await using opened = await openTestLog();
  const stop = new AbortController();
  const states: string[] = [];
  let wakes = 0;
  const source = createTestSource([10, 20, 30]);
  const loop = sourceLoop(source, opened.log, states, () => wakes++);
  const ran = loop.run(stop.signal);
  await until(() => wakes === 3);
  assert.deepEqual(opened.log.range('s'), { first: 1, last: 3 });
  assert.deepEqual((await opened.log.loadSource('c', never)).offset, { pos: 30 });
  assert.equal(loop.position?.pos, 30);
  stop.abort();
  await ran;
  assert.deepEqual(states, ['RUNNING', 'STOPPED']);
  assert.equal(source.disposed, 1);
});

test('a passing fault opens the source again from what is durable, and shows as RESTARTING meanwhile', async () => {
  await using opened = await openTestLog();
  const stop = new AbortController();
  const states: string[] = [];
  const source = createTestSource([10, passing, 20]);
  const ran = sourceLoop(source, opened.log, states).run(stop.signal);
  await until(() => opened.log.range('s')?.last === 2);
  stop.abort();
  await ran;
  assert.deepEqual(source.opened, [undefined, { pos: 10 }]);
  assert.deepEqual(states, ['RUNNING', 'RESTARTING', 'RUNNING', 'STOPPED']);
  assert.equal(source.disposed, 2);
});

test('waits grow from fault to fault, and begin anew once a group was appended', async () => {
  await using opened = await openTestLog();
  const attempts: unknown[] = [];
  const log: Logger = { ...silentLogger, warn: (facts: unknown) => attempts.push(facts) };
  const { connector } = createTestSource([passing, passing, 10, passing, 20, lasting]);
  const loop = createSourceLoop({
    connector,
    context: { ...context, log },
    log: opened.log,
    onAppended: () => undefined,
    onState: () => undefined,
  });
  await assert.rejects(loop.run(never), (error: unknown) => isMillraceError(error, 'BINLOG_CORRUPT'));
  assert.partialDeepStrictEqual(attempts, [{ attempt: 1 }, { attempt: 2 }, { attempt: 1 }]);
});

test('a lasting fault ends the source as FAILED, with what was durable before', async () => {
  await using opened = await openTestLog();
  const states: string[] = [];
  const source = createTestSource([10, lasting]);
  await assert.rejects(sourceLoop(source, opened.log, states).run(never), (error: unknown) => isMillraceError(error, 'BINLOG_CORRUPT'));
  assert.deepEqual(states, ['RUNNING', 'FAILED']);
  assert.deepEqual(opened.log.range('s'), { first: 1, last: 1 });
});

test('a stop during the wait before a retry is obeyed at once', async () => {
  await using opened = await openTestLog();
  const stop = new AbortController();
  const source = createTestSource(Array.from({ length: 50 }, () => passing));
  const ran = sourceLoop(source, opened.log).run(stop.signal);
  await until(() => source.opened.length >= 3);
  const begunMs = performance.now();
  stop.abort();
  await ran;
  assert.ok(performance.now() - begunMs < 200);
});

test('a sink takes the groups in order, and commits them when it has caught up', async () => {
  await using opened = await openTestLog();
  for (const pos of [10, 20, 30]) await opened.log.append(emptyBatch(pos), { connector: 'c' }, never);
  const drain = new AbortController();
  const sink = createTestSink();
  const { loop, wake } = sinkLoop(sink, opened.log);
  const ran = loop.run(drain.signal, never);
  await until(() => sink.offset?.seq === 3);
  await opened.log.append(emptyBatch(40), { connector: 'c' }, never);
  wake();
  await until(() => sink.offset?.seq === 4);
  drain.abort();
  await ran;
  assert.deepEqual(sink.put, [1, 2, 3, 4]);
  assert.deepEqual(opened.log.consumers(), [{ consumer: 'k', source: 's', seq: 4 }]);
});

test('an append reaches the sink without a wait for the next look at the log', async () => {
  await using opened = await openTestLog();
  const drain = new AbortController();
  const sink = createTestSink();
  const { loop, wake } = sinkLoop(sink, opened.log);
  const ran = loop.run(drain.signal, never);
  await until(() => loop.state === 'RUNNING');
  const waits: number[] = [];
  for (let pos = 1; pos <= 20; pos++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await opened.log.append(emptyBatch(pos), { connector: 'c' }, never);
    const begunMs = performance.now();
    wake();
    while (sink.offset?.seq !== pos) await new Promise((resolve) => setImmediate(resolve));
    waits.push(performance.now() - begunMs);
  }
  drain.abort();
  await ran;
  // Without the wake it would be 125 ms on average.
  assert.ok((waits.sort((a, b) => a - b)[10] ?? 0) < 60, `median ${waits[10]} ms`);
});

test('a drain applies what the log holds before it ends', async () => {
  await using opened = await openTestLog();
  for (const pos of [10, 20]) await opened.log.append(emptyBatch(pos), { connector: 'c' }, never);
  const drain = new AbortController();
  drain.abort();
  const sink = createTestSink();
  const states: string[] = [];
  await sinkLoop(sink, opened.log, states).loop.run(drain.signal, never);
  assert.equal(sink.offset?.seq, 2);
  assert.deepEqual(states, ['RUNNING', 'STOPPED']);
});

test('a sink that failed for a passing reason goes on behind its own offset, nothing twice', async () => {
  await using opened = await openTestLog();
  for (const pos of [10, 20]) await opened.log.append(emptyBatch(pos), { connector: 'c' }, never);
  const drain = new AbortController();
  const sink = createTestSink();
  const states: string[] = [];
  const { loop, wake } = sinkLoop(sink, opened.log, states);
  const ran = loop.run(drain.signal, never);
  await until(() => sink.offset?.seq === 2);
  sink.fault = new MillraceError('DISK_FULL', 'full', { retriable: true });
  await opened.log.append(emptyBatch(30), { connector: 'c' }, never);
  wake();
  await until(() => sink.offset?.seq === 3);
  drain.abort();
  await ran;
  assert.deepEqual(sink.put, [1, 2, 3]);
  assert.deepEqual(states, ['RUNNING', 'RESTARTING', 'RUNNING', 'STOPPED']);
});

test('a replica that was fed from another log is refused, and so is one that is ahead of the log', async () => {
  await using opened = await openTestLog();
  await opened.log.append(emptyBatch(10), { connector: 'c' }, never);
  const offset = { source: 's', seq: 1, applied: 0, position: undefined, committedMs: 0 };
  for (const other of [
    { ...offset, logId: 'another' },
    { ...offset, logId: opened.log.id, seq: 2 },
  ]) {
    const sink = createTestSink();
    sink.offset = other;
    await assert.rejects(sinkLoop(sink, opened.log).loop.run(never, never), (error: unknown) => {
      assert.ok(isMillraceError(error, 'LOG_IDENTITY'));
      assert.match(error.nextStep, /millrace resync --all/);
      return true;
    });
    assert.deepEqual(sink.put, []);
  }
});

/** A log with groups of which the first ones are gone; the number of the first that is there. */
async function shorten({ log }: TestLog): Promise<number> {
  for (const pos of [10, 20, 30]) await log.append(emptyBatch(pos), { connector: 'c' }, never);
  log.register('other', ['s']);
  log.acknowledge('other', 's', 2);
  await new Promise((resolve) => setTimeout(resolve, 5));
  log.applyRetention();
  const first = log.range('s')?.first ?? 0;
  assert.ok(first > 1, 'nothing was removed');
  return first;
}

test('a sink whose next group is gone fails by name, and never starts in the middle', async () => {
  await using opened = await openTestLog({ retentionMs: 0, retentionBytes: 0 });
  await shorten(opened);
  const sink = createTestSink();
  await assert.rejects(sinkLoop(sink, opened.log).loop.run(never, never), (error: unknown) => isMillraceError(error, 'LOG_START_GONE'));
  assert.deepEqual(sink.put, []);
});

test('a sink that keeps no tables takes what there is when its next group is gone', async () => {
  await using opened = await openTestLog({ retentionMs: 0, retentionBytes: 0 });
  const first = await shorten(opened);
  const sink = createTestSink();
  const stop = new AbortController();
  const { loop } = sinkLoop(sink, opened.log, [], { startGone: () => 'earliest', ask: () => assert.fail('nothing is asked for') });
  const ran = loop.run(stop.signal, never);
  await until(() => sink.flushed.at(-1) === 3);
  stop.abort();
  await ran;
  assert.equal(sink.put[0], first);
});

test('a sink of tables whose next group is gone asks for all tables, and begins with their snapshot', async () => {
  await using opened = await openTestLog({ retentionMs: 0, retentionBytes: 0 });
  await shorten(opened);
  const sink = createTestSink();
  const asked: string[] = [];
  const stop = new AbortController();
  const { loop, wake } = sinkLoop(sink, opened.log, [], { startGone: () => 'snapshot', ask: (source) => asked.push(source) });
  const ran = loop.run(stop.signal, never);
  await until(() => asked.length > 0);
  assert.deepEqual([asked, sink.put], [['s'], []]);
  const begins = (whole: boolean): SourceBatch => {
    const batch = emptyBatch(40);
    const begin = { kind: 'snapshotBegin', snapshot: 'x', tables: [], initial: false } as const;
    return { ...batch, group: { ...batch.group, entries: [whole ? { ...begin, whole } : begin] } };
  };
  for (const batch of [begins(false), begins(true), emptyBatch(50)]) await opened.log.append(batch, { connector: 'c' }, never);
  wake();
  await until(() => sink.flushed.at(-1) === 6);
  stop.abort();
  await ran;
  assert.deepEqual([sink.passed, sink.put], [[4], [5, 6]]);
});
