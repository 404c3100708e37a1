import type { Entry } from '../connect/commit-group.ts';
import { op } from '../event/change-batch.ts';
import { countChangesWith, type CountOptions, type RecordsOfChange } from '../event/count-changes.ts';
import type { TableSchema } from '../event/table-schema.ts';

/** How many records of its topic an entry stands for; derived topic offsets advance by it. */
export type CountRecords = (entry: Entry) => number;

/** How a connector's entries become records, as far as the log counts them. */
export interface RecordRules {
  readonly countRecords: CountRecords;
  /** The topic of a table's rows, as the connector names it; absent: `<source>.<database>.<table>`. */
  readonly topicOf?: ((schema: TableSchema) => string) | undefined;
  /** Records of an entry that has no rows; absent: `recordsWithoutRows`. */
  readonly otherRecords?: CountOtherRecords | undefined;
}

/** Records of one topic; the topic `''` is the source's own. */
export interface TopicRecords {
  readonly topic: string;
  readonly records: number;
}

export type CountOtherRecords = (entry: Entry) => readonly TopicRecords[];

/** DDL in the source's own topic, and records that lie in the log as they are. */
export const recordsWithoutRows: CountOtherRecords = (entry) => {
  if (entry.kind === 'ddl') return [{ topic: '', records: entry.records.length }];
  if (entry.kind === 'notifications') return [{ topic: entry.topic, records: entry.notifications.length }];
  return entry.kind === 'records' ? [{ topic: entry.topic, records: entry.records.length }] : [];
};

/** Debezium's by default: a tombstone after a delete; delete, tombstone and create for an update of the key. */
const debeziumRecords: RecordsOfChange = (code, keyChanged) => (code === op.delete ? 2 : keyChanged ? 3 : 1);

/** Counts what Debezium writes with its default settings. */
export const countDebeziumRecords: CountRecords = countRecordsWith(debeziumRecords);

/** Counts the rows of an entry by this rule. */
export function countRecordsWith(recordsOfChange: RecordsOfChange, options: CountOptions = {}): CountRecords {
  const count = countChangesWith(recordsOfChange, options);
  return (entry) => (entry.kind === 'changes' || entry.kind === 'chunk' || entry.kind === 'told' ? count(entry.batch) : 0);
}
