import assert from 'node:assert/strict';
import { decimalText, unscaledOf } from '../event/cell.ts';
import type { ColumnType, Fsp } from '../event/column-type.ts';
import type { Column } from '../event/table-schema.ts';
import { timeText } from '../event/temporal-text.ts';
import type { Value } from '../event/value.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { describedColumnType } from './decode/native-type.ts';
import { elementsOf, membersOf } from './golden-text.ts';

/* Test support: a recorded column's definition, and the cell that a recorded value stands for. */

/** A column as Debezium's schema-change records describe it. */
export interface RecordedColumn {
  readonly name: string;
  readonly typeName: string;
  readonly length?: number;
  readonly scale?: number;
  readonly optional?: boolean;
  readonly charsetName?: string;
  readonly default?: string;
  readonly comment?: string;
  readonly enumValues?: readonly string[];
}

export function columnOf(recorded: RecordedColumn): Column {
  const { name, typeName, length, scale, optional, comment, default: recordedDefault } = recorded;
  const type = typeOf(recorded);
  const isInstant = type.kind === 'timestamp' || type.kind === 'datetime';
  const current = isInstant && recordedDefault === '1970-01-01 00:00:00';
  const defaultText = current ? 'CURRENT_TIMESTAMP' : recordedDefault;
  const bits = type.kind === 'bit' && defaultText !== undefined ? `b'${defaultText}'` : defaultText;
  return {
    name,
    type,
    nullable: optional ?? false,
    nativeType: typeName,
    ...(length !== undefined && { length }),
    ...(scale !== undefined && type.kind !== 'decimal' && { scale }),
    ...(bits !== undefined && { defaultText: bits }),
    ...(current && { defaultExpression: true }),
    ...(comment !== undefined && { comment: comment.replaceAll("''", "'") }),
  };
}

function typeOf({ typeName, length, scale, enumValues }: RecordedColumn): ColumnType {
  const labels = (enumValues ?? []).map((label) => label.replace(/^'|'$/g, '').replaceAll("''", "'").replaceAll('\\\\', '\\'));
  const type = describedColumnType({ typeName, length, scale, labels });
  assert.ok(type, typeName);
  return type;
}

/** The cell that the raw JSON text `token` of a column stands for, under the options that it was written with. */
export function valueOf({ type, scale }: Column, token: string, options: DebeziumOptions): Value {
  if (token === 'null') return null;
  switch (type.kind) {
    case 'int':
      if (type.bits !== 64) return Number(token);
      if (token.startsWith('"')) return bigOf(base64(token));
      return type.unsigned ? BigInt.asUintN(64, BigInt(token)) : BigInt(token);
    case 'bit':
      return token.startsWith('"') ? bigOf(base64(token).toReversed(), true) : BigInt(token === 'true');
    case 'float':
      if (scale === undefined) return Number(token);
      // a value is widened from the float; other text is the default, put in place of NULL
      return Math.fround(Number(token)) === Number(token) ? Number(token) : null;
    case 'double':
    case 'year':
      return Number(token);
    case 'decimal':
      return decimalOf(type.scale, token, options);
    case 'date':
      return dateOf(token);
    case 'time':
      return timeOf(token, type.fsp, options);
    case 'datetime':
      return instantOf(token, type.fsp, options);
    case 'timestamp':
      return isoOf(text(token), type.fsp);
    case 'binary':
      if (options.binaryMode === 'hex') return Buffer.from(text(token), 'hex');
      return base64(token);
    case 'geometry': {
      const members = membersOf(token);
      const srid = members.get('srid') ?? 'null';
      const head = Buffer.alloc(4);
      head.writeInt32LE(srid === 'null' ? 0 : Number(srid));
      return Buffer.concat([head, base64(members.get('wkb') ?? '""')]);
    }
    case 'vector':
      return Buffer.from(Float32Array.from(elementsOf(token), Number).buffer);
    case 'text':
    case 'enum':
    case 'set':
    case 'json':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return text(token);
  }
}

function text(token: string): string {
  return String(JSON.parse(token));
}

function base64(token: string): Uint8Array {
  return Buffer.from(text(token), 'base64');
}

function bigOf(bytes: Uint8Array, unsigned = false): bigint {
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return unsigned ? value : BigInt.asIntN(8 * bytes.length, value);
}

function decimalOf(scale: number, token: string, options: DebeziumOptions): string {
  if (options.decimalMode === 'string') return text(token);
  if (token.startsWith('"')) return decimalText(bigOf(base64(token)), scale);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:E([-+]?\d+))?$/.exec(token) ?? [];
  const shift = scale + Number(exponent) - fraction.length;
  const digits = shift >= 0 ? whole + fraction + '0'.repeat(shift) : (whole + fraction).slice(0, shift);
  return decimalText(unscaledOf(`${sign}${digits || '0'}`, 0), scale);
}

const microsPerDay = 86_400_000_000n;

function dateOf(token: string): string {
  if (token.startsWith('"')) return text(token).slice(0, 10);
  return isoDay(BigInt(token) * microsPerDay);
}

function isoDay(micros: bigint): string {
  return new Date(Number(micros / 1000n)).toISOString().slice(0, 10);
}

function timeOf(token: string, fsp: Fsp, options: DebeziumOptions): string {
  if (token.startsWith('"')) return withFraction(text(token).slice(0, -1), fsp);
  const micros = BigInt(token);
  if (options.timeMode === 'connect') return timeText(micros * 1000n, fsp);
  return timeText(options.timeMode === 'nanoseconds' ? micros / 1000n : micros, fsp);
}

function instantOf(token: string, fsp: Fsp, options: DebeziumOptions): string {
  if (token.startsWith('"')) return isoOf(text(token), fsp);
  const { timeMode } = options;
  const isMillis = timeMode === 'connect' || (timeMode === 'adaptive_time_microseconds' && fsp <= 3);
  const micros = isMillis ? BigInt(token) * 1000n : timeMode === 'nanoseconds' ? BigInt(token) / 1000n : BigInt(token);
  const ofDay = ((micros % microsPerDay) + microsPerDay) % microsPerDay;
  return `${isoDay(micros - ofDay)} ${timeText(ofDay, fsp)}`;
}

function isoOf(iso: string, fsp: Fsp): string {
  return withFraction(iso.replace('T', ' ').slice(0, -1), fsp);
}

function withFraction(clock: string, fsp: Fsp): string {
  const [whole = '', fraction = ''] = clock.split('.');
  return fsp === 0 ? whole : `${whole}.${fraction.padEnd(6, '0').slice(0, fsp)}`;
}
