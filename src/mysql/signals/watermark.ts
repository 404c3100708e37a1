import type { ServerConnection } from '../../binlog/connection.ts';
import type { TableId } from '../../event/table-schema.ts';
import { quoteTable } from '../read-schema.ts';

export interface Watermark {
  readonly collection: TableId | undefined;
  /** Of the chunk. */
  readonly id: string;
  /** It ends, else it begins. */
  readonly closes: boolean;
  readonly opened: Date;
  /** The end is the removal of the row of the begin. */
  readonly deletes: boolean;
}

/** Marks a chunk's begin or end in the binlog, as Debezium does, by a row of the signal table. @throws MYSQL_PRIVILEGE_MISSING */
export async function writeWatermark(
  connection: ServerConnection,
  { collection, id, closes, opened, deletes }: Watermark,
  signal: AbortSignal,
): Promise<void> {
  if (collection === undefined) return;
  const table = quoteTable(collection);
  if (closes && deletes) {
    await connection.query(`DELETE FROM ${table} WHERE id = '${id}-open'`, signal);
    return;
  }
  const begin = `"openWindowTimestamp": "${instant(opened)}"`;
  const data = closes ? `{${begin}, "closeWindowTimestamp": "${instant(new Date())}"}` : `{${begin}}`;
  const [suffix, type] = closes ? ['close', 'snapshot-window-close'] : ['open', 'snapshot-window-open'];
  await connection.query(`INSERT INTO ${table} VALUES ('${id}-${suffix}', '${type}', '${data}')`, signal);
}

/** As Java prints an instant with nanoseconds. */
function instant(time: Date): string {
  return time.toISOString().replace('Z', '000000Z');
}
