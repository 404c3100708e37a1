import { addAbortListener } from 'node:events';
import type { Connection } from 'mysql2';
import { MillraceError, messageOf } from '../base/errors.ts';

/** A row of the source: each value as the bytes of the server's own text, in UTF-8. */
export type SourceRow = readonly (Buffer | null)[];

/** Reads a source inside of a consistent view that somebody else has opened on the connection. */
export interface SourceReader {
  readonly flavor: 'mysql' | 'mariadb';
  /** All rows, as text. */
  rows(sql: string): Promise<(string | null)[][]>;
  /** Gives rows to `take` as they arrive; nothing is kept. The row is valid during the call only. */
  stream(sql: string, take: (row: SourceRow) => void): Promise<void>;
}

export function createSourceReader(driver: Connection, flavor: 'mysql' | 'mariadb', signal: AbortSignal): SourceReader {
  const stream = (sql: string, take: (row: SourceRow) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const abort = addAbortListener(signal, () => driver.destroy());
      const fail = (error: unknown): void => {
        abort[Symbol.dispose]();
        reject(signal.aborted ? signal.reason : failure(error, sql));
      };
      let thrown: unknown;
      const query = driver.query({ sql, rowsAsArray: true, typeCast: (field) => field.buffer() });
      query.on('result', (row: unknown) => {
        if (thrown !== undefined || !Array.isArray(row)) return;
        try {
          take(row.map((value: unknown) => (value instanceof Buffer ? value : null)));
        } catch (error) {
          // The rest of the answer must be read off the wire before the connection can be used again.
          thrown = error;
        }
      });
      query.on('error', fail);
      query.on('end', () => {
        abort[Symbol.dispose]();
        if (thrown === undefined) resolve();
        else reject(thrown);
      });
    });
  return {
    flavor,
    stream,
    async rows(sql) {
      const all: (string | null)[][] = [];
      await stream(sql, (row) => all.push(row.map((value) => value?.toString('utf8') ?? null)));
      return all;
    },
  };
}

/** ER_TABLE_DEF_CHANGED, ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR: the table changed under the view. */
const changed = new Set([1412, 1146, 1054, 1051]);

function failure(error: unknown, sql: string): MillraceError {
  const number: unknown = error instanceof Error ? Reflect.get(error, 'errno') : undefined;
  const isChanged = typeof number === 'number' && changed.has(number);
  return new MillraceError('VERIFY_UNDECIDED', `the source refused ${sql.slice(0, 200)}: ${messageOf(error)}`, {
    cause: error,
    retriable: isChanged,
    nextStep: isChanged ? 'The table was changed meanwhile; verify it again.' : 'See the message.',
  });
}
