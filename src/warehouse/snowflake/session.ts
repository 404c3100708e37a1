import { randomUUID } from 'node:crypto';
import type { Binds, Column, Connection, ConnectionOptions, RowStatement } from 'snowflake-sdk';
import { sleep } from '../../base/abort.ts';
import { MillraceError } from '../../base/errors.ts';
import type { Driver } from './driver.ts';
import { isUnknownOutcome, translateDriverError } from './driver-errors.ts';

export type Cell = string | null;

/** What a statement answered. Values are text. */
export interface Answer {
  /** The statement's id, which `AT(STATEMENT => …)` takes. */
  readonly statement: string;
  readonly columns: readonly string[];
  /** Of the columns: `NUMBER(10,2)`, `TEXT`, `TIMESTAMP_NTZ` … */
  readonly types: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** There were more rows than asked for. */
  readonly truncated: boolean;
}

/** A session of Snowflake's: statements run one after the other, and a transaction belongs to it. */
export interface SnowflakeSession extends AsyncDisposable {
  /** Runs one statement; the driver resends it under the same request id, so that it runs once. */
  run(sql: string, binds?: readonly Cell[]): Promise<Answer>;
  /** The same of a query whose further rows are not fetched. */
  firstRows(sql: string, maxRows: number): Promise<Answer>;
  /** When it last answered, of `performance.now()`. */
  readonly usedMs: number;
}

/** How often a statement is resent whose answer did not come, under the same request id: Snowflake then gives the first outcome. */
const resends = 3;
const resendMs = 500;
/** Longest wait for the end of a session. */
const closeMs = 10_000;

/** Settings that decide what statements mean; none is left to the account. */
const parameters = [
  `TIMEZONE = 'UTC'`,
  `TIMESTAMP_TYPE_MAPPING = 'TIMESTAMP_NTZ'`,
  'QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE',
  'AUTOCOMMIT = TRUE',
  `BINARY_INPUT_FORMAT = 'HEX'`,
  `BINARY_OUTPUT_FORMAT = 'HEX'`,
  // what a CAST to VARCHAR writes
  `DATE_OUTPUT_FORMAT = 'YYYY-MM-DD'`,
  `TIMESTAMP_NTZ_OUTPUT_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6'`,
  `TIMESTAMP_TZ_OUTPUT_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6 TZHTZM'`,
  'ERROR_ON_NONDETERMINISTIC_MERGE = TRUE',
  'ERROR_ON_NONDETERMINISTIC_UPDATE = TRUE',
  'TRANSACTION_ABORT_ON_ERROR = FALSE',
  'MULTI_STATEMENT_COUNT = 1',
];

export interface SessionOptions {
  readonly connection: ConnectionOptions;
  /** Seconds that a statement waits for another transaction's lock. */
  readonly lockTimeoutSeconds: number;
}

/** @throws WAREHOUSE_ACCESS_DENIED, WAREHOUSE_UNREACHABLE */
export async function openSnowflakeSession(driver: Driver, options: SessionOptions, signal: AbortSignal): Promise<SnowflakeSession> {
  signal.throwIfAborted();
  const connection = driver.createConnection({
    ...options.connection,
    rowMode: 'array',
    fetchAsString: ['Number', 'Boolean', 'Date', 'JSON', 'Buffer'],
    // else NULL would be the text "NULL"
    representNullAsStringNull: false,
    clientSessionKeepAlive: false,
  });
  await connect(connection);
  let usedMs = performance.now();
  const run = async (sql: string, given: Pick<Request, 'binds' | 'maxRows'>): Promise<Answer> => {
    // the driver would not answer
    if (!connection.isUp()) throw new MillraceError('WAREHOUSE_UNREACHABLE', 'The session has ended', { retriable: true });
    const requestId = randomUUID();
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await execute(connection, { sql, requestId, ...given });
        usedMs = performance.now();
        return answer;
      } catch (error) {
        if (attempt >= resends || !isUnknownOutcome(error) || !connection.isUp()) throw translateDriverError(error, sql);
        await sleep(resendMs * 2 ** attempt, signal);
      }
    }
  };
  const session: SnowflakeSession = {
    get usedMs() {
      return usedMs;
    },
    run: (sql, binds = []) => run(sql, { binds }),
    firstRows: (sql, maxRows) => run(sql, { binds: [], maxRows }),
    async [Symbol.asyncDispose]() {
      // a session that is gone already needs no end, and one that cannot be reached ends by itself
      if (!connection.isUp()) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const late = setTimeout(resolve, closeMs);
      connection.destroy(() => resolve());
      await promise;
      clearTimeout(late);
    },
  };
  try {
    await session.run(`ALTER SESSION SET ${[...parameters, `LOCK_TIMEOUT = ${options.lockTimeoutSeconds}`].join(', ')}`);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

async function connect(connection: Connection): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const done = (error: unknown): void => {
    if (error === undefined || error === null) resolve();
    else reject(translateDriverError(error, 'login'));
  };
  try {
    await connection.connectAsync((error) => done(error));
  } catch (error) {
    done(error);
  }
  await promise;
}

interface Request {
  readonly sql: string;
  readonly binds: readonly Cell[];
  readonly requestId: string;
  readonly maxRows?: number;
}

async function execute(connection: Connection, { sql, binds, requestId, maxRows }: Request): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<{ statement: RowStatement; rows: readonly unknown[] | undefined }>();
  const values: Binds = [...binds];
  connection.execute({
    sqlText: sql,
    requestId,
    streamResult: maxRows !== undefined,
    ...(values.length === 0 ? {} : { binds: values }),
    complete: (error, statement, rows) => {
      if (error !== undefined && error !== null) reject(error);
      else resolve({ statement, rows });
    },
  });
  const { statement, rows } = await promise;
  return readAnswer(statement, rows, maxRows);
}

async function readAnswer(statement: RowStatement, rows: readonly unknown[] | undefined, maxRows: number | undefined): Promise<Answer> {
  const described = statement.getColumns() ?? [];
  const columns = described.map((column) => column.getName());
  const fetched = maxRows === undefined ? (rows ?? []) : await statement.streamRows({ start: 0, end: maxRows - 1 }).toArray();
  return {
    statement: statement.getQueryId(),
    columns,
    types: described.map(typeOf),
    rows: fetched.map((row: unknown) => asCells(row, columns)),
    truncated: maxRows !== undefined && statement.getNumRows() > maxRows,
  };
}

function typeOf(column: Column): string {
  const type = column.getType().toUpperCase();
  return type === 'FIXED' ? `NUMBER(${column.getPrecision()},${column.getScale()})` : type;
}

/** A row as the driver gives it: a list, or, of PUT, an object. */
function asCells(row: unknown, columns: readonly string[]): readonly Cell[] {
  const list = Array.isArray(row) ? row : isObject(row) ? columns.map((column) => row[column]) : [];
  return list.map((value: unknown) => textOf(value));
}

function textOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** A column of an answer's rows by its name, in whatever letters. */
export function columnOf({ columns, rows }: Answer, name: string): readonly Cell[] {
  const index = columns.findIndex((column) => column.toLowerCase() === name.toLowerCase());
  return rows.map((row) => row[index] ?? null);
}

/** Rows that a DML statement changed: the sum of its counts. */
export function changedRows({ rows }: Answer): number {
  return (rows[0] ?? []).reduce((sum, count) => sum + (Number(count) || 0), 0);
}
