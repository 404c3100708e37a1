import { DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { isMillraceError, messageOf, MillraceError } from '../../base/errors.ts';

/** Name under which the replica's file is attached: a schema may have any other name, that of the file too. */
export const catalog = 'millrace_replica';

/** A connection, its raw handle for appenders beside it. */
export interface Session extends Disposable {
  readonly raw: duckdb.Connection;
  readonly connection: DuckDBConnection;
  /** Runs statements; rows that the last one changed. */
  run(sql: string, values?: readonly DuckDBValue[]): Promise<number>;
  /** All rows of a query. */
  rows(sql: string, values?: readonly DuckDBValue[]): Promise<readonly (readonly DuckDBValue[])[]>;
}

/** A connection whose unqualified names are the replica's. */
export async function openSession(database: duckdb.Database): Promise<Session> {
  const raw = await duckdb.connect(database);
  const connection = new DuckDBConnection(raw);
  const session: Session = {
    raw,
    connection,
    async run(sql, values = []) {
      try {
        const result = await connection.run(sql, values.length === 0 ? undefined : [...values]);
        return result.rowsChanged;
      } catch (error) {
        throw translateError(error, sql);
      }
    },
    async rows(sql, values = []) {
      try {
        const reader = await connection.runAndReadAll(sql, values.length === 0 ? undefined : [...values]);
        return reader.getRows();
      } catch (error) {
        throw translateError(error, sql);
      }
    },
    [Symbol.dispose]() {
      connection.disconnectSync();
    },
  };
  await session.run(`USE ${catalog}`);
  return session;
}

/** DuckDB's errors have no numbers, so that this is the one place that looks at their text. */
export function translateError(error: unknown, sql: string): MillraceError {
  if (isMillraceError(error)) return error;
  const message = messageOf(error);
  const options = { cause: error, context: { sql: sql.slice(0, 2000) } };
  if (/Could not set lock on file/i.test(message)) {
    return new MillraceError('WAREHOUSE_LOCKED', `The replica is open in another process: ${message}`, options);
  }
  if (/not a valid DuckDB database|Corrupt database file/i.test(message)) {
    return new MillraceError('WAREHOUSE_FAILED', `The replica's file is damaged, or no replica: ${message}`, {
      ...options,
      nextStep: 'Restore it, or move it and its .wal away and run `millrace resync --all`: its tables are copied anew.',
    });
  }
  if (/No space left on device|Could not write all bytes/i.test(message)) {
    return new MillraceError('DISK_FULL', `The replica cannot be written: ${message}`, { ...options, retriable: true });
  }
  if (/^Out of Memory/i.test(message)) {
    return new MillraceError('WAREHOUSE_FAILED', `The replica ran out of memory: ${message}`, {
      ...options,
      nextStep: 'Raise duckdb.memory.limit, or give duckdb.temp.directory more room.',
      retriable: true,
    });
  }
  if (/^INTERRUPT/i.test(message)) return new MillraceError('ABORTED', message, options);
  // Other transactions pass; a commit that fails for another reason ("TransactionContext Error: …") fails again.
  const retriable = /Conflict|another transaction|IO Error/i.test(message);
  return new MillraceError('WAREHOUSE_FAILED', message, { ...options, retriable });
}

/** An identifier in double quotes. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in single quotes. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A table of the replica, by catalog, schema and name. */
export function qualified(schema: string, table: string): string {
  return `${catalog}.${quoted(schema)}.${quoted(table)}`;
}
