import { MillraceError } from '../base/errors.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import type { ReplicaName } from './replica-names.ts';

/**
 * What becomes of dates and times that the replica's temporal types cannot hold (`0000-00-00`, `2024-02-00`): NULL,
 * counted; the column is text from the start; or the pipeline stops.
 */
export type InvalidTemporal = 'null' | 'text' | 'fail';

/** A replicated table, as the replica keeps book of it. Immutable. */
export interface TableRecord extends TableId {
  readonly connector: string;
  /** `topic.prefix` of its source. */
  readonly source: string;
  readonly replica: ReplicaName;
  /** What readers see; undefined while its first snapshot is loaded. */
  readonly live?: TableSchema;
  /** Where an unfinished snapshot loads it: a table of its own. */
  readonly aside?: AsideTable;
  readonly invalidTemporal: InvalidTemporal;
  /** Why it cannot go on from the log: its changes are dropped until a snapshot brings it anew. */
  readonly broken?: string;
  /** Values that became NULL because their type has no place for them, by column. */
  readonly substitutions: Readonly<Record<string, number>>;
  /** A column that was added with a value and is NOT NULL only by a transaction after that: see duckdb/late-not-null.ts. */
  readonly lateNotNull?: string;
}

export interface AsideTable {
  readonly name: string;
  readonly schema: TableSchema;
  readonly snapshot: string;
  readonly initial: boolean;
}

/** What tells records apart. */
export type RecordKey = Pick<TableRecord, 'connector' | 'source' | 'database' | 'table'>;

export function recordKey({ connector, source, database, table }: RecordKey): string {
  return JSON.stringify([connector, source, database, table]);
}

/** @throws DATA_VERSION */
export function parseRecord(text: string): TableRecord {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new MillraceError('DATA_VERSION', 'The replica has a table record that cannot be read');
  return value;
}

/** We wrote it ourselves, under this format version: the outline is enough. */
function isRecord(value: unknown): value is TableRecord {
  return typeof value === 'object' && value !== null && 'connector' in value && 'source' in value && 'table' in value && 'replica' in value;
}

/** Where changes of a table go, and what it looks like there: what is being loaded, else what readers see. */
export function writeTarget(record: TableRecord): { readonly name: string; readonly schema: TableSchema } | undefined {
  if (record.aside !== undefined) return record.aside;
  return record.live === undefined ? undefined : { name: record.replica.table, schema: record.live };
}

/** The record with another definition of the table that changes go to. */
export function withSchema(record: TableRecord, schema: TableSchema): TableRecord {
  return record.aside === undefined ? { ...record, live: schema } : { ...record, aside: { ...record.aside, schema } };
}
