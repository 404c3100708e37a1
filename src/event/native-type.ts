import type { ColumnType, Fsp } from './column-type.ts';

/** A type by the name that MySQL and MariaDB give it in their definitions, with its numbers. */
export interface NamedType {
  /** Upper case, without UNSIGNED and ZEROFILL: `INT`, `VARCHAR`, `ENUM`. */
  readonly name: string;
  /** Declared length, precision, or digits of a second's fraction. */
  readonly length?: number | undefined;
  readonly scale?: number | undefined;
  /** ZEROFILL is unsigned too. */
  readonly unsigned: boolean;
  /** Of ENUM and SET, as values. */
  readonly labels: readonly string[];
}

/** What a column of this type holds; undefined: the name is not known. FLOAT is 4 bytes, whatever its length. */
export function nativeColumnType({ name, length, scale, unsigned, labels }: NamedType): ColumnType | undefined {
  switch (name) {
    case 'TINYINT':
      return { kind: 'int', bits: 8, unsigned };
    case 'SMALLINT':
      return { kind: 'int', bits: 16, unsigned };
    case 'MEDIUMINT':
      return { kind: 'int', bits: 24, unsigned };
    case 'INT':
      return { kind: 'int', bits: 32, unsigned };
    case 'BIGINT':
      return { kind: 'int', bits: 64, unsigned };
    case 'BIT':
      return { kind: 'bit', length: length ?? 1 };
    case 'FLOAT':
      return { kind: 'float', unsigned };
    case 'DOUBLE':
      return { kind: 'double', unsigned };
    case 'DECIMAL':
      return { kind: 'decimal', precision: length ?? 10, scale: scale ?? 0, unsigned };
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
    case 'BINARY':
      return { kind: 'binary', fixedLength: length ?? 1 };
    case 'VARBINARY':
    case 'TINYBLOB':
    case 'BLOB':
    case 'MEDIUMBLOB':
    case 'LONGBLOB':
      return { kind: 'binary' };
    case 'GEOMETRY':
    case 'POINT':
    case 'LINESTRING':
    case 'POLYGON':
    case 'MULTIPOINT':
    case 'MULTILINESTRING':
    case 'MULTIPOLYGON':
    case 'GEOMCOLLECTION':
    case 'GEOMETRYCOLLECTION':
      return { kind: 'geometry' };
    case 'VECTOR':
      return { kind: 'vector' };
    case 'UUID':
      return { kind: 'uuid' };
    case 'INET4':
      return { kind: 'inet4' };
    case 'INET6':
      return { kind: 'inet6' };
    case 'CHAR':
    case 'VARCHAR':
    case 'TINYTEXT':
    case 'TEXT':
    case 'MEDIUMTEXT':
    case 'LONGTEXT':
      return { kind: 'text' };
    default:
      return undefined;
  }
}

function fspOf(digits: number | undefined): Fsp {
  return ([1, 2, 3, 4, 5, 6] as const).find((each) => each === digits) ?? 0;
}
