import type { Entry, SourcePosition } from '../connect/commit-group.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import type { SchemaChange } from '../event/schema-change.ts';
import { tableName, type TableId, type TableSchema } from '../event/table-schema.ts';
import type { ChunkRows } from './chunk-rows.ts';
import type { Fold } from './fold.ts';
import { comparePositions, transactionsUpTo, visitSlice, type GroupSlice } from './group-slice.ts';
import { KeyedFold } from './keyed-fold.ts';
import { KeylessFold } from './keyless-fold.ts';
import type { CommitReport, OffsetMove, SinkStore, Unit } from './warehouse.ts';

/** What a unit has when it is flushed though more comes. */
export interface UnitLimits {
  /** Changes, and bytes of row images in memory. */
  readonly flushRows: number;
  readonly flushBytes: number;
  /** Bytes of rows of snapshots that memory does not hold. */
  readonly loadBytes?: number | undefined;
}

/** Rows of snapshots that are held before a unit is asked to take them. */
const spillBytes = 16 << 20;

export interface UnitBuilderOptions {
  readonly store: SinkStore;
  readonly source: string;
  /** Whether the sink takes the table's topic. */
  readonly accepts: (table: TableId) => boolean;
}

/**
 * Collects slices of groups into a unit of the warehouse: changes are folded per table; chunks of a snapshot go straight
 * to their table, unless changes of that table are being folded, which they then join; all else is a step at its place.
 */
export class UnitBuilder {
  /** Slices that were added, so that they can be added anew in part; dropped once something is staged. */
  slices: GroupSlice[] = [];
  rows = 0;
  /** Last of the slices that the unit has taken. */
  taken: GroupSlice | undefined;
  /** The unit has taken a part of one. */
  #torn = false;
  /** Bytes of rows of snapshots that the unit has taken, and memory does not hold any more. */
  #spilledBytes = 0;
  #bytes = 0;
  readonly #options: UnitBuilderOptions;
  readonly #folds = new Map<string, Fold>();
  #chunks: ChunkRows[] = [];
  #unit: Unit | undefined;
  #notes: Map<string, string | null> | undefined;

  constructor(options: UnitBuilderOptions) {
    this.#options = options;
  }

  /** Bytes of memory that the slices hold. */
  get byteLength(): number {
    return this.#bytes;
  }

  isFull({ flushRows, flushBytes, loadBytes = Infinity }: UnitLimits): boolean {
    return this.rows >= flushRows || this.#bytes >= flushBytes || this.#spilledBytes >= loadBytes;
  }

  get isEmpty(): boolean {
    return this.#folds.size === 0 && this.#chunks.length === 0 && this.#unit === undefined;
  }

  async add(slice: GroupSlice, signal: AbortSignal): Promise<void> {
    this.slices.push(slice);
    const { group } = slice;
    // what was decoded holds once all of the group is applied
    if (group.notes !== undefined && slice.to === group.transactions.count) {
      this.#notes = new Map([...(this.#notes ?? []), ...group.notes]);
    }
    await visitSlice(slice, {
      changes: (batch, from, to) => {
        if (!this.#options.accepts(batch.schema)) return undefined;
        const fold = this.#foldFor(batch.schema);
        if (fold === undefined) return this.#sealThenAdd(batch, [from, to], signal);
        this.#addRows(fold, batch, [from, to]);
        return undefined;
      },
      other: (entry) => this.#addOther(entry, signal),
    });
    if (this.#bytes >= spillBytes && this.#folds.size === 0) await this.#spill(slice);
  }

  /** Whether the unit has taken transactions beyond the position; `received`: of what was added. */
  hasTakenBeyond(position: SourcePosition, received: SourcePosition | undefined): boolean {
    if (this.#torn) return received !== undefined && comparePositions(received, position) > 0;
    return this.taken !== undefined && transactionsUpTo(this.taken.group, position) < this.taken.to;
  }

  /** Forgets what was added since the unit took something. */
  dropHeld(): void {
    this.#folds.clear();
    this.#chunks = [];
    this.slices = [];
    this.rows = 0;
    this.#bytes = 0;
  }

  /** Stages what was added so far; the slices are not needed any more. */
  async seal(signal: AbortSignal): Promise<void> {
    const folds = [...this.#folds.values()];
    const chunks = this.#chunks;
    this.#folds.clear();
    this.#chunks = [];
    this.slices = [];
    this.#bytes = 0;
    if (folds.length === 0 && chunks.length === 0) return;
    this.#torn = true;
    const unit = await this.#openUnit();
    for (const { batch, from, to } of chunks) unit.append(batch, from, to);
    for (const fold of folds) await unit.merge(fold, signal);
  }

  async commit(move: OffsetMove, signal: AbortSignal): Promise<CommitReport> {
    const unit = await this.#openUnit();
    return unit.commit(this.#notes === undefined ? move : { ...move, notes: this.#notes }, signal);
  }

  async discard(): Promise<void> {
    this.#folds.clear();
    this.#chunks = [];
    await this.#unit?.discard();
  }

  /** The open fold of a table; undefined when what is open is of another definition of it. */
  #foldFor(schema: TableSchema): Fold | undefined {
    const name = tableName(schema);
    const open = this.#folds.get(name);
    if (open !== undefined) return open.schema.fingerprint === schema.fingerprint ? open : undefined;
    const fold = schema.primaryKey.length === 0 ? new KeylessFold(schema) : new KeyedFold(schema);
    this.#folds.set(name, fold);
    return fold;
  }

  #addRows(fold: Fold, batch: ChangeBatch, [from, to]: readonly [number, number]): void {
    const before = fold.byteLength;
    fold.add(batch, from, to);
    this.#bytes += fold.byteLength - before;
    this.rows += to - from;
  }

  async #sealThenAdd(batch: ChangeBatch, range: readonly [number, number], signal: AbortSignal): Promise<void> {
    await this.seal(signal);
    const fold = this.#foldFor(batch.schema);
    if (fold !== undefined) this.#addRows(fold, batch, range);
  }

  async #addOther(entry: Exclude<Entry, { kind: 'changes' }>, signal: AbortSignal): Promise<void> {
    const { accepts } = this.#options;
    switch (entry.kind) {
      // Records of tables are batches by the time they come here; the other topics are no tables.
      case 'records':
      case 'ddl':
      case 'transactionMarks':
      case 'heartbeat':
      case 'told':
      case 'notifications':
        return;
      case 'chunk': {
        const { batch } = entry;
        if (batch.count === 0 || !accepts(batch.schema)) return;
        const open = this.#folds.get(tableName(batch.schema));
        if (open !== undefined && open.schema.fingerprint === batch.schema.fingerprint) {
          this.#addRows(open, batch, [0, batch.count]);
          return;
        }
        if (open !== undefined) await this.seal(signal);
        this.#chunks.push({ batch, from: 0, to: batch.count });
        this.rows += batch.count;
        this.#bytes += batch.bytes.length;
        return;
      }
      case 'schema': {
        const changes = acceptedChanges(entry.changes, accepts);
        if (changes.length === 0) return;
        await this.seal(signal);
        (await this.#openUnit()).evolve(changes);
        return;
      }
      case 'snapshotBegin': {
        const tables = entry.tables.filter(accepts);
        const whole = entry.whole === true;
        if (tables.length === 0 && !whole) return;
        await this.seal(signal);
        (await this.#openUnit()).beginSnapshot({ snapshot: entry.snapshot, tables, initial: entry.initial, whole });
        return;
      }
      case 'snapshotEnd': {
        const tables = entry.tables.filter(accepts);
        if (tables.length === 0) return;
        await this.seal(signal);
        (await this.#openUnit()).endSnapshot(entry.snapshot, tables);
      }
    }
  }

  /** Gives rows of snapshots to the unit, if it can hold them elsewhere. */
  async #spill(last: GroupSlice): Promise<void> {
    const unit = await this.#openUnit();
    if (unit.spill === undefined) return;
    for (const { batch, from, to } of this.#chunks) unit.append(batch, from, to);
    await unit.spill();
    this.#spilledBytes += this.#bytes;
    this.taken = last;
    this.dropHeld();
  }

  async #openUnit(): Promise<Unit> {
    this.#unit ??= await this.#options.store.begin(this.#options.source);
    return this.#unit;
  }
}

/** Changes of the tables that the sink takes; a rename into or out of them creates or drops. */
export function acceptedChanges(changes: readonly SchemaChange[], accepts: (table: TableId) => boolean): readonly SchemaChange[] {
  const accepted: SchemaChange[] = [];
  for (const change of changes) {
    if (change.kind !== 'renameTable') {
      if (accepts('after' in change ? change.after : change.before)) accepted.push(change);
    } else if (accepts(change.after)) {
      accepted.push(change);
    } else if (accepts(change.before)) {
      accepted.push({ kind: 'dropTable', before: change.before });
    }
  }
  return accepted;
}
