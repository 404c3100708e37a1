import { openConnection } from '../binlog/connection.ts';
import type { LogFull } from '../log/embedded/open-embedded-log.ts';
import { connectionSettings } from '../mysql/connection-settings.ts';
import type { SourceConfig } from '../mysql/source-config.ts';
import { formatBytes, formatDuration } from './table-text.ts';

/** Why a source waits for room, for people: who holds the log up, the most first, and what to do. */
export function logFullText({ usedBytes, maxBytes, lags }: LogFull): string {
  const behind = new Map<string, number>();
  for (const { consumer, groups, bytes } of lags) if (groups > 0) behind.set(consumer, (behind.get(consumer) ?? 0) + bytes);
  const who = [...behind].toSorted(([, a], [, b]) => b - a).map(([sink, bytes]) => `${sink} has ${formatBytes(bytes)} of it to commit`);
  const limit = `${formatBytes(usedBytes)} of ${formatBytes(maxBytes)}, --log-max-bytes or millrace.log.max.bytes`;
  const next = who.length === 0 ? 'add a sink, or allow more' : 'one that is paused or has failed holds all: resume, repair or delete it';
  return `the log is full (${limit}) and waits for its sinks: ${who.join(', ') || 'no sink has registered'}; ${next}`;
}

/**
 * How long the server keeps its binlogs; undefined when it keeps them for ever, or does not say. The wait of a source must
 * end before, or what it has not read is gone.
 */
export async function readBinlogRetentionMs({ server }: SourceConfig, signal: AbortSignal): Promise<number | undefined> {
  await using connection = await openConnection(connectionSettings(server), signal);
  const names = "'binlog_expire_logs_seconds', 'expire_logs_days'";
  const rows = await connection.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`, signal);
  const values = new Map(rows.map(([name, value]) => [name, Number(value)]));
  const seconds = Math.max(values.get('binlog_expire_logs_seconds') ?? 0, (values.get('expire_logs_days') ?? 0) * 86_400);
  return seconds > 0 ? seconds * 1000 : undefined;
}

/** `; the server keeps the binlog that comes next for about 29 h 3 m more`; empty when that is not known. */
export function binlogLeftText(committedMs: number, retentionMs: number | undefined): string {
  if (retentionMs === undefined || committedMs === 0) return '';
  const leftMs = committedMs + retentionMs - Date.now();
  if (leftMs <= 0) return '; the server may purge the binlog that comes next at any moment';
  return `; the server keeps the binlog that comes next for about ${formatDuration(leftMs)} more`;
}
