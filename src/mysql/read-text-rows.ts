import type { ServerConnection } from '../binlog/connection.ts';
import type { ChangeBatchBuilder, Op } from '../event/change-batch.ts';
import type { TableSchema } from '../event/table-schema.ts';
import { startRawQuery } from './raw-query.ts';
import { TextRowReader } from './text-row.ts';

export interface TextRows {
  /** Of the columns that the SELECT gives, in their order (`selectList`). */
  readonly schema: TableSchema;
  readonly sql: string;
  readonly code: Op;
  readonly into: ChangeBatchBuilder;
}

/** Adds all rows of a SELECT to a batch, one change each with the row behind it. For results that fit in memory. */
export async function readTextRows(
  connection: ServerConnection,
  { schema, sql, code, into }: TextRows,
  signal: AbortSignal,
): Promise<void> {
  const reader = new TextRowReader(schema);
  const query = startRawQuery(connection, sql, (bytes, start, end) => {
    into.begin(code, 0);
    into.middle();
    reader.append(bytes, start, end, into.writer);
    into.end();
    return false;
  });
  while (await query.pull(signal));
}
