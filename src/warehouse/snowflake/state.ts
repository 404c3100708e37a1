import { MillraceError } from '../../base/errors.ts';
import type { SinkOffset } from '../../connect/tasks.ts';
import type { Book, BookChanges } from '../book.ts';
import { parseRecord, recordKey } from '../table-record.ts';
import type { OffsetMove } from '../warehouse.ts';
import { parseRedo, type Redo } from './redo.ts';
import { changedRows, type Cell, type SnowflakeSession } from './session.ts';
import { quoted } from './sql-text.ts';

/** Version of what a state table holds. Another one is refused. */
const formatVersion = '1';

/** Rows of one statement: Snowflake takes more binds than that, but not endlessly many. */
const rowsAtOnce = 200;

/** What kinds of rows a state table has. */
type Kind = 'format' | 'offset' | 'table' | 'note' | 'redo' | 'commit';

/**
 * A sink's state in Snowflake, one table per sink, since a transaction locks tables whole:
 *
 *   KIND    SOURCE  KEY           VALUE                    LOG_ID, SEQ, APPLIED
 *   format                        version of this layout   SEQ counts first offsets
 *   offset  source                position, time (JSON)    what is applied
 *   table   source  record's key  the table's record
 *   note    source  key           a decoder's note
 *   redo    source  unit          DDL that is owed (JSON)  SEQ: statements of it that are done
 *   commit  source                statement id of the last commit, for AT(STATEMENT => …), with its offset
 */
export class SinkState {
  readonly #table: string;
  readonly #connector: string;

  constructor(table: string, connector: string) {
    this.#table = table;
    this.#connector = connector;
  }

  get createSql(): string {
    return (
      `CREATE TABLE IF NOT EXISTS ${this.#table} ("KIND" VARCHAR NOT NULL, "SOURCE" VARCHAR NOT NULL, "KEY" VARCHAR NOT NULL, ` +
      `"VALUE" VARCHAR, "LOG_ID" VARCHAR, "SEQ" NUMBER(19,0), "APPLIED" NUMBER(19,0))`
    );
  }

  /** Marks a new table with its format. */
  async begin(session: SnowflakeSession): Promise<void> {
    await this.#insert(session, [['format', '', '', formatVersion, null, '0', null]]);
  }

  /**
   * Reads all of it into the book; what DDL is owed.
   * @throws DATA_VERSION
   */
  async load(session: SnowflakeSession, book: Book): Promise<{ readonly isNew: boolean; readonly owed: readonly Redo[] }> {
    const { rows } = await session.run(`SELECT "KIND", "SOURCE", "KEY", "VALUE", "LOG_ID", "SEQ", "APPLIED" FROM ${this.#table}`);
    const owed: Redo[] = [];
    let format: Cell | undefined;
    book.clear();
    for (const [kind, source = '', key = '', value = '', logId = '', seq = '', applied = ''] of rows) {
      switch (kind) {
        case 'format':
          format = value;
          break;
        case 'offset':
          book.offsetMoved(this.#connector, { after: readOffset(source ?? '', value ?? '', { logId, seq, applied }) });
          break;
        case 'table': {
          const record = parseRecord(value ?? '');
          book.put(recordKey(record), record);
          break;
        }
        case 'note':
          book.noted(this.#connector, source ?? '', new Map([[key ?? '', value ?? '']]));
          break;
        case 'redo':
          owed.push(parseRedo({ source: source ?? '', unit: key ?? '', text: value ?? '', done: Number(seq) }));
          break;
        default:
          // of a commit only readers ask
          break;
      }
    }
    if (format !== undefined && format !== formatVersion) {
      throw new MillraceError('DATA_VERSION', `${this.#table} has format ${String(format)}, this version reads ${formatVersion}`);
    }
    return { isNew: format === undefined, owed };
  }

  /**
   * Moves the offset, as the first statement of a transaction: two writers then wait for one another, and the second finds
   * that it moved.
   * @throws WAREHOUSE_FENCED
   */
  async moveOffset(session: SnowflakeSession, { before, after }: OffsetMove): Promise<string> {
    const value = JSON.stringify({ position: after.position ?? null, committedMs: after.committedMs });
    const moved = [value, after.logId, String(after.seq), String(after.applied)];
    if (before === undefined) {
      // an INSERT waits for nobody: the lock of another row's update makes two first offsets come one after the other
      await session.run(`UPDATE ${this.#table} SET "SEQ" = "SEQ" + 1 WHERE "KIND" = 'format'`);
      const [found] = (await session.run(`SELECT COUNT(*) FROM ${this.#table} WHERE "KIND" = 'offset' AND "SOURCE" = ?`, [after.source]))
        .rows;
      if (found?.[0] !== '0') throw this.fenced({ before, after });
      const answer = await this.#insert(session, [
        ['offset', after.source, '', ...moved],
        ['commit', after.source, '', null, null, null, null],
      ]);
      return answer;
    }
    const answer = await session.run(
      `UPDATE ${this.#table} SET "VALUE" = ?, "LOG_ID" = ?, "SEQ" = CAST(? AS NUMBER(19,0)), "APPLIED" = CAST(? AS NUMBER(19,0)) ` +
        `WHERE "KIND" = 'offset' AND "SOURCE" = ? AND "LOG_ID" = ? AND "SEQ" = CAST(? AS NUMBER(19,0)) AND "APPLIED" = CAST(? AS NUMBER(19,0))`,
      [...moved, after.source, before.logId, String(before.seq), String(before.applied)],
    );
    if (changedRows(answer) !== 1) throw this.fenced({ before, after });
    return answer.statement;
  }

  /** What is stored for a source now; undefined: nothing. */
  async readOffset(
    session: SnowflakeSession,
    source: string,
  ): Promise<{ readonly offset: SinkOffset | undefined; readonly statement: string }> {
    const { rows, statement } = await session.run(
      `SELECT "VALUE", "LOG_ID", "SEQ", "APPLIED" FROM ${this.#table} WHERE "KIND" = 'offset' AND "SOURCE" = ?`,
      [source],
    );
    const [value = '', logId = '', seq = '', applied = ''] = rows[0] ?? [];
    return { statement, offset: rows.length === 0 ? undefined : readOffset(source, value ?? '', { logId, seq, applied }) };
  }

  /** Stores changed records, notes and owed DDL, in the open transaction. */
  async save(
    session: SnowflakeSession,
    of: { readonly records: BookChanges; readonly move: OffsetMove; readonly redo: Redo | undefined },
  ): Promise<void> {
    const { source } = of.move.after;
    const rows: Cell[][] = [];
    const gone = new Map<Kind, string[]>();
    const put = (kind: 'table' | 'note', key: string, value: string | null): void => {
      gone.set(kind, [...(gone.get(kind) ?? []), key]);
      if (value !== null) rows.push([kind, source, key, value, null, null, null]);
    };
    for (const [key, record] of of.records.changes) put('table', key, record === undefined ? null : JSON.stringify(record));
    for (const [key, note] of of.move.notes ?? []) put('note', key, note);
    if (of.redo !== undefined) rows.push(['redo', source, of.redo.unit, of.redo.text, null, '0', null]);
    for (const [kind, keys] of gone) {
      for (const part of parts(keys)) {
        await session.run(`DELETE FROM ${this.#table} WHERE "KIND" = ? AND "SOURCE" = ? AND "KEY" IN (${part.map(() => '?').join(', ')})`, [
          kind,
          source,
          ...part,
        ]);
      }
    }
    await this.#insert(session, rows);
  }

  /** So many statements of what is owed are done. */
  async redone(session: SnowflakeSession, { source, unit }: Redo, done: number): Promise<void> {
    await session.run(`UPDATE ${this.#table} SET "SEQ" = CAST(? AS NUMBER(19,0)) WHERE "KIND" = 'redo' AND "SOURCE" = ? AND "KEY" = ?`, [
      String(done),
      source,
      unit,
    ]);
  }

  /** All of it is done; gives the statement that says so. */
  async forgetRedo(session: SnowflakeSession, { source, unit }: Redo): Promise<string> {
    const { statement } = await session.run(`DELETE FROM ${this.#table} WHERE "KIND" = 'redo' AND "SOURCE" = ? AND "KEY" = ?`, [
      source,
      unit,
    ]);
    return statement;
  }

  /** Keeps the statement that readers can go back to. */
  async committed(session: SnowflakeSession, { source, logId, seq, applied }: SinkOffset, statement: string): Promise<void> {
    await session.run(
      `UPDATE ${this.#table} SET "VALUE" = ?, "LOG_ID" = ?, "SEQ" = CAST(? AS NUMBER(19,0)), "APPLIED" = CAST(? AS NUMBER(19,0)) ` +
        `WHERE "KIND" = 'commit' AND "SOURCE" = ?`,
      [statement, logId, String(seq), String(applied), source],
    );
  }

  async #insert(session: SnowflakeSession, rows: readonly (readonly Cell[])[]): Promise<string> {
    let statement = '';
    for (const part of parts(rows)) {
      const columns = ['KIND', 'SOURCE', 'KEY', 'VALUE', 'LOG_ID', 'SEQ', 'APPLIED'].map(quoted).join(', ');
      const answer = await session.run(
        `INSERT INTO ${this.#table} (${columns}) VALUES ${part.map(() => '(?, ?, ?, ?, ?, ?, ?)').join(', ')}`,
        part.flat(),
      );
      ({ statement } = answer);
    }
    return statement;
  }

  /** The error for an offset that someone else has moved. */
  fenced({ before, after }: OffsetMove): MillraceError {
    return new MillraceError(
      'WAREHOUSE_FENCED',
      `The replica's offset of "${this.#connector}" for ${after.source} is not ${before?.seq ?? 'absent'}`,
      { context: { connector: this.#connector, source: after.source } },
    );
  }
}

function* parts<T>(rows: readonly T[]): IterableIterator<readonly T[]> {
  for (let at = 0; at < rows.length; at += rowsAtOnce) yield rows.slice(at, at + rowsAtOnce);
}

function readOffset(
  source: string,
  text: string,
  stored: { readonly logId: Cell; readonly seq: Cell; readonly applied: Cell },
): SinkOffset {
  const value: unknown = JSON.parse(text);
  if (!isOffsetValue(value)) throw new MillraceError('DATA_VERSION', `The offset of ${source} in Snowflake cannot be read`);
  return {
    source,
    logId: stored.logId ?? '',
    seq: Number(stored.seq),
    applied: Number(stored.applied),
    position: value.position ?? undefined,
    committedMs: value.committedMs,
  };
}

interface OffsetValue {
  readonly position: NonNullable<SinkOffset['position']> | null;
  readonly committedMs: number;
}

/** We wrote it ourselves, under this format version: the outline is enough. */
function isOffsetValue(value: unknown): value is OffsetValue {
  return (
    typeof value === 'object' && value !== null && 'position' in value && 'committedMs' in value && typeof value.committedMs === 'number'
  );
}
