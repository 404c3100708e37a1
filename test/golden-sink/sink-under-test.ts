import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedFiles } from './recorded-files.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { groupOfRecords, recordGroups } from '../../src/cli/import/record-groups.ts';
import { orderBySource } from '../../src/cli/import/source-order.ts';
import type { TopicRecord } from '../../src/cli/import/record-lines.ts';
import { RecordDecoder } from '../../src/codec/decode/record-decoder.ts';
import { modesOfProperties } from '../../src/codec/decode/value-form.ts';
import { captureFilter } from '../../src/worker/capture-filter.ts';
import { openDdlReader } from '../../src/mysql/ddl/offline-ddl.ts';
import { createDuckDbSinkConnector } from '../../src/warehouse/duckdb/connector.ts';
import { openDuckDbReplica, type Replica } from '../../src/warehouse/duckdb/replica.ts';
import { defaultReplicaOptions } from '../../src/warehouse/duckdb/replica.ts';

export interface FedReplica extends AsyncDisposable {
  readonly replica: Replica;
  readonly resyncs: readonly string[];
  /** Messages of records that were no rows of their table. */
  readonly rejected: readonly string[];
}

export interface FeedOptions {
  readonly flavor: 'mysql' | 'mariadb';
  readonly source: string;
  readonly properties: Readonly<Record<string, string>>;
  /** Records per group; the decoder is made anew from its notes after each. */
  readonly groupRecords?: number;
}

/** Feeds records to a DuckDB sink, in the order of the source. */
export async function feedReplica(records: readonly TopicRecord[], options: FeedOptions): Promise<FedReplica> {
  const { flavor, source, properties } = options;
  const { signal } = new AbortController();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-sink-'));
  const file = join(folder, 'replica.duckdb');
  const replica = await openDuckDbReplica({ ...defaultReplicaOptions, file }, silentLogger, signal);
  const resyncs: string[] = [];
  const rejected: string[] = [];
  const connector = createDuckDbSinkConnector({ replica, onResync: (_source, table, reason) => resyncs.push(`${table}: ${reason}`) });
  const captures = captureFilter(properties);
  let decoder: RecordDecoder | undefined;
  const topicOf = (_source: string, table: { database: string; table: string }): string | undefined => decoder?.topicOf(table);
  const context = {
    connector: 'sink',
    properties: { 'connector.class': 'io.millrace.DuckDbSinkConnector', 'topics.regex': '.*', 'duckdb.file': file },
    log: silentLogger,
    topicOf,
  };
  await using task = await connector.openTask(context, signal);
  await task.open('log', signal);
  let seq = 0;
  for (const group of recordGroups(orderBySource(records), { records: options.groupRecords ?? 1000, bytes: 4_000_000 })) {
    if (decoder === undefined || options.groupRecords !== undefined) {
      await task.flush(signal);
      decoder = new RecordDecoder({
        source,
        flavor,
        modes: modesOfProperties({ 'binary.handling.mode': 'bytes', ...properties }, flavor),
        captures,
        takes: (topic) => topic.startsWith(source) || !topic.startsWith('_'),
        schemas: { key: undefined, value: undefined },
        onReject: ({ error }) => void rejected.push(error.message),
        declared: () => undefined,
        openDdlReader,
        notes: task.notes?.(source) ?? new Map(),
      });
    }
    await task.put({ ...decoder.decode(groupOfRecords(source, group)), seq: ++seq }, signal);
  }
  await task.flush(signal);
  return {
    replica,
    resyncs,
    rejected,
    async [Symbol.asyncDispose]() {
      await replica[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What tells of tables besides their rows. */
export type Knowledge = 'topic' | 'history' | 'described';

/** The records of a scenario: with its schema-change topic, with its schema history in its place, or with the rows' topics alone. */
export function recordsOf({ events, history, connector }: RecordedFiles, how: Knowledge): readonly TopicRecord[] {
  const schemaTopic = connector['topic.prefix'] ?? '';
  const others = new Set([connector['signal.kafka.topic'] ?? `${schemaTopic}-signal`, connector['notification.sink.topic.name'] ?? '']);
  const rows = events.filter(({ topic }) => topic !== schemaTopic && !others.has(topic));
  const schemaChanges = events.filter(({ topic }) => topic === schemaTopic);
  if (how === 'described') return rows;
  return how === 'history' || schemaChanges.length === 0 ? [...history, ...rows] : [...schemaChanges, ...rows];
}
