import { MillraceError } from '../../base/errors.ts';
import type { Book, BookChanges } from '../book.ts';
import { parseRecord, recordKey } from '../table-record.ts';
import type { OffsetMove } from '../warehouse.ts';
import { catalog, type Session } from './session.ts';

/** Version of what this file stores. Another one is refused. */
const formatVersion = 1;

/**
 * Reads the replica's own tables, those of schema `millrace`, into the book, and makes them in a new file.
 * @throws DATA_VERSION
 */
export async function loadBook(session: Session, book: Book): Promise<void> {
  const [known] = await session.rows(
    `SELECT count(*) FROM duckdb_tables() WHERE database_name = '${catalog}' AND schema_name = 'millrace' AND table_name = 'format'`,
  );
  if (Number(known?.[0]) === 0) await createTables(session);
  const [version] = await session.rows('SELECT version FROM millrace.format');
  if (version?.[0] !== formatVersion) {
    throw new MillraceError('DATA_VERSION', `The replica has format ${String(version?.[0])}, this version reads ${formatVersion}`);
  }
  book.clear();
  const offsets = await session.rows(
    'SELECT connector, source, log_id, seq, applied, file, pos, gtids, committed_ms FROM millrace.offsets ORDER BY connector, source',
  );
  for (const [connector, source, logId, seq, applied, file, pos, gtids, committedMs] of offsets) {
    const position = file === null ? undefined : { file: String(file), pos: Number(pos), gtids: String(gtids) };
    book.offsetMoved(String(connector), {
      after: {
        source: String(source),
        logId: String(logId),
        seq: Number(seq),
        applied: Number(applied),
        position,
        committedMs: Number(committedMs),
      },
    });
  }
  // tables that an older version of the format lacks
  await session.run(
    `CREATE TABLE IF NOT EXISTS millrace.notes (
      connector VARCHAR NOT NULL, source VARCHAR NOT NULL, key VARCHAR NOT NULL, note VARCHAR NOT NULL)`,
  );
  for (const [connector, source, key, note] of await session.rows('SELECT connector, source, key, note FROM millrace.notes')) {
    book.noted(String(connector), String(source), new Map([[String(key), String(note)]]));
  }
  for (const [text] of await session.rows('SELECT record FROM millrace.tables')) {
    const record = parseRecord(String(text));
    book.put(recordKey(record), record);
  }
}

/** Stores the new offset in the open transaction. @throws WAREHOUSE_FENCED */
export async function moveOffset(session: Session, connector: string, move: OffsetMove): Promise<void> {
  const { before, after } = move;
  const position = after.position;
  const values = [
    after.logId,
    after.seq,
    after.applied,
    position?.file ?? null,
    position?.pos ?? null,
    position?.gtids ?? null,
    after.committedMs,
  ];
  const changed =
    before === undefined
      ? await session.run(
          `INSERT INTO millrace.offsets (log_id, seq, applied, file, pos, gtids, committed_ms, connector, source)
           SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
           WHERE NOT EXISTS (FROM millrace.offsets WHERE connector = $8 AND source = $9)`,
          [...values, connector, after.source],
        )
      : await session.run(
          `UPDATE millrace.offsets SET log_id = $1, seq = $2, applied = $3, file = $4, pos = $5, gtids = $6, committed_ms = $7
           WHERE connector = $8 AND source = $9 AND log_id = $10 AND seq = $11 AND applied = $12`,
          [...values, connector, after.source, before.logId, before.seq, before.applied],
        );
  if (changed !== 1) {
    throw new MillraceError(
      'WAREHOUSE_FENCED',
      `The replica's offset of "${connector}" for ${after.source} is not ${before?.seq ?? 'absent'}`,
      {
        context: { connector, source: after.source },
      },
    );
  }
}

/** Stores notes in the open transaction. */
export async function saveNotes(session: Session, connector: string, { after, notes = new Map() }: OffsetMove): Promise<void> {
  for (const [key, note] of notes) {
    await session.run('DELETE FROM millrace.notes WHERE connector = $1 AND source = $2 AND key = $3', [connector, after.source, key]);
    if (note === null) continue;
    await session.run('INSERT INTO millrace.notes VALUES ($1, $2, $3, $4)', [connector, after.source, key, note]);
  }
}

/** Drops a connector's offsets and table records, not the tables. */
export async function forgetConnector(session: Session, book: Book, connector: string): Promise<void> {
  await session.run('DELETE FROM millrace.offsets WHERE connector = $1', [connector]);
  await session.run('DELETE FROM millrace.tables WHERE connector = $1', [connector]);
  await session.run('DELETE FROM millrace.notes WHERE connector = $1', [connector]);
  await loadBook(session, book);
}

/** Writes changed table records in the open transaction. */
export async function saveRecords(session: Session, { changes }: BookChanges): Promise<void> {
  for (const [key, record] of changes) {
    await session.run('DELETE FROM millrace.tables WHERE key = $1', [key]);
    if (record === undefined) continue;
    await session.run('INSERT INTO millrace.tables VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
      key,
      record.connector,
      record.source,
      record.database,
      record.table,
      record.replica.schema,
      record.replica.table,
      JSON.stringify(record),
    ]);
  }
}

async function createTables(session: Session): Promise<void> {
  await session.run(`
    BEGIN;
    CREATE SCHEMA IF NOT EXISTS millrace;
    CREATE TABLE millrace.format (version INTEGER NOT NULL);
    INSERT INTO millrace.format VALUES (${formatVersion});
    CREATE TABLE millrace.offsets (
      connector VARCHAR NOT NULL, source VARCHAR NOT NULL, log_id VARCHAR NOT NULL, seq BIGINT NOT NULL, applied BIGINT NOT NULL,
      file VARCHAR, pos BIGINT, gtids VARCHAR, committed_ms BIGINT NOT NULL);
    CREATE TABLE millrace.tables (
      key VARCHAR NOT NULL, connector VARCHAR NOT NULL, source VARCHAR NOT NULL, database_name VARCHAR NOT NULL,
      table_name VARCHAR NOT NULL, replica_schema VARCHAR NOT NULL, replica_table VARCHAR NOT NULL, record VARCHAR NOT NULL);
    COMMIT;`);
}
