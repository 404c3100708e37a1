import { compilationError } from '../snowflake-error.ts';
import type { Source } from '../compile/typed.ts';
import type { Name } from '../sql/ast.ts';
import type { Column, TableObject } from './objects.ts';

/** What a statement sees: all that is committed up to a version, and what its own transaction wrote. */
export interface View {
  readonly version: number;
  /** 0 outside of a transaction. */
  readonly stamp: number;
}

/** The rows of a table that a view shows. */
export function visible(view: View): string {
  const { version, stamp } = view;
  if (stamp === 0) return `_b <= ${version} AND (_e IS NULL OR _e > ${version})`;
  return `(_b <= ${version} OR _b = ${stamp}) AND (_e IS NULL OR (_e > ${version} AND _e <> ${stamp}))`;
}

/** A table as a source; beside its columns there are the hidden ones `_id` (of the stored row) and `_r` (of the row through its updates). */
export function tableSource(table: TableObject, name: Name, view: View, columns: readonly Column[] = table.columns): Source {
  const items = columns.map((column, index) => `c${column.id} AS c${index + 1}`);
  return {
    sql: `SELECT ${[...items, 'rowid AS _id', '_r'].join(', ')} FROM t${table.id} WHERE ${visible(view)}`,
    columns: columns.map(({ name: columnName, type, nullable }) => ({ name: columnName, type, nullable })),
    name,
  };
}

/** A table as it was at an earlier version. */
export function pastSource(table: TableObject, name: Name, version: number): Source {
  if (version < table.createdVersion || version < table.oldestVersion || table.retentionDays === 0) {
    throw compilationError(
      '000707',
      '02000',
      `Time travel data is not available for table ${table.name}. The requested time is either beyond the allowed time travel period or before the object creation time.`,
    );
  }
  const columns = table.formerColumns.find((former) => former.untilVersion >= version)?.columns ?? table.columns;
  return tableSource(table, name, { version, stamp: 0 }, columns);
}

/** The statement that makes a table in DuckDB. */
export function createTableSql(table: TableObject, duckTypeOf: (column: Column) => string): string {
  const columns = table.columns.map((column) => `c${column.id} ${duckTypeOf(column)}`);
  return `CREATE TABLE t${table.id} (${[...columns, '_r BIGINT', '_b BIGINT', '_e BIGINT', '_o BOOLEAN'].join(', ')})`;
}
