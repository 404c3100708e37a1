import type { ColumnOrigin, SchemaChange } from '../../event/schema-change.ts';
import { asidePrefix } from '../replica-names.ts';
import { withSchema, writeTarget, type TableRecord } from '../table-record.ts';
import { markBroken, usableRecord } from '../unit-records.ts';
import type { MappedColumn } from './column-mapping.ts';
import { fillLiteral } from './fill-literal.ts';
import { quoted } from './session.ts';
import { columnList, columnsOf, qualifiedTarget, type Transaction } from './transaction.ts';
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
 * ALTER TABLE: in place where it is of one kind, which DuckDB can do in a transaction, and columns keep their order, and the
 * transaction has deleted none of its rows; else by building the table anew, in the source's column order. Where the server's conversion of the rows cannot be repeated with certainty, the table is
 * marked for a resync.
 */
export async function alterTable(tx: Transaction, record: TableRecord, change: AlterChange): Promise<void> {
  // a table that waits for its resync keeps what it has
  const usable = usableRecord(tx, record, change.before);
  const target = usable === undefined ? undefined : writeTarget(usable);
  if (target === undefined) return;
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
    const conversion = convertColumn(old, mapped, { value: quoted(old.column.name) });
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
  const inPlace = keepsOrder(change.columns) && !tx.thinned.has(table);
  const steps = inPlace ? inPlaceSteps(before, columns) : undefined;
  if (steps === undefined) await rebuild(tx, { record, name: target.name }, columns);
  else for (const action of steps.actions) await tx.session.run(`ALTER TABLE ${table} ${action}`);
  const altered = withSchema(record, change.after);
  tx.book.set(steps?.lateNotNull === undefined ? altered : { ...altered, lateNotNull: steps.lateNotNull });
}

function describe({ column }: MappedColumn): string {
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

interface InPlaceSteps {
  readonly actions: readonly string[];
  /** A new column that a later transaction makes NOT NULL. */
  readonly lateNotNull?: string | undefined;
}

/**
 * The actions of ALTER TABLE that make the new columns of the old ones; undefined when they would be of several kinds:
 * DuckDB refuses many sequences in one transaction, some of them only at the commit.
 */
function inPlaceSteps(before: readonly MappedColumn[], columns: readonly AlteredColumn[]): InPlaceSteps | undefined {
  const kept = new Set(columns.map(({ before: old }) => old));
  const drops = before.filter((old) => !kept.has(old)).map((old) => `DROP COLUMN ${quoted(old.column.name)}`);
  const adds: string[] = [];
  let filled = false;
  let lateNotNull: string | undefined;
  const types: string[] = [];
  const nulls: string[] = [];
  const renamed: (readonly [from: string, to: string])[] = [];
  for (const { before: old, after, sql } of columns) {
    const name = quoted(after.column.name);
    if (old === undefined) {
      // no other may be added after one that is filled: the commit would fail
      if (filled) return undefined;
      filled = fillsRows(sql);
      // nor can a column be filled and made NOT NULL in one transaction
      if (after.notNull) {
        if (!filled) return undefined;
        lateNotNull = after.column.name;
      }
      adds.push(`ADD COLUMN ${name} ${after.sqlType} DEFAULT ${sql}`, `ALTER ${name} DROP DEFAULT`);
      continue;
    }
    if (old.column.name !== after.column.name) renamed.push([old.column.name, after.column.name]);
    if (old.sqlType !== after.sqlType) types.push(`ALTER ${name} TYPE ${after.sqlType} USING ${sql}`);
    if (old.notNull !== after.notNull) nulls.push(`ALTER ${name} ${after.notNull ? 'SET' : 'DROP'} NOT NULL`);
  }
  // names may be exchanged
  const renames = [
    ...renamed.map(([from], index) => `RENAME ${quoted(from)} TO ${quoted(asidePrefix + index)}`),
    ...renamed.map(([, to], index) => `RENAME ${quoted(asidePrefix + index)} TO ${quoted(to)}`),
  ];
  const kinds = [drops, adds, types, nulls, renames].filter((actions) => actions.length > 0);
  return kinds.length > 1 ? undefined : { actions: kinds[0] ?? [], lateNotNull };
}

/** Whether a new column's literal gives it a value: a NULL is stored nowhere. */
function fillsRows(sql: string): boolean {
  return !sql.startsWith('CAST(NULL AS ');
}

async function rebuild(
  tx: Transaction,
  { record, name }: { record: TableRecord; name: string },
  columns: readonly AlteredColumn[],
): Promise<void> {
  const old = qualifiedTarget(record, name);
  const built = qualifiedTarget(record, `${asidePrefix}altering_${record.replica.table}`);
  await tx.session.run(`CREATE TABLE ${built} (${columnList(columns.map(({ after }) => after))})`);
  await tx.session.run(`INSERT INTO ${built} SELECT ${columns.map(({ sql }) => sql).join(', ')} FROM ${old}`);
  await tx.session.run(`DROP TABLE ${old}`);
  await tx.session.run(`ALTER TABLE ${built} RENAME TO ${quoted(name)}`);
}
