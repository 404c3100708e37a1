import { MillraceError } from '../base/errors.ts';
import { parseRegexList } from '../config/java-regex.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId } from '../event/table-schema.ts';
import { quoteName } from './text-row.ts';

/** Which rows of the captured tables a snapshot copies, and in which order. */
export interface SnapshotSelection {
  /** `snapshot.include.collection.list`: whether any row of the table is copied. */
  copies(table: TableId): boolean;
  /** What is read instead of the table itself, as an item of FROM: some rows of it, or none. */
  source(table: TableId): string | undefined;
  /** `snapshot.tables.order.by.row.count`, by the server's estimates: factor for comparing; 0: by name. */
  readonly byRowCount: -1 | 0 | 1;
}

export interface SelectionProperties {
  /** `snapshot.include.collection.list`. */
  readonly include: string | undefined;
  /** `snapshot.select.statement.overrides`. */
  readonly overrides: readonly string[];
  /** `snapshot.tables.order.by.row.count`. */
  readonly order: string;
}

const statementPrefix = 'snapshot.select.statement.overrides.';

/** A LIMIT that takes all: without one a server may pass over the order of a derived table. */
const allRows = '18446744073709551615';

/** @throws CONFIG_INVALID when a table of the overrides has no statement */
export function readSnapshotSelection(
  { include, overrides, order }: SelectionProperties,
  properties: Readonly<Record<string, string>>,
): SnapshotSelection {
  const list = include === undefined || include.trim() === '' ? undefined : parseRegexList(include);
  const statements = new Map(
    overrides.map((table) => {
      const statement = properties[statementPrefix + table]?.trim().replace(/;+$/, '');
      if (statement !== undefined && statement !== '') return [table, statement];
      throw new MillraceError(
        'CONFIG_INVALID',
        `snapshot.select.statement.overrides names ${table}, and ${statementPrefix}${table} is not set.`,
      );
    }),
  );
  const copies = (table: TableId): boolean => list === undefined || list.matches(tableName(table));
  return {
    copies,
    source(table) {
      if (!copies(table)) return `(SELECT * FROM ${quoteName(table.database)}.${quoteName(table.table)} WHERE FALSE) AS t`;
      const statement = statements.get(tableName(table));
      if (statement === undefined) return undefined;
      return `(${statement}${/\bLIMIT\b/i.test(statement) ? '' : ` LIMIT ${allRows}`}) AS t`;
    },
    byRowCount: order.toLowerCase() === 'descending' ? -1 : order.toLowerCase() === 'ascending' ? 1 : 0,
  };
}

/** By the numbers of rows where that is asked for; tables of which nothing is copied last. */
export function inSelectionOrder<Table extends { readonly schema: TableId; readonly estimate: number }>(
  tables: readonly Table[],
  selection: SnapshotSelection | undefined,
): readonly Table[] {
  if (selection === undefined) return tables;
  const isCopied = ({ schema }: Table): number => Number(selection.copies(schema));
  return tables.toSorted((a, b) => isCopied(b) - isCopied(a) || selection.byRowCount * (a.estimate - b.estimate));
}
