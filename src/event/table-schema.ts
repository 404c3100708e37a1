import { createHash } from 'node:crypto';
import type { ColumnType } from './column-type.ts';

/** One column, in the words of `information_schema.columns`. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** COLUMN_TYPE without its attributes, upper case, as Debezium names it: `INT UNSIGNED`, `VARCHAR`, `ENUM`. */
  readonly nativeType: string;
  /** Declared length or precision (VARCHAR(40): 40, DECIMAL(12,2): 12), where there is one. */
  readonly length?: number;
  /** Declared scale of DECIMAL, FLOAT(M,D), DOUBLE(M,D). */
  readonly scale?: number;
  /** Character set of the stored bytes: `utf8mb4`, `latin1`, `binary` …; of text, enum and set columns only. */
  readonly charset?: string;
  readonly collation?: string;
  /**
   * The literal default as the server's text ('CURRENT_TIMESTAMP' and expressions: see `defaultExpression`); null is
   * DEFAULT NULL, absent is none. Of binary columns in hexadecimal, `0x00ff`; of bit columns `b'101'`.
   */
  readonly defaultText?: string | null;
  readonly defaultExpression?: boolean;
  readonly generated?: 'virtual' | 'stored';
  readonly autoIncrement?: boolean;
  /** ON UPDATE CURRENT_TIMESTAMP; of no consequence for values, and not in the fingerprint. */
  readonly onUpdateNow?: boolean;
  /**
   * The type as a streamed statement wrote it: `INTEGER UNSIGNED`, `BOOL`. Debezium's schemas follow it until the definition
   * is read from the server. Not in the fingerprint.
   */
  readonly written?: WrittenType;
  /** The default as such a statement wrote it, without its quotes; where the server's text may be another. Not in the fingerprint. */
  readonly writtenDefault?: string;
  readonly invisible?: boolean;
  /** MariaDB's system versioning: when the row's version began or ended; the binlog has history rows of such a table. */
  readonly versioning?: 'start' | 'end';
  readonly comment?: string;
}

export interface WrittenType {
  /** Upper case, with UNSIGNED, SIGNED and ZEROFILL as they stand. */
  readonly type: string;
  readonly length?: number;
  readonly scale?: number;
  /** The character set that Debezium takes a text for, where it misses what the server did: UNICODE, ALTER TABLE … CHARACTER SET. */
  readonly charset?: string;
  /** NOT NULL by a rule of the server, not by the statement's words. */
  readonly optional?: true;
  /** Labels with the quotes that they were written in, where those are not single ones. */
  readonly labels?: readonly string[];
}

/** Which table, on one source. Database and table names are as the server stores them. */
export interface TableId {
  readonly database: string;
  readonly table: string;
}

/** A table under one version of its definition. Equal fingerprints mean equal in everything here. Immutable. */
export interface TableSchema extends TableId {
  readonly columns: readonly Column[];
  /** Positions in `columns` of the identifying key, in key order; empty: rows have no key. */
  readonly primaryKey: readonly number[];
  /** Default character set and collation, for columns that later DDL adds. */
  readonly charset?: string;
  readonly collation?: string;
  /** The default collation that Debezium goes on with after ALTER TABLE … CHARACTER SET, which it misses. Not in the fingerprint. */
  readonly writtenCollation?: string;
  readonly comment?: string;
  /** The comment came by CREATE TABLE … LIKE, which Debezium takes without it. Not in the fingerprint. */
  readonly hasCopiedComment?: boolean;
  /** 32 hex digits over all of the above. */
  readonly fingerprint: string;
}

/** Makes a schema of its parts; computes the fingerprint. */
export function createTableSchema(parts: Omit<TableSchema, 'fingerprint'>): TableSchema {
  const { database, table, columns, primaryKey, charset, collation, comment } = parts;
  const fingerprint = digest([
    database,
    table,
    columns.map((column) => [
      column.name,
      column.type.kind,
      typeParameters(column.type),
      column.nullable,
      column.nativeType,
      column.length,
      column.scale,
      column.charset,
      column.collation,
      // undefined and null differ
      'defaultText' in column ? [column.defaultText ?? null] : 0,
      column.defaultExpression,
      column.generated,
      column.autoIncrement,
      column.invisible,
      column.versioning,
      column.comment,
    ]),
    primaryKey,
    charset,
    collation,
    comment,
  ]);
  return { ...parts, fingerprint };
}

const keys = new WeakMap<TableSchema, string>();

/**
 * 32 hex digits that tell apart what the fingerprint does not: the words of a statement, by which records of one definition have
 * other schemas. The fingerprint where there are none.
 */
export function schemaKey(schema: TableSchema): string {
  let key = keys.get(schema);
  if (key === undefined) keys.set(schema, (key = keyOf(schema)));
  return key;
}

function keyOf({ fingerprint, columns, writtenCollation, hasCopiedComment }: TableSchema): string {
  const words = columns.map(({ written, writtenDefault, onUpdateNow }) => [written, writtenDefault, onUpdateNow]);
  const isPlain = words.every((each) => each.every((word) => word === undefined));
  if (isPlain && writtenCollation === undefined && hasCopiedComment === undefined) return fingerprint;
  return digest([fingerprint, words, writtenCollation, hasCopiedComment]);
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

function typeParameters(type: ColumnType): readonly unknown[] {
  switch (type.kind) {
    case 'int':
      return [type.bits, type.unsigned];
    case 'bit':
      return [type.length];
    case 'float':
    case 'double':
      return [type.unsigned];
    case 'decimal':
      return [type.precision, type.scale, type.unsigned];
    case 'time':
    case 'datetime':
    case 'timestamp':
      return [type.fsp];
    case 'enum':
    case 'set':
      return type.labels;
    case 'binary':
      return [type.fixedLength];
    case 'year':
    case 'date':
    case 'text':
    case 'json':
    case 'geometry':
    case 'vector':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return [];
  }
}

/** `database.table`, for messages and for maps; not quoted. */
export function tableName({ database, table }: TableId): string {
  return `${database}.${table}`;
}
