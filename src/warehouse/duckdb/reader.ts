import type { DuckDBValue } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { addAbortListener } from 'node:events';
import { reasonOf } from '../../base/abort.ts';
import { MillraceError } from '../../base/errors.ts';
import { parseRecord, recordKey, type RecordKey, type TableRecord } from '../table-record.ts';
import { translateError, type Session } from './session.ts';

export interface QueryOptions {
  /** Rows to return at most. */
  readonly maxRows: number;
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Values as DuckDB prints them. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** There were more rows. */
  readonly truncated: boolean;
}

/** A reader with an open transaction: every query sees the state of its beginning. */
export interface PinnedReader extends AsyncDisposable {
  /** All rows, as text. */
  query(sql: string, signal: AbortSignal): Promise<readonly (readonly (string | null)[])[]>;
  /** A replicated table, as the replica's bookkeeping has it in that state. */
  record(key: RecordKey): Promise<TableRecord | undefined>;
}

/** What only reads; anything else is refused before it runs. */
const readingStatements = new Set<duckdb.StatementType>([
  duckdb.StatementType.SELECT,
  duckdb.StatementType.EXPLAIN,
  duckdb.StatementType.PRAGMA,
  duckdb.StatementType.LOGICAL_PLAN,
  duckdb.StatementType.RELATION,
]);

export async function runQuery(
  session: Session,
  { sql, maxRows }: QueryOptions & { readonly sql: string },
  signal: AbortSignal,
): Promise<QueryResult> {
  await checkReads(session, sql);
  await session.run('BEGIN TRANSACTION READ ONLY');
  try {
    return await interruptible(session, sql, signal, async () => {
      const result = await session.connection.stream(sql);
      const columns = result.columnNames().map((name, index) => ({ name, type: String(result.columnType(index)) }));
      const rows: (readonly (string | null)[])[] = [];
      let truncated = false;
      while (!truncated) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) break;
        for (const row of chunk.getRows()) {
          if (rows.length === maxRows) {
            truncated = true;
            break;
          }
          rows.push(row.map(printed));
        }
      }
      return { columns, rows, truncated };
    });
  } finally {
    await session.run('ROLLBACK').catch(() => undefined);
  }
}

export async function openPin(session: Session): Promise<PinnedReader> {
  await session.run('BEGIN TRANSACTION READ ONLY');
  // the transaction sees the file as it is at its first look
  await session.rows('SELECT count(*) FROM millrace.format');
  return {
    query: (sql, signal) =>
      interruptible(session, sql, signal, async () => {
        const reader = await session.connection.runAndReadAll(sql);
        return reader.getRows().map((row) => row.map(printed));
      }),
    async record(key) {
      const [row] = await session.rows('SELECT record FROM millrace.tables WHERE key = $1', [recordKey(key)]);
      return row === undefined ? undefined : parseRecord(String(row[0]));
    },
    async [Symbol.asyncDispose]() {
      await session.run('ROLLBACK').catch(() => undefined);
      session[Symbol.dispose]();
    },
  };
}

async function checkReads(session: Session, sql: string): Promise<void> {
  if (/^[\s;]*$/.test(sql)) throw new MillraceError('WAREHOUSE_FAILED', 'There is no statement', { nextStep: 'Send one SELECT.' });
  try {
    const statements = await session.connection.extractStatements(sql);
    if (statements.count !== 1) {
      throw new MillraceError('WAREHOUSE_FAILED', `${statements.count} statements where one is due`, {
        nextStep: 'Send one SELECT at a time.',
      });
    }
    const statement = await statements.prepare(0);
    if (!readingStatements.has(statement.statementType)) {
      throw new MillraceError('WAREHOUSE_FAILED', `${duckdb.StatementType[statement.statementType]} is not a query`, {
        nextStep: 'The replica is written by Millrace only; use SELECT.',
      });
    }
  } catch (error) {
    throw translateError(error, sql);
  }
}

async function interruptible<T>(session: Session, sql: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  using _listener = addAbortListener(signal, () => session.connection.interrupt());
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw reasonOf(signal);
    throw translateError(error, sql);
  }
}

function printed(value: DuckDBValue): string | null {
  return value === null ? null : String(value);
}
