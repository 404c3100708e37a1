import type { Column } from '../../event/table-schema.ts';
import { printFill } from '../duckdb/fill-literal.ts';
import type { Scratch } from '../duckdb/scratch.ts';
import type { SnowflakeColumn } from './column-mapping.ts';
import { literal } from './sql-text.ts';

/** SQL of a literal default (the server's text, as `Column.defaultText`): it is read the way of all values, then printed. */
export async function fillSql(scratch: Scratch, column: SnowflakeColumn, text: string | null): Promise<string> {
  const { sqlType, staged } = column;
  const printed = text === null ? null : await scratch.use((session) => printFill(session, staged, text));
  if (printed === null) return `CAST(NULL AS ${sqlType})`;
  if (sqlType.startsWith('NUMBER')) return printed;
  if (sqlType === 'BOOLEAN') return printed.toUpperCase();
  if (sqlType.startsWith('VARCHAR')) return literal(printed);
  if (sqlType === 'VARIANT') return `PARSE_JSON(${literal(printed)})`;
  if (sqlType.startsWith('BINARY')) return `TO_BINARY('${blobHex(printed)}', 'HEX')`;
  return `CAST(${literal(printed)} AS ${sqlType})`;
}

/** Whether ADD COLUMN takes the SQL of a default: no expression, but for NULL, which needs none. */
export function isPlainDefault({ sqlType }: SnowflakeColumn, sql: string): boolean {
  return sql.startsWith('CAST(NULL AS ') || /^(?:NUMBER|BOOLEAN|VARCHAR)/.test(sqlType);
}

export function isNullDefault(sql: string): boolean {
  return sql.startsWith('CAST(NULL AS ');
}

/** What an insert that names no value for the column puts there. */
export function defaultOf(column: Column): string | null {
  return column.defaultExpression === true ? null : (column.defaultText ?? null);
}

/** A BLOB as DuckDB prints it, text with `\x00` for what is none, in hexadecimal. */
function blobHex(printed: string): string {
  return printed
    .replaceAll(
      /\\x([0-9A-Fa-f]{2})|([^])/g,
      (_, byte: string | undefined, plain: string | undefined) => byte ?? Buffer.from(plain ?? '', 'latin1').toString('hex'),
    )
    .toUpperCase();
}
