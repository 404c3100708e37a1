import type { ColumnOrigin, SchemaChange } from '../event/schema-change.ts';
import type { TableSchema } from '../event/table-schema.ts';
import { writeTarget, type TableRecord } from './table-record.ts';
import { markBroken, usableRecord, type ReplicaColumn, type UnitRecords } from './unit-records.ts';

export type AlterChange = Extract<SchemaChange, { kind: 'alterTable' }>;

/** A column of the altered table: what it becomes, and of what. */
export interface AlteredColumn<Mapped extends ReplicaColumn> {
  readonly after: Mapped;
  readonly before: Mapped | undefined;
  /** Of the old columns. */
  readonly sql: string;
}

export interface AlteredColumns<Mapped extends ReplicaColumn> {
  /** Name of the table that the rows are in. */
  readonly name: string;
  readonly before: readonly Mapped[];
  readonly columns: readonly AlteredColumn<Mapped>[];
  /** True, all of them, for each row whose new values are certain to be the source's. */
  readonly checks: readonly string[];
}

/** What of an ALTER a warehouse says in its own words. */
export interface AlterDialect<Mapped extends ReplicaColumn> {
  columnsOf(record: TableRecord, schema: TableSchema): readonly Mapped[];
  /** The value that rows get in a new column; null is NULL. */
  fill(column: Mapped, text: string | null): Promise<string>;
  /** Undefined: only the server can convert it. */
  convert(from: Mapped, to: Mapped): { readonly sql: string; readonly check?: string } | undefined;
}

/**
 * How each column of the altered table comes about. Undefined: the table stays as it is, since it waits for a resync, or has
 * been marked for one.
 */
export async function alterColumns<Mapped extends ReplicaColumn>(
  unit: UnitRecords,
  { record, change }: { readonly record: TableRecord; readonly change: AlterChange },
  dialect: AlterDialect<Mapped>,
): Promise<AlteredColumns<Mapped> | undefined> {
  const usable = usableRecord(unit, record, change.before);
  const target = usable === undefined ? undefined : writeTarget(usable);
  if (target === undefined) return undefined;
  const before = dialect.columnsOf(record, target.schema);
  const columns: AlteredColumn<Mapped>[] = [];
  const checks: string[] = [];
  for (const [index, after] of dialect.columnsOf(record, change.after).entries()) {
    const origin = change.columns[index];
    const old = origin !== undefined && 'from' in origin ? before[origin.from] : undefined;
    if (old === undefined) {
      const fill = origin !== undefined && 'fill' in origin ? origin.fill : null;
      columns.push({ after, before: undefined, sql: await dialect.fill(after, fill) });
      continue;
    }
    const conversion = dialect.convert(old, after);
    if (conversion === undefined) {
      const reason = `${old.column.name} was changed from ${describe(old)} to ${describe(after)}, which only the server can convert`;
      markBroken(unit, record, reason);
      return undefined;
    }
    if (conversion.check !== undefined) checks.push(`(${conversion.check})`);
    columns.push({ after, before: old, sql: conversion.sql });
  }
  return { name: target.name, before, columns, checks };
}

/** A row does not come through the checks. */
export function markUnfit(unit: UnitRecords, record: TableRecord): void {
  markBroken(unit, record, 'its columns were changed, and rows of it do not fit the new ones as they are');
}

function describe({ column }: ReplicaColumn): string {
  return column.length === undefined ? column.nativeType : `${column.nativeType}(${column.length})`;
}

/** Old columns in their old order, and only then new ones. */
export function keepsOrder(origins: readonly ColumnOrigin[]): boolean {
  let last = -1;
  let added = false;
  for (const origin of origins) {
    if ('from' in origin) {
      if (added || origin.from <= last) return false;
      last = origin.from;
    } else {
      added = true;
    }
  }
  return true;
}
