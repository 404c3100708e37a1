import { isGuessed } from '../../event/guessed.ts';
import type { Column } from '../../event/table-schema.ts';
import { cellKind, type MappedColumn } from './column-mapping.ts';
import { literal } from './session.ts';

/** A warehouse's SQL for what conversions are made of; each is given the SQL of a value. */
export interface ConversionSql {
  /** True when the number comes back the same from the other type. */
  number(from: MappedColumn, to: MappedColumn, value: string): Conversion | undefined;
  literal(text: string): string;
  bytesOfText(value: string): string;
  bytesOfBinary(value: string): string;
  /** True when a date and time has no fraction beyond `digits`. */
  endsAt(value: string, digits: number): string;
}

/** DuckDB's own. A number that comes back the same was representable, and MySQL converts it to the same. */
const duckdbConversions: ConversionSql = {
  number: (from, to, value) => {
    if (from.sqlType === to.sqlType) return { sql: value };
    const cast = `TRY_CAST(${value} AS ${to.sqlType})`;
    return { sql: cast, check: `TRY_CAST(${cast} AS ${from.sqlType}) IS NOT DISTINCT FROM ${value}` };
  },
  literal,
  bytesOfText: (value) => `strlen(${value})`,
  bytesOfBinary: (value) => `octet_length(${value})`,
  endsAt: (value, digits) => `epoch_us(${value}) % ${10 ** (6 - digits)} = 0`,
};

/** How the values of a column become those of another type. */
export interface Conversion {
  /** The new value, of the old one. */
  readonly sql: string;
  /** True for every row whose new value is certain to be the source's; without it all are. */
  readonly check?: string;
}

const numericKinds = new Set(['int', 'decimal', 'float', 'double', 'year']);

/**
 * How MySQL's conversion of a column is repeated in the replica: `undefined` where that is not certain, because it
 * depends on the session, on the SQL mode or on formats of MySQL's own. `value` is the SQL of the old value.
 */
export function convertColumn(
  from: MappedColumn,
  to: MappedColumn,
  { value, dialect = duckdbConversions }: { readonly value: string; readonly dialect?: ConversionSql },
): Conversion | undefined {
  // what is guessed was none of the source's conversions: later values are of another type than earlier ones
  if (isGuessed(to.column)) return { sql: `CAST(${value} AS ${to.sqlType})` };
  const conversion = convertType(from, to, value, dialect);
  if (conversion === undefined) return undefined;
  // MODIFY … NOT NULL fails or invents values, by SQL mode
  if (!to.notNull || from.notNull || to.column.nullable || !from.column.nullable) return conversion;
  return { sql: conversion.sql, check: both(conversion.check, `${value} IS NOT NULL`) };
}

function convertType(from: MappedColumn, to: MappedColumn, value: string, dialect: ConversionSql): Conversion | undefined {
  const a = from.column.type;
  const b = to.column.type;
  const cast = from.sqlType === to.sqlType ? value : `CAST(${value} AS ${to.sqlType})`;
  if (numericKinds.has(a.kind) && numericKinds.has(b.kind)) return dialect.number(from, to, value);
  if (a.kind === 'bit' && b.kind === 'bit') return b.length >= a.length ? { sql: cast } : undefined;
  if (isText(a.kind) && isText(b.kind)) return convertText(from.column, to.column, value, dialect);
  if ((a.kind === 'int' || a.kind === 'decimal') && b.kind === 'text') {
    return { sql: `CAST(${value} AS VARCHAR)`, ...checked(lengthCheck(to.column, `CAST(${value} AS VARCHAR)`, dialect)) };
  }
  if (a.kind === 'json') return b.kind === 'json' || b.kind === 'text' ? { sql: cast } : undefined;
  if (a.kind === 'binary' && b.kind === 'binary') {
    if (a.fixedLength !== b.fixedLength) return undefined;
    const length = to.column.length;
    return { sql: cast, ...checked(length === undefined ? undefined : `${dialect.bytesOfBinary(value)} <= ${length}`) };
  }
  if (from.kind === cellKind.date && to.kind === cellKind.date) return { sql: value };
  if (from.kind === cellKind.date && to.kind === cellKind.datetime) return { sql: cast };
  if (from.kind === to.kind && 'fsp' in a && 'fsp' in b) {
    return { sql: value, ...checked(b.fsp >= a.fsp ? undefined : dialect.endsAt(value, b.fsp)) };
  }
  if (a.kind === b.kind && from.sqlType === to.sqlType && !('fsp' in a)) return { sql: value };
  return undefined;
}

function isText(kind: string): boolean {
  return kind === 'text' || kind === 'enum' || kind === 'set';
}

function convertText(from: Column, to: Column, value: string, dialect: ConversionSql): Conversion | undefined {
  const a = from.type;
  const b = to.type;
  if (b.kind === 'enum') {
    if (a.kind === 'set') return undefined;
    const all = a.kind === 'enum' && a.labels.every((label) => b.labels.includes(label));
    const known = b.labels.length === 0 ? 'false' : `${value} IN (${b.labels.map((label) => dialect.literal(label)).join(', ')})`;
    return { sql: value, ...checked(all ? undefined : known) };
  }
  if (b.kind === 'set') {
    // the text of a set has its members in the order of the definition
    if (a.kind !== 'set') return undefined;
    const kept = b.labels.filter((label) => a.labels.includes(label));
    return kept.length === a.labels.length && kept.every((label, index) => label === a.labels[index]) ? { sql: value } : undefined;
  }
  let check = lengthCheck(to, value, dialect, from);
  const target = to.charset ?? 'utf8mb4';
  if (from.charset !== target && target !== 'utf8mb4') check = both(check, `${dialect.bytesOfText(value)} = length(${value})`);
  if (to.nativeType === 'CHAR' && from.nativeType !== 'CHAR') check = both(check, `rtrim(${value}, ' ') = ${value}`);
  return { sql: value, ...checked(check) };
}

const textBytes: Readonly<Record<string, number>> = { TINYTEXT: 255, TEXT: 65_535, MEDIUMTEXT: 16_777_215 };

/** True for texts that fit: longer ones are cut or refused, by SQL mode. */
function lengthCheck(to: Column, value: string, dialect: ConversionSql, from?: Column): string | undefined {
  const bytes = textBytes[to.nativeType];
  if (bytes !== undefined) return from?.nativeType === to.nativeType ? undefined : `${dialect.bytesOfText(value)} <= ${bytes}`;
  if (to.length === undefined || (from?.length !== undefined && from.length <= to.length && from.type.kind === 'text')) return undefined;
  return `length(${value}) <= ${to.length}`;
}

function both(a: string | undefined, b: string): string {
  return a === undefined ? b : `${a} AND ${b}`;
}

function checked(check: string | undefined): { readonly check?: string } {
  return check === undefined ? {} : { check };
}
