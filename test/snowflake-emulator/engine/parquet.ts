import { unknownForm } from '../snowflake-error.ts';
import { quoteText, raise } from '../compile/typed.ts';
import type { SfType } from '../sql/sf-type.ts';
import type { Connection } from './store.ts';

export interface ParquetColumn {
  /** As the file writes it. */
  readonly name: string;
  readonly type: SfType;
  /** SQL of the value, of SQL of DuckDB's reading of it. */
  readonly sql: (column: string) => string;
}

interface Format {
  readonly useLogicalType: boolean;
  readonly binaryAsText: boolean;
}

const asIs = (column: string): string => column;
/** Years of four digits: others Snowflake does not promise to keep. */
const inYears = (column: string): string =>
  `CASE WHEN year(${column}) NOT BETWEEN 1 AND 9999 THEN ${raise('100040', '22007', "Date '{}' is not recognized", column)} ELSE ${column} END`;
const integers: Readonly<Record<string, number>> = {
  TINYINT: 3,
  SMALLINT: 5,
  INTEGER: 10,
  BIGINT: 19,
  UTINYINT: 3,
  USMALLINT: 5,
  UINTEGER: 10,
};

/** The columns of a Parquet file as Snowflake reads them with a file format. */
export async function parquetColumns(connection: Connection, file: string, format: Format): Promise<readonly ParquetColumn[]> {
  const schema = await connection.rows(
    `SELECT name FROM parquet_schema(${quoteText(file)}) WHERE num_children IS NULL OR num_children = 0`,
  );
  const types = await connection.rows(`DESCRIBE SELECT * FROM read_parquet(${quoteText(file)})`);
  if (schema.length !== types.length) throw unknownForm('a Parquet file with nested columns');
  return types.map((row, index): ParquetColumn => ({
    name: String(schema[index]?.[0]),
    ...columnType(String(row[1]), format, String(schema[index]?.[0])),
  }));
}

function columnType(duck: string, format: Format, name: string): Omit<ParquetColumn, 'name'> {
  const precision = integers[duck];
  if (precision !== undefined) {
    return { type: { kind: 'number', precision, scale: 0 }, sql: (column) => `CAST(${column} AS DECIMAL(${precision},0))` };
  }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(duck);
  if (decimal !== null) return { type: { kind: 'number', precision: Number(decimal[1]), scale: Number(decimal[2]) }, sql: asIs };
  const logical = ['DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE'].includes(duck);
  if (logical && !format.useLogicalType) {
    throw unknownForm(`COPY of the Parquet column "${name}" (${duck}) without USE_LOGICAL_TYPE = TRUE`);
  }
  switch (duck) {
    case 'BOOLEAN':
      return { type: { kind: 'boolean' }, sql: asIs };
    case 'FLOAT':
    case 'DOUBLE':
      return { type: { kind: 'float' }, sql: (column) => `CAST(${column} AS DOUBLE)` };
    case 'VARCHAR':
    case 'JSON':
      return { type: { kind: 'text', length: 134_217_728 }, sql: (column) => `CAST(${column} AS VARCHAR)` };
    case 'BLOB':
      if (format.binaryAsText) return { type: { kind: 'text', length: 134_217_728 }, sql: (column) => `decode(${column})` };
      return { type: { kind: 'binary', length: 67_108_864 }, sql: asIs };
    case 'DATE':
      return { type: { kind: 'date' }, sql: inYears };
    case 'TIME':
      return { type: { kind: 'time', scale: 6 }, sql: asIs };
    case 'TIMESTAMP':
      return { type: { kind: 'timestamp_ntz', scale: 6 }, sql: inYears };
    case 'TIMESTAMP WITH TIME ZONE':
      return { type: { kind: 'timestamp_ltz', scale: 6 }, sql: (column) => inYears(`(${column} AT TIME ZONE 'UTC')`) };
    default:
      throw unknownForm(`the Parquet column "${name}" of type ${duck}`);
  }
}
