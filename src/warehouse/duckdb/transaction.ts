import type { TableSchema } from '../../event/table-schema.ts';
import type { TableRecord } from '../table-record.ts';
import type { UnitRecords } from '../unit-records.ts';
import { mapColumns, type MappedColumn } from './column-mapping.ts';
import { qualified, quoted, type Session } from './session.ts';

/** An open transaction, in which the steps of a unit are carried out. */
export interface Transaction extends UnitRecords {
  readonly session: Session;
  /** Tables that rows were deleted from in it: altered after that in place, they would fail its commit. */
  readonly thinned: Set<string>;
}

export function qualifiedTarget(record: TableRecord, name: string): string {
  return qualified(record.replica.schema, name);
}

export function columnsOf(record: Pick<TableRecord, 'invalidTemporal'>, schema: TableSchema): readonly MappedColumn[] {
  return mapColumns(schema.columns, record);
}

/** The column list of CREATE TABLE. */
export function columnList(columns: readonly MappedColumn[]): string {
  return columns.map(({ column, sqlType, notNull }) => `${quoted(column.name)} ${sqlType}${notNull ? ' NOT NULL' : ''}`).join(', ');
}
