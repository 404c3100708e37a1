import { setImmediate as nextTick } from 'node:timers/promises';
import duckdb from '@duckdb/node-bindings';
import type { RowSet } from '../fold.ts';
import { ChunkWriter, type ChunkWriterOptions } from './chunk-writer.ts';
import type { MappedColumn } from './column-mapping.ts';
import { translateError, type Session } from './session.ts';

/** Chunks after which the appender hands over what it holds: it would hold a hundred, outside of the memory limit. */
const flushChunks = 16;

/** Row numbers that are walked before other work of the thread gets its turn: about 10 ms. */
const stretch = 16_384;

export interface LoadTarget {
  /** Undefined: temporary tables. */
  readonly catalog: string | undefined;
  readonly schema: string;
  readonly table: string;
}

export interface LoadResult {
  readonly rows: number;
  /** Values that became NULL or were repaired, by position of the column. */
  readonly substitutions: Float64Array;
}

/**
 * Appends the rows of a set to a table whose columns are those of `columns`, by data chunks. In an open transaction of
 * the session it is part of that.
 */
export async function loadRows(
  session: Session,
  target: LoadTarget,
  source: {
    readonly set: Pick<RowSet, 'extent' | 'visit'>;
    readonly columns: readonly MappedColumn[];
    readonly options: ChunkWriterOptions;
  },
): Promise<LoadResult> {
  const { set, columns } = source;
  const appender = createAppender(session, target);
  let done = false;
  try {
    const types = columns.map((_, index) => duckdb.appender_column_type(appender, index));
    const chunk = duckdb.create_data_chunk(types);
    using writer = new ChunkWriter(columns, source.options);
    let rows = 0;
    let chunks = 0;
    const flush = (): void => {
      rows += writer.rows;
      writer.flush(chunk, () => duckdb.append_data_chunk(appender, chunk));
      if (++chunks % flushChunks === 0) duckdb.appender_flush_sync(appender);
    };
    for (let from = 0; from < set.extent; from += stretch) {
      set.visit(from, Math.min(from + stretch, set.extent), (image, start) => {
        if (writer.full) flush();
        writer.row(image, start);
      });
      if (from + stretch < set.extent) await nextTick();
    }
    if (writer.rows > 0) flush();
    duckdb.appender_flush_sync(appender);
    done = true;
    return { rows, substitutions: writer.substitutions };
  } catch (error) {
    throw translateError(error, `append to ${target.schema}.${target.table}`);
  } finally {
    if (!done) duckdb.appender_clear(appender);
    closeQuietly(appender);
  }
}

function createAppender(session: Session, { catalog, schema, table }: LoadTarget): duckdb.Appender {
  try {
    return duckdb.appender_create_ext(session.raw, catalog ?? 'temp', schema, table);
  } catch (error) {
    throw translateError(error, `append to ${schema}.${table}`);
  }
}

function closeQuietly(appender: duckdb.Appender): void {
  try {
    duckdb.appender_close_sync(appender);
  } catch {
    // it was flushed, or its failure is on its way already
  }
}
