import { isHidden } from '../config/column-rules.ts';
import type { Column, TableId, TableSchema } from '../event/table-schema.ts';
import type { DebeziumOptions } from './debezium-options.ts';

/** A column's type as Debezium's model of the table has it. */
export interface DescribedType {
  readonly type: string;
  readonly length: number | undefined;
  readonly scale: number | undefined;
}

export function describedType({ nativeType, type, length, scale, written }: Column): DescribedType {
  if (written !== undefined) return { type: written.type, length: lengthOf(type, written.length), scale: written.scale };
  return { type: nativeType, length: lengthOf(type, length), scale };
}

/** As the DDL parser counts: an ENUM has a character, a SET one per label and the commas between. */
function lengthOf(type: Column['type'], length: number | undefined): number | undefined {
  if (type.kind === 'enum') return 1;
  if (type.kind === 'set') return Math.max(1, 2 * type.labels.length - 1);
  return length;
}

/** A column as schema changes tell it. */
export interface DescribedColumn extends DescribedType {
  readonly jdbcType: number;
  readonly charset: string | undefined;
  readonly isAutomatic: boolean;
  readonly isOptional: boolean;
  readonly comment: string | undefined;
  readonly default: string | undefined;
  /** Of ENUM and SET, in their quotes. */
  readonly labels: readonly string[] | undefined;
}

export function describedColumn(column: Column, options: DebeziumOptions): DescribedColumn {
  const { type, written } = column;
  const described = describedType(column);
  const isEmpty = described.length === 0 && options.compat !== undefined && options.connector === 'mysql';
  const isComment = options.columnComments && column.comment !== undefined && column.comment !== '';
  return {
    ...described,
    // CHAR(0) and BINARY(0) count as ten.
    length: isEmpty ? 10 : described.length,
    jdbcType: jdbcTypeOf(described.type),
    charset: charsetOf(column, options),
    isAutomatic: isAutomatic(column, options),
    // Row start and end are NOT NULL by themselves, which their definition does not say.
    isOptional: isOptional(column) || column.versioning === 'start',
    comment: isComment ? (options.compat === undefined ? column.comment : escaped(column.comment)) : undefined,
    default: defaultOf(column, options),
    labels:
      type.kind === 'enum' || type.kind === 'set' ? (written?.labels ?? type.labels.map((label) => `'${escaped(label)}'`)) : undefined,
  };
}

/** A table as schema changes tell it: without the columns that nobody has named. */
export interface DescribedTable {
  readonly charset: string | undefined;
  readonly key: readonly string[];
  readonly columns: readonly Column[];
  readonly comment: string | null;
}

export function describedTable(schema: TableSchema, options: DebeziumOptions): DescribedTable {
  const { charset, writtenCollation, columns, primaryKey, comment, hasCopiedComment } = schema;
  const missed = options.compat === undefined ? undefined : writtenCollation;
  const shown = columns.filter((column) => !isHidden(column));
  return {
    charset: missed?.replace(/_.*/, '') ?? charset,
    key: primaryKey.flatMap((position) => shown.find((column) => column === columns[position])?.name ?? []),
    columns: shown,
    comment: options.columnComments && hasCopiedComment !== true && comment !== undefined && comment !== '' ? comment : null,
  };
}

/** `"db"."table"`. */
export function tableIdText({ database, table }: TableId): string {
  return [database, table].map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}

/** MariaDB's connector takes ON UPDATE for nothing where the default is the clock too. */
function isAutomatic({ autoIncrement, onUpdateNow, defaultExpression }: Column, { connector }: DebeziumOptions): boolean {
  return autoIncrement === true || (onUpdateNow === true && (connector === 'mysql' || defaultExpression !== true));
}

/** NOT NULL is what Debezium has read, not what the server has made of it. */
export function isOptional({ nullable, written }: Column): boolean {
  return nullable || written?.optional === true;
}

function charsetOf({ charset, type, written }: Column, { compat }: DebeziumOptions): string | undefined {
  if (compat !== undefined && written?.charset !== undefined) return written.charset;
  if (charset === 'binary' || type.kind === 'json' || written?.type === 'JSON') return undefined;
  return written !== undefined && /^(?:NATIONAL|NCHAR|NVARCHAR)/.test(written.type) ? 'utf8' : charset;
}

function defaultOf(
  { type, defaultText, defaultExpression, writtenDefault }: Column,
  { connector, compat }: DebeziumOptions,
): string | undefined {
  if (defaultText === undefined || defaultText === null) return undefined;
  if (defaultExpression === true) {
    if (/^current_timestamp/i.test(defaultText)) return writtenDefault ?? '1970-01-01 00:00:00';
    return connector === 'mariadb' && /^curdate\(\)$/i.test(defaultText) ? defaultText : undefined;
  }
  if (type.kind === 'binary' && writtenDefault === undefined) {
    if (connector === 'mariadb') return undefined;
    return compat === undefined ? defaultText : shownLiteral(defaultText);
  }
  const text = writtenDefault ?? /^b'([01]*)'$/.exec(defaultText)?.[1] ?? defaultText;
  return compat === undefined || /^_\w+'/.test(text) ? text : escaped(text);
}

/** The inside of a literal, as SHOW CREATE TABLE prints it. */
export function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll("'", "''");
}

/** The bytes `0x…` as a literal, which Debezium takes for text: printable ones in quotes, others without their last digit. */
export function shownLiteral(hex: string): string {
  const bytes = Buffer.from(hex.slice(2), 'hex');
  const text = bytes.toString('utf8');
  if (Buffer.from(text).equals(bytes)) return escaped(text).replaceAll('\0', String.raw`\0`);
  return hex.slice(2, -1).toUpperCase();
}

/** java.sql.Types of Debezium's DDL parser, by the first word of the type. */
const jdbcTypes: Readonly<Record<string, number>> = {
  BIT: -7,
  TINYINT: 5,
  INT1: 5,
  SMALLINT: 5,
  INT2: 5,
  MEDIUMINT: 4,
  INT3: 4,
  MIDDLEINT: 4,
  INT: 4,
  INTEGER: 4,
  INT4: 4,
  BIGINT: -5,
  INT8: -5,
  BOOL: 16,
  BOOLEAN: 16,
  FLOAT: 6,
  FLOAT4: 6,
  REAL: 7,
  DOUBLE: 8,
  FLOAT8: 8,
  DECIMAL: 3,
  DEC: 3,
  FIXED: 3,
  NUMERIC: 2,
  CHAR: 1,
  CHARACTER: 1,
  ENUM: 1,
  SET: 1,
  VARCHAR: 12,
  TINYTEXT: 12,
  TEXT: 12,
  MEDIUMTEXT: 12,
  LONGTEXT: 12,
  LONG: 12,
  BINARY: -2,
  VARBINARY: -3,
  TINYBLOB: 2004,
  BLOB: 2004,
  MEDIUMBLOB: 2004,
  LONGBLOB: 2004,
  DATE: 91,
  TIME: 92,
  DATETIME: 93,
  TIMESTAMP: 2014,
  YEAR: 4,
};

/** java.sql.Types.OTHER. */
const otherType = 1111;

function jdbcTypeOf(nativeType: string): number {
  if (nativeType.startsWith('CHARACTER VARYING')) return 12;
  if (/^(?:NATIONAL VARCHAR|NATIONAL CHARACTER VARYING|NVARCHAR)/.test(nativeType)) return -9;
  if (/^(?:NATIONAL|NCHAR)/.test(nativeType)) return -15;
  if (nativeType === 'LONG VARBINARY') return 2004;
  return jdbcTypes[nativeType.split(' ')[0] ?? ''] ?? otherType;
}
