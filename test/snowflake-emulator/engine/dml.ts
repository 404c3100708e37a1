import { assign } from '../compile/cast.ts';
import { compileExpression } from '../compile/expression.ts';
import { truth } from '../compile/functions.ts';
import { compileFrom, compileQuery, contextOf } from '../compile/query.ts';
import type { Environment, Relation } from '../compile/scope.ts';
import { assertListLength } from '../compile/operators.ts';
import { raise, type Typed } from '../compile/typed.ts';
import { compilationError, SnowflakeError, unknownForm } from '../snowflake-error.ts';
import type { Expr, FromItem, Name } from '../sql/ast.ts';
import { duckType } from '../sql/sf-type.ts';
import type { Delete, Insert, Update } from '../sql/statement.ts';
import { insertBinds } from './array-binds.ts';
import { assertZone, environmentOf, fullNameOf, type StatementContext } from './environment.ts';
import type { Column, TableObject } from './objects.ts';
import type { Session } from './session.ts';
import { countsResult, type Result, statementTypes } from './result.ts';
import { consumeStreams } from './streams.ts';
import type { Transaction } from './transaction.ts';
import { tableSource } from './versions.ts';

/** A table to be written, seen as the statement sees it, after its lock. */
export interface Target {
  readonly table: TableObject;
  readonly environment: Environment;
  readonly transaction: Transaction;
  /** The target in a FROM clause; its stored rows are `_id` and `_r` of `relation`. */
  readonly from: string;
  readonly relation: Relation;
}

/** A table that DML may change: a dynamic one changes by its query alone. */
export function writable(session: Session, name: Name): TableObject {
  const table = session.catalog.get('table', name, session);
  if (table.dynamic !== undefined) throw compilationError('001003', '42000', `the dynamic table '${table.name}' cannot be written`);
  return table;
}

/** @throws SnowflakeError when another transaction keeps the lock for too long */
export async function openTarget(
  context: StatementContext,
  name: Name,
  alias: string | undefined,
  transaction: Transaction,
): Promise<Target> {
  const { session } = context;
  const found = writable(session, name);
  await session.account.locks.acquire(found.id, transaction, session.waitOptions(found.name, context.signal));
  // What has waited may find the table gone, or altered.
  const table = session.catalog.get('table', name, session);
  if (table.id !== found.id) throw unknownForm('a table that was replaced while its lock was waited for');
  assertZone(session, table.columns);
  transaction.tables.add(table.id);
  const environment = environmentOf(context, transaction);
  const source = tableSource(table, fullNameOf(session, table), session.view(transaction));
  const duckName = environment.nextAlias();
  const relation: Relation = { alias, name: source.name, duckName, columns: source.columns };
  return { table, environment, transaction, from: `(${source.sql}) ${duckName}`, relation };
}

export function columnOf(table: TableObject, name: string): Column {
  const column = table.columns.find((each) => each.name === name);
  if (column === undefined) throw compilationError('000904', '42000', `invalid identifier '${name}'`);
  return column;
}

/** What is stored: of the column's type, and never NULL where that is forbidden. */
export function stored(value: Typed, column: Column): string {
  const { sql } = assign(value, column.type, column.name);
  if (column.nullable) return sql;
  const failure = raise('100072', '22000', `NULL result in a non-nullable column`);
  return `CASE WHEN (${sql}) IS NULL THEN ${failure} ELSE ${sql} END`;
}

export function defaultOf(column: Column, environment: Environment): Typed {
  if (column.defaultValue === undefined) return { sql: `CAST(NULL AS ${duckType(column.type)})`, type: column.type };
  return compileExpression(column.defaultValue, contextOf(environment, { relations: [], alias: undefined, outer: undefined }));
}

/** The stored values of a new row, in the order of the table's columns. */
export function newRow(table: TableObject, environment: Environment, given: ReadonlyMap<string, Typed>): readonly string[] {
  return table.columns.map((column) => stored(given.get(column.name) ?? defaultOf(column, environment), column));
}

/** Inserts the rows of a SELECT list; `_r` is a new id unless the rows are new states of old ones. */
export function insertSql(table: TableObject, stamp: number, values: readonly string[], from: string, rowId?: string): string {
  const columns = [...table.columns.map((column) => `c${column.id}`), '_r', '_b', '_o'].join(', ');
  const id = rowId ?? "nextval('sys_row')";
  return `INSERT INTO t${table.id} (${columns}) SELECT ${[...values, id, String(stamp), rowId === undefined ? 'true' : 'false'].join(', ')} ${from}`;
}

export async function runInsert(context: StatementContext, statement: Insert): Promise<Result> {
  const { session } = context;
  const result = await session.change(async (transaction) => {
    const table = writable(session, statement.table);
    assertZone(session, table.columns);
    if (statement.overwrite) throw unknownForm('INSERT OVERWRITE');
    transaction.tables.add(table.id);
    const columns = statement.columns ?? table.columns.map((column) => column.name);
    if (new Set(columns).size !== columns.length) throw compilationError('002021', '42601', 'duplicate column name in INSERT');
    for (const name of columns) columnOf(table, name);
    const count = await session.connection.atomically(async () => {
      const { body } = statement.query;
      if (body.is === 'values') return insertValues(context, transaction, table, columns, body.rows);
      const environment = environmentOf(context, transaction);
      const query = compileQuery(statement.query, environment);
      assertWidth(columns.length, query.columns.length);
      const given = new Map(
        columns.map((name, index): [string, Typed] => [
          name,
          { sql: `s.c${index + 1}`, type: query.columns[index]?.type ?? { kind: 'null' } },
        ]),
      );
      return session.connection.run(insertSql(table, transaction.stamp, newRow(table, environment, given), `FROM (${query.sql}) s`));
    });
    consumeStreams(session, transaction);
    return count;
  });
  return countsResult(statementTypes.insert, { 'number of rows inserted': result });
}

function assertWidth(expected: number, found: number): void {
  if (expected !== found) {
    throw compilationError('002020', '21S01', `Insert value list does not match column list expecting ${expected} but got ${found}`);
  }
}

/** Semi-structured functions and subqueries may not stand in a VALUES clause. */
function assertPlainValue(expr: Expr): void {
  const refused = /^(PARSE_JSON|TRY_PARSE_JSON|TO_VARIANT|TO_OBJECT|TO_ARRAY|OBJECT_CONSTRUCT|OBJECT_CONSTRUCT_KEEP_NULL|ARRAY_CONSTRUCT)$/;
  if (expr.is === 'scalar' || (expr.is === 'call' && refused.test(expr.name))) {
    throw compilationError('002014', '22000', `Invalid expression [${expr.is === 'call' ? expr.name : 'SELECT'}(…)] in VALUES clause`);
  }
  if (expr.is === 'cast') {
    if (['variant', 'object', 'array'].includes(expr.type.kind)) {
      throw compilationError('002014', '22000', 'Invalid expression [CAST(… AS VARIANT)] in VALUES clause');
    }
    assertPlainValue(expr.operand);
  }
}

async function insertValues(
  context: StatementContext,
  transaction: Transaction,
  table: TableObject,
  columns: readonly string[],
  rows: readonly (readonly Expr[])[],
): Promise<number> {
  const { connection } = context.session;
  assertListLength(rows.length);
  for (const row of rows) {
    assertWidth(columns.length, row.length);
    row.forEach(assertPlainValue);
  }
  const bindTable = await insertBinds(context, rows);
  const environment = environmentOf(bindTable === undefined ? context : { ...context, bindTable }, transaction);
  const scope = contextOf(environment, { relations: [], alias: undefined, outer: undefined });
  let count = 0;
  for (let at = 0; at < rows.length; at += 200) {
    const selects = rows.slice(at, at + 200).map((row) => {
      const given = new Map(columns.map((name, index): [string, Typed] => [name, compileExpression(row[index] ?? { is: 'null' }, scope)]));
      return `SELECT ${newRow(table, environment, given)
        .map((sql, index) => `${sql} AS v${index}`)
        .join(', ')}${bindTable === undefined ? '' : ` FROM ${bindTable}`}`;
    });
    const values = table.columns.map((_, index) => `u.v${index}`);
    count += await connection.run(insertSql(table, transaction.stamp, values, `FROM (${selects.join(' UNION ALL ')}) u`));
  }
  if (bindTable !== undefined) await connection.run(`DROP TABLE ${bindTable}`);
  return count;
}

export async function runUpdate(context: StatementContext, statement: Update): Promise<Result> {
  const { session } = context;
  const { connection } = session;
  const count = await session.change(async (transaction) => {
    const target = await openTarget(context, statement.table, statement.alias, transaction);
    const { table, relation } = target;
    const { from, scope } = joined(target, statement.from);
    const set = new Map(statement.set.map(([name, expr]): [string, Typed] => [columnOf(table, name).name, compileExpression(expr, scope)]));
    if (set.size !== statement.set.length) throw compilationError('002021', '42601', 'duplicate column name in SET');
    const values = table.columns.map((column, index) => {
      const value = set.get(column.name);
      return `${value === undefined ? `${relation.duckName}.c${index + 1}` : stored(value, column)} AS v${index}`;
    });
    const where = statement.where === undefined ? '' : `WHERE ${truth(compileExpression(statement.where, scope))}`;
    const changed = await connection.atomically(async () => {
      await connection.run(
        `CREATE TEMP TABLE dml AS SELECT ${[...values, `${relation.duckName}._id`, `${relation.duckName}._r`].join(', ')} FROM ${from} ${where}`,
      );
      await assertSingle(context, 'dml', 'UPDATE');
      await connection.run(`UPDATE t${table.id} SET _e = ${transaction.stamp} WHERE rowid IN (SELECT _id FROM dml)`);
      const rows = await connection.run(
        insertSql(
          table,
          transaction.stamp,
          table.columns.map((_, index) => `v${index}`),
          'FROM dml',
          '_r',
        ),
      );
      await connection.run('DROP TABLE dml');
      return rows;
    });
    consumeStreams(session, transaction);
    return changed;
  });
  return countsResult(statementTypes.update, { 'number of rows updated': count, 'number of multi-joined rows updated': 0 });
}

/** A row that is written twice has no state that is sure: Snowflake's ERROR_ON_NONDETERMINISTIC_… */
export async function assertSingle(context: StatementContext, duckTable: string, action: string): Promise<void> {
  const [twice] = await context.session.connection.rows(`SELECT _r FROM ${duckTable} GROUP BY _id, _r HAVING count(*) > 1 LIMIT 1`);
  if (twice === undefined) return;
  throw new SnowflakeError('100090', '42P18', `Duplicate row detected during DML action ${action}\nRow Values: [row ${String(twice[0])}]`);
}

function joined(target: Target, items: readonly FromItem[]): { readonly from: string; readonly scope: ReturnType<typeof contextOf> } {
  const relations: Relation[] = [target.relation];
  const others = items.length === 0 ? '' : `, ${compileFrom(items, target.environment, relations, undefined)}`;
  return { from: target.from + others, scope: contextOf(target.environment, { relations, alias: undefined, outer: undefined }) };
}

export async function runDelete(context: StatementContext, statement: Delete): Promise<Result> {
  const { session } = context;
  const { connection } = session;
  const count = await session.change(async (transaction) => {
    const target = await openTarget(context, statement.table, statement.alias, transaction);
    const { from, scope } = joined(target, statement.using);
    const where = statement.where === undefined ? '' : `WHERE ${truth(compileExpression(statement.where, scope))}`;
    const ids = `SELECT ${target.relation.duckName}._id FROM ${from} ${where}`;
    const deleted = await connection.atomically(() =>
      connection.run(`UPDATE t${target.table.id} SET _e = ${transaction.stamp} WHERE rowid IN (${ids})`),
    );
    consumeStreams(session, transaction);
    return deleted;
  });
  return countsResult(statementTypes.delete, { 'number of rows deleted': count });
}
