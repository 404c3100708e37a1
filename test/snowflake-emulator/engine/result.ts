import { toText } from '../compile/cast.ts';
import { comparable } from '../compile/operators.ts';
import type { OutputColumn, Typed } from '../compile/typed.ts';
import type { SfType } from '../sql/sf-type.ts';

/** What a statement answers: cells as Snowflake's JSON result sets carry them. */
export interface Result {
  readonly columns: readonly OutputColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly statementTypeId: number;
  /** Of PUT: where the driver shall upload to. */
  readonly upload?: Upload;
}

export interface Upload {
  readonly stageId: number;
  readonly path: string;
  readonly source: string;
  readonly overwrite: boolean;
  readonly autoCompress: boolean;
  readonly sourceCompression: string;
  readonly parallel: number;
}

export const statementTypes = {
  select: 0x1000,
  insert: 0x3100,
  update: 0x3200,
  delete: 0x3300,
  merge: 0x3400,
  copy: 0x3600,
  session: 0x4000,
  begin: 0x5000,
  commit: 0x5100,
  rollback: 0x5200,
  ddl: 0x6000,
  show: 0x7000,
} as const;

const text: SfType = { kind: 'text', length: 16_777_216 };

/** `Table X successfully created.` and the like. */
export function statusResult(message: string, statementTypeId: number = statementTypes.ddl): Result {
  return { columns: [{ name: 'status', type: text, nullable: true }], rows: [[message]], statementTypeId };
}

/** The answer to a DML statement: one row of counts. */
export function countsResult(statementTypeId: number, counts: Readonly<Record<string, number>>): Result {
  const columns = Object.keys(counts).map((name): OutputColumn => ({
    name,
    type: { kind: 'number', precision: 19, scale: 0 },
    nullable: false,
  }));
  return { columns, rows: [Object.values(counts).map(String)], statementTypeId };
}

/** Rows that the emulator makes itself: SHOW, DESCRIBE, LIST. */
export function tableResult(names: readonly string[], rows: readonly (readonly (string | number | null)[])[]): Result {
  return {
    columns: names.map((name) => ({ name, type: text, nullable: true })),
    rows: rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
    statementTypeId: statementTypes.show,
  };
}

/** SQL that makes a cell of a result of a value. Source: how the driver reads them, column.js and sf_timestamp.js. */
export function cellSql(value: Typed): string {
  const { sql, type } = value;
  switch (type.kind) {
    case 'number':
      return toText(sql, type);
    case 'text':
    case 'variant':
    case 'object':
    case 'array':
    case 'null':
      return `CAST(${sql} AS VARCHAR)`;
    case 'float':
      return `sf_float_text(CAST(${sql} AS VARCHAR))`;
    case 'boolean':
      return `CASE WHEN ${sql} THEN '1' WHEN NOT ${sql} THEN '0' END`;
    case 'binary':
      return `hex(${sql})`;
    case 'date':
      return `CAST(${sql} - DATE '1970-01-01' AS VARCHAR)`;
    case 'time':
      return epoch(`(DATE '1970-01-01' + ${sql})`);
    case 'timestamp_ntz':
    case 'timestamp_ltz':
      return epoch(sql);
    case 'timestamp_tz':
      return `(${epoch(comparable(value))} || ' ' || CAST((${sql}).o + 1440 AS VARCHAR))`;
  }
}

function epoch(timestamp: string): string {
  return `(CAST(CAST(epoch_us(${timestamp}) AS DECIMAL(27,0)) * CAST('0.000001' AS DECIMAL(7,6)) AS VARCHAR) || '000')`;
}
