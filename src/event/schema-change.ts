import type { TableSchema } from './table-schema.ts';

/** Where the values of a column come from, in the rows that exist when its table is altered. */
export type ColumnOrigin =
  /** The column at this position before the change, converted if its type differs. */
  | { readonly from: number }
  /** A column that was not there: this literal (server's text form, as `defaultText`) in every row; null is NULL. */
  | { readonly fill: string | null };

/** What a DDL statement did to one table, in the order of the statement. */
export type SchemaChange =
  | { readonly kind: 'createTable'; readonly after: TableSchema }
  | { readonly kind: 'dropTable'; readonly before: TableSchema }
  | { readonly kind: 'truncateTable'; readonly before: TableSchema }
  | { readonly kind: 'renameTable'; readonly before: TableSchema; readonly after: TableSchema }
  /**
   * Everything that ALTER TABLE does to columns and keys. `columns` has one entry per column of `after`; together
   * they tell added, dropped, renamed, retyped and moved columns apart with certainty.
   */
  | {
      readonly kind: 'alterTable';
      readonly before: TableSchema;
      readonly after: TableSchema;
      readonly columns: readonly ColumnOrigin[];
    };
