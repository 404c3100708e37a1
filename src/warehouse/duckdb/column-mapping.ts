import type { ColumnType } from '../../event/column-type.ts';
import type { Column } from '../../event/table-schema.ts';
import type { InvalidTemporal } from '../table-record.ts';

export interface MappingOptions {
  readonly invalidTemporal: InvalidTemporal;
}

/** How a cell's canonical bytes become DuckDB's: one code per column, for the writer's switch. */
export const cellKind = {
  bytes1: 0,
  bytes2: 1,
  bytes4: 2,
  bytes8: 3,
  bytes16: 4,
  /** A cell of 8 bytes of which DuckDB keeps the low 2 or 4. */
  low2Of8: 5,
  low4Of8: 6,
  /** BIT(1): 8 bytes, of which DuckDB keeps one as a boolean. */
  boolean: 7,
  time: 8,
  date: 9,
  datetime: 10,
  timestamp: 11,
  dateText: 12,
  datetimeText: 13,
  timestampText: 14,
  string: 15,
  geometry: 16,
  floatList: 17,
  uuid: 18,
  /** Of warehouses whose tables are staged here: `-838:59:59`. */
  timeText: 19,
} as const;

export type CellKind = (typeof cellKind)[keyof typeof cellKind];

/** A column as the replica has it. */
export interface MappedColumn {
  readonly column: Column;
  /** The DuckDB type, as in CREATE TABLE. */
  readonly sqlType: string;
  readonly kind: CellKind;
  readonly notNull: boolean;
}

/**
 * The replica's column for a source column: decided by the column's type, never by a value.
 *
 *   source                                replica
 *   TINYINT … BIGINT, UNSIGNED            TINYINT … BIGINT, UTINYINT … UBIGINT (MEDIUMINT: INTEGER, UINTEGER)
 *   BIT(1), BIT(n)                        BOOLEAN, UBIGINT
 *   FLOAT, DOUBLE                         FLOAT, DOUBLE
 *   DECIMAL(p,s)                          DECIMAL(p,s) up to 38 digits, VARCHAR beyond
 *   YEAR                                  USMALLINT
 *   DATE, TIME                            DATE, INTERVAL (holds ±838:59:59, which DuckDB's TIME does not)
 *   DATETIME, TIMESTAMP                   TIMESTAMP, TIMESTAMPTZ
 *   CHAR … LONGTEXT, ENUM, SET            VARCHAR
 *   JSON                                  JSON, the server's own text
 *   BINARY … LONGBLOB                     BLOB
 *   geometry types                        BLOB: WKB, or EWKB where the SRID is not 0
 *   VECTOR                                FLOAT[]
 *   UUID, INET4, INET6                    UUID, VARCHAR
 */
function mapColumn(column: Column, { invalidTemporal }: MappingOptions): MappedColumn {
  const [sqlType, kind] = mapType(column.type, invalidTemporal);
  const canBecomeNull = invalidTemporal === 'null' && (kind === cellKind.date || kind === cellKind.datetime || kind === cellKind.timestamp);
  return { column, sqlType, kind, notNull: !column.nullable && !canBecomeNull };
}

function mapType(type: ColumnType, invalidTemporal: InvalidTemporal): readonly [sqlType: string, kind: CellKind] {
  const asText = invalidTemporal === 'text';
  switch (type.kind) {
    case 'int':
      return mapInteger(type.bits, type.unsigned);
    case 'bit':
      return type.length === 1 ? ['BOOLEAN', cellKind.boolean] : ['UBIGINT', cellKind.bytes8];
    case 'float':
      return ['FLOAT', cellKind.bytes4];
    case 'double':
      return ['DOUBLE', cellKind.bytes8];
    case 'decimal':
      return mapDecimal(type.precision, type.scale);
    case 'year':
      return ['USMALLINT', cellKind.bytes2];
    case 'date':
      return asText ? ['VARCHAR', cellKind.dateText] : ['DATE', cellKind.date];
    case 'time':
      return ['INTERVAL', cellKind.time];
    case 'datetime':
      return asText ? ['VARCHAR', cellKind.datetimeText] : ['TIMESTAMP', cellKind.datetime];
    case 'timestamp':
      return asText ? ['VARCHAR', cellKind.timestampText] : ['TIMESTAMPTZ', cellKind.timestamp];
    case 'text':
    case 'enum':
    case 'set':
    case 'inet4':
    case 'inet6':
      return ['VARCHAR', cellKind.string];
    case 'json':
      return ['JSON', cellKind.string];
    case 'binary':
      return ['BLOB', cellKind.string];
    case 'geometry':
      return ['BLOB', cellKind.geometry];
    case 'vector':
      return ['FLOAT[]', cellKind.floatList];
    case 'uuid':
      return ['UUID', cellKind.uuid];
  }
}

function mapInteger(bits: 8 | 16 | 24 | 32 | 64, unsigned: boolean): readonly [string, CellKind] {
  const prefix = unsigned ? 'U' : '';
  switch (bits) {
    case 8:
      return [`${prefix}TINYINT`, cellKind.bytes1];
    case 16:
      return [`${prefix}SMALLINT`, cellKind.bytes2];
    case 24:
    case 32:
      return [`${prefix}INTEGER`, cellKind.bytes4];
    case 64:
      return [`${prefix}BIGINT`, cellKind.bytes8];
  }
}

/** DuckDB holds a DECIMAL in 2, 4, 8 or 16 bytes, by its precision. */
function mapDecimal(precision: number, scale: number): readonly [string, CellKind] {
  const sqlType = `DECIMAL(${precision},${scale})`;
  if (precision <= 4) return [sqlType, cellKind.low2Of8];
  if (precision <= 9) return [sqlType, cellKind.low4Of8];
  if (precision <= 18) return [sqlType, cellKind.bytes8];
  if (precision <= 38) return [sqlType, cellKind.bytes16];
  return ['VARCHAR', cellKind.string];
}

/** The replica's columns of a table, in its order. */
export function mapColumns(columns: readonly Column[], options: MappingOptions): readonly MappedColumn[] {
  return columns.map((column) => mapColumn(column, options));
}
