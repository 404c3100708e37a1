import { compileQuery } from '../compile/query.ts';
import { unknownForm } from '../snowflake-error.ts';
import { parseStatement } from '../sql/parse-statement.ts';
import type { Statement } from '../sql/statement.ts';
import { insertSql, stored } from './dml.ts';
import { environmentOf, type StatementContext } from './environment.ts';
import { type Result, statusResult } from './result.ts';

/** A dynamic table is made anew when it is told to, and never by the time that goes by: a reader may find it behind. */
export async function alterDynamicTable(
  context: StatementContext,
  statement: Extract<Statement, { is: 'alterDynamicTable' }>,
): Promise<Result> {
  const { session } = context;
  await session.commit();
  const table = session.catalog.get('table', statement.name, session);
  const { dynamic } = table;
  if (dynamic === undefined) throw unknownForm(`ALTER DYNAMIC TABLE of a table (${table.name})`);
  if (statement.action !== 'REFRESH') return statusResult('Statement executed successfully.');
  const parsed = parseStatement(dynamic.text, { quotedIgnoreCase: false });
  if (parsed.is !== 'query') throw new Error('a dynamic table that is no query');
  const { query } = parsed;
  const here = { database: session.database, schema: session.schema };
  session.database = dynamic.database;
  session.schema = dynamic.schema;
  try {
    await session.change(async (transaction) => {
      await session.account.locks.acquire(table.id, transaction, session.waitOptions(table.name, context.signal));
      transaction.tables.add(table.id);
      const found = compileQuery(query, environmentOf(context, transaction));
      const values = table.columns.map((column, index) =>
        stored({ sql: `s.c${index + 1}`, type: found.columns[index]?.type ?? column.type }, column),
      );
      await session.connection.atomically(async () => {
        await session.connection.run(`UPDATE t${table.id} SET _e = ${transaction.stamp} WHERE _e IS NULL`);
        await session.connection.run(insertSql(table, transaction.stamp, values, `FROM (${found.sql}) s`));
      });
    });
  } finally {
    session.database = here.database;
    session.schema = here.schema;
  }
  return statusResult('Statement executed successfully.');
}
