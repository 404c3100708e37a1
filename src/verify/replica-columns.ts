import { MillraceError } from '../base/errors.ts';
import { canonicalDatetime, canonicalTime, isInvalidDate } from './canonical.ts';
import type { SourceColumn } from './source-columns.ts';

/** A column of both sides: how each prints the canonical text, and what a replaced value counts as. */
export interface ComparedColumn {
  readonly name: string;
  readonly sourceSql: string;
  /** Canonical text of the source's text; null: the replica holds NULL in its place (a substitution). */
  readonly fromSource: (text: string) => string | null;
  /** Select expression of the replica: canonical text or NULL. */
  readonly replicaSql: string;
}

/**
 * Pairs a source column with the replica's column of the same name, whose declared type says how values were meant to
 * arrive.
 * @throws VERIFY_UNDECIDED when the pair of types is none that can be compared
 */
export function compareColumn(source: SourceColumn, replicaType: string): ComparedColumn {
  const name = `"${source.name.replaceAll('"', '""')}"`;
  const pair = (replicaSql: string, fromSource: (text: string) => string | null): ComparedColumn => ({
    name: source.name,
    sourceSql: source.sql,
    fromSource,
    replicaSql,
  });
  const { canonical } = source;
  const asText = `${name}::VARCHAR`;
  const type = replicaType.toUpperCase();
  if (type === 'VARCHAR') return pair(asText, canonical);
  // Between the values of a document tabs are marks for records (`SourceConfig.marksDocuments`); inside of texts they are escaped.
  if (type === 'JSON') return pair(`replace(${asText}, chr(9), '')`, canonical);
  if (type === 'BOOLEAN') return pair(`${name}::INTEGER::VARCHAR`, canonical);
  if (type === 'BLOB') return pair(`hex(${name})`, canonical);
  if (type === 'FLOAT' || type === 'DOUBLE') return pair(`format('{:.16e}', ${name}::DOUBLE)`, canonical);
  if (type === 'DATE') return pair(`strftime(${name}, '%Y-%m-%d')`, (text) => (isInvalidDate(text) ? null : canonical(text)));
  if (type === 'TIMESTAMP' || type === 'TIMESTAMP WITH TIME ZONE') {
    const civil = type === 'TIMESTAMP' ? name : `(${name} AT TIME ZONE 'UTC')`;
    return pair(`strftime(${civil}, '%Y-%m-%d %H:%M:%S.%f')`, (text) => (isInvalidDate(text) ? null : canonicalDatetime(text)));
  }
  if (type === 'INTERVAL') return pair(`epoch_us(${name})::VARCHAR`, canonicalTime);
  if (type === 'UUID') return pair(asText, (text) => canonical(text).toLowerCase());
  if (type.startsWith('FLOAT[')) {
    return pair(`array_to_string(list_transform(${name}::FLOAT[], lambda x: format('{:.16e}', x::DOUBLE)), ',')`, canonical);
  }
  // DuckDB prints `.5` where a DECIMAL has no digits before the point, the server `0.5`.
  const digits = /^DECIMAL\((\d+),(\d+)\)$/.exec(type);
  if (digits !== null && digits[1] === digits[2]) return pair(asText, (text) => canonical(text).replace(/^(-?)0\./, '$1.'));
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type) || type.startsWith('DECIMAL(')) return pair(asText, canonical);
  throw new MillraceError('VERIFY_UNDECIDED', `column ${source.name}: ${source.columnType} and ${replicaType} cannot be compared`);
}
