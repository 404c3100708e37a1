import type { SchemaChange } from '../../event/schema-change.ts';
import { keepsOrder } from '../duckdb/alter-table.ts';
import { cellKind } from '../duckdb/column-mapping.ts';
import { convertColumn, type Conversion } from '../duckdb/type-conversion.ts';
import { withSchema, writeTarget, type TableRecord } from '../table-record.ts';
import { markBroken, usableRecord } from '../unit-records.ts';
import type { SnowflakeColumn } from './column-mapping.ts';
import { snowflakeConversions } from './conversion-sql.ts';
import { fillSql, isNullDefault, isPlainDefault } from './fill-sql.ts';
import type { RedoStep } from './redo.ts';
import { qualified, quoted, type TablePlace } from './sql-text.ts';
import { createTableSql, livePlace, ownPlace, placeOf, tableWord, type UnitPlan } from './unit-plan.ts';

type AlterChange = Extract<SchemaChange, { kind: 'alterTable' }>;

/** A column of the altered table: what it becomes, and of what. */
interface AlteredColumn {
  readonly after: SnowflakeColumn;
  readonly before: SnowflakeColumn | undefined;
  /** Of the old columns. */
  readonly sql: string;
}

/**
 * ALTER TABLE: in place where one statement does it, so that readers see the old table or the new one; else the table is
 * built anew beside it and put in its place. Where the server's conversion of the rows cannot be repeated with certainty, the
 * table is marked for a resync.
 */
export async function alterTable(plan: UnitPlan, record: TableRecord, change: AlterChange): Promise<void> {
  // a table that waits for its resync keeps what it has
  const usable = usableRecord(plan, record, change.before);
  const target = usable === undefined ? undefined : writeTarget(usable);
  if (target === undefined) return;
  const before = plan.columnsOf(record, target.schema);
  const after = plan.columnsOf(record, change.after);
  const columns: AlteredColumn[] = [];
  const checks: string[] = [];
  for (const [index, mapped] of after.entries()) {
    const origin = change.columns[index];
    const old = origin !== undefined && 'from' in origin ? before[origin.from] : undefined;
    if (old === undefined) {
      const fill = origin !== undefined && 'fill' in origin ? origin.fill : null;
      columns.push({ after: mapped, before: undefined, sql: await fillSql(plan.scratch, mapped, fill) });
      continue;
    }
    const conversion = conversionOf(old, mapped);
    if (conversion === undefined) {
      const reason = `${old.column.name} was changed from ${old.column.nativeType} to ${mapped.column.nativeType}, which only the server can convert`;
      markBroken(plan, record, reason);
      return;
    }
    if (conversion.check !== undefined) checks.push(`NOT (${conversion.check})`);
    columns.push({ after: mapped, before: old, sql: conversion.sql });
  }
  const place = placeOf(plan, record);
  if (checks.length > 0) {
    const { rows } = await plan.session.run(`SELECT COUNT(*) FROM ${qualified(place)} WHERE ${checks.join(' OR ')}`);
    if (rows[0]?.[0] !== '0') {
      markBroken(plan, record, 'its columns were changed, and rows of it do not fit the new ones as they are');
      return;
    }
  }
  const steps = keepsOrder(change.columns) ? inPlaceSteps(place, before, columns) : undefined;
  const altered = withSchema(record, change.after);
  if (steps === undefined) plan.book.set(await rebuild(plan, altered, place, columns));
  else {
    plan.redo.push(...steps);
    plan.book.set(altered);
  }
}

const textOfTime = new Set<number>([cellKind.timeText, cellKind.datetimeText, cellKind.timestampText]);

function conversionOf(from: SnowflakeColumn, to: SnowflakeColumn): Conversion | undefined {
  // the text that the server printed is not in a VARIANT any more, and a text has its fraction's digits
  if (from.sqlType === 'VARIANT' && to.sqlType !== 'VARIANT') return undefined;
  if (textOfTime.has(from.kind) && JSON.stringify(from.column.type) !== JSON.stringify(to.column.type)) return undefined;
  return convertColumn(from, to, { value: quoted(from.name), dialect: snowflakeConversions });
}

/** One statement that makes the new columns of the old ones, or none; undefined when it takes several. */
function inPlaceSteps(
  place: TablePlace,
  before: readonly SnowflakeColumn[],
  columns: readonly AlteredColumn[],
): readonly RedoStep[] | undefined {
  const table = `ALTER TABLE ${qualified(place)}`;
  const kept = new Set(columns.map(({ before: old }) => old));
  const dropped = before.filter((old) => !kept.has(old)).map((old) => quoted(old.name));
  const steps: RedoStep[] = dropped.length === 0 ? [] : [{ sql: `${table} DROP COLUMN IF EXISTS ${dropped.join(', ')}` }];
  const added = columns.filter(({ before: old }) => old === undefined);
  const [first] = added;
  if (first !== undefined) {
    if (!added.every(({ after, sql }) => isPlainDefault(after, sql) && !(after.notNull && isNullDefault(sql)))) return undefined;
    const list = added.map(({ after, sql }) => {
      const fill = isNullDefault(sql) ? '' : ` DEFAULT ${sql}`;
      return `${quoted(after.name)} ${after.sqlType}${fill}${after.notNull ? ' NOT NULL' : ''}`;
    });
    steps.push({ sql: `${table} ADD COLUMN ${list.join(', ')}`, done: { kind: 'column', place, column: first.after.name } });
  }
  for (const { before: old, after } of columns) {
    if (old === undefined) continue;
    const name = quoted(after.name);
    if (old.name !== after.name) {
      steps.push({
        sql: `${table} RENAME COLUMN ${quoted(old.name)} TO ${name}`,
        done: { kind: 'column', place, column: after.name },
      });
    }
    if (old.sqlType !== after.sqlType) {
      if (!widens(old.sqlType, after.sqlType)) return undefined;
      steps.push({ sql: `${table} ALTER COLUMN ${name} SET DATA TYPE ${after.sqlType}` });
    }
    if (old.notNull !== after.notNull) steps.push({ sql: `${table} ALTER COLUMN ${name} ${after.notNull ? 'SET' : 'DROP'} NOT NULL` });
  }
  return steps.length > 1 ? undefined : steps;
}

/** What SET DATA TYPE can do: more digits before the point, a longer text. */
function widens(from: string, to: string): boolean {
  if (from === 'VARCHAR') return to.startsWith('VARCHAR(');
  const [, p1, s1] = /^NUMBER\((\d+),(\d+)\)$/.exec(from) ?? [];
  const [, p2, s2] = /^NUMBER\((\d+),(\d+)\)$/.exec(to) ?? [];
  return p1 !== undefined && p2 !== undefined && s1 === s2 && Number(p2) >= Number(p1);
}

/** Builds the altered table beside the old one; the record that then holds. */
async function rebuild(plan: UnitPlan, altered: TableRecord, old: TablePlace, columns: readonly AlteredColumn[]): Promise<TableRecord> {
  const { sink } = plan;
  const isAside = altered.aside !== undefined;
  const built = ownPlace(sink, `${isAside ? 'LOAD' : 'NEW'}_${plan.nextName()}`);
  await plan.session.run(
    createTableSql(
      sink,
      built,
      columns.map(({ after }) => after),
    ),
  );
  const names = columns.map(({ after }) => quoted(after.name)).join(', ');
  const values = columns.map(({ sql }) => sql).join(', ');
  await plan.session.run(`INSERT INTO ${qualified(built)} (${names}) SELECT ${values} FROM ${qualified(old)}`);
  if (altered.aside !== undefined) {
    plan.leftovers.push(old);
    return { ...altered, aside: { ...altered.aside, name: built.table } };
  }
  plan.leftovers.push(built);
  const live = qualified(livePlace(sink, altered));
  plan.redo.push({ sql: `CREATE OR REPLACE ${tableWord(sink)} ${live} CLONE ${qualified(built)} COPY GRANTS` });
  return altered;
}
