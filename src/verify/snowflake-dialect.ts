import { MillraceError } from '../base/errors.ts';
import { canonicalDatetime, isInvalidDate } from './canonical.ts';
import { exactDouble, exactDoubleSql, readExactDouble } from './exact-double.ts';
import type { ComparedColumn, HashedTable, ReplicaDialect } from './replica-dialect.ts';
import type { SourceColumn } from './source-columns.ts';
import { canonicalVariant, canonicalVectorVariant, isSameVariant, isSameVector } from './variant.ts';

export const snowflakeDialect: ReplicaDialect = {
  nameOf({ statement, ...table }) {
    return statement === undefined ? placeOf(table) : `${placeOf(table)} AT(STATEMENT => ${literal(statement)})`;
  },
  // it has no past: a table that was altered since is looked at again, at a later position
  typesSql: (table) => `DESCRIBE TABLE ${placeOf(table)}`,
  compareColumn,
  checksumsSql({ name, columns, key, digits }) {
    const word = (from: number): string => `TO_NUMBER(SUBSTR("r", ${from}, 8), 'XXXXXXXX')`;
    return (
      `SELECT SUBSTR("k", 1, ${digits}) AS "b", COUNT(*), BITXOR_AGG(${word(1)}), BITXOR_AGG(${word(9)}), MOD(SUM(${word(17)}), 4294967296) ` +
      `FROM (SELECT MD5(${textOf(columns.keys())}) AS "r", MD5(${textOf(key)}) AS "k" FROM ${textsOf({ name, columns })}) GROUP BY 1`
    );
  },
  rowsSql({ name, columns, key, digits }, buckets) {
    const list = buckets.map(literal).join(', ');
    const all = columns.map((_, position) => alias(position)).join(', ');
    return `SELECT ${all} FROM ${textsOf({ name, columns })} WHERE SUBSTR(MD5(${textOf(key)}), 1, ${digits}) IN (${list})`;
  },
};

function placeOf({ replicaSchema, replicaName }: { readonly replicaSchema: string; readonly replicaName: string }): string {
  return `${quoted(replicaSchema)}.${quoted(replicaName)}`;
}

/** The table as canonical texts: each, and each step to it, is computed once. */
function textsOf({ name, columns }: Pick<HashedTable, 'name' | 'columns'>): string {
  let from = name;
  for (let depth = 0; ; depth++) {
    const steps = columns.flatMap(({ replicaSteps }) => replicaSteps?.[depth] ?? []);
    if (steps.length === 0) break;
    from = `(SELECT *, ${steps.map((step) => `${step.sql} AS ${step.name}`).join(', ')} FROM ${from})`;
  }
  return `(SELECT ${columns.map(({ replicaSql }, position) => `${replicaSql} AS ${alias(position)}`).join(', ')} FROM ${from})`;
}

function alias(position: number): string {
  return `"c${position}"`;
}

function textOf(positions: Iterable<number>): string {
  const parts = [...positions].map(
    (position) => `COALESCE(TO_VARCHAR(OCTET_LENGTH(${alias(position)})) || ':' || ${alias(position)}, '-')`,
  );
  return parts.length === 0 ? "''" : parts.join(" || '|' || ");
}

function compareColumn(source: SourceColumn, replica: { readonly name: string; readonly type: string }): ComparedColumn {
  const name = quoted(replica.name);
  const { canonical } = source;
  const pair = (
    replicaSql: string,
    fromSource: (text: string) => string | null,
    more: Pick<ComparedColumn, 'isSame' | 'shown' | 'replicaSteps'> = {},
  ): ComparedColumn => ({ name: source.name, sourceSql: source.sql, fromSource, replicaSql, ...more });
  const date = (format: string, text: (text: string) => string): ComparedColumn =>
    pair(`TO_CHAR(${name}, '${format}')`, (given) => (isInvalidDate(given) ? null : text(given)));
  const type = replica.type.toUpperCase().replace(/\(.*$/, '');
  switch (type) {
    case 'NUMBER':
      return pair(`TO_VARCHAR(${name})`, canonical);
    case 'VARCHAR':
      return pair(name, canonical);
    case 'BOOLEAN':
      return pair(`TO_VARCHAR(CAST(${name} AS NUMBER(1,0)))`, canonical);
    case 'BINARY':
      return pair(`TO_CHAR(${name}, 'HEX')`, canonical);
    case 'FLOAT': {
      const { sql, steps } = exactDoubleSql(name, (step) => quoted(`millrace ${step} of ${replica.name}`));
      return pair(sql, (text) => exactDouble(Number(canonical(text))), { shown: readExactDouble, replicaSteps: steps });
    }
    case 'DATE':
      return date('YYYY-MM-DD', canonical);
    case 'TIMESTAMP_NTZ':
      return date('YYYY-MM-DD HH24:MI:SS.FF9', (text) => `${canonicalDatetime(text)}000`);
    case 'TIMESTAMP_TZ':
      return date('YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM', (text) => `${canonicalDatetime(text)}000 +00:00`);
    case 'VARIANT':
      return pair(`TO_JSON(${name})`, canonicalVariant, { isSame: isSameVariant });
    case 'ARRAY':
      return pair(`TO_JSON(${name})`, (text) => canonicalVectorVariant(numbersOf(canonical(text))), { isSame: isSameVector });
    default:
      throw new MillraceError('VERIFY_UNDECIDED', `column ${source.name}: ${source.columnType} and ${replica.type} cannot be compared`);
  }
}

function numbersOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(',').map(Number);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Of ids and hex digits, which need no escapes. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
