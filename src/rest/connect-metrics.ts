import type { ConnectorStatus } from '../worker/connect-service.ts';
import type { SinkMetrics, SourceMetrics } from '../worker/metrics.ts';
import type { MetricFamily, Sample } from './prometheus-text.ts';

export interface ConnectFacts {
  readonly connectors: readonly ConnectorStatus[];
  readonly sources: readonly SourceMetrics[];
  readonly sinks: readonly SinkMetrics[];
}

const taskStates = ['running', 'paused', 'failed', 'unassigned', 'restarting'] as const;

/** Kafka Connect's worker, connector and task metrics, as the usual rules of the JMX exporter name its MBeans. */
export function connectMetrics({ connectors, sources, sinks }: ConnectFacts): readonly MetricFamily[] {
  const tasks = connectors.flatMap((connector) => connector.tasks.map((task) => ({ connector: connector.name, task })));
  const perTask = (connector: string): Readonly<Record<string, string>> => ({ connector, task: '0' });
  const ofSources = (value: (source: SourceMetrics) => number): readonly Sample[] =>
    sources.map((each) => ({ labels: perTask(each.connector), value: value(each) }));
  const ofSinks = (value: (sink: SinkMetrics) => number): readonly Sample[] =>
    sinks.map((each) => ({ labels: perTask(each.connector), value: value(each) }));
  const written = ({ changes, snapshotRows, counts }: SourceMetrics): number => changes + snapshotRows + counts.records;
  const failed = ({ records }: SourceMetrics | SinkMetrics): number => records?.failed ?? 0;
  const ofAll = (value: (task: SourceMetrics | SinkMetrics) => number): readonly Sample[] => [...ofSources(value), ...ofSinks(value)];
  const gauge = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
    name: `kafka_connect_${name}`,
    type: 'gauge',
    help,
    samples,
  });
  const counter = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
    ...gauge(name, help, samples),
    type: 'counter',
  });
  return [
    gauge('worker_connector_count', 'Connectors of this worker.', [{ value: connectors.length }]),
    gauge('worker_task_count', 'Tasks of this worker.', [{ value: tasks.length }]),
    gauge(
      'worker_connector_total_task_count',
      'Tasks of a connector.',
      connectors.map(({ name, tasks: own }) => ({ labels: { connector: name }, value: own.length })),
    ),
    ...taskStates.map((state) =>
      gauge(
        `worker_connector_${state}_task_count`,
        `Tasks of a connector that are ${state}.`,
        connectors.map(({ name, tasks: own }) => ({
          labels: { connector: name },
          value: own.filter((task) => task.state.toLowerCase() === state).length,
        })),
      ),
    ),
    gauge(
      'connector_status',
      'State of a connector, as a label.',
      connectors.map(({ name, type, connector }) => ({
        labels: { connector: name, status: connector.state.toLowerCase(), type, version: connector.version ?? '' },
        value: 1,
      })),
    ),
    gauge(
      'connector_task_status',
      'State of a task, as a label.',
      tasks.map(({ connector, task }) => ({
        labels: { connector, task: String(task.id), status: task.state.toLowerCase() },
        value: 1,
      })),
    ),
    counter('source_task_source_record_poll_total', 'Changes, snapshot rows and records that a source has read.', ofSources(written)),
    counter('source_task_source_record_write_total', 'Those that are durable in the log.', ofSources(written)),
    // Their names end as no counter's does: a gauge for those who check.
    gauge('task_error_total_record_errors', 'Records with a fault in a transformation or converter.', ofAll(failed)),
    gauge('task_error_total_records_skipped', 'Those that were left out, as errors.tolerance says.', ofAll(failed)),
    gauge(
      'task_error_deadletterqueue_produce_requests',
      'Those that are in the dead letter topic of a sink.',
      ofSinks(({ records }) => records?.deadLetters ?? 0),
    ),
    counter(
      'sink_task_sink_record_read_total',
      'Changes and snapshot rows that a sink has read.',
      ofSinks((each) => each.changes + each.snapshotRows),
    ),
    counter(
      'sink_task_sink_record_send_total',
      'Those that it was given.',
      ofSinks((each) => each.changes + each.snapshotRows),
    ),
    gauge(
      'sink_task_partition_count',
      'Sources that a sink takes from.',
      ofSinks((each) => each.sources.length),
    ),
    counter(
      'sink_task_offset_commit_completion_total',
      'Commits of a sink.',
      ofSinks((each) => each.flushes),
    ),
  ];
}
