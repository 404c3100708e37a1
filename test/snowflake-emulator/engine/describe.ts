import type { Expr } from '../sql/ast.ts';
import { typeText } from '../sql/sf-type.ts';
import type { Statement } from '../sql/statement.ts';
import { unknownForm } from '../snowflake-error.ts';
import { environmentOf, type StatementContext } from './environment.ts';
import type { Column } from './objects.ts';
import { type Result, tableResult } from './result.ts';

const names = ['name', 'type', 'kind', 'null?', 'default', 'primary key', 'unique key', 'check', 'expression', 'comment', 'policy name'];

/** The columns of a table, or of a view as its query gives them now. */
export function runDescribe(context: StatementContext, statement: Extract<Statement, { is: 'describe' }>): Result {
  const { session } = context;
  if (statement.kind === 'VIEW') {
    session.catalog.get('view', statement.name, session);
    const { columns } = environmentOf(context, session.transaction).table(statement.name, undefined);
    return tableResult(
      names,
      columns.map((column) => described(column, false)),
    );
  }
  if (statement.kind !== 'TABLE') throw unknownForm(`DESCRIBE ${statement.kind}`);
  const table = session.catalog.get('table', statement.name, session);
  return tableResult(
    names,
    table.columns.map((column) => described(column, table.primaryKey.includes(column.name))),
  );
}

function described(column: Omit<Column, 'id'>, primaryKey: boolean): readonly (string | null)[] {
  const { name, type, nullable, defaultValue, comment } = column;
  const written = defaultValue === undefined ? null : defaultText(defaultValue);
  return [name, typeText(type), 'COLUMN', nullable ? 'Y' : 'N', written, primaryKey ? 'Y' : 'N', 'N', null, null, comment ?? null, null];
}

function defaultText(value: Expr): string {
  return 'value' in value ? String(value.value) : value.is;
}
