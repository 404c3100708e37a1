import type { Schema } from '../../../connect/data.ts';
import { logicalName } from '../../../connect/schema.ts';
import type { LandingVersion } from './landed-json.ts';

/** How a field's value, as it lies in RECORD_CONTENT, becomes a column's. */
export interface ColumnCast {
  readonly sqlType: string;
  /** `value` is a VARIANT; its JSON null becomes NULL. */
  readonly cast: (value: string) => string;
}

const text = (value: string): string => `CAST(${value} AS VARCHAR)`;
const integer = (value: string): string => `CAST(${value} AS NUMBER(38,0))`;

function castTo(sqlType: string): ColumnCast {
  return { sqlType, cast: (value) => `CAST(${value} AS ${sqlType})` };
}

/** Of what is a number or a text of one: more digits than a VARIANT's numbers have come as text. */
function numberOf(sqlType: string): ColumnCast {
  return { sqlType, cast: (value) => `CAST(${text(value)} AS ${sqlType})` };
}

function fromText(sqlType: string): ColumnCast {
  return { sqlType, cast: (value) => `CAST(${text(value)} AS ${sqlType})` };
}

/** Never without a scale: Snowflake would guess the unit. */
function fromEpoch(digits: number, unit: 3 | 6 | 9): ColumnCast {
  const sqlType = `TIMESTAMP_NTZ(${digits})`;
  return { sqlType, cast: (value) => `CAST(TO_TIMESTAMP_NTZ(${integer(value)}, ${unit}) AS ${sqlType})` };
}

const fromDays: ColumnCast = { sqlType: 'DATE', cast: (value) => `CAST(TO_TIMESTAMP_NTZ(${integer(value)} * 86400, 0) AS DATE)` };
const binary: ColumnCast = { sqlType: 'BINARY', cast: (value) => `TO_BINARY(${text(value)}, 'BASE64')` };
const json: ColumnCast = { sqlType: 'VARIANT', cast: (value) => `PARSE_JSON(${text(value)})` };
const variant: ColumnCast = { sqlType: 'VARIANT', cast: (value) => `STRIP_NULL_VALUE(${value})` };

/** A duration as text, ±hhh:mm:ss with its fraction: Snowflake's TIME has one day only. */
function durationOf(unit: 3 | 6 | 9): ColumnCast {
  const perHour = `CAST(${3600 * 10 ** unit} AS FLOAT)`;
  const cast = (value: string): string => {
    const number = integer(value);
    const hours = `CAST(FLOOR(CAST(ABS(${number}) AS FLOAT) / ${perHour}) AS NUMBER(9,0))`;
    const clock = `TO_VARCHAR(TO_TIMESTAMP_NTZ(ABS(${number}), ${unit}), ':MI:SS.FF${unit === 3 ? 3 : 6}')`;
    return (
      `IFF(${number} IS NULL, NULL, IFF(${number} < 0, '-', '') || ` +
      `IFF(${hours} < 100, LPAD(CAST(${hours} AS VARCHAR), 2, '0'), CAST(${hours} AS VARCHAR)) || ${clock})`
    );
  };
  return { sqlType: 'VARCHAR', cast };
}

/** A parameter that `column.propagate.source.type` or `datatype.propagate.source.type` adds. */
function sourceNumber({ parameters }: Schema, name: 'length' | 'scale'): number | undefined {
  const value = parameters?.get(`__debezium.source.column.${name}`);
  return value === undefined ? undefined : Number(value);
}

function sourceType({ parameters }: Schema): string {
  return parameters?.get('__debezium.source.column.type')?.toUpperCase() ?? '';
}

/** Digits of the second that the source's column has, where its schema tells; else those that its form can have. */
function secondDigits(schema: Schema, most: number): number {
  return sourceType(schema) === '' ? most : Math.min(most, sourceNumber(schema, 'length') ?? 0);
}

function decimalOf(precision: number | undefined, scale: number): ColumnCast {
  if (scale > 37 || (precision !== undefined && precision > 38)) return largeDecimal(scale);
  return numberOf(`NUMBER(${precision ?? 38},${scale})`);
}

/**
 * The replica's column for a field of a record, by the semantic type of its schema and never by a value. Types are those of
 * the replica mode, as far as records tell them.
 *
 *   schema                                    column
 *   int8 … int64, boolean                     NUMBER(3,0) … NUMBER(19,0), BOOLEAN
 *   float32, float64                          FLOAT
 *   Decimal(p,s)                              NUMBER(p,s) up to 38 digits, VARCHAR beyond
 *   Date, Timestamp, MicroTimestamp, Nano…    DATE, TIMESTAMP_NTZ(3), (6), (9)
 *   ZonedTimestamp                            TIMESTAMP_TZ(6)
 *   Time, MicroTime, NanoTime                 VARCHAR (holds ±838:59:59)
 *   string, Enum, EnumSet, Uuid               VARCHAR
 *   Json, Geometry, Point, struct, map        VARIANT
 *   bytes, Bits                               BINARY
 *   array, FloatVector                        ARRAY
 */
export function replicaColumn(schema: Schema, version: LandingVersion): ColumnCast {
  const semantic = semanticColumn(schema, version);
  if (semantic !== undefined) return semantic;
  switch (schema.type) {
    case 'int8':
      return castTo('NUMBER(3,0)');
    case 'int16':
      return castTo('NUMBER(5,0)');
    case 'int32':
      return castTo('NUMBER(10,0)');
    case 'int64':
      return sourceType(schema) === 'BIGINT UNSIGNED' ? unsignedLong : castTo('NUMBER(19,0)');
    case 'float32':
    case 'float64':
      return castTo('FLOAT');
    case 'boolean':
      return castTo('BOOLEAN');
    case 'string':
      return stringColumn(schema);
    case 'bytes':
      return binary;
    case 'array':
      return castTo('ARRAY');
    case 'map':
    case 'struct':
      return variant;
  }
}

/** With `bigint.unsigned.handling.mode=long` the upper half of the numbers comes as negative ones. */
const unsignedLong: ColumnCast = {
  sqlType: 'NUMBER(20,0)',
  cast: (value) => `IFF(${integer(value)} < 0, ${integer(value)} + 18446744073709551616, ${integer(value)})`,
};

/** Of those values that lie as numbers, the VARIANT has forgotten the zeros at the end. */
function largeDecimal(scale: number): ColumnCast {
  if (scale > 37) return castTo('VARCHAR');
  const cast = (value: string): string =>
    `IFF(TYPEOF(${value}) = 'VARCHAR', ${text(value)}, CAST(CAST(${text(value)} AS NUMBER(38,${scale})) AS VARCHAR))`;
  return { sqlType: 'VARCHAR', cast };
}

/** Texts of numbers with `decimal.handling.mode=string`, where the schema tells what they are. */
function stringColumn(schema: Schema): ColumnCast {
  if (!/^(?:DECIMAL|NUMERIC)\b/.test(sourceType(schema))) return castTo('VARCHAR');
  return decimalOf(sourceNumber(schema, 'length'), sourceNumber(schema, 'scale') ?? 0);
}

function semanticColumn(schema: Schema, version: LandingVersion): ColumnCast | undefined {
  switch (schema.name) {
    case logicalName.decimal: {
      const precision = schema.parameters?.get('connect.decimal.precision');
      return decimalOf(precision === undefined ? undefined : Number(precision), Number(schema.parameters?.get('scale') ?? 0));
    }
    case logicalName.date:
      return { sqlType: 'DATE', cast: (value) => `CAST(LEFT(${text(value)}, 10) AS DATE)` };
    case logicalName.time:
      return { sqlType: 'VARCHAR', cast: (value) => `LEFT(${text(value)}, 12)` };
    case logicalName.timestamp:
      if (version === 3) return fromEpoch(3, 3);
      return { sqlType: 'TIMESTAMP_NTZ(3)', cast: (value) => `CAST(LEFT(${text(value)}, 23) AS TIMESTAMP_NTZ(3))` };
    case 'io.debezium.time.Date':
      return fromDays;
    case 'io.debezium.time.Timestamp':
      return fromEpoch(secondDigits(schema, 3), 3);
    case 'io.debezium.time.MicroTimestamp':
      return fromEpoch(secondDigits(schema, 6), 6);
    case 'io.debezium.time.NanoTimestamp':
      return fromEpoch(secondDigits(schema, 9), 9);
    case 'io.debezium.time.Time':
      return durationOf(3);
    case 'io.debezium.time.MicroTime':
      return durationOf(6);
    case 'io.debezium.time.NanoTime':
      return durationOf(9);
    case 'io.debezium.time.ZonedTimestamp':
      return fromText(`TIMESTAMP_TZ(${secondDigits(schema, 6)})`);
    case 'io.debezium.time.IsoDate':
      return { sqlType: 'DATE', cast: (value) => `CAST(LEFT(${text(value)}, 10) AS DATE)` };
    case 'io.debezium.time.IsoTimestamp':
      return { sqlType: 'TIMESTAMP_NTZ(6)', cast: (value) => `CAST(CAST(${text(value)} AS TIMESTAMP_TZ(6)) AS TIMESTAMP_NTZ(6))` };
    case 'io.debezium.time.Year':
      return castTo('NUMBER(4,0)');
    case 'io.debezium.data.Json':
      return json;
    case 'io.debezium.data.FloatVector':
      return castTo('ARRAY');
    default:
      return undefined;
  }
}
