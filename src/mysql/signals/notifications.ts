import { randomUUID } from 'node:crypto';
import type { Logger } from '../../base/logger.ts';
import type { Entry, SnapshotNotification } from '../../connect/commit-group.ts';
import type { TableId } from '../../event/table-schema.ts';
import { tableName } from '../../event/table-schema.ts';
import type { SignalConfig } from './signal-config.ts';

export type ScanStatus = 'SUCCEEDED' | 'EMPTY' | 'NO_PRIMARY_KEY' | 'SKIPPED' | 'SQL_EXCEPTION' | 'STOPPED' | 'UNKNOWN_SCHEMA';

export interface Notice {
  readonly aggregate: 'Initial Snapshot' | 'Incremental Snapshot';
  readonly type:
    | 'STARTED'
    | 'IN_PROGRESS'
    | 'TABLE_SCAN_COMPLETED'
    | 'COMPLETED'
    | 'ABORTED'
    | 'SKIPPED'
    | 'PAUSED'
    | 'RESUMED'
    | 'STOPPED';
  /** Of the signal; absent: a new one. */
  readonly id?: string;
  readonly current?: TableId;
  readonly scanned?: TableId;
  readonly maximumKey?: string;
  readonly lastKey?: string;
  readonly rows?: number;
  readonly tables?: readonly TableId[];
  readonly status?: ScanStatus;
}

/** Collects what the notification channels are told until the next group. */
export interface Notifications {
  tell(notice: Notice): void;
  readonly isEmpty: boolean;
  /** What was told since the last call, as an entry. */
  drain(): Entry | undefined;
}

/** `source`: `topic.prefix`. */
export function createNotifications(
  { notificationTopic: topic, logsNotifications }: SignalConfig,
  source: string,
  log: Logger,
): Notifications {
  let told: SnapshotNotification[] = [];
  return {
    tell(notice) {
      if (topic === undefined && !logsNotifications) return;
      const made = notificationOf(notice, source);
      if (logsNotifications) log.info({ notification: made }, `[Notification Service] ${made.aggregate} ${made.type}`);
      if (topic !== undefined) told.push(made);
    },
    get isEmpty() {
      return told.length === 0;
    },
    drain() {
      if (topic === undefined || told.length === 0) return undefined;
      const notifications = told;
      told = [];
      return { kind: 'notifications', topic, notifications };
    },
  };
}

/** The members of `additional_data` in the order of Java's hash of their names, in which they were recorded. */
function notificationOf(notice: Notice, source: string): SnapshotNotification {
  const { id = randomUUID(), type, aggregate, current, scanned, maximumKey, lastKey, rows, tables, status } = notice;
  const data: (readonly [string, string | undefined])[] = [
    ['current_collection_in_progress', current === undefined ? undefined : tableName(current)],
    ['scanned_collection', scanned === undefined ? undefined : tableName(scanned)],
    ['connector_name', source],
    ['maximum_key', maximumKey],
    ['last_processed_key', lastKey],
    ['total_rows_scanned', rows === undefined ? undefined : String(rows)],
    ['data_collections', tables === undefined ? undefined : tables.map(tableName).join(',')],
    ['status', status],
  ];
  const given = data.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return { id, type, aggregate, data: given, timestamp: Date.now() };
}
