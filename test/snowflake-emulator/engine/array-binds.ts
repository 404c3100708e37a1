import { open } from 'node:fs/promises';
import { quoteText } from '../compile/typed.ts';
import { SnowflakeError, unknownForm } from '../snowflake-error.ts';
import type { Expr } from '../sql/ast.ts';
import type { StatementContext } from './environment.ts';

/**
 * Array binds of an INSERT: one list per placeholder, all of one length, or files of CSV in the stage that the driver
 * has made for them, become a table with a column `b1`, `b2`, … per placeholder. Nothing when the binds are single values.
 */
export async function insertBinds(context: StatementContext, rows: readonly (readonly Expr[])[]): Promise<string | undefined> {
  if (context.bindStage !== undefined) return stagedBinds(context, context.bindStage, rows);
  const lists = context.binds.flatMap(({ value }): readonly (readonly (string | null)[])[] =>
    value === null || typeof value === 'string' ? [] : [value],
  );
  if (lists.length === 0) return undefined;
  const length = lists[0]?.length ?? 0;
  if (lists.length !== context.binds.length || lists.some((list) => list.length !== length)) {
    throw unknownForm('array binds of different lengths');
  }
  if (rows.length !== 1) throw unknownForm('array binds of several VALUES rows');
  if (length === 0) throw new SnowflakeError('002049', '42601', 'SQL compilation error:\nempty array binds');
  const { connection } = context.session;
  await connection.run(`CREATE TEMP TABLE binds (${lists.map((_, index) => `b${index + 1} VARCHAR`).join(', ')})`);
  for (let at = 0; at < length; at += 100) {
    const part = Array.from({ length: Math.min(100, length - at) }, (_, row) => lists.map((list): string | null => list[at + row] ?? null));
    const placeholders = part.map((row) => `(${row.map(() => '?').join(', ')})`);
    await connection.run(`INSERT INTO binds VALUES ${placeholders.join(', ')}`, part.flat());
  }
  return 'binds';
}

async function stagedBinds(context: StatementContext, bindStage: string, rows: readonly (readonly Expr[])[]): Promise<string> {
  const { session } = context;
  const [, name = '', path = ''] = /^@([\w$]+)\/(.*)$/.exec(bindStage) ?? [];
  const stage = session.catalog.find('stage', [name], session);
  if (stage?.kind !== 'stage') throw unknownForm(`binds in ${bindStage}`);
  const files = await session.account.files.list(stage.id, `${path}/`);
  const columns = Array.from({ length: countPlaceholders(rows) }, (_, index) => `'b${index + 1}': 'VARCHAR'`);
  const reads = await Promise.all(
    files.map(async ({ file }) => {
      const compression = (await isGzip(file)) ? 'gzip' : 'none';
      const options = `header = false, delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, auto_detect = false`;
      return `SELECT * FROM read_csv(${quoteText(file)}, columns = {${columns.join(', ')}}, compression = '${compression}', ${options})`;
    }),
  );
  await session.connection.run(`CREATE TEMP TABLE binds AS ${reads.join(' UNION ALL ')}`);
  return 'binds';
}

/** The number of `?` in the values. */
function countPlaceholders(rows: readonly (readonly Expr[])[]): number {
  const indexes = [...JSON.stringify(rows).matchAll(/"is":"bind","index":(\d+)/g)].map(([, index]) => Number(index));
  return Math.max(0, ...indexes);
}

async function isGzip(file: string): Promise<boolean> {
  await using handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return buffer[0] === 0x1f && buffer[1] === 0x8b;
}
