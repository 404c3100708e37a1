import type { ConnectService } from '../worker/connect-service.ts';
import type { SinkMetrics, SinkSourceMetrics, SourceMetrics } from '../worker/metrics.ts';
import type { MetricFamily, Sample } from './prometheus-text.ts';

type Value = number | boolean | undefined;

/** What no original has: freshness, the log, flushes, groups behind; and the process. */
export function ownMetrics(
  service: ConnectService,
  sources: readonly SourceMetrics[],
  sinks: readonly SinkMetrics[],
): readonly MetricFamily[] {
  const family =
    (type: MetricFamily['type']) =>
    (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
      name: `millrace_${name}`,
      type,
      help,
      samples,
    });
  const [gauge, counter] = [family('gauge'), family('counter')];
  const ofSources = (value: (source: SourceMetrics) => Value): readonly Sample[] =>
    sources.map((each) => ({ labels: { connector: each.connector, source: each.source }, value: value(each) }));
  const ofSinks = (value: (sink: SinkMetrics) => Value): readonly Sample[] =>
    sinks.map((each) => ({ labels: { connector: each.connector }, value: value(each) }));
  const ofFeeds = (value: (feed: SinkSourceMetrics) => Value): readonly Sample[] =>
    sinks.flatMap((sink) =>
      sink.sources.map((feed) => ({ labels: { connector: sink.connector, source: feed.source }, value: value(feed) })),
    );
  const info = service.info();
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  return [
    gauge('info', 'Versions, as labels.', [
      { labels: { version: info.commit.replace(/^millrace-/, ''), connect: info.version }, value: 1 },
    ]),
    gauge('healthy', 'Whether the worker is healthy.', [{ value: service.health().status === 'healthy' }]),
    gauge(
      'log_bytes',
      'Size of the log.',
      // All sources tell the same.
      sources.length === 0 ? [] : [{ value: Math.max(...sources.map(({ logBytes }) => logBytes)) }],
    ),
    counter(
      'source_groups_total',
      'Commit groups that a source has written.',
      ofSources((each) => each.groups),
    ),
    counter(
      'source_changes_total',
      'Changes that it has written.',
      ofSources((each) => each.changes),
    ),
    counter(
      'source_records_total',
      'Records that it has written.',
      ofSources((each) => each.counts.records),
    ),
    counter(
      'source_snapshot_rows_total',
      'Rows that snapshots have written.',
      ofSources((each) => each.snapshotRows),
    ),
    counter(
      'source_transactions_total',
      'Transactions that it has written.',
      ofSources((each) => each.counts.transactions),
    ),
    counter(
      'source_interruptions_total',
      'Passing faults after which the source was opened again.',
      ofSources((each) => each.interruptions),
    ),
    gauge(
      'source_seq',
      'Number of the last group in the log.',
      ofSources((each) => each.seq),
    ),
    gauge(
      'source_committed_timestamp_seconds',
      'Time of the newest source commit in the log.',
      ofSources((each) => secondsOf(each.committedMs)),
    ),
    gauge(
      'source_waiting',
      'Whether the source waits for room in the log.',
      ofSources((each) => each.waiting !== undefined),
    ),
    counter(
      'sink_changes_total',
      'Changes that a sink was given.',
      ofSinks((each) => each.changes),
    ),
    counter(
      'sink_snapshot_rows_total',
      'Snapshot rows that it was given.',
      ofSinks((each) => each.snapshotRows),
    ),
    counter(
      'sink_flushes_total',
      'Its commits.',
      ofSinks((each) => each.flushes),
    ),
    gauge(
      'sink_freshness_seconds',
      'Age of the newest applied commit when it was applied.',
      ofSinks((each) => fromMs(each.freshnessMs)),
    ),
    gauge(
      'sink_freshness_worst_seconds',
      'The greatest of the last ten seconds.',
      ofSinks((each) => fromMs(each.worstFreshnessMs)),
    ),
    gauge(
      'sink_groups_behind',
      'Groups in the log that are not applied yet.',
      ofFeeds((each) => each.behind),
    ),
    gauge(
      'sink_seq',
      'Number of the last group that is applied.',
      ofFeeds((each) => each.seq),
    ),
    gauge(
      'sink_applied_timestamp_seconds',
      'Time of the newest source commit that is applied.',
      ofFeeds((each) => secondsOf(each.committedMs)),
    ),
    gauge(
      'sink_unfinished_tables',
      'Tables that wait for a snapshot or are being loaded.',
      ofFeeds((each) => each.unfinished.length),
    ),
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Memory of the process.',
      samples: [{ value: memory.rss }],
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time of the process.',
      samples: [{ value: (cpu.user + cpu.system) / 1e6 }],
    },
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'When the process started.',
      samples: [{ value: Math.round(performance.timeOrigin) / 1000 }],
    },
  ];
}

function fromMs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

/** 0 is none. */
function secondsOf(ms: number): number | undefined {
  return ms === 0 ? undefined : ms / 1000;
}
