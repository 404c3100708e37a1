import { MillraceError } from '../../base/errors.ts';
import type { ColumnType } from '../../event/column-type.ts';
import type { Column } from '../../event/table-schema.ts';
import { cellKind, mapColumns, type CellKind, type MappedColumn } from '../duckdb/column-mapping.ts';
import type { InvalidTemporal } from '../table-record.ts';
import { identifierOf, type IdentifierCase } from './identifiers.ts';

export interface SnowflakeMapping {
  readonly invalidTemporal: InvalidTemporal;
  readonly letters: IdentifierCase;
  /** What JSON columns are. */
  readonly json: 'VARIANT' | 'VARCHAR';
}

/** A column as the replica in Snowflake has it; `sqlType` is Snowflake's. */
export interface SnowflakeColumn extends MappedColumn {
  /** Its identifier, not quoted. */
  readonly name: string;
  /** How it is staged in DuckDB, on its way into a Parquet file. */
  readonly staged: MappedColumn;
  /** The DuckDB SQL of what is written to the file, given that of the staged value. */
  readonly written: (value: string) => string;
  /** Its type in the table that files are loaded to. */
  readonly loadedType: string;
  /** Snowflake's SQL of the replica's value, given that of the loaded one. */
  readonly converted: (value: string) => string;
}

/** Longest VARCHAR and BINARY that Snowflake has; undeclared they are 16 MB and 8 MB. */
const longText = 'VARCHAR(134217728)';
const longBinary = 'BINARY(67108864)';

interface TypeMapping {
  readonly sqlType: string;
  readonly loadedType?: string;
  readonly staged: readonly [duckdbType: string, kind: CellKind];
  readonly written?: (value: string) => string;
  readonly converted?: (value: string) => string;
}

const same = (value: string): string => value;
const castTo =
  (type: string) =>
  (value: string): string =>
    `CAST(${value} AS ${type})`;

/**
 * The replica's column for a source column: decided by the column's type, never by a value. What files carry is of
 * types that Parquet and Snowflake read in one way only; the rest is converted in Snowflake.
 *
 *   source                                replica
 *   TINYINT … BIGINT, UNSIGNED            NUMBER(3,0) … NUMBER(20,0)
 *   BIT(1), BIT(n)                        BOOLEAN, NUMBER(20,0)
 *   FLOAT, DOUBLE                         FLOAT
 *   DECIMAL(p,s)                          NUMBER(p,s) up to 38 digits, VARCHAR beyond
 *   YEAR                                  NUMBER(4,0)
 *   DATE, TIME                            DATE, VARCHAR (holds ±838:59:59, which Snowflake's TIME does not)
 *   DATETIME(n), TIMESTAMP(n)             TIMESTAMP_NTZ(n), TIMESTAMP_TZ(n) in UTC
 *   CHAR … LONGTEXT, ENUM, SET            VARCHAR
 *   JSON                                  VARIANT, or VARCHAR: the server's own text
 *   BINARY … LONGBLOB                     BINARY
 *   geometry types                        BINARY: WKB, or EWKB where the SRID is not 0
 *   VECTOR                                ARRAY
 *   UUID, INET4, INET6                    VARCHAR
 */
function mapType(column: Column, { invalidTemporal, json }: SnowflakeMapping): TypeMapping {
  const { type } = column;
  const asText = invalidTemporal === 'text';
  switch (type.kind) {
    case 'int':
      return mapInteger(type.bits, type.unsigned, duckdbOf(column));
    case 'bit':
      return type.length === 1
        ? { sqlType: 'BOOLEAN', staged: ['BOOLEAN', cellKind.boolean] }
        : { sqlType: 'NUMBER(20,0)', staged: ['UBIGINT', cellKind.bytes8], written: castTo('DECIMAL(20,0)') };
    case 'float':
      return { sqlType: 'FLOAT', staged: ['FLOAT', cellKind.bytes4], written: castTo('DOUBLE') };
    case 'double':
      return { sqlType: 'FLOAT', staged: ['DOUBLE', cellKind.bytes8] };
    case 'decimal': {
      const staged = duckdbOf(column);
      return { sqlType: staged[0] === 'VARCHAR' ? 'VARCHAR' : `NUMBER(${type.precision},${type.scale})`, staged };
    }
    case 'year':
      return { sqlType: 'NUMBER(4,0)', staged: ['USMALLINT', cellKind.bytes2], written: castTo('INTEGER') };
    case 'date':
      return asText ? { sqlType: 'VARCHAR', staged: ['VARCHAR', cellKind.dateText] } : { sqlType: 'DATE', staged: ['DATE', cellKind.date] };
    case 'time':
      return { sqlType: 'VARCHAR', staged: ['VARCHAR', cellKind.timeText] };
    case 'datetime':
      if (asText) return { sqlType: 'VARCHAR', staged: ['VARCHAR', cellKind.datetimeText] };
      return { sqlType: `TIMESTAMP_NTZ(${type.fsp})`, loadedType: 'TIMESTAMP_NTZ(6)', staged: ['TIMESTAMP', cellKind.datetime] };
    case 'timestamp': {
      if (asText) return { sqlType: 'VARCHAR', staged: ['VARCHAR', cellKind.timestampText] };
      // the session's time zone is UTC
      const sqlType = `TIMESTAMP_TZ(${type.fsp})`;
      return { sqlType, loadedType: 'TIMESTAMP_NTZ(6)', staged: ['TIMESTAMP', cellKind.timestamp], converted: castTo(sqlType) };
    }
    case 'text':
      return { sqlType: /^(?:MEDIUM|LONG)TEXT/.test(column.nativeType) ? longText : 'VARCHAR', staged: ['VARCHAR', cellKind.string] };
    case 'enum':
    case 'set':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return { sqlType: 'VARCHAR', staged: ['VARCHAR', cellKind.string] };
    case 'json': {
      const staged = ['VARCHAR', cellKind.string] as const;
      if (json === 'VARCHAR') return { sqlType: longText, staged };
      return { sqlType: 'VARIANT', loadedType: longText, staged, converted: (value) => `PARSE_JSON(${value})` };
    }
    case 'binary':
      return { sqlType: /^(?:MEDIUM|LONG)BLOB/.test(column.nativeType) ? longBinary : 'BINARY', staged: ['BLOB', cellKind.string] };
    case 'geometry':
      return { sqlType: longBinary, staged: ['BLOB', cellKind.geometry] };
    case 'vector':
      return {
        sqlType: 'ARRAY',
        loadedType: longText,
        staged: ['FLOAT[]', cellKind.floatList],
        written: castTo('VARCHAR'),
        converted: (value) => `CAST(PARSE_JSON(${value}) AS ARRAY)`,
      };
  }
}

const integerDigits = { 8: 3, 16: 5, 24: 7, 32: 10, 64: 19 } as const;

function mapInteger(bits: keyof typeof integerDigits, unsigned: boolean, staged: readonly [string, CellKind]): TypeMapping {
  const digits = unsigned && bits >= 24 ? integerDigits[bits] + (bits === 32 ? 0 : 1) : integerDigits[bits];
  const sqlType = `NUMBER(${digits},0)`;
  if (!unsigned) return { sqlType, staged };
  // how Snowflake reads Parquet's unsigned integers is not told
  return { sqlType, staged, written: castTo(bits === 64 ? 'DECIMAL(20,0)' : 'BIGINT') };
}

/** Type and cells of a column in DuckDB's own replica, for those that are staged like that. */
function duckdbOf(column: Column): readonly [string, CellKind] {
  const [mapped] = mapColumns([column], { invalidTemporal: 'null' });
  if (mapped === undefined) throw new MillraceError('INTERNAL', `no type for ${column.name}`);
  return [mapped.sqlType, mapped.kind];
}

const temporalKinds = new Set<ColumnType['kind']>(['date', 'datetime', 'timestamp']);

/**
 * The replica's columns of a table, in its order.
 * @throws NAME_COLLISION when two have one name
 */
export function mapSnowflakeColumns(columns: readonly Column[], options: SnowflakeMapping): readonly SnowflakeColumn[] {
  const names = new Map<string, string>();
  return columns.map((column) => {
    const name = identifierOf(column.name, options.letters);
    const other = names.get(name);
    if (other !== undefined) {
      throw new MillraceError('NAME_COLLISION', `The columns ${other} and ${column.name} would both be ${name} in the replica`, {
        nextStep: 'Set snowflake.identifier.case to preserve.',
      });
    }
    names.set(name, column.name);
    const { sqlType, loadedType = sqlType, staged, written = same, converted = same } = mapType(column, options);
    const [stagedType, kind] = staged;
    const canBecomeNull = options.invalidTemporal === 'null' && temporalKinds.has(column.type.kind);
    const notNull = !column.nullable && !canBecomeNull;
    return { column, sqlType, kind, notNull, name, staged: { column, sqlType: stagedType, kind, notNull }, written, loadedType, converted };
  });
}
