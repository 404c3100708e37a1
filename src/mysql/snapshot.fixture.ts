/** What the snapshot's tests share: schemas by hand, and row images as the server's own text. */
import { createTableSchema } from '../event/table-schema.ts';
import type { Column, TableId, TableSchema } from '../event/table-schema.ts';
import { readImage } from '../event/cell.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import type { ColumnType } from '../event/column-type.ts';
import type { ConnectionSettings } from '../binlog/connection.ts';
import type { Login } from '../cli/private-server.ts';

export const never = new AbortController().signal;

export function column(name: string, type: ColumnType, rest: Partial<Column> = {}): Column {
  return { name, type, nullable: true, nativeType: type.kind.toUpperCase(), ...rest };
}

export const int = { kind: 'int', bits: 32, unsigned: false } as const;

export function schemaOf(id: TableId, columns: readonly Column[], primaryKey: readonly number[]): TableSchema {
  return createTableSchema({ ...id, columns, primaryKey });
}

/** How to connect to a test server as one of its users. */
export function settingsOf({
  host,
  port,
  user,
  password,
}: Pick<Login, 'user' | 'password'> & { host: string; port: number }): ConnectionSettings {
  return { host, port, user, password, ssl: { mode: 'disabled' } };
}

/** The cells of the row image `bytes[start, end)` as text; binary ones as hex. */
export function imageTexts(schema: TableSchema, bytes: Uint8Array, start: number, end: number): (string | null | undefined)[] {
  return readImage(schema, bytes, start, end).map((value) => {
    if (value === null || value === undefined) return value;
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
  });
}

/** All after images of a batch. */
export function batchRows(batch: ChangeBatch): (string | null | undefined)[][] {
  return Array.from({ length: batch.count }, (_, i) =>
    imageTexts(batch.schema, batch.bytes, batch.starts[2 * i + 1] ?? 0, batch.starts[2 * i + 2] ?? 0),
  );
}
