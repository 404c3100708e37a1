import { MillraceError } from '../base/errors.ts';
import type { ServerConnection, TextRow } from '../binlog/connection.ts';
import { isAtLeast } from '../binlog/server-version.ts';
import { createTableSchema, tableName } from '../event/table-schema.ts';
import type { Column, TableId, TableSchema } from '../event/table-schema.ts';
import { columnOf, hexText, unquote } from './column-type.ts';

/** What reading a definition needs of a connection. */
export type SchemaConnection = Pick<ServerConnection, 'query' | 'version'>;

/** A key, as far as it decides what identifies a row and what later DDL on it means. */
export interface TableKey {
  /** PRIMARY is the primary key. */
  readonly name: string;
  readonly unique: boolean;
  /** Column names, in key order; of a functional part: null. */
  readonly columns: readonly (string | null)[];
  /**
   * Whether it cannot identify rows although it is unique: a part is a prefix or an expression, or MariaDB keeps a hash
   * of it in a hidden column.
   */
  readonly partial: boolean;
  /** MariaDB's unique key over values too long for an index: the row images have one more column for it, at their end. */
  readonly hash?: boolean;
  /** The server made it for a foreign key, and drops it when another key serves. Known of keys that DDL made only. */
  readonly generated?: boolean;
}

/** A table with what later DDL on it needs to know. */
export interface TableDefinition {
  readonly schema: TableSchema;
  /** In the server's order: PRIMARY first. */
  readonly keys: readonly TableKey[];
}

const systemDatabases = new Set(['mysql', 'information_schema', 'performance_schema', 'sys']);

/** The two columns that system versioning adds without naming them; they are the last ones of the row images. */
export const versioningColumns: readonly Column[] = (['start', 'end'] as const).map((versioning) => ({
  name: `row_${versioning}`,
  type: { kind: 'timestamp', fsp: 6 },
  nullable: false,
  nativeType: 'TIMESTAMP',
  length: 6,
  generated: 'stored',
  invisible: true,
  versioning,
}));

/** The definitions of all captured base tables, by database and table name; as `readTableDefinitions`. */
export async function readTableSchemas(
  connection: SchemaConnection,
  captures: (table: TableId) => boolean,
  signal: AbortSignal,
): Promise<TableSchema[]> {
  const definitions = await readTableDefinitions(connection, captures, signal);
  return definitions.map(({ schema }) => schema);
}

/**
 * Reads the definitions of all captured base tables with a few queries, sorted by database and table name. Views,
 * sequences, temporary tables and the system databases are none. Sets the session's time zone to UTC.
 *
 * `columns` are those of the binlog's row images in their order: computed and invisible ones too, and the hidden
 * ones of system versioning and of MariaDB's unique keys over long values. `primaryKey` is what the server puts in the before image under
 * binlog_row_image=MINIMAL: the primary key, else its first unique key whose columns are whole and NOT NULL.
 *
 * @throws MYSQL_QUERY_FAILED, MYSQL_PRIVILEGE_MISSING, MYSQL_UNREACHABLE
 */
export async function readTableDefinitions(
  connection: SchemaConnection,
  captures: (table: TableId) => boolean,
  signal: AbortSignal,
): Promise<TableDefinition[]> {
  // Defaults of TIMESTAMP columns are given in the session's zone; a hidden primary key is in the row images all the same.
  await connection.query("SET SESSION time_zone = '+00:00'", signal);
  const { flavor } = connection.version;
  if (flavor === 'mysql' && isAtLeast(connection.version, 8, 0, 30)) {
    await connection.query('SET SESSION show_gipk_in_create_table_and_information_schema = ON', signal);
  }
  const tables = await readTables(connection, captures, signal);
  if (tables.size === 0) return [];
  const drafts = [...tables.values()];
  let where = whereOf(drafts);
  await readColumns({ connection, tables, where }, signal);
  if (drafts.some(({ columns }) => columns.length === 0)) {
    // Of names in a list that differ only in letter case or accents, MariaDB's information_schema finds one.
    where = whereOf(drafts, 0);
    for (const draft of drafts) draft.columns = [];
    await readColumns({ connection, tables, where }, signal);
  }
  await readKeys({ connection, tables, where }, signal);
  const found = [...tables.values()].filter(({ columns }) => columns.length > 0);
  for (const table of found) {
    if (candidates(table).length > 1) await orderKeys(connection, table, signal);
    if (flavor === 'mysql' && table.columns.some(isMisreported)) await correctDefaults(connection, table, signal);
  }
  found.sort((a, b) => compareText(a.id.database, b.id.database) || compareText(a.id.table, b.id.table));
  return found.map(definitionOf);
}

interface DraftKey {
  readonly name: string;
  readonly unique: boolean;
  readonly columns: (string | null)[];
  partial: boolean;
  hash?: boolean;
}

interface Draft {
  readonly id: TableId;
  readonly versioned: boolean;
  readonly collation: string | null;
  readonly comment: string;
  readonly engine: string;
  /** Sparse until all rows are read: index is ORDINAL_POSITION - 1. */
  columns: Column[];
  keys: DraftKey[];
}

interface Scope {
  readonly connection: SchemaConnection;
  readonly tables: Map<string, Draft>;
  readonly where: string;
}

async function readTables(
  connection: SchemaConnection,
  captures: (table: TableId) => boolean,
  signal: AbortSignal,
): Promise<Map<string, Draft>> {
  const system = [...systemDatabases].map(quoteText).join(', ');
  const rows = await connection.query(
    `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_COLLATION, TABLE_COMMENT, ENGINE FROM information_schema.tables
     WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA NOT IN (${system})`,
    signal,
  );
  const tables = new Map<string, Draft>();
  for (const row of rows) {
    const id = { database: text(row, 0), table: text(row, 1) };
    if (systemDatabases.has(id.database.toLowerCase()) || !captures(id)) continue;
    const versioned = row[2] === 'SYSTEM VERSIONED';
    tables.set(keyOf(id), { id, versioned, collation: row[3] ?? null, comment: text(row, 4), engine: text(row, 5), columns: [], keys: [] });
  }
  return tables;
}

/** Names each table while they are few; else all of their databases, whose other tables are passed over here. */
function whereOf(tables: readonly Draft[], most = 500): string {
  const databases = [...new Set(tables.map(({ id }) => quoteText(id.database)))].join(', ');
  const names = [...new Set(tables.map(({ id }) => quoteText(id.table)))];
  return `TABLE_SCHEMA IN (${databases})${names.length > most ? '' : ` AND TABLE_NAME IN (${names.join(', ')})`}`;
}

async function readColumns({ connection, tables, where }: Scope, signal: AbortSignal): Promise<void> {
  const rows = await connection.query(
    `SELECT TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION, COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, IS_NULLABLE,
     COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT, GENERATION_EXPRESSION FROM information_schema.columns WHERE ${where}`,
    signal,
  );
  for (const row of rows) {
    const table = tables.get(keyOf({ database: text(row, 0), table: text(row, 1) }));
    if (table === undefined) continue;
    const column = columnOf(
      {
        name: text(row, 3),
        columnType: text(row, 4),
        charset: row[5] ?? null,
        collation: row[6] ?? null,
        nullable: row[7] === 'YES',
        defaultText: row[8] ?? null,
        extra: text(row, 9),
        comment: text(row, 10),
        generation: row[11] ?? null,
      },
      connection.version.flavor,
    );
    table.columns[Number(row[2]) - 1] = column;
  }
  for (const table of tables.values()) {
    // A gap would shift all later columns of the row images.
    if (Object.keys(table.columns).length !== table.columns.length) {
      throw new MillraceError('INTERNAL', `information_schema gave no whole list of the columns of ${tableName(table.id)}`);
    }
    const isImplicit = table.versioned && !table.columns.some(({ versioning }) => versioning !== undefined);
    if (isImplicit && table.columns.length > 0) table.columns.push(...versioningColumns);
  }
}

async function readKeys({ connection, tables, where }: Scope, signal: AbortSignal): Promise<void> {
  const rows = await connection.query(
    `SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART, INDEX_TYPE, NON_UNIQUE
     FROM information_schema.statistics WHERE ${where}`,
    signal,
  );
  const byName = new Map<string, DraftKey>();
  for (const row of rows) {
    const id = keyOf({ database: text(row, 0), table: text(row, 1) });
    const table = tables.get(id);
    if (table === undefined) continue;
    const name = text(row, 2);
    let key = byName.get(`${id}\0${name}`);
    if (key === undefined) {
      key = { name, unique: row[7] === '0', columns: [], partial: false };
      byName.set(`${id}\0${name}`, key);
      table.keys.push(key);
    }
    key.columns[Number(row[3]) - 1] = row[4] ?? null;
    if (row[4] === null || row[5] !== null) key.partial = true;
    if (key.unique && row[6] === 'HASH' && connection.version.flavor === 'mariadb' && table.engine !== 'MEMORY') {
      key.partial = true;
      key.hash = true;
    }
  }
  for (const table of tables.values()) {
    table.keys.sort((a, b) => Number(b.name === 'PRIMARY') - Number(a.name === 'PRIMARY'));
    table.columns.push(...hashColumns(table));
  }
}

/**
 * The hidden column of each unique key over long values. The server numbers them and passes over names that are taken;
 * those are not met in practice.
 */
export function hashColumns({ keys }: { readonly keys: readonly TableKey[] }): Column[] {
  const hashed = keys.filter(({ hash }) => hash === true);
  return hashed.map((_key, index) => ({
    name: `DB_ROW_HASH_${index + 1}`,
    type: { kind: 'int', bits: 64, unsigned: true },
    nullable: true,
    nativeType: 'BIGINT UNSIGNED',
    length: 20,
    generated: 'virtual',
    invisible: true,
  }));
}

/** Whether a column is one of `hashColumns`: in the row images, but of no table that a user sees. */
export function isHashColumn(column: Column): boolean {
  return column.generated === 'virtual' && column.invisible === true && /^DB_ROW_HASH_\d+$/.test(column.name);
}

/** Keys that could identify rows; more than one only where there is no primary key. */
function candidates(table: Pick<Draft, 'columns' | 'keys'>): DraftKey[] {
  const usable = table.keys.filter((key) => identifies(key, table.columns));
  return usable[0]?.name === 'PRIMARY' ? usable.slice(0, 1) : usable;
}

function identifies(key: TableKey, columns: readonly Column[]): boolean {
  if (!key.unique || key.partial) return false;
  return key.columns.every((name) => columns.some((column) => column.name === name && !column.nullable));
}

/** `information_schema.statistics` has no order between keys; SHOW INDEX lists them as the server counts them. */
async function orderKeys(connection: SchemaConnection, table: Draft, signal: AbortSignal): Promise<void> {
  const rows = await connection.query(`SHOW INDEX FROM ${quoteTable(table.id)}`, signal);
  const order = rows.map((row) => row[2]);
  table.keys.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/**
 * MySQL's `information_schema` cuts the default of a binary column at the first zero byte, and gives that of a TIMESTAMP
 * in the zone of the session that made it; SHOW CREATE TABLE has both right.
 */
function isMisreported({ type, defaultText, defaultExpression }: Column): boolean {
  if (typeof defaultText !== 'string' || defaultExpression === true) return false;
  return type.kind === 'binary' || type.kind === 'timestamp';
}

async function correctDefaults(connection: SchemaConnection, table: Draft, signal: AbortSignal): Promise<void> {
  const rows = await connection.query(`SHOW CREATE TABLE ${quoteTable(table.id)}`, signal);
  const lines = text(rows[0] ?? [], 1).split('\n');
  table.columns = table.columns.map((column) => {
    if (!isMisreported(column)) return column;
    const start = `  ${quoteName(column.name)} `;
    const line = lines.find((each) => each.startsWith(start))?.slice(start.length);
    const defaultText = line === undefined ? undefined : printedDefault(line, column);
    return defaultText === undefined ? column : { ...column, defaultText };
  });
}

/** The default in a line of SHOW CREATE TABLE: a quoted text, or `0x00FF10` where that is no UTF-8. */
function printedDefault(line: string, { type }: Column): string | undefined {
  const found = /^[^']* DEFAULT (0x[0-9A-F]*|')/.exec(line);
  const token = found?.[1];
  if (found === null || token === undefined) return undefined;
  if (token !== "'") return token.toLowerCase();
  const { value } = unquote(line, found[0].length - 1);
  return type.kind === 'binary' ? hexText(Buffer.from(value)) : value;
}

function definitionOf({ id, columns, keys, collation, comment }: Draft): TableDefinition {
  const schema = createTableSchema({
    ...id,
    columns,
    primaryKey: primaryKeyOf(columns, keys),
    ...(collation === null ? {} : { charset: charsetOf(collation), collation }),
    ...(comment === '' ? {} : { comment }),
  });
  return { schema, keys };
}

/**
 * Positions of the columns that identify a row: the primary key, else the first unique key (in the server's order)
 * whose columns are whole and NOT NULL, as the server itself chooses (open_table_def in sql/table.cc). With system
 * versioning the end of the row's version is part of it, since history rows repeat the key.
 */
export function primaryKeyOf(columns: readonly Column[], keys: readonly TableKey[]): number[] {
  const key = keys.find((each) => identifies(each, columns));
  if (key === undefined) return [];
  const positions = key.columns.map((name) => columns.findIndex((column) => column.name === name));
  const end = columns.findIndex(({ versioning }) => versioning === 'end');
  return end < 0 || positions.includes(end) ? positions : [...positions, end];
}

/** A collation's character set: the part before the first underscore. */
export function charsetOf(collation: string): string {
  return /^[^_]*/.exec(collation)?.[0] ?? collation;
}

function keyOf({ database, table }: TableId): string {
  return `${database}\0${table}`;
}

function text(row: TextRow, at: number): string {
  return row[at] ?? '';
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As a string literal that means the same under every sql_mode. */
function quoteText(value: string): string {
  return /[\\']/.test(value) ? `_utf8mb4 0x${Buffer.from(value).toString('hex')}` : `'${value}'`;
}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function quoteTable({ database, table }: TableId): string {
  return `${quoteName(database)}.${quoteName(table)}`;
}
