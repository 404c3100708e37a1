import { failpoint, isMutant } from '../../base/failpoint.ts';
import type { ChangeBatch } from '../../event/change-batch.ts';
import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type TableId } from '../../event/table-schema.ts';
import { chunkSet, type ChunkRows } from '../chunk-rows.ts';
import type { Fold } from '../fold.ts';
import { BookChanges } from '../book.ts';
import { recordKey, writeTarget } from '../table-record.ts';
import { countSubstitutions, markBroken, recordOf, usableRecord, type SinkIdentity } from '../unit-records.ts';
import type { CommitReport, OffsetMove, SnapshotStart, Unit } from '../warehouse.ts';
import { moveOffset, saveNotes, saveRecords } from './bookkeeping.ts';
import { mapColumns } from './column-mapping.ts';
import { setLateNotNull } from './late-not-null.ts';
import { loadRows } from './load-rows.ts';
import { applyMerge } from './merge.ts';
import type { Replica } from './replica.ts';
import { catalog, type Session } from './session.ts';
import { dropStaged, stageFold, type StagedMerge } from './stage.ts';
import { beginSnapshot, createTable, endSnapshot, evolve } from './table-steps.ts';
import { columnsOf, type Transaction } from './transaction.ts';

type Step = (tx: Transaction) => Promise<void>;

/** A unit on a session of its own, whose temporary tables hold what is staged until the commit. */
export class DuckDbUnit implements Unit {
  readonly #replica: Replica;
  readonly #sink: SinkIdentity;
  readonly #source: string;
  readonly #session: Session;
  readonly #steps: Step[] = [];
  readonly #staged: StagedMerge[] = [];
  #lastAppend: ChunkRows[] | undefined;
  #discarded = false;

  constructor(replica: Replica, identity: { readonly sink: SinkIdentity; readonly source: string }, session: Session) {
    this.#replica = replica;
    this.#sink = identity.sink;
    this.#source = identity.source;
    this.#session = session;
  }

  async merge(fold: Fold, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { database, table } = fold.schema;
    const key = recordKey({ connector: this.#sink.connector, source: this.#source, database, table });
    const mapping = this.#replica.book.tables.get(key) ?? this.#sink;
    const staged = await stageFold(this.#session, fold, {
      mapColumns: (columns) => mapColumns(columns, mapping),
      failOnInvalid: mapping.invalidTemporal === 'fail',
      storeStrings: this.#replica.storeStrings,
    });
    failpoint('staged');
    this.#staged.push(staged);
    this.#add((tx) => applyMerge(tx, staged));
  }

  append(batch: ChangeBatch, from: number, to: number): void {
    const last = this.#lastAppend;
    // chunks of one table that follow one another go through one appender
    if (last !== undefined && last[0]?.batch.schema.fingerprint === batch.schema.fingerprint) {
      last.push({ batch, from, to });
      return;
    }
    const chunks = [{ batch, from, to }];
    this.#add((tx) => this.#appendChunks(tx, chunks));
    this.#lastAppend = chunks;
  }

  evolve(changes: readonly SchemaChange[]): void {
    this.#add(async (tx) => {
      for (const change of changes) await evolve(tx, change);
    });
  }

  beginSnapshot(snapshot: SnapshotStart): void {
    this.#add((tx) => beginSnapshot(tx, snapshot));
  }

  endSnapshot(snapshot: string, tables: readonly TableId[]): void {
    this.#add((tx) => endSnapshot(tx, snapshot, tables));
  }

  async commit(move: OffsetMove, signal: AbortSignal): Promise<CommitReport> {
    signal.throwIfAborted();
    return this.#replica.exclusive(async () => {
      const session = this.#session;
      const { book } = this.#replica;
      const changes = new BookChanges(book);
      // what failed after an earlier commit
      await setLateNotNull(session, book);
      const tx: Transaction = { session, sink: this.#sink, source: this.#source, book: changes, resync: [], columnsOf, thinned: new Set() };
      await session.run('BEGIN TRANSACTION');
      try {
        for (const step of this.#steps) await step(tx);
        await saveRecords(session, changes);
        if (isMutant('offsets-apart')) await session.run('COMMIT; BEGIN TRANSACTION');
        await moveOffset(session, this.#sink.connector, move);
        await saveNotes(session, this.#sink.connector, move);
        failpoint('commit');
        await session.run('COMMIT');
      } catch (error) {
        await session.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
      failpoint('committed');
      changes.apply();
      book.offsetMoved(this.#sink.connector, move);
      await setLateNotNull(session, book);
      await this.discard();
      return { resync: tx.resync };
    });
  }

  async discard(): Promise<void> {
    // the session goes back once: it may be another unit's by now
    if (this.#discarded) return;
    this.#discarded = true;
    const staged = this.#staged.splice(0);
    this.#steps.length = 0;
    this.#lastAppend = undefined;
    for (const merge of staged) await dropStaged(this.#session, merge);
    this.#replica.returnSession(this.#session);
  }

  #add(step: Step): void {
    this.#lastAppend = undefined;
    this.#steps.push(step);
  }

  async #appendChunks(tx: Transaction, chunks: readonly ChunkRows[]): Promise<void> {
    const schema = chunks[0]?.batch.schema;
    if (schema === undefined) return;
    const known = recordOf(tx, schema);
    if (known !== undefined && known.aside === undefined) {
      markBroken(tx, known, 'rows of a snapshot came without its begin');
      return;
    }
    const record = usableRecord(tx, known ?? (await createTable(tx, schema)), schema);
    const target = record === undefined ? undefined : writeTarget(record);
    if (record === undefined || target === undefined) return;
    const columns = columnsOf(record, schema);
    const options = {
      storeStrings: this.#replica.storeStrings,
      table: tableName(schema),
      key: schema.primaryKey,
      failOnInvalid: record.invalidTemporal === 'fail',
    };
    const place = { catalog, schema: record.replica.schema, table: target.name };
    const result = await loadRows(tx.session, place, { set: chunkSet(chunks), columns, options });
    failpoint('chunk');
    const substituted = columns.flatMap(({ column }, index) => {
      const times = result.substitutions[index] ?? 0;
      return times > 0 ? [[column.name, times] as const] : [];
    });
    countSubstitutions(tx, record, Object.fromEntries(substituted));
  }
}
