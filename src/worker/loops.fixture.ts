/** A source and a sink of tests, over a real log: the one makes groups on demand, the other keeps what it was given. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { noEvents, noTransactions } from '../connect/commit-group.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import type { SinkConnector, SourceConnector } from '../connect/connector.ts';
import type { SinkOffset, SourceBatch } from '../connect/tasks.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import type { EmbeddedLog } from '../log/embedded/open-embedded-log.ts';

export const never = new AbortController().signal;
export const context = { connector: 'c', properties: { 'topic.prefix': 's' }, log: silentLogger };

export interface TestLog extends AsyncDisposable {
  readonly log: EmbeddedLog;
  readonly folder: string;
}

export async function openTestLog(limits: { readonly retentionMs?: number; readonly retentionBytes?: number } = {}): Promise<TestLog> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-loops-'));
  const log = await openEmbeddedLog({ folder, maxBytes: 1e9, retentionMs: 3.6e6, retentionBytes: 1e9, ...limits }, never);
  return {
    log,
    folder,
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A group without entries: only its number and position count here. */
export function emptyBatch(position: number): SourceBatch {
  const group: CommitGroup = {
    source: 's',
    seq: 0,
    position: { file: 'bin.000001', pos: position, gtids: '' },
    open: false,
    file: 'bin.000001',
    transactions: noTransactions,
    events: noEvents,
    entries: [],
  };
  return { group, offset: { pos: position }, state: [] };
}

export interface TestSource {
  readonly connector: SourceConnector;
  /** Offsets with which tasks were opened. */
  readonly opened: unknown[];
  disposed: number;
}

/** Gives one group per item: a position, or an error that the poll throws. Then it waits. */
export function createTestSource(items: (number | Error)[]): TestSource {
  const source: TestSource = {
    opened: [],
    disposed: 0,
    connector: {
      kind: 'source',
      classNames: ['test'],
      openTask({ state }) {
        source.opened.push(state.offset);
        return Promise.resolve({
          async poll(signal) {
            signal.throwIfAborted();
            const item = items.shift();
            if (item instanceof Error) throw item;
            if (item !== undefined) return emptyBatch(item);
            return new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          },
          [Symbol.asyncDispose]() {
            source.disposed++;
            return Promise.resolve();
          },
        });
      },
    },
  };
  return source;
}

export interface TestSink {
  readonly connector: SinkConnector;
  /** Numbers of the groups that were put, over all lives. */
  readonly put: number[];
  readonly flushed: number[];
  /** Numbers that were passed over. */
  readonly passed: number[];
  offset: SinkOffset | undefined;
  /** Thrown by the next put. */
  fault: Error | undefined;
}

export function createTestSink(): TestSink {
  const sink: TestSink = {
    put: [],
    flushed: [],
    passed: [],
    offset: undefined,
    fault: undefined,
    connector: {
      kind: 'sink',
      classNames: ['test'],
      openTask() {
        let logId = '';
        let received: SinkOffset | undefined;
        const committed = (): readonly SinkOffset[] => (sink.offset === undefined ? [] : [sink.offset]);
        return Promise.resolve({
          open(id) {
            logId = id;
            return Promise.resolve(committed());
          },
          passOver: (_source, seq) => void sink.passed.push(seq),
          put({ source, seq, position }) {
            const fault = sink.fault;
            sink.fault = undefined;
            if (fault !== undefined) return Promise.reject(fault);
            sink.put.push(seq);
            received = { source, logId, seq, applied: 0, position, committedMs: Date.now() };
            return Promise.resolve();
          },
          flush() {
            if (received !== undefined) sink.flushed.push(received.seq);
            sink.offset = received;
            return Promise.resolve(committed());
          },
          committed,
          pending: () => received !== undefined && received.seq !== sink.offset?.seq,
          cutAt: () => Promise.reject(new MillraceError('INTERNAL', 'not here')),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        });
      },
    },
  };
  return sink;
}
