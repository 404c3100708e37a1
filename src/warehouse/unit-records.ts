import type { Logger } from '../base/logger.ts';
import { tableName, type Column, type TableId, type TableSchema } from '../event/table-schema.ts';
import type { BookChanges } from './book.ts';
import { collision, type ReplicaName, type ReplicaNaming } from './replica-names.ts';
import type { SnapshotStart } from './warehouse.ts';
import { recordKey, withSchema, writeTarget, type InvalidTemporal, type TableRecord } from './table-record.ts';

/** What is the same for all units of a sink connector. */
export interface SinkIdentity {
  readonly connector: string;
  readonly naming: ReplicaNaming;
  readonly invalidTemporal: InvalidTemporal;
  readonly log: Logger;
}

/** A replica's column, as far as it decides whether rows of another definition still fit. */
export interface ReplicaColumn {
  readonly column: Column;
  readonly sqlType: string;
  readonly notNull: boolean;
}

/** The table records of a unit while its steps are carried out. */
export interface UnitRecords {
  readonly sink: SinkIdentity;
  /** `topic.prefix` of the source that the unit is of. */
  readonly source: string;
  readonly book: BookChanges;
  readonly resync: { readonly table: string; readonly reason: string }[];
  /** A table's columns as the replica has them. */
  readonly columnsOf: (record: Pick<TableRecord, 'invalidTemporal'>, schema: TableSchema) => readonly ReplicaColumn[];
}

export function recordOf(unit: UnitRecords, { database, table }: TableId): TableRecord | undefined {
  return unit.book.get(recordKey({ connector: unit.sink.connector, source: unit.source, database, table }));
}

/** Tables of the source that a snapshot of all its tables does not have: it no longer has them, or captures them. */
export function goneTables(unit: UnitRecords, { whole, tables }: Pick<SnapshotStart, 'whole' | 'tables'>): readonly TableRecord[] {
  if (!whole) return [];
  const there = new Set(tables.map(tableName));
  const gone = [...unit.book.all()].filter(
    (record) => record.connector === unit.sink.connector && record.source === unit.source && !there.has(tableName(record)),
  );
  for (const record of gone) {
    unit.sink.log.warn({ table: tableName(record) }, 'the source no longer has, or captures, a table: it is removed');
  }
  return gone;
}

/** Drops the table's changes from here on, until a snapshot brings it anew, and tells. */
export function markBroken(unit: UnitRecords, record: TableRecord, reason: string): void {
  if (record.broken !== undefined) return;
  unit.book.set({ ...record, broken: reason });
  unit.resync.push({ table: tableName(record), reason });
  unit.sink.log.warn({ table: tableName(record), reason }, 'table cannot go on from the log, it needs a resync');
}

/** The record, unless its table cannot take rows of this schema. */
export function usableRecord(unit: UnitRecords, record: TableRecord, schema: TableSchema): TableRecord | undefined {
  if (record.broken !== undefined) return undefined;
  const known = writeTarget(record)?.schema;
  if (known === undefined || known.fingerprint === schema.fingerprint) return record;
  if (!sameShape(unit.columnsOf(record, known), unit.columnsOf(record, schema))) {
    markBroken(unit, record, 'its rows came under a definition that the replica was not told of');
    return undefined;
  }
  const updated = withSchema(record, schema);
  unit.book.set(updated);
  return updated;
}

function sameShape(a: readonly ReplicaColumn[], b: readonly ReplicaColumn[]): boolean {
  return (
    a.length === b.length &&
    a.every((column, index) => {
      const other = b[index];
      return column.column.name === other?.column.name && column.sqlType === other.sqlType && (!column.notNull || other.notNull);
    })
  );
}

/** Adds values that became NULL to what is counted. */
export function countSubstitutions(unit: UnitRecords, record: TableRecord, added: Readonly<Record<string, number>>): void {
  if (Object.keys(added).length === 0) return;
  const current = recordOf(unit, record) ?? record;
  const substitutions: Record<string, number> = { ...current.substitutions };
  for (const [column, times] of Object.entries(added)) substitutions[column] = (substitutions[column] ?? 0) + times;
  unit.book.set({ ...current, substitutions });
}

/** @throws NAME_COLLISION when another source table has the name; `folded` says which names are one to the warehouse */
export function checkOthers(unit: UnitRecords, id: TableId, name: ReplicaName, folded: (name: ReplicaName) => string): void {
  const own = folded(name);
  for (const other of unit.book.all()) {
    const same = other.connector === unit.sink.connector && other.source === unit.source && tableName(other) === tableName(id);
    if (same || folded(other.replica) !== own) continue;
    throw collision(
      `${tableName(id)} of ${unit.source} and ${tableName(other)} of ${other.source} (sink "${other.connector}") would both be ` +
        `${name.schema}.${name.table} in the replica`,
      id,
    );
  }
}
