import { alterColumns, keepsOrder, markUnfit, type AlterChange, type AlteredColumn } from '../altered-columns.ts';
import { asidePrefix } from '../replica-names.ts';
import { withSchema, type TableRecord } from '../table-record.ts';
import type { MappedColumn } from './column-mapping.ts';
import { fillLiteral } from './fill-literal.ts';
import { quoted } from './session.ts';
import { columnList, columnsOf, qualifiedTarget, type Transaction } from './transaction.ts';
import { convertColumn } from './type-conversion.ts';

/**
 * ALTER TABLE: in place where it is of one kind, which DuckDB can do in a transaction, and columns keep their order, and the
 * transaction has deleted none of its rows; else by building the table anew, in the source's column order. Where the server's conversion of the rows cannot be repeated with certainty, the table is
 * marked for a resync.
 */
export async function alterTable(tx: Transaction, record: TableRecord, change: AlterChange): Promise<void> {
  const made = await alterColumns(
    tx,
    { record, change },
    {
      columnsOf,
      fill: (column, text) => fillLiteral(tx.session, column, text),
      convert: (from, to) => convertColumn(from, to, { value: quoted(from.column.name) }),
    },
  );
  if (made === undefined) return;
  const { before, columns, checks, name } = made;
  const table = qualifiedTarget(record, name);
  if (checks.length > 0) {
    const [row] = await tx.session.rows(`SELECT coalesce(bool_and(${checks.join(' AND ')}), true) FROM ${table}`);
    if (row?.[0] !== true) {
      markUnfit(tx, record);
      return;
    }
  }
  const inPlace = keepsOrder(change.columns) && !tx.thinned.has(table);
  const steps = inPlace ? inPlaceSteps(before, columns) : undefined;
  if (steps === undefined) await rebuild(tx, { record, name }, columns);
  else for (const action of steps.actions) await tx.session.run(`ALTER TABLE ${table} ${action}`);
  const altered = withSchema(record, change.after);
  tx.book.set(steps?.lateNotNull === undefined ? altered : { ...altered, lateNotNull: steps.lateNotNull });
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
function inPlaceSteps(before: readonly MappedColumn[], columns: readonly AlteredColumn<MappedColumn>[]): InPlaceSteps | undefined {
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
  columns: readonly AlteredColumn<MappedColumn>[],
): Promise<void> {
  const old = qualifiedTarget(record, name);
  const built = qualifiedTarget(record, `${asidePrefix}altering_${record.replica.table}`);
  await tx.session.run(`CREATE TABLE ${built} (${columnList(columns.map(({ after }) => after))})`);
  await tx.session.run(`INSERT INTO ${built} SELECT ${columns.map(({ sql }) => sql).join(', ')} FROM ${old}`);
  await tx.session.run(`DROP TABLE ${old}`);
  await tx.session.run(`ALTER TABLE ${built} RENAME TO ${quoted(name)}`);
}
