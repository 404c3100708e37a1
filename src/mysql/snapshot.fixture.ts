/** What the snapshot's tests share: schemas by hand, and a plain reader of row images as the server's own text. */
import { createTableSchema } from '../event/table-schema.ts';
import type { Column, TableId, TableSchema } from '../event/table-schema.ts';
import { cellState, stateBytes } from '../event/change-batch.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import { cellWidth } from '../event/column-type.ts';
import type { ColumnType } from '../event/column-type.ts';
import type { ConnectionSettings } from '../binlog/connection.ts';
import type { Login } from '../cli/private-server.ts';

export const never = new AbortController().signal;

export function column(name: string, type: ColumnType, rest: Partial<Column> = {}): Column {
  return { name, type, nullable: true, nativeType: type.kind.toUpperCase(), ...rest };
}

export const int = { kind: 'int', bits: 32, unsigned: false } as const;
export const bigint = { kind: 'int', bits: 64, unsigned: false } as const;
export const text = { kind: 'text' } as const;

export function schemaOf(id: TableId, columns: readonly Column[], primaryKey: readonly number[]): TableSchema {
  return createTableSchema({ ...id, columns, primaryKey });
}

/** How to connect to a test server as one of its users. */
export function settingsOf({ host, port, user, password }: Pick<Login, 'user' | 'password'> & { host: string; port: number }): ConnectionSettings {
  return { host, port, user, password, ssl: { mode: 'disabled' } };
}

/** The cells of the row image `bytes[start, end)` as text; binary ones as hex. Throws when the image has another length. */
export function imageTexts(schema: TableSchema, bytes: Uint8Array, start: number, end: number): (string | null | undefined)[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start + stateBytes(schema.columns.length);
  const texts = schema.columns.map(({ type }, c) => {
    const state = ((buffer[start + (c >> 2)] ?? 0) >> ((c & 3) * 2)) & 3;
    if (state === cellState.null) return null;
    if (state === cellState.absent) return undefined;
    let width = cellWidth(type);
    if (width === 0) {
      let shift = 0;
      let byte: number;
      do {
        byte = buffer[at++] ?? 0;
        width |= (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
    }
    at += width;
    return cellText(type, buffer.subarray(at - width, at));
  });
  if (at !== end) throw new Error(`the image ends at ${at}, not at ${end}`);
  return texts;
}

/** All after images of a batch. */
export function batchRows(batch: ChangeBatch): (string | null | undefined)[][] {
  return Array.from({ length: batch.count }, (_, i) => imageTexts(batch.schema, batch.bytes, batch.starts[2 * i + 1] ?? 0, batch.starts[2 * i + 2] ?? 0));
}

function cellText(type: ColumnType, cell: Buffer): string {
  switch (type.kind) {
    case 'int':
      if (type.bits === 64) return String(type.unsigned ? cell.readBigUInt64LE() : cell.readBigInt64LE());
      return String(type.unsigned ? cell.readUIntLE(0, cell.length) : cell.readIntLE(0, cell.length));
    case 'bit':
      return String(cell.readBigUInt64LE());
    case 'float':
      return String(cell.readFloatLE());
    case 'double':
      return Object.is(cell.readDoubleLE(), -0) ? '-0' : String(cell.readDoubleLE());
    case 'decimal':
      return decimalText(type.scale, cell);
    case 'year':
      return String(cell.readUInt16LE());
    case 'date':
      return dateText(cell.readUInt32LE());
    case 'time': {
      const micros = cell.readBigInt64LE();
      return `${micros < 0n ? '-' : ''}${clockText(micros < 0n ? -micros : micros, type.fsp)}`;
    }
    case 'datetime':
      return `${dateText(cell.readUInt32LE())} ${clockText(BigInt(cell.readUInt32LE(4)) * 1_000_000n + BigInt(cell.readUInt32LE(8)), type.fsp)}`;
    case 'timestamp': {
      const micros = cell.readBigInt64LE();
      const iso = new Date(Number(micros / 1000n)).toISOString();
      const day = micros === 0n ? '0000-00-00' : iso.slice(0, 10);
      return `${day} ${clockText(micros % 86_400_000_000n, type.fsp)}`;
    }
    case 'binary':
    case 'geometry':
    case 'vector':
      return cell.toString('hex');
    case 'text':
    case 'enum':
    case 'set':
    case 'json':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return cell.toString('utf8');
  }
}

function decimalText(scale: number, cell: Buffer): string {
  if (cell.length !== 8 && cell.length !== 16) return cell.toString('latin1');
  const value = cell.length === 8 ? cell.readBigInt64LE() : (cell.readBigInt64LE(8) << 64n) | cell.readBigUInt64LE();
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${value < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(digits.length - scale)}`}`;
}

function dateText(date: number): string {
  return `${String(date >>> 9).padStart(4, '0')}-${String((date >>> 5) & 15).padStart(2, '0')}-${String(date & 31).padStart(2, '0')}`;
}

function clockText(micros: bigint, fsp: number): string {
  const two = (value: bigint): string => String(value).padStart(2, '0');
  const seconds = micros / 1_000_000n;
  const fraction = String(micros % 1_000_000n).padStart(6, '0').slice(0, fsp);
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${fsp === 0 ? '' : `.${fraction}`}`;
}
