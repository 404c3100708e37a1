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

const none = (): number => 0;
const age = (ms: number | undefined): number => (ms === undefined ? -1 : Math.max(0, Date.now() - ms));
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
    of: ({ metrics }) => age(metrics.counts.lastChangeMs),
  },
  TotalNumberOfEventsSeen: { help: 'Changes written to the log since the task started.', of: ({ metrics }) => metrics.changes },
  TotalNumberOfCreateEventsSeen: { help: 'Inserts among them.', of: ({ metrics }) => metrics.counts.inserts },
  TotalNumberOfUpdateEventsSeen: { help: 'Updates among them.', of: ({ metrics }) => metrics.counts.updates },
  TotalNumberOfDeleteEventsSeen: { help: 'Deletes among them.', of: ({ metrics }) => metrics.counts.deletes },
  NumberOfCommittedTransactions: { help: 'Transactions written to the log.', of: ({ metrics }) => metrics.counts.transactions },
  NumberOfEventsFiltered: {
    help: 'Row events of tables that are not captured, since the task was opened.',
    of: ({ metrics }) => metrics.filteredEvents,
  },
  NumberOfErroneousEvents: {
    help: 'Records that were left out, as errors.tolerance says.',
    of: ({ metrics }) => metrics.records?.failed ?? 0,
  },
  NumberOfSkippedEvents: { help: 'Events that could not be read and were passed over: none, the task fails.', of: none },
  NumberOfUnchangedEventsSkipped: {
    help: 'Updates left out by skip.messages.without.change; not told where it is set, since topics alone leave them out.',
    of: ({ config }) => (config['skip.messages.without.change']?.trim().toLowerCase() === 'true' ? undefined : 0),
  },
  NumberOfRolledBackTransactions: {
    help: 'Transactions that were rolled back and in the binlog all the same: they are not told apart.',
    of: none,
  },
  NumberOfNotWellFormedTransactions: { help: 'Transactions without an end: none, the stream breaks off.', of: none },
  NumberOfLargeTransactions: { help: 'Transactions larger than binlog.buffer.size: none, there is no such buffer.', of: none },
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
  CurrentQueueSizeInBytes: { help: 'Bytes that wait between reading and the log: none.', of: none },
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
  SnapshotDurationInSeconds: { help: 'How long snapshots were under way.', of: ({ metrics }) => Math.round(metrics.snapshotMs / 1000) },
  SnapshotPausedDurationInSeconds: { help: 'How long snapshots were held by a pause, which ends the task here: not at all.', of: none },
};

const schemaHistory: Readonly<Record<string, Gauge>> = {
  RecoveryStartTime: {
    help: 'When the task was opened, which reads the definitions of its tables: seconds since the epoch; -1: not yet.',
    of: ({ metrics }) => (metrics.openedMs === undefined ? -1 : Math.floor(metrics.openedMs / 1000)),
  },
  ChangesRecovered: { help: 'Statements that were read again for it: none, the definitions are stored.', of: none },
  ChangesApplied: {
    help: 'Statements that changed the definition of a captured table.',
    of: ({ metrics }) => metrics.counts.schemaChanges,
  },
  MilliSecondsSinceLastRecoveredChange: { help: 'Time since the last statement was read again: -1, none is.', of: () => -1 },
  MilliSecondsSinceLastAppliedChange: {
    help: 'Time since the last statement that changed a definition; -1: none yet.',
    of: ({ metrics }) => age(metrics.counts.lastSchemaChangeMs),
  },
};

const contexts: Readonly<Record<string, Readonly<Record<string, Gauge>>>> = { streaming, snapshot, 'schema-history': schemaHistory };

/** `debezium_metrics_<attribute>{context,name,plugin}`, as the usual rules of the JMX exporter name Debezium's MBeans. */
export function debeziumMetrics(sources: readonly DebeziumSource[]): readonly MetricFamily[] {
  const labelsOf = ({ plugin, metrics }: DebeziumSource, context: string): Readonly<Record<string, string>> => ({
    context,
    name: metrics.source,
    plugin,
  });
  const attributes = new Set(Object.values(contexts).flatMap((gauges) => Object.keys(gauges)));
  const families = [...attributes].map((attribute): MetricFamily => {
    const samples = Object.entries(contexts).flatMap(([context, { [attribute]: gauge }]): Sample[] =>
      gauge === undefined ? [] : sources.map((source) => ({ labels: labelsOf(source, context), value: gauge.of(source) })),
    );
    const help = Object.values(contexts).flatMap(({ [attribute]: gauge }) => (gauge === undefined ? [] : [gauge.help]));
    return { name: `debezium_metrics_${attribute}`, type: 'gauge', help: help[0] ?? attribute, samples };
  });
  const rows = sources.flatMap((source) =>
    source.metrics.snapshot.map(({ table, rows: value }): Sample => ({
      labels: { ...labelsOf(source, 'snapshot'), table },
      value,
    })),
  );
  const told = (
    name: string,
    help: string,
    context: string,
    labels: (source: DebeziumSource) => Readonly<Record<string, string>> | undefined,
  ): MetricFamily => ({
    name: `debezium_metrics_${name}`,
    type: 'gauge',
    help,
    samples: sources.flatMap((source) => {
      const own = labels(source);
      return own === undefined ? [] : [{ labels: { ...labelsOf(source, context), ...own }, value: 1 }];
    }),
  });
  return [
    ...families,
    told('BinlogFilename', 'Binlog file of BinlogPosition, as a label.', 'streaming', ({ metrics: { position } }) =>
      position === undefined ? undefined : { file: position.file },
    ),
    told('Status', 'State of the schema history, as a label.', 'schema-history', (source) => ({
      status: running(source) ? 'RUNNING' : 'STOPPED',
    })),
    { name: 'debezium_metrics_RowsScanned', type: 'gauge', help: 'Rows read of a table by the snapshot.', samples: rows },
  ];
}
