import type { ColumnOrigin, SchemaChange } from '../../event/schema-change.ts';
import type { TableSchema } from '../../event/table-schema.ts';
import { asidePrefix } from '../replica-names.ts';
import type { TableRecord } from './bookkeeping.ts';
import type { MappedColumn } from './column-mapping.ts';
import { fillLiteral } from './fill-literal.ts';
import { quoted } from './session.ts';
import { columnList, columnsOf, markBroken, qualifiedTarget, writeTarget, type Transaction } from './transaction.ts';
import { convertColumn } from './type-conversion.ts';

type AlterChange = Extract<SchemaChange, { kind: 'alterTable' }>;

/** A column of the altered table: what it becomes, and of what. */
interface AlteredColumn {
  readonly after: MappedColumn;
  readonly before: MappedColumn | undefined;
  /** Of the old columns. */
  readonly sql: string;
}

/**
 * ALTER TABLE: in place where columns keep their order and new ones come last, else by building the table anew, in the
 * source's column order. Where the server's conversion of the rows cannot be repeated with certainty, the table is
 * marked for a resync.
 */
export async function alterTable(tx: Transaction, record: TableRecord, change: AlterChange): Promise<void> {
  const target = writeTarget(record);
  // a table that waits for its resync keeps what it has
  if (target === undefined || record.broken !== undefined) return;
  const before = columnsOf(record, target.schema);
  const after = columnsOf(record, change.after);
  const columns: AlteredColumn[] = [];
  const checks: string[] = [];
  for (const [index, mapped] of after.entries()) {
    const origin = change.columns[index];
    const old = origin !== undefined && 'from' in origin ? before[origin.from] : undefined;
    if (old === undefined) {
      const fill = origin !== undefined && 'fill' in origin ? origin.fill : null;
      columns.push({ after: mapped, before: undefined, sql: await fillLiteral(tx.session, mapped, fill) });
      continue;
    }
    const conversion = convertColumn(old, mapped, quoted(old.column.name));
    if (conversion === undefined) {
      const reason = `${old.column.name} was changed from ${describe(old)} to ${describe(mapped)}, which only the server can convert`;
      markBroken(tx, record, reason);
      return;
    }
    if (conversion.check !== undefined) checks.push(`(${conversion.check})`);
    columns.push({ after: mapped, before: old, sql: conversion.sql });
  }
  const table = qualifiedTarget(record, target.name);
  if (checks.length > 0) {
    const [row] = await tx.session.rows(`SELECT coalesce(bool_and(${checks.join(' AND ')}), true) FROM ${table}`);
    if (row?.[0] !== true) {
      markBroken(tx, record, 'its columns were changed, and rows of it do not fit the new ones as they are');
      return;
    }
  }
  if (keepsOrder(change.columns)) await alterInPlace(tx, table, before, columns);
  else await rebuild(tx, { record, name: target.name }, columns);
  tx.book.set(withSchema(record, change.after));
}

/** The record with another definition of the table that changes go to. */
export function withSchema(record: TableRecord, schema: TableSchema): TableRecord {
  return record.aside === undefined ? { ...record, live: schema } : { ...record, aside: { ...record.aside, schema } };
}

function describe({ column }: MappedColumn): string {
  return column.length === undefined ? column.nativeType : `${column.nativeType}(${column.length})`;
}

/** Old columns in their old order, and only then new ones. */
function keepsOrder(origins: readonly ColumnOrigin[]): boolean {
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

async function alterInPlace(tx: Transaction, table: string, before: readonly MappedColumn[], columns: readonly AlteredColumn[]): Promise<void> {
  const run = (action: string): Promise<number> => tx.session.run(`ALTER TABLE ${table} ${action}`);
  // types first: their expressions have the old names
  for (const { before: old, after, sql } of columns) {
    if (old === undefined) continue;
    const name = quoted(old.column.name);
    if (old.notNull && !after.notNull) await run(`ALTER ${name} DROP NOT NULL`);
    if (old.sqlType !== after.sqlType) await run(`ALTER ${name} TYPE ${after.sqlType} USING ${sql}`);
    if (!old.notNull && after.notNull) await run(`ALTER ${name} SET NOT NULL`);
  }
  const kept = new Set(columns.map(({ before: old }) => old));
  const dropped = before.filter((old) => !kept.has(old));
  const renamed = columns.filter(({ before: old, after }) => old !== undefined && old.column.name !== after.column.name);
  // names may be exchanged, and a dropped column may be the table's last: both go by names of our own
  for (const [index, { before: old }] of renamed.entries()) {
    if (old !== undefined) await run(`RENAME ${quoted(old.column.name)} TO ${quoted(asidePrefix + index)}`);
  }
  for (const [index, old] of dropped.entries()) await run(`RENAME ${quoted(old.column.name)} TO ${quoted(`${asidePrefix}dropped_${index}`)}`);
  for (const [index, { after }] of renamed.entries()) await run(`RENAME ${quoted(asidePrefix + index)} TO ${quoted(after.column.name)}`);
  for (const { before: old, after, sql } of columns) {
    if (old !== undefined) continue;
    const name = quoted(after.column.name);
    await run(`ADD COLUMN ${name} ${after.sqlType} DEFAULT ${sql}`);
    await run(`ALTER ${name} DROP DEFAULT`);
    if (after.notNull) await run(`ALTER ${name} SET NOT NULL`);
  }
  for (const index of dropped.keys()) await run(`DROP COLUMN ${quoted(`${asidePrefix}dropped_${index}`)}`);
}

async function rebuild(tx: Transaction, { record, name }: { record: TableRecord; name: string }, columns: readonly AlteredColumn[]): Promise<void> {
  const old = qualifiedTarget(record, name);
  const built = qualifiedTarget(record, `${asidePrefix}altering_${record.replica.table}`);
  await tx.session.run(`CREATE TABLE ${built} (${columnList(columns.map(({ after }) => after))})`);
  await tx.session.run(`INSERT INTO ${built} SELECT ${columns.map(({ sql }) => sql).join(', ')} FROM ${old}`);
  await tx.session.run(`DROP TABLE ${old}`);
  await tx.session.run(`ALTER TABLE ${built} RENAME TO ${quoted(name)}`);
}
