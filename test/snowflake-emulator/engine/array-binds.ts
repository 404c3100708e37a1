import { SnowflakeError, unknownForm } from '../snowflake-error.ts';
import type { StatementContext } from './environment.ts';

/**
 * Array binds of an INSERT: one list per placeholder, all of one length, make a table with a column `b1`, `b2`, … per
 * placeholder. Nothing when the binds are single values.
 */
export async function insertBinds(context: StatementContext, rows: number): Promise<string | undefined> {
  const lists = context.binds.flatMap(({ value }): readonly (readonly (string | null)[])[] =>
    value === null || typeof value === 'string' ? [] : [value],
  );
  if (lists.length === 0) return undefined;
  const length = lists[0]?.length ?? 0;
  if (lists.length !== context.binds.length || lists.some((list) => list.length !== length)) {
    throw unknownForm('array binds of different lengths');
  }
  if (rows !== 1) throw unknownForm('array binds of several VALUES rows');
  const { connection } = context.session;
  const columns = lists.map((_, index) => `b${index + 1}`);
  await connection.run(`CREATE TEMP TABLE binds (${columns.map((column) => `${column} VARCHAR`).join(', ')})`);
  for (let at = 0; at < length; at += 100) {
    const part = Array.from({ length: Math.min(100, length - at) }, (_, row) => lists.map((list) => list[at + row] ?? null));
    const placeholders = part.map((row) => `(${row.map(() => '?').join(', ')})`);
    await connection.run(`INSERT INTO binds VALUES ${placeholders.join(', ')}`, part.flat());
  }
  if (length === 0) throw new SnowflakeError('002049', '42601', 'SQL compilation error:\nempty array binds');
  return 'binds';
}
