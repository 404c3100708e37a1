import type { ColumnType, Fsp } from '../../event/column-type.ts';

/** A type as Debezium's schema changes and `__debezium.source.column.*` parameters name it. */
export interface DescribedType {
  /** `INT UNSIGNED`, `VARCHAR`, `ENUM`. */
  readonly typeName: string;
  readonly length?: number | undefined;
  readonly scale?: number | undefined;
  /** Of ENUM and SET, as values. */
  readonly labels?: readonly string[];
}

const intBits: Readonly<Record<string, 8 | 16 | 24 | 32 | 64>> = {
  TINYINT: 8,
  BOOL: 8,
  BOOLEAN: 8,
  INT1: 8,
  SMALLINT: 16,
  INT2: 16,
  MEDIUMINT: 24,
  MIDDLEINT: 24,
  INT3: 24,
  INT: 32,
  INTEGER: 32,
  INT4: 32,
  BIGINT: 64,
  INT8: 64,
};

/** What a column of this type holds; undefined: the name is not known. */
export function describedColumnType({ typeName, length, scale, labels = [] }: DescribedType): ColumnType | undefined {
  const name = typeName.toUpperCase();
  const unsigned = / UNSIGNED| ZEROFILL/.test(name);
  const base = name.replaceAll(/ (UN)?SIGNED| ZEROFILL/g, '').trim();
  const bits = intBits[base];
  if (bits !== undefined) return { kind: 'int', bits, unsigned };
  switch (base) {
    case 'DECIMAL':
    case 'DEC':
    case 'NUMERIC':
    case 'FIXED':
      return { kind: 'decimal', precision: length ?? 10, scale: scale ?? 0, unsigned };
    case 'FLOAT':
    case 'FLOAT4':
      return { kind: (length ?? 0) > 24 && scale === undefined ? 'double' : 'float', unsigned };
    case 'DOUBLE':
    case 'DOUBLE PRECISION':
    case 'FLOAT8':
    case 'REAL':
      return { kind: 'double', unsigned };
    case 'BIT':
      return { kind: 'bit', length: length ?? 1 };
    case 'YEAR':
      return { kind: 'year' };
    case 'DATE':
      return { kind: 'date' };
    case 'TIME':
      return { kind: 'time', fsp: fspOf(length) };
    case 'DATETIME':
      return { kind: 'datetime', fsp: fspOf(length) };
    case 'TIMESTAMP':
      return { kind: 'timestamp', fsp: fspOf(length) };
    case 'ENUM':
      return { kind: 'enum', labels };
    case 'SET':
      return { kind: 'set', labels };
    case 'JSON':
      return { kind: 'json' };
    case 'VECTOR':
      return { kind: 'vector' };
    case 'UUID':
      return { kind: 'uuid' };
    case 'INET4':
      return { kind: 'inet4' };
    case 'INET6':
      return { kind: 'inet6' };
    case 'BINARY':
    case 'CHAR BYTE':
      return { kind: 'binary', fixedLength: length ?? 1 };
    default:
  }
  if (/BINARY|BLOB/.test(base)) return { kind: 'binary' };
  if (/POINT|GEOM|LINESTRING|POLYGON/.test(base)) return { kind: 'geometry' };
  return /CHAR|TEXT|LONG/.test(base) ? { kind: 'text' } : undefined;
}

function fspOf(digits: number | undefined): Fsp {
  return ([1, 2, 3, 4, 5, 6] as const).find((each) => each === digits) ?? 0;
}
