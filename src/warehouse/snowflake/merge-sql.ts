import type { SnowflakeColumn } from './column-mapping.ts';
import { qualified, quoted, type TablePlace } from './sql-text.ts';

/** SQL that brings loaded rows into a table. Casts stand in the source of a statement alone, so that all else is bare columns. */

/** A table to write to, with its columns; `key` are positions of them. */
export interface MergeTarget {
  readonly place: TablePlace;
  readonly columns: readonly SnowflakeColumn[];
  readonly key: readonly number[];
}

const cell = (index: number): string => quoted(`C${index}`);

/** The loaded cells as the replica's values, under the same names. */
function convertedCells(columns: readonly SnowflakeColumn[], of = ''): string {
  return columns
    .map(({ converted }, index) => {
      const loaded = `${of}${cell(index)}`;
      const sql = converted(loaded);
      return sql === cell(index) ? sql : `${sql} AS ${cell(index)}`;
    })
    .join(', ');
}

function names(columns: readonly SnowflakeColumn[]): string {
  return columns.map(({ name }) => quoted(name)).join(', ');
}

/** `isLoaded`: cells are as the file had them; else they are the replica's values already. */
export function insertSql({ place, columns }: MergeTarget, from: TablePlace, isLoaded: boolean): string {
  const cells = isLoaded ? convertedCells(columns) : columns.map((_, index) => cell(index)).join(', ');
  return `INSERT INTO ${qualified(place)} (${names(columns)}) SELECT ${cells} FROM ${qualified(from)}`;
}

/** Rows of C0 … and D: those that go are deleted, the others put in the place of what has their key. */
export function mergeSql({ place, columns, key }: MergeTarget, from: TablePlace, isLoaded: boolean): string {
  const cells = isLoaded ? convertedCells(columns) : columns.map((_, index) => cell(index)).join(', ');
  const keyCells = key.map(cell).join(', ');
  const on = key.map((position) => sameCell(columns, position, `t.${quoted(columns[position]?.name ?? '')}`, `s.${cell(position)}`));
  const set = columns.flatMap(({ name }, index) => (key.includes(index) ? [] : [`${quoted(name)} = s.${cell(index)}`]));
  const values = columns.map((_, index) => `s.${cell(index)}`).join(', ');
  return [
    `MERGE INTO ${qualified(place)} AS t USING (`,
    `SELECT ${cells}, "D" FROM ${qualified(from)} QUALIFY ROW_NUMBER() OVER (PARTITION BY ${keyCells} ORDER BY "D") = 1`,
    `) AS s ON ${on.join(' AND ')}`,
    'WHEN MATCHED AND s."D" THEN DELETE',
    ...(set.length === 0 ? [] : [`WHEN MATCHED THEN UPDATE SET ${set.join(', ')}`]),
    `WHEN NOT MATCHED AND NOT s."D" THEN INSERT (${names(columns)}) VALUES (${values})`,
  ].join(' ');
}

/** A key's zero date is NULL in the replica. */
function sameCell(columns: readonly SnowflakeColumn[], position: number, a: string, b: string): string {
  return columns[position]?.notNull === true ? `${a} = ${b}` : `EQUAL_NULL(${a}, ${b})`;
}

/**
 * Completes rows whose images lack columns, from the row that the replica has under their old key, or with the columns'
 * defaults (`fills`); into a table of C0 … and D with the replica's types.
 */
export function completeSql(
  { place, columns, key }: MergeTarget,
  { partials, whole, fills }: { readonly partials: TablePlace; readonly whole: TablePlace; readonly fills: readonly string[] },
): string {
  const hasOrigin = `SUBSTR(p."P", ${columns.length + 1}, 1) = '1'`;
  const certain = key.find((position) => columns[position]?.notNull === true);
  const found = certain === undefined ? hasOrigin : `${hasOrigin} AND t.${quoted(columns[certain]?.name ?? '')} IS NOT NULL`;
  const cells = columns.map(({ name, converted }, index) => {
    const known = `WHEN SUBSTR(p."P", ${index + 1}, 1) = '1' THEN ${converted(`p.${cell(index)}`)}`;
    const kept = key.length === 0 ? '' : ` WHEN ${found} THEN t.${quoted(name)}`;
    return `CASE ${known}${kept} ELSE ${fills[index] ?? 'NULL'} END`;
  });
  const into = [...columns.map((_, index) => cell(index)), '"D"'].join(', ');
  const select = `INSERT INTO ${qualified(whole)} (${into}) SELECT ${cells.join(', ')}, FALSE FROM ${qualified(partials)} AS p`;
  if (key.length === 0) return select;
  const on = key.map((position, index) => {
    const column = columns[position];
    const origin = `p.${quoted(`K${index}`)}`;
    return sameCell(columns, position, `t.${quoted(column?.name ?? '')}`, column?.converted(origin) ?? origin);
  });
  return `${select} LEFT JOIN ${qualified(place)} AS t ON ${hasOrigin} AND ${on.join(' AND ')}`;
}

/**
 * Of tables without a key: of rows that are equal to a deleted one (C0 …, and N, how often), those that stay are set aside,
 * all are deleted, and those are put back.
 */
export function deleteEqualSql(
  { place, columns }: MergeTarget,
  { deletes, kept }: { readonly deletes: TablePlace; readonly kept: TablePlace },
): { readonly keep: string; readonly remove: string } {
  const source = `(SELECT ${convertedCells(columns)}, "N" FROM ${qualified(deletes)}) AS d`;
  const on = columns.map(
    (column, index) => `EQUAL_NULL(${comparable(column, `t.${quoted(column.name)}`)}, ${comparable(column, `d.${cell(index)}`)})`,
  );
  const into = columns.map((_, index) => cell(index)).join(', ');
  const own = columns.map(({ name }) => `t.${quoted(name)}`).join(', ');
  const equal = columns.map((column, index) => comparable(column, `d.${cell(index)}`)).join(', ');
  return {
    keep:
      `INSERT INTO ${qualified(kept)} (${into}) SELECT ${own} FROM ${qualified(place)} AS t JOIN ${source} ON ${on.join(' AND ')} ` +
      `QUALIFY ROW_NUMBER() OVER (PARTITION BY ${equal} ORDER BY d."N") > d."N"`,
    remove: `MERGE INTO ${qualified(place)} AS t USING ${source} ON ${on.join(' AND ')} WHEN MATCHED THEN DELETE`,
  };
}

/** A value as it can be compared: of a document its text, in which Snowflake has put its own order. */
function comparable({ sqlType }: SnowflakeColumn, value: string): string {
  return sqlType === 'VARIANT' || sqlType === 'ARRAY' ? `TO_JSON(${value})` : value;
}

/** Columns of the table that files are loaded to. */
export function loadedColumns(columns: readonly SnowflakeColumn[], more: readonly string[]): string {
  return [...columns.map(({ loadedType }, index) => `${cell(index)} ${loadedType}`), ...more].join(', ');
}

/** Columns of a table of the replica's values, before they go into it. */
export function valueColumns(columns: readonly SnowflakeColumn[], more: readonly string[]): string {
  return [...columns.map(({ sqlType }, index) => `${cell(index)} ${sqlType}`), ...more].join(', ');
}
