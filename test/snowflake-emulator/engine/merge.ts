import { compileExpression } from '../compile/expression.ts';
import { truth } from '../compile/functions.ts';
import { compileFrom, contextOf } from '../compile/query.ts';
import type { Relation } from '../compile/scope.ts';
import type { Typed } from '../compile/typed.ts';
import { compilationError, SnowflakeError } from '../snowflake-error.ts';
import type { MergeClause } from '../sql/ast.ts';
import type { Merge } from '../sql/statement.ts';
import { columnOf, insertSql, newRow, openTarget, stored, type Target } from './dml.ts';
import type { StatementContext } from './environment.ts';
import { countsResult, type Result, statementTypes } from './result.ts';
import { consumeStreams } from './streams.ts';

/**
 * MERGE. Source and target are joined once into `dml`, with the rows of each relation as one struct column under the
 * relation's name, so that a clause's expressions are the same text over the join and over its stored result; `_k` is
 * the number of the clause that a pair falls under, 0 for none.
 */
export async function runMerge(context: StatementContext, statement: Merge): Promise<Result> {
  const { session } = context;
  const { connection } = session;
  const { clauses } = statement;
  assertReachable(clauses);
  const counts = await session.change(async (transaction) => {
    const target = await openTarget(context, statement.table, statement.alias, transaction);
    const relations: Relation[] = [];
    const source = compileFrom([statement.source], target.environment, relations, undefined);
    const sourceScope = contextOf(target.environment, { relations, alias: undefined, outer: undefined });
    const scope = contextOf(target.environment, { relations: [target.relation, ...relations], alias: undefined, outer: undefined });
    const name = target.relation.duckName;
    const conditions = (matched: boolean): string => clauseNumber(clauses, matched, matched ? scope : sourceScope);
    const kind = `CASE WHEN ${name}._id IS NOT NULL THEN ${conditions(true)} ELSE ${conditions(false)} END AS _k`;
    const join = `FROM ${source} LEFT JOIN ${target.from} ON ${truth(compileExpression(statement.on, scope))}`;
    const rows = [name, ...relations.map((relation) => relation.duckName)];
    const applied = await connection.atomically(async () => {
      await connection.run(`CREATE TEMP TABLE dml AS SELECT ${rows.join(', ')}, ${name}._id AS _id, ${name}._r AS _r, ${kind} ${join}`);
      await assertDeterministic(context, clauses);
      const result = await apply(context, target, clauses, { scope, sourceScope });
      await connection.run('DROP TABLE dml');
      return result;
    });
    consumeStreams(session, transaction);
    return applied;
  });
  const has = (is: string): boolean => clauses.some((clause) => clause.action.is === is);
  return countsResult(statementTypes.merge, {
    ...(has('insert') ? { 'number of rows inserted': counts.inserted } : {}),
    ...(has('update') ? { 'number of rows updated': counts.updated } : {}),
    ...(has('delete') ? { 'number of rows deleted': counts.deleted } : {}),
  });
}

/** Of the clauses for one case only the last may come without a condition. */
function assertReachable(clauses: readonly MergeClause[]): void {
  for (const matched of [true, false]) {
    const same = clauses.filter((clause) => clause.matched === matched);
    if (same.slice(0, -1).some((clause) => clause.condition === undefined)) {
      throw compilationError('002036', '42601', `a WHEN ${matched ? '' : 'NOT '}MATCHED clause comes after one that takes all rows`);
    }
  }
}

type Scoped = ReturnType<typeof contextOf>;

function clauseNumber(clauses: readonly MergeClause[], matched: boolean, scope: Scoped): string {
  const whens = clauses.flatMap((clause, index) => {
    if (clause.matched !== matched) return [];
    const condition = clause.condition === undefined ? 'true' : truth(compileExpression(clause.condition, scope));
    return [`WHEN ${condition} THEN ${index + 1}`];
  });
  return whens.length === 0 ? '0' : `CASE ${whens.join(' ')} ELSE 0 END`;
}

/** One source row may update a target row; several may delete it, if no other one matches a clause. */
async function assertDeterministic(context: StatementContext, clauses: readonly MergeClause[]): Promise<void> {
  const deletes = clauses.flatMap((clause, index) => (clause.action.is === 'delete' ? [index + 1] : []));
  const anyOther = deletes.length === 0 ? 'true' : `bool_or(_k NOT IN (${deletes.join(', ')}))`;
  const [twice] = await context.session.connection.rows(
    `SELECT _r FROM dml WHERE _id IS NOT NULL AND _k > 0 GROUP BY _id, _r HAVING count(*) > 1 AND ${anyOther} LIMIT 1`,
  );
  if (twice === undefined) return;
  throw new SnowflakeError('100090', '42P18', `Duplicate row detected during DML action MERGE\nRow Values: [row ${String(twice[0])}]`);
}

interface Applied {
  inserted: number;
  updated: number;
  deleted: number;
}

async function apply(
  context: StatementContext,
  target: Target,
  clauses: readonly MergeClause[],
  scopes: { scope: Scoped; sourceScope: Scoped },
): Promise<Applied> {
  const { connection } = context.session;
  const { table, environment, transaction, relation } = target;
  const applied: Applied = { inserted: 0, updated: 0, deleted: 0 };
  const changing = clauses.flatMap((clause, index) => (clause.matched ? [index + 1] : []));
  if (changing.length > 0) {
    await connection.run(
      `UPDATE t${table.id} SET _e = ${transaction.stamp} WHERE rowid IN (SELECT _id FROM dml WHERE _k IN (${changing.join(', ')}))`,
    );
  }
  for (const [index, { action }] of clauses.entries()) {
    const from = `FROM dml WHERE _k = ${index + 1}`;
    if (action.is === 'delete') {
      applied.deleted += await connection.number(`SELECT count(DISTINCT _id) ${from}`);
    } else if (action.is === 'update') {
      const set = new Map(
        action.set.map(([name, expr]): [string, Typed] => [columnOf(table, name).name, compileExpression(expr, scopes.scope)]),
      );
      const values = table.columns.map((column, at) => {
        const value = set.get(column.name);
        return value === undefined ? `${relation.duckName}.c${at + 1}` : stored(value, column);
      });
      applied.updated += await connection.run(insertSql(table, transaction.stamp, values, from, '_r'));
    } else {
      const names = action.columns ?? table.columns.map((column) => column.name);
      if (names.length !== action.values.length) {
        throw compilationError(
          '002020',
          '21S01',
          `Insert value list does not match column list expecting ${names.length} but got ${action.values.length}`,
        );
      }
      const given = new Map(
        names.map((name, at): [string, Typed] => [
          columnOf(table, name).name,
          compileExpression(action.values[at] ?? { is: 'null' }, scopes.sourceScope),
        ]),
      );
      applied.inserted += await connection.run(insertSql(table, transaction.stamp, newRow(table, environment, given), from));
    }
  }
  return applied;
}
