import type { ColumnType } from '../../event/column-type.ts';
import { nativeColumnType } from '../../event/native-type.ts';

/** A type as Debezium's schema changes and `__debezium.source.column.*` parameters name it. */
export interface DescribedType {
  /** `INT UNSIGNED`, `VARCHAR`, `ENUM`. */
  readonly typeName: string;
  readonly length?: number | undefined;
  readonly scale?: number | undefined;
  /** Of ENUM and SET, as values. */
  readonly labels?: readonly string[];
}

/** Names that Debezium's parser leaves as a statement wrote them. */
const synonyms: Readonly<Record<string, string>> = {
  BOOL: 'TINYINT',
  BOOLEAN: 'TINYINT',
  INT1: 'TINYINT',
  INT2: 'SMALLINT',
  MIDDLEINT: 'MEDIUMINT',
  INT3: 'MEDIUMINT',
  INTEGER: 'INT',
  INT4: 'INT',
  INT8: 'BIGINT',
  DEC: 'DECIMAL',
  NUMERIC: 'DECIMAL',
  FIXED: 'DECIMAL',
  FLOAT4: 'FLOAT',
  'DOUBLE PRECISION': 'DOUBLE',
  FLOAT8: 'DOUBLE',
  REAL: 'DOUBLE',
  'CHAR BYTE': 'BINARY',
};

/** What a column of this type holds; undefined: the name is not known. */
export function describedColumnType({ typeName, length, scale, labels = [] }: DescribedType): ColumnType | undefined {
  const full = typeName.toUpperCase();
  const unsigned = / UNSIGNED| ZEROFILL/.test(full);
  const base = full.replaceAll(/ (UN)?SIGNED| ZEROFILL/g, '').trim();
  const name = synonyms[base] ?? base;
  // FLOAT(p) with more bits than a float has
  if (name === 'FLOAT' && (length ?? 0) > 24 && scale === undefined) return { kind: 'double', unsigned };
  return nativeColumnType({ name, length, scale, unsigned, labels }) ?? typeByWords(base);
}

/** Of the many ways to write the rest: `NATIONAL CHARACTER VARYING`, `LONG VARBINARY` … */
function typeByWords(base: string): ColumnType | undefined {
  if (/BINARY|BLOB/.test(base)) return { kind: 'binary' };
  if (/POINT|GEOM|LINESTRING|POLYGON/.test(base)) return { kind: 'geometry' };
  return /CHAR|TEXT|LONG/.test(base) ? { kind: 'text' } : undefined;
}
