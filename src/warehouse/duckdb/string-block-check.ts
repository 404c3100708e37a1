import duckdb from '@duckdb/node-bindings';
import { releaseStringBlocks, repairUtf8, returnBuffer, storeStringBlock, takeBuffer } from './column-buffer.ts';
import type { Session } from './session.ts';

/** Strings around every length at which the layout changes. */
const samples = [
  '',
  'a',
  'twelve bytes',
  'thirteen byte',
  'ä€😀 beyond the inline twelve',
  'x'.repeat(5000),
  'again short',
  'y'.repeat(13),
];

/** Whether DuckDB takes strings that `storeStringBlock` laid out: writes some, and reads them back through DuckDB. */
export async function stringBlocksWork(session: Session): Promise<boolean> {
  const buffer = takeBuffer();
  try {
    await session.run('CREATE OR REPLACE TEMP TABLE millrace_check (number INTEGER, text VARCHAR)');
    const appender = duckdb.appender_create_ext(session.raw, 'temp', 'main', 'millrace_check');
    const chunk = duckdb.create_data_chunk([duckdb.appender_column_type(appender, 0), duckdb.appender_column_type(appender, 1)]);
    const numbers = new Int32Array(samples.length);
    for (const [row, text] of samples.entries()) {
      const bytes = Buffer.from(text);
      buffer.heap.raw(bytes, 0, bytes.length);
      buffer.ends[row] = buffer.heap.length;
      numbers[row] = row;
    }
    repairUtf8(buffer, samples.length);
    duckdb.copy_data_to_vector(duckdb.data_chunk_get_vector(chunk, 0), 0, numbers.buffer, 0, numbers.byteLength);
    storeStringBlock(buffer, duckdb.data_chunk_get_vector(chunk, 1), samples.length);
    duckdb.data_chunk_set_size(chunk, samples.length);
    duckdb.append_data_chunk(appender, chunk);
    duckdb.data_chunk_reset(chunk);
    releaseStringBlocks();
    duckdb.appender_close_sync(appender);
    const rows = await session.rows('SELECT text FROM temp.millrace_check ORDER BY number');
    await session.run('DROP TABLE temp.millrace_check');
    return rows.length === samples.length && rows.every(([text], index) => text === samples[index]);
  } finally {
    returnBuffer(buffer);
  }
}
