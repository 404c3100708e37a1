import type { ColumnType } from '../event/column-type.ts';
import { nativeColumnType } from '../event/native-type.ts';
import type { Column } from '../event/table-schema.ts';

/** A type as the server writes it: `decimal(10,2) unsigned` is DECIMAL, [10, 2], unsigned. */
export interface NativeType {
  /** Upper case, synonyms resolved: INT, DOUBLE, VARCHAR, GEOMCOLLECTION … */
  readonly name: string;
  readonly args: readonly number[];
  /** Of ENUM and SET. */
  readonly labels: readonly string[];
  readonly unsigned: boolean;
  readonly zerofill: boolean;
  /** As a statement wrote it, upper case, without sizes. */
  readonly written?: string;
  /** In the quotes that the statement has, where those are not single ones. */
  readonly writtenLabels?: readonly string[];
}

/** A row of `information_schema.columns`, the members that say what a column is. */
export interface ColumnRow {
  readonly name: string;
  /** COLUMN_TYPE. */
  readonly columnType: string;
  readonly charset: string | null;
  readonly collation: string | null;
  readonly nullable: boolean;
  /** COLUMN_DEFAULT, in the flavor's own form. */
  readonly defaultText: string | null;
  readonly extra: string;
  readonly comment: string;
  /** GENERATION_EXPRESSION; empty or null if the column is not computed. */
  readonly generation: string | null;
}

/** Reads COLUMN_TYPE, as `information_schema` and SHOW CREATE TABLE print it. */
function parseNativeType(columnType: string): NativeType {
  const head = /^[a-z0-9_ ]*?(?=\(|$|\s+unsigned|\s+zerofill|\s*\/\*)/i.exec(columnType)?.[0] ?? columnType;
  let rest = columnType.slice(head.length);
  const name = head.trim().toUpperCase();
  let args: number[] = [];
  let labels: string[] = [];
  if (rest.startsWith('(')) {
    if (name === 'ENUM' || name === 'SET') {
      const read = readLabels(rest);
      labels = read.labels;
      rest = rest.slice(read.end);
    } else {
      const close = rest.indexOf(')');
      args = rest.slice(1, close).split(',').map(Number);
      rest = rest.slice(close + 1);
    }
  }
  // MariaDB: varchar(100) /*M!100301 COMPRESSED*/, datetime /* mariadb-5.3 */
  const attributes = rest.replaceAll(/\/\*.*?\*\//g, ' ');
  return { name, args, labels, unsigned: /\bunsigned\b/i.test(attributes), zerofill: /\bzerofill\b/i.test(attributes) };
}

/** `('a','it''s')`, the escapes \0 \n \r \\ as the server writes them; `end` is after the closing parenthesis. */
function readLabels(text: string): { labels: string[]; end: number } {
  const labels: string[] = [];
  let at = 1;
  while (text[at] === "'") {
    const { value, end } = unquote(text, at);
    labels.push(value);
    at = end;
    if (text[at] !== ',') break;
    at++;
  }
  return { labels, end: at + 1 };
}

const escapes: Readonly<Record<string, string>> = { '0': '\0', n: '\n', r: '\r', t: '\t', b: '\b', Z: '\x1a' };

/** The string literal that begins at `start` with its quote; `end` is after the closing one. */
export function unquote(text: string, start: number): { value: string; end: number } {
  const quote = text[start];
  let value = '';
  let at = start + 1;
  for (; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === quote) {
      if (text[at + 1] !== quote) break;
      value += char;
      at++;
    } else if (char === '\\') {
      at++;
      const escaped = text[at] ?? '';
      value += escapes[escaped] ?? escaped;
    } else {
      value += char;
    }
  }
  return { value, end: at + 1 };
}

/**
 * The kind of values of a native type. MariaDB's JSON is LONGTEXT to the server and text here, as with Debezium: the
 * JSON_VALID check behind it can be switched off, so that only text holds every value.
 * A type that is not known (a later server's) is text when it has a character set, else binary.
 */
export function columnTypeOf({ name, args, unsigned, zerofill, labels }: NativeType, charset: string | null): ColumnType {
  const [length, scale] = args;
  const known = nativeColumnType({ name, length, scale, unsigned: unsigned || zerofill, labels });
  return known ?? (charset === null ? { kind: 'binary' } : { kind: 'text' });
}

/** `INT UNSIGNED ZEROFILL`, `VARCHAR`, `ENUM`: the type without its parameters. */
export function nativeTypeName({ name, unsigned, zerofill }: NativeType): string {
  return `${name}${unsigned ? ' UNSIGNED' : ''}${zerofill ? ' ZEROFILL' : ''}`;
}

/** Whether the column's cells are characters in a character set. */
export function hasCharset(type: ColumnType): boolean {
  return type.kind === 'text' || type.kind === 'enum' || type.kind === 'set';
}

/** The column that a row of `information_schema.columns` describes. */
export function columnOf(row: ColumnRow, flavor: 'mysql' | 'mariadb'): Column {
  const native = parseNativeType(row.columnType);
  const type = columnTypeOf(native, row.charset);
  const generation = row.generation ?? '';
  const versioning = generation === 'ROW START' ? 'start' : generation === 'ROW END' ? 'end' : undefined;
  const generated = /VIRTUAL GENERATED/i.test(row.extra)
    ? 'virtual'
    : /STORED GENERATED|PERSISTENT/i.test(row.extra)
      ? 'stored'
      : undefined;
  const autoIncrement = /auto_increment/i.test(row.extra);
  const [length, scale] = native.args;
  // MySQL gives no character set for ENUM … CHARACTER SET binary.
  const own = type.kind === 'enum' || type.kind === 'set' ? 'binary' : null;
  const charset = row.charset ?? own;
  const collation = row.collation ?? own;
  const fallback = generated !== undefined || autoIncrement ? {} : defaultOf(row, { flavor, type });
  return {
    name: row.name,
    type,
    nullable: row.nullable,
    nativeType: nativeTypeName(native),
    ...(length === undefined ? {} : { length }),
    ...(scale === undefined ? {} : { scale }),
    ...(hasCharset(type) && charset !== null ? { charset } : {}),
    ...(hasCharset(type) && collation !== null ? { collation } : {}),
    ...fallback,
    ...(generated === undefined ? {} : { generated }),
    ...(autoIncrement ? { autoIncrement } : {}),
    ...(/\bon update\b/i.test(row.extra) ? { onUpdateNow: true } : {}),
    ...(/\bINVISIBLE\b/i.test(row.extra) ? { invisible: true } : {}),
    ...(versioning === undefined ? {} : { versioning }),
    ...(row.comment === '' ? {} : { comment: row.comment }),
  };
}

type Default = Pick<Column, 'defaultText' | 'defaultExpression'>;

function defaultOf(row: ColumnRow, { flavor, type }: { readonly flavor: 'mysql' | 'mariadb'; readonly type: ColumnType }): Default {
  const text = row.defaultText;
  if (text === null) return row.nullable && flavor === 'mysql' ? { defaultText: null } : {};
  return flavor === 'mysql' ? mysqlDefault(text, { row, type }) : mariadbDefault(text, type);
}

/** MySQL gives a literal as it is, without quotes; EXTRA tells an expression. */
function mysqlDefault(text: string, { row, type }: { readonly row: ColumnRow; readonly type: ColumnType }): Default {
  const temporal = type.kind === 'timestamp' || type.kind === 'datetime';
  // MySQL 5.7 has no DEFAULT_GENERATED: there CURRENT_TIMESTAMP is the only expression.
  if (temporal && /^CURRENT_TIMESTAMP/i.test(text)) return { defaultText: currentTimestamp(text), defaultExpression: true };
  return /DEFAULT_GENERATED/i.test(row.extra) ? { defaultText: text, defaultExpression: true } : { defaultText: text };
}

/** MariaDB (10.2.7 and newer) gives the text of DEFAULT: a quoted literal, a number, NULL or an expression. */
function mariadbDefault(text: string, type: ColumnType): Default {
  if (text === 'NULL') return { defaultText: null };
  const hex = /^x'([0-9a-f]*)'$/i.exec(text)?.[1];
  if (hex !== undefined && type.kind === 'binary') return { defaultText: `0x${hex.toLowerCase()}` };
  if (text.startsWith("'")) {
    const { value, end } = unquote(text, 0);
    if (end === text.length) return { defaultText: type.kind === 'binary' ? hexText(Buffer.from(value)) : value };
  }
  if (/^-?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(text)) return { defaultText: type.kind === 'binary' ? hexText(Buffer.from(text)) : text };
  if (/^b'[01]*'$/.test(text)) return { defaultText: text };
  const now = /^current_timestamp/i.test(text) ? currentTimestamp(text) : text;
  return { defaultText: now, defaultExpression: true };
}

/** `CURRENT_TIMESTAMP` or `CURRENT_TIMESTAMP(3)`, of any spelling. */
function currentTimestamp(text: string): string {
  const digits = /\(([1-6])\)/.exec(text)?.[1];
  return digits === undefined ? 'CURRENT_TIMESTAMP' : `CURRENT_TIMESTAMP(${digits})`;
}

/** `0x00ff`: the form of a binary column's default. */
export function hexText(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}
