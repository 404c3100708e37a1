/** `/metrics` of a worker with a source and a sink, as Prometheus reads it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { sourceConnector } from '../pipeline/harness.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { parsePrometheus } from './prometheus.ts';
import type { Sample } from './prometheus.ts';
import { freePort } from '../servers/free-port.ts';
import { startWorker } from './worker-under-test.ts';

/** The numbers among Debezium's metrics that people alert on. */
const debeziumNames = {
  streaming: `
    MilliSecondsBehindSource Connected MilliSecondsSinceLastEvent QueueRemainingCapacity QueueTotalCapacity
    CurrentQueueSizeInBytes MaxQueueSizeInBytes TotalNumberOfEventsSeen NumberOfEventsFiltered
    NumberOfErroneousEvents BinlogFilename BinlogPosition IsGtidModeEnabled NumberOfCommittedTransactions
    NumberOfRolledBackTransactions NumberOfNotWellFormedTransactions NumberOfLargeTransactions
    NumberOfDisconnects NumberOfSkippedEvents TotalNumberOfCreateEventsSeen TotalNumberOfUpdateEventsSeen
    TotalNumberOfDeleteEventsSeen NumberOfUnchangedEventsSkipped
  `,
  snapshot: `
    SnapshotRunning SnapshotCompleted SnapshotAborted SnapshotPaused SnapshotSkipped RemainingTableCount
    TotalTableCount RowsScanned SnapshotDurationInSeconds SnapshotPausedDurationInSeconds
  `,
  'schema-history': `
    Status RecoveryStartTime ChangesRecovered ChangesApplied MilliSecondsSinceLastRecoveredChange
    MilliSecondsSinceLastAppliedChange
  `,
};

test('metrics by the names of Debezium and Kafka Connect, and our own', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  await database.root.query('CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)');
  const url = `http://127.0.0.1:${await freePort()}`;
  await using worker = await startWorker({ properties: { listeners: url } });
  const create = async (name: string, config: Readonly<Record<string, string>>): Promise<void> => {
    const response = await fetch(`${url}/connectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, config }),
    });
    assert.equal(response.status, 201, await response.text());
  };
  const source = sourceConnector({ server, databases: [database.name] }, { prefix: 'metrics' });
  await create('a "source"\\', source.config);
  await create('sink', {
    'connector.class': 'io.millrace.DuckDbSinkConnector',
    'topics.regex': 'metrics\\..*',
    'duckdb.file': join(worker.folder, 'r.duckdb'),
  });

  let samples: readonly Sample[] = [];
  const scrape = async (): Promise<void> => {
    // As Prometheus asks.
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    const response = await fetch(`${url}/metrics`, { headers: { accept } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    samples = parsePrometheus(await response.text());
  };
  const value = (name: string, labels: Readonly<Record<string, string>> = {}): number | undefined =>
    samples.find((each) => each.name === name && Object.entries(labels).every(([label, text]) => each.labels[label] === text))?.value;
  const untilEqual = async (expected: number, name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> => {
    const deadline = performance.now() + 30_000;
    for (;;) {
      await scrape();
      if (value(name, labels) === expected) return;
      assert.ok(performance.now() < deadline, `${name} is ${value(name, labels)}, not ${expected}: ${worker.said()}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  };

  const streaming = { context: 'streaming', name: 'metrics', plugin: 'mysql' };
  const snapshot = { ...streaming, context: 'snapshot' };
  await untilEqual(3, 'millrace_sink_snapshot_rows_total', { connector: 'sink' });
  await untilEqual(1, 'debezium_metrics_SnapshotCompleted', snapshot);
  assert.equal(value('debezium_metrics_SnapshotRunning', snapshot), 0);
  assert.equal(value('debezium_metrics_TotalTableCount', snapshot), 1);
  assert.equal(value('debezium_metrics_RemainingTableCount', snapshot), 0);
  assert.equal(value('debezium_metrics_RowsScanned', { ...snapshot, table: `${database.name}.t` }), 3);

  await database.root.query('INSERT INTO t VALUES (4, 4), (5, 5); UPDATE t SET v = 9 WHERE id = 4; DELETE FROM t WHERE id = 1');
  await untilEqual(4, 'millrace_sink_changes_total', { connector: 'sink' });
  await untilEqual(4, 'debezium_metrics_TotalNumberOfEventsSeen', streaming);
  assert.equal(value('debezium_metrics_TotalNumberOfCreateEventsSeen', streaming), 2);
  assert.equal(value('debezium_metrics_TotalNumberOfUpdateEventsSeen', streaming), 1);
  assert.equal(value('debezium_metrics_TotalNumberOfDeleteEventsSeen', streaming), 1);
  assert.equal(value('debezium_metrics_NumberOfCommittedTransactions', streaming), 3);
  assert.equal(value('debezium_metrics_Connected', streaming), 1);
  assert.ok((value('debezium_metrics_MilliSecondsBehindSource', streaming) ?? -1) >= 0);
  assert.equal(value('debezium_metrics_QueueRemainingCapacity', streaming), value('debezium_metrics_QueueTotalCapacity', streaming));
  assert.ok((value('debezium_metrics_BinlogPosition', streaming) ?? 0) > 0);

  await using other = await freshDatabase(server);
  await other.root.query('CREATE TABLE o (id INT PRIMARY KEY); INSERT INTO o VALUES (1), (2); INSERT INTO o VALUES (3)');
  await database.root.query('ALTER TABLE t ADD COLUMN w INT');
  const history = { ...streaming, context: 'schema-history' };
  assert.equal(value('debezium_metrics_MilliSecondsSinceLastAppliedChange', history), -1);
  await untilEqual(1, 'debezium_metrics_ChangesApplied', history);
  assert.ok((value('debezium_metrics_MilliSecondsSinceLastAppliedChange', history) ?? -1) >= 0);
  // Others may work on this server, too.
  assert.ok((value('debezium_metrics_NumberOfEventsFiltered', streaming) ?? 0) >= 2);
  const opened = value('debezium_metrics_RecoveryStartTime', history) ?? 0;
  assert.ok(opened > Date.now() / 1000 - 300 && opened <= Date.now() / 1000);
  assert.equal(value('debezium_metrics_Status', { ...history, status: 'RUNNING' }), 1);
  const [rows] = await other.root.query<RowDataPacket[]>('SHOW BINARY LOG STATUS');
  assert.equal(value('debezium_metrics_BinlogFilename', { ...streaming, file: String(rows[0]?.['File']) }), 1);
  const duration = value('debezium_metrics_SnapshotDurationInSeconds', snapshot);
  assert.ok(duration !== undefined && Number.isInteger(duration));
  for (const [context, names] of Object.entries(debeziumNames)) {
    for (const name of names.trim().split(/\s+/)) {
      assert.notEqual(value(`debezium_metrics_${name}`, { ...streaming, context }), undefined, `${context} ${name}`);
    }
  }

  assert.equal(value('kafka_connect_worker_connector_count'), 2);
  assert.equal(value('kafka_connect_task_error_deadletterqueue_produce_requests', { connector: 'sink' }), 0);
  assert.equal(value('kafka_connect_connector_task_status', { connector: 'a "source"\\', task: '0', status: 'running' }), 1);
  assert.equal(value('kafka_connect_source_task_source_record_write_total', { connector: 'a "source"\\' }), 7);
  assert.equal(value('kafka_connect_sink_task_sink_record_send_total', { connector: 'sink' }), 7);
  assert.ok((value('millrace_sink_freshness_seconds', { connector: 'sink' }) ?? -1) >= 0);
  assert.ok((value('millrace_log_bytes') ?? 0) > 0);
  await untilEqual(0, 'millrace_sink_groups_behind', { connector: 'sink', source: 'metrics' });

  // What the dashboard shows is there.
  const dashboard = readFileSync(join(import.meta.dirname, '../../examples/grafana/millrace.json'), 'utf8');
  const names = new Set(samples.map((each) => each.name));
  const asked = [...new Set([...dashboard.matchAll(/\b(?:debezium_metrics|kafka_connect|millrace|process)_\w+/g)].map(([name]) => name))];
  assert.ok(asked.length > 15);
  assert.deepEqual(
    asked.filter((name) => !names.has(name)),
    [],
  );
});
