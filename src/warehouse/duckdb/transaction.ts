import type { Logger } from '../../base/logger.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import type { ReplicaNaming } from '../replica-names.ts';
import { recordKey, type BookkeepingChanges, type TableRecord } from './bookkeeping.ts';
import { mapColumns, type InvalidTemporal, type MappedColumn } from './column-mapping.ts';
import { qualified, quoted, type Session } from './session.ts';

/** What is the same for all units of a sink connector. */
export interface SinkIdentity {
  readonly connector: string;
  readonly naming: ReplicaNaming;
  readonly invalidTemporal: InvalidTemporal;
  readonly log: Logger;
}

/** An open transaction, in which the steps of a unit are carried out. */
export interface Transaction {
  readonly session: Session;
  readonly sink: SinkIdentity;
  /** `topic.prefix` of the source that the unit is of. */
  readonly source: string;
  readonly book: BookkeepingChanges;
  readonly resync: { readonly table: string; readonly reason: string }[];
}

export function recordOf(tx: Transaction, { database, table }: TableId): TableRecord | undefined {
  return tx.book.get(recordKey({ connector: tx.sink.connector, source: tx.source, database, table }));
}

/** Where changes of a table go, and what it looks like there: what is being loaded, else what readers see. */
export function writeTarget(record: TableRecord): { readonly name: string; readonly schema: TableSchema } | undefined {
  if (record.aside !== undefined) return record.aside;
  return record.live === undefined ? undefined : { name: record.replica.table, schema: record.live };
}

export function qualifiedTarget(record: TableRecord, name: string): string {
  return qualified(record.replica.schema, name);
}

/** Drops the table's changes from here on, until a snapshot brings it anew, and tells. */
export function markBroken(tx: Transaction, record: TableRecord, reason: string): void {
  if (record.broken !== undefined) return;
  tx.book.set({ ...record, broken: reason });
  tx.resync.push({ table: tableName(record), reason });
  tx.sink.log.warn({ table: tableName(record), reason }, 'table cannot go on from the log, it needs a resync');
}

export function columnsOf(record: Pick<TableRecord, 'invalidTemporal'>, schema: TableSchema): readonly MappedColumn[] {
  return mapColumns(schema.columns, record);
}

/** The column list of CREATE TABLE. */
export function columnList(columns: readonly MappedColumn[]): string {
  return columns.map(({ column, sqlType, notNull }) => `${quoted(column.name)} ${sqlType}${notNull ? ' NOT NULL' : ''}`).join(', ');
}

/** The record with another definition of the table that changes go to. */
export function withSchema(record: TableRecord, schema: TableSchema): TableRecord {
  return record.aside === undefined ? { ...record, live: schema } : { ...record, aside: { ...record.aside, schema } };
}

/** The record, unless its table cannot take rows of this schema. */
export function usableRecord(tx: Transaction, record: TableRecord, schema: TableSchema): TableRecord | undefined {
  if (record.broken !== undefined) return undefined;
  const known = writeTarget(record)?.schema;
  if (known === undefined || known.fingerprint === schema.fingerprint) return record;
  if (!sameShape(columnsOf(record, known), columnsOf(record, schema))) {
    markBroken(tx, record, 'its rows came under a definition that the replica was not told of');
    return undefined;
  }
  const updated = withSchema(record, schema);
  tx.book.set(updated);
  return updated;
}

function sameShape(a: readonly MappedColumn[], b: readonly MappedColumn[]): boolean {
  return (
    a.length === b.length &&
    a.every((column, index) => {
      const other = b[index];
      return column.column.name === other?.column.name && column.sqlType === other.sqlType && (!column.notNull || other.notNull);
    })
  );
}
