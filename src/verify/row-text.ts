import { hash } from 'node:crypto';
import type { ComparedColumn } from './replica-columns.ts';
import type { SourceRow } from './source-reader.ts';

/**
 * What both sides hash of a row: for each column `<bytes>:<canonical text>`, or `-` for NULL, joined with `|`; so no two
 * different rows have one text. A row's bucket comes from the text of its key columns, made the same way.
 */
export interface RowTexts {
  /** In the replica's SQL: the text over all columns, and over the key. */
  readonly replicaRow: string;
  readonly replicaKey: string;
}

export function replicaTexts(columns: readonly ComparedColumn[], key: readonly number[]): RowTexts {
  const all = columns.map(({ replicaSql }) => `coalesce(strlen(${replicaSql}) || ':' || ${replicaSql}, '-')`);
  const keyParts = key.length === 0 ? all : key.flatMap((position) => all[position] ?? []);
  return { replicaRow: concatenate(all), replicaKey: concatenate(keyParts) };
}

function concatenate(parts: readonly string[]): string {
  return parts.length === 0 ? "''" : parts.join(" || '|' || ");
}

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

/** The text of some columns of a canonical row; of all when `positions` is empty. */
export function rowText(values: readonly (string | null)[], positions: readonly number[]): string {
  const picked = positions.length === 0 ? values : positions.map((position) => values[position] ?? null);
  return picked.map((value) => (value === null ? '-' : `${Buffer.byteLength(value)}:${value}`)).join('|');
}

/** 32 hex digits; both sides have MD5, and nobody attacks it here. */
export function digest(text: string): string {
  return hash('md5', text, 'hex');
}
