import { openControlClient } from './control-client.ts';
import type { WorkerStatus } from './control-methods.ts';
import { exitCodes } from './report-error.ts';
import { formatBytes, formatCount, formatDuration, formatTable } from './table-text.ts';
import { createPaint, hasColors, writeOut } from './terminal.ts';
import type { Paint } from './terminal.ts';
import type { TaskStatus } from '../worker/herder.ts';
import type { RowCount } from '../worker/thread-messages.ts';

export interface StatusOptions {
  readonly data: string;
  readonly json?: boolean;
}

/** `millrace status`: tasks, positions, distances, rows; exit code 1 when something has failed. */
export async function statusCommand({ data, json }: StatusOptions): Promise<void> {
  const client = openControlClient(data);
  const { signal } = new AbortController();
  const status = await client.call('status', null, { signal });
  const tables = await client.call('rowCounts', null, { signal });
  if (json === true) writeOut(`${JSON.stringify({ ...status, tables })}\n`);
  else writeOut(`${formatStatus(status, tables, createPaint(hasColors(process.stdout)))}\n`);
  process.exitCode = status.tasks.some(({ state }) => state === 'FAILED') ? exitCodes.failed : exitCodes.ok;
}

function formatStatus(status: WorkerStatus, tables: readonly RowCount[], paint: Paint): string {
  const parts: string[] = [`worker ${status.pid}, up for ${formatDuration(Date.now() - status.startedMs)}`];
  const order = (task: TaskStatus): string => `${task.type === 'source' ? 0 : 1} ${task.connector}`;
  for (const task of status.tasks.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const state = paint(task.state === 'RUNNING' ? 'green' : task.state === 'FAILED' ? 'red' : 'yellow', task.state);
    const lines = [
      ...(task.error === undefined ? [] : [`${task.error.code}: ${task.error.message}`, `next: ${task.error.nextStep}`]),
      ...(task.type === 'source' ? describeSource(status, task.connector) : describeSink(status, task.connector)),
    ];
    parts.push([`${paint('bold', `${task.type} ${task.connector}`)}  ${state}`, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
  if (tables.length > 0) {
    const several = new Set(tables.map(({ sink }) => sink)).size > 1;
    const columns = [
      ...(several ? [{ name: 'sink' }] : []),
      { name: 'table' },
      { name: 'rows', right: true },
      { name: 'loading', right: true },
    ];
    const rows = tables.map(({ sink, table, rows: count, loading }) => [
      ...(several ? [sink] : []),
      table,
      count === undefined ? '' : formatCount(count),
      loading === undefined ? '' : formatCount(loading),
    ]);
    parts.push(formatTable(columns, rows, paint));
  }
  return parts.join('\n\n');
}

function describeSource({ sources }: WorkerStatus, connector: string): readonly string[] {
  const metrics = sources.find((each) => each.connector === connector);
  if (metrics === undefined) return [];
  const lines = [`log: group ${formatCount(metrics.seq)}, ${formatBytes(metrics.logBytes)}`];
  if (metrics.position !== undefined) lines.unshift(`position: ${metrics.position.file}:${metrics.position.pos}`);
  if (metrics.waiting !== undefined) lines.push(`waiting: ${metrics.waiting}`);
  for (const { table, rows, estimatedRows, done } of metrics.snapshot) {
    if (!done) lines.push(`snapshot: ${table} ${formatCount(rows)} of about ${formatCount(estimatedRows)} rows`);
  }
  return lines;
}

function describeSink({ sinks }: WorkerStatus, connector: string): readonly string[] {
  const metrics = sinks.find((each) => each.connector === connector);
  if (metrics === undefined) return [];
  const lines = metrics.sources.flatMap(({ source, seq, position, behind, unfinished }) => {
    const where =
      position === undefined ? 'nothing committed yet' : `committed up to ${position.file}:${position.pos}, group ${formatCount(seq)}`;
    const distance = `${source}: ${where}, ${behind === 0 ? 'nothing behind' : `${formatCount(behind)} groups behind`}`;
    return unfinished.length === 0 ? [distance] : [distance, `${source}: waits for the snapshot of ${unfinished.join(', ')}`];
  });
  if (metrics.freshnessMs !== undefined) lines.push(`freshness: ${formatDuration(metrics.freshnessMs)} at the last commit`);
  return lines;
}
