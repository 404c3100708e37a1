import type { Name } from '../sql/ast.ts';
import type { SfType } from '../sql/sf-type.ts';

/** An expression of DuckDB's, with the type that Snowflake gives it. */
export interface Typed {
  readonly sql: string;
  readonly type: SfType;
}

/** A column of a result; in DuckDB it is `c1`, `c2`, … by its place, since names there know no case. */
export interface OutputColumn {
  readonly name: string;
  readonly type: SfType;
  readonly nullable: boolean;
}

export interface CompiledQuery {
  readonly sql: string;
  readonly columns: readonly OutputColumn[];
}

/** Something to select from: SQL of DuckDB whose columns are `c1`, `c2`, …, then those in `hidden` by their own names. */
export interface Source extends CompiledQuery {
  /** Its full name, for qualified columns. */
  readonly name: Name;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`.replaceAll('\0', "' || chr(0) || '");
}

/** SQL that ends the statement with an error of Snowflake's; `detail` is SQL of a text that replaces `{}` in the message. */
export function raise(code: string, sqlState: string, message: string, detail?: string): string {
  const [before = '', after = ''] = message.split('{}');
  const text =
    detail === undefined ? quoteText(message) : `${quoteText(before)} || left(CAST(${detail} AS VARCHAR), 200) || ${quoteText(after)}`;
  return `error('SF|${code}|${sqlState}|' || ${text} || '|')`;
}
