import { MillraceError } from '../../base/errors.ts';
import type { SinkOffset } from '../../connect/tasks.ts';
import type { TableId, TableSchema } from '../../event/table-schema.ts';
import type { ReplicaName } from '../replica-names.ts';
import type { OffsetMove } from '../warehouse.ts';
import type { InvalidTemporal } from './column-mapping.ts';
import { catalog, type Session } from './session.ts';

/** Version of what this file stores. Another one is refused. */
const formatVersion = 1;

/** A replicated table, as the replica keeps book of it. Immutable. */
export interface TableRecord extends TableId {
  readonly connector: string;
  /** `topic.prefix` of its source. */
  readonly source: string;
  readonly replica: ReplicaName;
  /** What readers see; undefined while its first snapshot is loaded. */
  readonly live?: TableSchema;
  /** Where an unfinished snapshot loads it: a table of its own in the same schema. */
  readonly aside?: AsideTable;
  readonly invalidTemporal: InvalidTemporal;
  /** Why it cannot go on from the log: its changes are dropped until a snapshot brings it anew. */
  readonly broken?: string;
  /** Values that became NULL because their type has no place for them, by column. */
  readonly substitutions: Readonly<Record<string, number>>;
  /** A column that was added with a value and is NOT NULL only by a transaction after that: see late-not-null.ts. */
  readonly lateNotNull?: string;
}

export interface AsideTable {
  readonly name: string;
  readonly schema: TableSchema;
  readonly snapshot: string;
  readonly initial: boolean;
}

/** The replica's own tables: offsets and replicated tables, in memory and in schema `millrace`. */
export class Bookkeeping {
  readonly tables = new Map<string, TableRecord>();
  /** Records whose `lateNotNull` is to be done. */
  readonly late = new Set<TableRecord>();
  readonly #offsets = new Map<string, SinkOffset>();
  readonly #notes = new Map<string, Map<string, string>>();

  offsetsOf(connector: string): readonly SinkOffset[] {
    return [...this.#offsets].filter(([key]) => key.startsWith(`${connector}\n`)).map(([, offset]) => offset);
  }

  notesOf(connector: string, source: string): ReadonlyMap<string, string> {
    return this.#notes.get(`${connector}\n${source}`) ?? new Map();
  }

  /**
   * Reads everything, and makes the tables in a new file.
   * @throws DATA_VERSION
   */
  async load(session: Session): Promise<void> {
    const [known] = await session.rows(
      `SELECT count(*) FROM duckdb_tables() WHERE database_name = '${catalog}' AND schema_name = 'millrace' AND table_name = 'format'`,
    );
    if (Number(known?.[0]) === 0) await createTables(session);
    const [version] = await session.rows('SELECT version FROM millrace.format');
    if (version?.[0] !== formatVersion) {
      throw new MillraceError('DATA_VERSION', `The replica has format ${String(version?.[0])}, this version reads ${formatVersion}`);
    }
    this.#offsets.clear();
    const offsets = await session.rows(
      'SELECT connector, source, log_id, seq, applied, file, pos, gtids, committed_ms FROM millrace.offsets ORDER BY connector, source',
    );
    for (const [connector, source, logId, seq, applied, file, pos, gtids, committedMs] of offsets) {
      const position = file === null ? undefined : { file: String(file), pos: Number(pos), gtids: String(gtids) };
      this.#offsets.set(`${String(connector)}\n${String(source)}`, {
        source: String(source),
        logId: String(logId),
        seq: Number(seq),
        applied: Number(applied),
        position,
        committedMs: Number(committedMs),
      });
    }
    // tables that an older version of the format lacks
    await session.run(
      `CREATE TABLE IF NOT EXISTS millrace.notes (
        connector VARCHAR NOT NULL, source VARCHAR NOT NULL, key VARCHAR NOT NULL, note VARCHAR NOT NULL)`,
    );
    this.#notes.clear();
    for (const [connector, source, key, note] of await session.rows('SELECT connector, source, key, note FROM millrace.notes')) {
      this.#noted(`${String(connector)}\n${String(source)}`, new Map([[String(key), String(note)]]));
    }
    this.tables.clear();
    this.late.clear();
    for (const [text] of await session.rows('SELECT record FROM millrace.tables')) {
      const record = parseRecord(String(text));
      this.put(recordKey(record), record);
    }
  }

  /** Keeps a record that is committed; undefined removes the one of the key. */
  put(key: string, record: TableRecord | undefined): void {
    const old = this.tables.get(key);
    if (old !== undefined) this.late.delete(old);
    if (record === undefined) {
      this.tables.delete(key);
      return;
    }
    this.tables.set(key, record);
    if (record.lateNotNull !== undefined) this.late.add(record);
  }

  /** Stores the new offset in the open transaction. @throws WAREHOUSE_FENCED */
  async moveOffset(session: Session, connector: string, move: OffsetMove): Promise<void> {
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
  async saveNotes(session: Session, connector: string, { after, notes = new Map() }: OffsetMove): Promise<void> {
    for (const [key, note] of notes) {
      await session.run('DELETE FROM millrace.notes WHERE connector = $1 AND source = $2 AND key = $3', [connector, after.source, key]);
      if (note === null) continue;
      await session.run('INSERT INTO millrace.notes VALUES ($1, $2, $3, $4)', [connector, after.source, key, note]);
    }
  }

  /** After the commit. */
  offsetMoved(connector: string, { after, notes = new Map() }: OffsetMove): void {
    const place = `${connector}\n${after.source}`;
    this.#offsets.set(place, after);
    this.#noted(place, notes);
  }

  #noted(place: string, notes: ReadonlyMap<string, string | null>): void {
    const known = this.#notes.get(place) ?? new Map<string, string>();
    this.#notes.set(place, known);
    for (const [key, note] of notes) {
      if (note === null) known.delete(key);
      else known.set(key, note);
    }
  }

  /** Drops a connector's offsets and table records, not the tables. */
  async forget(session: Session, connector: string): Promise<void> {
    await session.run('DELETE FROM millrace.offsets WHERE connector = $1', [connector]);
    await session.run('DELETE FROM millrace.tables WHERE connector = $1', [connector]);
    await session.run('DELETE FROM millrace.notes WHERE connector = $1', [connector]);
    await this.load(session);
  }
}

/** Table records as a transaction sees them: its own changes over what is committed. */
export class BookkeepingChanges {
  readonly #book: Bookkeeping;
  readonly #changes = new Map<string, TableRecord | undefined>();

  constructor(book: Bookkeeping) {
    this.#book = book;
  }

  get(key: string): TableRecord | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#book.tables.get(key);
  }

  *all(): IterableIterator<TableRecord> {
    for (const [key, record] of this.#book.tables) if (!this.#changes.has(key)) yield record;
    for (const record of this.#changes.values()) if (record !== undefined) yield record;
  }

  set(record: TableRecord): void {
    this.#changes.set(recordKey(record), record);
  }

  remove(record: TableRecord): void {
    this.#changes.set(recordKey(record), undefined);
  }

  /** Writes the changes in the open transaction. */
  async save(session: Session): Promise<void> {
    for (const [key, record] of this.#changes) {
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

  /** After the commit. */
  apply(): void {
    for (const [key, record] of this.#changes) this.#book.put(key, record);
  }
}

/** What tells records apart. */
export type RecordKey = Pick<TableRecord, 'connector' | 'source' | 'database' | 'table'>;

export function recordKey({ connector, source, database, table }: RecordKey): string {
  return JSON.stringify([connector, source, database, table]);
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

export function parseRecord(text: string): TableRecord {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new MillraceError('DATA_VERSION', 'The replica has a table record that cannot be read');
  return value;
}

/** We wrote it ourselves, under this format version: the outline is enough. */
function isRecord(value: unknown): value is TableRecord {
  return typeof value === 'object' && value !== null && 'connector' in value && 'source' in value && 'table' in value && 'replica' in value;
}
