import { alterColumns, keepsOrder, markUnfit, type AlterChange, type AlteredColumn } from '../altered-columns.ts';
import { cellKind } from '../duckdb/column-mapping.ts';
import { convertColumn, type Conversion } from '../duckdb/type-conversion.ts';
import { recordKey, withSchema, type TableRecord } from '../table-record.ts';
import type { SnowflakeColumn } from './column-mapping.ts';
import { snowflakeConversions } from './conversion-sql.ts';
import { fillSql, isNullDefault, isPlainDefault } from './fill-sql.ts';
import { publish } from './publish.ts';
import { qualified, quoted, type TablePlace } from './sql-text.ts';
import { createTableSql, ownPlace, placeOf, tableWord, type UnitPlan } from './unit-plan.ts';

/**
 * ALTER TABLE: in place where one statement does it, so that readers see the old table or the new one; else the table is
 * built anew beside it and put in its place. Where the server's conversion of the rows cannot be repeated with certainty, the
 * table is marked for a resync.
 */
export async function alterTable(plan: UnitPlan, record: TableRecord, change: AlterChange): Promise<void> {
  const made = await alterColumns(
    plan,
    { record, change },
    {
      columnsOf: plan.columnsOf,
      fill: (column, text) => fillSql(plan.scratch, column, text),
      convert: conversionOf,
    },
  );
  if (made === undefined) return;
  const { before, columns, checks } = made;
  const key = recordKey(record);
  const settled = await settle(plan, key, placeOf(plan, record));
  const isOwn = record.aside !== undefined || plan.hidden.has(key) || settled !== undefined;
  const place = settled ?? placeOf(plan, record);
  if (checks.length > 0) {
    const { rows } = await plan.session.run(
      `SELECT COUNT(*) FROM ${qualified(place)} WHERE ${checks.map((check) => `NOT ${check}`).join(' OR ')}`,
    );
    if (rows[0]?.[0] !== '0') {
      markUnfit(plan, record);
      return;
    }
  }
  const steps = keepsOrder(change.columns) ? inPlaceSteps(before, columns) : undefined;
  const altered = withSchema(record, change.after);
  if (!isOwn && steps !== undefined && steps.length <= 1) {
    plan.redo.push(
      ...steps.map(({ action, column }) => ({
        sql: `ALTER TABLE ${qualified(place)} ${action}`,
        ...(column === undefined ? {} : { done: { kind: 'column' as const, place, column } }),
      })),
    );
    plan.book.set(altered);
    return;
  }
  const built = await build(plan, place, { columns, steps, name: `${record.aside === undefined ? 'NEW' : 'LOAD'}_${plan.nextName()}` });
  if (altered.aside === undefined) {
    plan.book.set(altered);
    publish(plan, { record: altered, from: built });
  } else {
    plan.leftovers.push(placeOf(plan, record));
    plan.book.set({ ...altered, aside: { ...altered.aside, name: built.table } });
  }
}

/**
 * Writes the rows of a table that come before its ALTER in the unit, as chunks of a snapshot may, and rows of records whose
 * definition changes within a transaction: into a copy that nobody knows of yet, so that nothing is lost or written twice when
 * the unit does not come through. Undefined: there are none.
 */
async function settle(plan: UnitPlan, key: string, place: TablePlace): Promise<TablePlace | undefined> {
  const pending = plan.writes.filter((write) => write.key === key);
  if (pending.length === 0) return undefined;
  const copy = ownPlace(plan.sink, `NEW_${plan.nextName()}`);
  await plan.session.run(`CREATE ${tableWord(plan.sink)} ${qualified(copy)} CLONE ${qualified(place)}`);
  for (const write of pending) await write.run(plan.session, copy);
  plan.writes.splice(0, Infinity, ...plan.writes.filter((write) => write.key !== key));
  plan.leftovers.push(copy);
  return copy;
}

const textOfTime = new Set<number>([cellKind.timeText, cellKind.datetimeText, cellKind.timestampText]);

function conversionOf(from: SnowflakeColumn, to: SnowflakeColumn): Conversion | undefined {
  // the text that the server printed is not in a VARIANT any more, and a text has its fraction's digits
  if (from.sqlType === 'VARIANT' && to.sqlType !== 'VARIANT') return undefined;
  if (textOfTime.has(from.kind) && JSON.stringify(from.column.type) !== JSON.stringify(to.column.type)) return undefined;
  return convertColumn(from, to, { value: quoted(from.name), dialect: snowflakeConversions });
}

/** An action of ALTER TABLE. */
interface InPlaceStep {
  readonly action: string;
  /** Of what cannot be repeated: a column that is there afterwards, and was not before. */
  readonly column?: string;
}

/** Actions that make the new columns of the old ones; undefined when Snowflake has none for it. */
function inPlaceSteps(
  before: readonly SnowflakeColumn[],
  columns: readonly AlteredColumn<SnowflakeColumn>[],
): readonly InPlaceStep[] | undefined {
  const kept = new Set(columns.map(({ before: old }) => old));
  const dropped = before.filter((old) => !kept.has(old)).map((old) => quoted(old.name));
  const steps: InPlaceStep[] = dropped.length === 0 ? [] : [{ action: `DROP COLUMN IF EXISTS ${dropped.join(', ')}` }];
  for (const { before: old, after } of columns) {
    if (old === undefined) continue;
    const name = quoted(old.name);
    if (old.sqlType !== after.sqlType) {
      if (!widens(old.sqlType, after.sqlType)) return undefined;
      steps.push({ action: `ALTER COLUMN ${name} SET DATA TYPE ${after.sqlType}` });
    }
    if (old.notNull !== after.notNull) steps.push({ action: `ALTER COLUMN ${name} ${after.notNull ? 'SET' : 'DROP'} NOT NULL` });
  }
  const renamed = columns.filter(({ before: old, after }) => old !== undefined && old.name !== after.name);
  // names may be exchanged: that takes a table that is built anew
  if (renamed.some(({ after }) => before.some(({ name }) => name === after.name))) return undefined;
  for (const { before: old, after } of renamed) {
    steps.push({ action: `RENAME COLUMN ${quoted(old?.name ?? '')} TO ${quoted(after.name)}`, column: after.name });
  }
  const added = columns.filter(({ before: old }) => old === undefined);
  const [first] = added;
  if (first !== undefined) {
    if (!added.every(({ after, sql }) => isPlainDefault(after, sql) && !(after.notNull && isNullDefault(sql)))) return undefined;
    const list = added.map(({ after, sql }) => {
      const fill = isNullDefault(sql) ? '' : ` DEFAULT ${sql}`;
      return `${quoted(after.name)} ${after.sqlType}${fill}${after.notNull ? ' NOT NULL' : ''}`;
    });
    steps.push({ action: `ADD COLUMN ${list.join(', ')}`, column: first.after.name });
  }
  return steps;
}

/** What SET DATA TYPE can do: more digits before the point, a longer text. */
function widens(from: string, to: string): boolean {
  if (from === 'VARCHAR') return to.startsWith('VARCHAR(');
  const [, p1, s1] = /^NUMBER\((\d+),(\d+)\)$/.exec(from) ?? [];
  const [, p2, s2] = /^NUMBER\((\d+),(\d+)\)$/.exec(to) ?? [];
  return p1 !== undefined && p2 !== undefined && s1 === s2 && Number(p2) >= Number(p1);
}

/** Builds the altered table beside the old one: a clone that is altered, or all rows anew. */
async function build(
  plan: UnitPlan,
  old: TablePlace,
  made: {
    readonly columns: readonly AlteredColumn<SnowflakeColumn>[];
    readonly steps: readonly InPlaceStep[] | undefined;
    readonly name: string;
  },
): Promise<TablePlace> {
  const { sink, session } = plan;
  const built = ownPlace(sink, made.name);
  if (made.steps !== undefined) {
    await session.run(`CREATE ${tableWord(sink)} ${qualified(built)} CLONE ${qualified(old)}`);
    for (const { action } of made.steps) await session.run(`ALTER TABLE ${qualified(built)} ${action}`);
    return built;
  }
  const columns = made.columns.map(({ after }) => after);
  await session.run(createTableSql(sink, built, columns));
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const values = made.columns.map(({ sql }) => sql).join(', ');
  await session.run(`INSERT INTO ${qualified(built)} (${names}) SELECT ${values} FROM ${qualified(old)}`);
  return built;
}
