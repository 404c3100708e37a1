import { hash } from 'node:crypto';
import type { ComparedColumn } from './replica-dialect.ts';
import type { SourceRow } from './source-reader.ts';

/** The canonical values of a source row, and how many of them the replica holds as NULL instead. */
export interface CanonicalRow {
  readonly values: readonly (string | null)[];
  readonly substitutions: number;
}

export function canonicalRow(columns: readonly ComparedColumn[], row: SourceRow): CanonicalRow {
  let substitutions = 0;
  const values = columns.map((column, position) => {
    const bytes = row[position] ?? null;
    if (bytes === null) return null;
    const value = column.fromSource(bytes.toString('utf8'));
    if (value === null) substitutions++;
    return value;
  });
  return { values, substitutions };
}

/**
 * Positions of the columns that say which bucket a row is of, and which row it is: its key, else all that have one text for a
 * value.
 */
export function bucketColumns(key: readonly number[], columns: readonly ComparedColumn[]): readonly number[] {
  return key.length > 0 ? key : columns.flatMap(({ isSame }, position) => (isSame === undefined ? [position] : []));
}

/** What both sides hash; no two different rows have one text. See `ReplicaDialect`. */
export function rowText(values: readonly (string | null)[]): string {
  return values.map((value) => (value === null ? '-' : `${Buffer.byteLength(value)}:${value}`)).join('|');
}

/** The text of some columns of a row. */
export function keyText(values: readonly (string | null)[], positions: readonly number[]): string {
  return rowText(positions.map((position) => values[position] ?? null));
}

/** 32 hex digits; both sides have MD5, and nobody attacks it here. */
export function digest(text: string): string {
  return hash('md5', text, 'hex');
}
