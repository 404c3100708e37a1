import type { ServerConnection } from '../../binlog/connection.ts';
import { ChangeBatchBuilder, op } from '../../event/change-batch.ts';
import type { Column, TableSchema } from '../../event/table-schema.ts';
import { readTextRows } from '../read-text-rows.ts';
import { allRows } from '../snapshot-reader.ts';
import { quoteName, selectList } from '../text-row.ts';

/** The order of a chunked table: its key's columns, or the surrogate key. */
export interface ChunkOrder {
  readonly schema: TableSchema;
  readonly columns: readonly Column[];
  /** SQL of a condition that rows must fulfil; undefined: none. */
  readonly filter: string | undefined;
}

/** SQL literals of the order's columns, as the server gave them. */
export type ChunkKey = readonly string[];

/** The greatest key; undefined: there is no row. */
export async function readMaximum(connection: ServerConnection, order: ChunkOrder, signal: AbortSignal): Promise<ChunkKey | undefined> {
  const by = order.columns.map((column) => `${sortOf(column)} DESC`).join(', ');
  const rows = await connection.query(
    `SELECT ${order.columns.map(keyText).join(', ')} FROM ${allRows(order.schema)}${where([filterOf(order), notNull(order)])} ORDER BY ${by} LIMIT 1`,
    signal,
  );
  return keyOf(order, rows[0]);
}

export interface ChunkRange {
  /** Rows after it; undefined: from the first one on. */
  readonly after: ChunkKey | undefined;
  readonly maximum: ChunkKey;
  readonly rows: number;
}

export interface Chunk {
  readonly rows: ChangeBatchBuilder;
  /** The last row's key; undefined: there was none. */
  readonly last: ChunkKey | undefined;
}

/** Reads the next rows in key order, by one view. */
export async function readChunk(
  connection: ServerConnection,
  order: ChunkOrder,
  { after, maximum, rows }: ChunkRange,
  signal: AbortSignal,
): Promise<Chunk> {
  const builder = new ChangeBatchBuilder(order.schema);
  const conditions = [filterOf(order), notNull(order), upTo(order, maximum), ...(after === undefined ? [] : [beyond(order, after)])];
  const from = `${allRows(order.schema)}${where(conditions)}`;
  const by = order.columns.map(sortOf).join(', ');
  const keys = await connection.query(`SELECT ${order.columns.map(keyText).join(', ')} FROM ${from} ORDER BY ${by} LIMIT ${rows}`, signal);
  const last = keyOf(order, keys.at(-1));
  if (last === undefined) return { rows: builder, last };
  const bounds = where([...conditions, upTo(order, last)]);
  const sql = `SELECT ${selectList(order.schema.columns)} FROM ${allRows(order.schema)}${bounds} ORDER BY ${by}`;
  await readTextRows(connection, { schema: order.schema, sql, code: op.refresh, into: builder }, signal);
  return { rows: builder, last };
}

/** Plain text of a key, for people. */
export function plainKey(key: ChunkKey): string {
  return key
    .map((literal) => (literal.startsWith('_utf8mb4 x') ? Buffer.from(literal.slice(11, -1), 'hex').toString() : literal))
    .join(', ');
}

/** A key as the text of a literal: numbers as they are, all else as hexadecimal bytes. */
function keyText(column: Column): string {
  return isNumber(column)
    ? `CAST(${sortOf(column)} AS CHAR)`
    : `HEX(${isBytes(column) ? sortOf(column) : `CONVERT(${sortOf(column)} USING utf8mb4)`})`;
}

function keyOf({ columns }: ChunkOrder, row: readonly (string | null)[] | undefined): ChunkKey | undefined {
  if (row === undefined) return undefined;
  return columns.map((column, i) => {
    const text = row[i] ?? '';
    if (isNumber(column)) return text;
    return isBytes(column) ? `x'${text}'` : `_utf8mb4 x'${text}'`;
  });
}

/** ENUM, SET and BIT sort by their number, and compare with texts otherwise. */
function sortOf({ name, type }: Column): string {
  return type.kind === 'enum' || type.kind === 'set' || type.kind === 'bit' ? `(${quoteName(name)} + 0)` : quoteName(name);
}

const numberKinds: ReadonlySet<string> = new Set(['int', 'decimal', 'enum', 'set', 'bit', 'float', 'double', 'year']);

function isNumber({ type }: Column): boolean {
  return numberKinds.has(type.kind);
}

function isBytes({ type }: Column): boolean {
  return type.kind === 'binary';
}

function filterOf({ filter }: ChunkOrder): string | undefined {
  return filter === undefined ? undefined : `(${filter})`;
}

/** Rows whose surrogate key is NULL have no place in the order. */
function notNull({ columns }: ChunkOrder): string | undefined {
  const nullable = columns.filter(({ nullable: isNullable }) => isNullable);
  return nullable.length === 0 ? undefined : nullable.map(({ name }) => `${quoteName(name)} IS NOT NULL`).join(' AND ');
}

function where(conditions: readonly (string | undefined)[]): string {
  const given = conditions.filter((condition) => condition !== undefined);
  return given.length === 0 ? '' : ` WHERE ${given.join(' AND ')}`;
}

function beyond(order: ChunkOrder, key: ChunkKey): string {
  return compared(order, key, '>', '>');
}

function upTo(order: ChunkOrder, key: ChunkKey): string {
  return compared(order, key, '<', '<=');
}

/** `(a > 1 OR (a = 1 AND b > 2))`: MySQL makes no range of `(a, b) > (1, 2)`. */
function compared({ columns }: ChunkOrder, key: ChunkKey, inner: string, last: string): string {
  let condition = '';
  for (let i = columns.length - 1; i >= 0; i--) {
    const column = columns[i];
    if (column === undefined) continue;
    const [name, literal] = [sortOf(column), key[i] ?? 'NULL'];
    condition =
      condition === '' ? `${name} ${last} ${literal}` : `(${name} ${inner} ${literal} OR (${name} = ${literal} AND ${condition}))`;
  }
  return condition;
}
