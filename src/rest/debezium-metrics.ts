import type { SourceMetrics } from '../worker/metrics.ts';
import type { MetricFamily, Sample } from './prometheus-text.ts';

/** A source of Debezium's kind, and what it told last. */
export interface DebeziumSource {
  /** `mysql` or `mariadb`. */
  readonly plugin: string;
  readonly config: Readonly<Record<string, string>>;
  readonly metrics: SourceMetrics;
}

/** Debezium's own defaults. */
const queueSize = 8192;

interface Gauge {
  readonly help: string;
  readonly of: (source: DebeziumSource) => number | boolean | undefined;
}

const running = ({ metrics }: DebeziumSource): boolean => metrics.state === 'RUNNING';
const tables = ({ metrics }: DebeziumSource): number => metrics.snapshot.length;
const done = ({ metrics }: DebeziumSource): number => metrics.snapshot.filter((table) => table.done).length;
const capacity = ({ config }: DebeziumSource): number => Number(config['max.queue.size'] ?? queueSize);

const streaming: Readonly<Record<string, Gauge>> = {
  Connected: { help: 'Whether the source reads from its server.', of: running },
  MilliSecondsBehindSource: {
    help: 'Age of the last change when it became durable in the log; -1: none yet.',
    of: ({ metrics }) => metrics.counts.behindMs ?? -1,
  },
  MilliSecondsSinceLastEvent: {
    help: 'Time since the last change became durable in the log; -1: none yet.',
    of: ({ metrics: { counts } }) => (counts.lastChangeMs === undefined ? -1 : Math.max(0, Date.now() - counts.lastChangeMs)),
  },
  TotalNumberOfEventsSeen: { help: 'Changes written to the log since the task started.', of: ({ metrics }) => metrics.changes },
  TotalNumberOfCreateEventsSeen: { help: 'Inserts among them.', of: ({ metrics }) => metrics.counts.inserts },
  TotalNumberOfUpdateEventsSeen: { help: 'Updates among them.', of: ({ metrics }) => metrics.counts.updates },
  TotalNumberOfDeleteEventsSeen: { help: 'Deletes among them.', of: ({ metrics }) => metrics.counts.deletes },
  NumberOfCommittedTransactions: { help: 'Transactions written to the log.', of: ({ metrics }) => metrics.counts.transactions },
  NumberOfDisconnects: { help: 'How often the connection was lost and made again.', of: ({ metrics }) => metrics.interruptions },
  BinlogPosition: { help: 'Position in the binlog file up to which all is durable.', of: ({ metrics }) => metrics.position?.pos },
  IsGtidModeEnabled: {
    help: 'Whether the position has a GTID set.',
    of: ({ metrics }) => (metrics.position === undefined ? undefined : metrics.position.gtids !== ''),
  },
  QueueTotalCapacity: { help: 'max.queue.size.', of: capacity },
  QueueRemainingCapacity: {
    help: 'What is left of it: nothing waits in a queue; 0 while the source waits for room in the log.',
    of: (source) => (source.metrics.waiting === undefined ? capacity(source) : 0),
  },
  MaxQueueSizeInBytes: { help: 'max.queue.size.in.bytes.', of: ({ config }) => Number(config['max.queue.size.in.bytes'] ?? 0) },
  CurrentQueueSizeInBytes: { help: 'Bytes that wait between reading and the log: none.', of: () => 0 },
};

const snapshot: Readonly<Record<string, Gauge>> = {
  SnapshotRunning: { help: 'Whether a snapshot is under way.', of: ({ metrics }) => metrics.snapshotting },
  SnapshotCompleted: { help: 'Whether one was finished.', of: (each) => tables(each) > 0 && !each.metrics.snapshotting },
  SnapshotAborted: {
    help: 'Whether one broke off with its task.',
    of: ({ metrics }) => metrics.snapshotting && metrics.state === 'FAILED',
  },
  SnapshotPaused: { help: 'Whether one is held by a pause.', of: ({ metrics }) => metrics.snapshotting && metrics.state === 'PAUSED' },
  SnapshotSkipped: { help: 'Whether the task began without one.', of: (each) => running(each) && tables(each) === 0 },
  TotalTableCount: { help: 'Tables of the snapshot.', of: tables },
  RemainingTableCount: { help: 'Tables that it has still to read.', of: (each) => tables(each) - done(each) },
  TotalNumberOfEventsSeen: { help: 'Rows that snapshots have written to the log.', of: ({ metrics }) => metrics.snapshotRows },
};

/** `debezium_metrics_<attribute>{context,name,plugin}`, as the usual rules of the JMX exporter name Debezium's MBeans. */
export function debeziumMetrics(sources: readonly DebeziumSource[]): readonly MetricFamily[] {
  const labelsOf = ({ plugin, metrics }: DebeziumSource, context: string): Readonly<Record<string, string>> => ({
    context,
    name: metrics.source,
    plugin,
  });
  const attributes = new Set([...Object.keys(streaming), ...Object.keys(snapshot)]);
  const families = [...attributes].map((attribute): MetricFamily => {
    const contexts = { streaming: streaming[attribute], snapshot: snapshot[attribute] };
    const samples = Object.entries(contexts).flatMap(([context, gauge]): Sample[] =>
      gauge === undefined ? [] : sources.map((source) => ({ labels: labelsOf(source, context), value: gauge.of(source) })),
    );
    const help = streaming[attribute]?.help ?? snapshot[attribute]?.help ?? attribute;
    return { name: `debezium_metrics_${attribute}`, type: 'gauge', help, samples };
  });
  const rows = sources.flatMap((source) =>
    source.metrics.snapshot.map(({ table, rows: value }): Sample => ({
      labels: { ...labelsOf(source, 'snapshot'), table },
      value,
    })),
  );
  return [
    ...families,
    { name: 'debezium_metrics_RowsScanned', type: 'gauge', help: 'Rows read of a table by the snapshot.', samples: rows },
  ];
}
