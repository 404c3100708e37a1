import { MillraceError } from '../base/errors.ts';
import { canonicalDatetime, canonicalTime, isInvalidDate } from './canonical.ts';
import type { ComparedColumn, HashedTable, ReplicaDialect } from './replica-dialect.ts';
import type { SourceColumn } from './source-columns.ts';

export const duckDbDialect: ReplicaDialect = {
  nameOf: ({ replicaSchema, replicaName }) => `${quoted(replicaSchema)}.${quoted(replicaName)}`,
  typesSql: ({ replicaSchema, replicaName }) =>
    `SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database()
     AND schema_name = ${literal(replicaSchema)} AND table_name = ${literal(replicaName)} ORDER BY column_index`,
  compareColumn,
  checksumsSql({ name, columns, key, digits }) {
    const part = (from: number): string => `('0x' || substr(r, ${from}, 8))::UINTEGER`;
    return `SELECT substr(k, 1, ${digits}), count(*), bit_xor(${part(1)}), bit_xor(${part(9)}), sum(${part(17)}::UBIGINT) % 4294967296
     FROM (SELECT md5(${textOf(columns)}) AS r, md5(${keyText({ columns, key })}) AS k FROM ${name}) GROUP BY 1`;
  },
  rowsSql({ name, columns, key, digits }, buckets) {
    const list = buckets.map(literal).join(', ');
    return `SELECT ${columns.map(({ replicaSql }) => replicaSql).join(', ')} FROM ${name}
     WHERE substr(md5(${keyText({ columns, key })}), 1, ${digits}) IN (${list})`;
  },
};

function compareColumn(source: SourceColumn, replica: { readonly name: string; readonly type: string }): ComparedColumn {
  const name = quoted(replica.name);
  const pair = (replicaSql: string, fromSource: (text: string) => string | null): ComparedColumn => ({
    name: source.name,
    sourceSql: source.sql,
    fromSource,
    replicaSql,
  });
  const { canonical } = source;
  const asText = `${name}::VARCHAR`;
  const type = replica.type.toUpperCase();
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
  throw new MillraceError('VERIFY_UNDECIDED', `column ${source.name}: ${source.columnType} and ${replica.type} cannot be compared`);
}

function keyText({ columns, key }: Pick<HashedTable, 'columns' | 'key'>): string {
  return textOf(key.flatMap((position) => columns[position] ?? []));
}

function textOf(columns: readonly ComparedColumn[]): string {
  const parts = columns.map(({ replicaSql }) => `coalesce(strlen(${replicaSql}) || ':' || ${replicaSql}, '-')`);
  return parts.length === 0 ? "''" : parts.join(" || '|' || ");
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
