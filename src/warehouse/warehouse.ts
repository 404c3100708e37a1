import type { SinkOffset } from '../connect/tasks.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import type { SchemaChange } from '../event/schema-change.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import type { Fold } from './fold.ts';

/**
 * What the sink task needs of a warehouse, as one sink connector sees it. Everything of a source between two offsets is
 * a unit, which becomes durable at once, with the offset, or not at all.
 */
export interface SinkStore {
  /** Stored offsets of this connector, one per source. */
  readonly offsets: readonly SinkOffset[];
  /** Stored notes of a source's groups. */
  notes(source: string): ReadonlyMap<string, string>;
  /** Tables of the source that wait for a snapshot or are being loaded, as of what is committed. */
  unfinished(source: string): readonly TableId[];
  /** A unit of one source; several may be open, they commit in the order of the `commit` calls. */
  begin(source: string): Promise<Unit>;
}

/** Steps in their order. Nothing of it is seen before `commit`. */
export interface Unit {
  /**
   * Stages what the fold says: where the rows lie in the warehouse, not yet in their table. The fold and its batches are
   * not used afterwards.
   */
  merge(fold: Fold, signal: AbortSignal): Promise<void>;
  /** Rows of a snapshot, straight into the table that is being loaded. The batches are held until the commit. */
  append(batch: ChangeBatch, from: number, to: number): void;
  /** Moves appended rows out of memory, of a warehouse that loads many at once: their batches are not used afterwards. */
  spill?(): Promise<void>;
  evolve(changes: readonly SchemaChange[]): void;
  beginSnapshot(snapshot: SnapshotStart): void;
  endSnapshot(snapshot: string, tables: readonly TableId[]): void;
  /**
   * Makes the steps and the new offset durable, in one transaction.
   * @throws WAREHOUSE_FENCED when the stored offset is not `before`
   */
  commit(move: OffsetMove, signal: AbortSignal): Promise<CommitReport>;
  /** Forgets the unit; after `commit`, failed or not, it is not needed. */
  discard(): Promise<void>;
}

export interface SnapshotStart {
  readonly snapshot: string;
  readonly tables: readonly TableSchema[];
  readonly initial: boolean;
  /** They are all that the sink takes of the source: see `goneTables`. */
  readonly whole: boolean;
}

export interface OffsetMove {
  /** Undefined: nothing is stored for the source. */
  readonly before: SinkOffset | undefined;
  readonly after: SinkOffset;
  /** Changes of the source's notes, stored with the offset. */
  readonly notes?: ReadonlyMap<string, string | null> | undefined;
}

export interface CommitReport {
  /** Tables that cannot go on from the log, and why; reported once, by the commit that found out. */
  readonly resync: readonly { readonly table: string; readonly reason: string }[];
}
