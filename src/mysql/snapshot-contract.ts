import type { Logger } from '../base/logger.ts';
import type { ConnectionSettings, ServerConnection } from '../binlog/connection.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { StateRecord, TableProgress } from '../connect/tasks.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import type { SnapshotFilter } from './snapshot-filter.ts';
import type { SnapshotSelection } from './snapshot-selection.ts';
import type { BinlogPlace } from './snapshot-table.ts';

export interface SnapshotOptions {
  /** The connector's name, for the state records. */
  readonly connector: string;
  readonly connection: ConnectionSettings;
  /** How many connections read at the same time. */
  readonly threads: number;
  /** Most rows of a chunk. */
  readonly chunkRows: number;
  /** A chunk ends at about this size; default 4 MiB. */
  readonly chunkBytes?: number;
  readonly lockWaitMs: number;
  /** As of `ConsistentViewOptions`; beside a running stream, views are opened without a lock where the server allows it. */
  readonly method?: 'auto' | 'lock' | 'lockFree';
  readonly patienceMs?: number;
  /** How long views are read in before new ones are opened, while no stream runs and no lock is needed. */
  readonly roundMs?: number;
  /**
   * The current definitions of captured tables, with captured columns only: of all of them, or of these; ones that do
   * not exist (any more) are left out.
   */
  readonly readTables: (
    connection: ServerConnection,
    tables: readonly TableId[] | undefined,
    signal: AbortSignal,
  ) => Promise<readonly TableSchema[]>;
  /** What a new snapshot takes; absent: all captured tables. */
  readonly tables?: readonly TableId[];
  /** Of a new snapshot: the source had no earlier state of its tables. */
  readonly initial: boolean;
  /** The records of `snapshotTopic`; an unfinished snapshot of this connector goes on, and `tables` and `initial` do not count. */
  readonly state: ReadonlyMap<string, string>;
  /**
   * How far the stream is: the end of the last transaction of which `Snapshot.filter` has decided on changes; amid a
   * transaction any place inside of it, after its start. Undefined as long as no stream was ever started; then views live
   * longer. Once it runs, also while it stands still, see `Snapshot.hold`.
   */
  readonly streamPlace?: () => BinlogPlace | undefined;
  readonly log?: Logger;
  /** Which rows are copied; absent: all. */
  readonly selection?: SnapshotSelection;
}

/** A snapshot of tables: pull its steps with `next`, filter the stream with `filter`, end it with `finish`. */
export interface Snapshot extends AsyncDisposable {
  /** Its name in `snapshotBegin`, `chunk` and `snapshotEnd`. */
  readonly id: string;
  readonly initial: boolean;
  readonly filter: SnapshotFilter;
  /** Tables that are in the snapshot now. */
  readonly tables: readonly TableSchema[];
  /**
   * The stream must not hand out a transaction that ends after this place: chunks that do not hold it are still to
   * come. It moves on by itself, as steps are taken; undefined: there is no limit. Look again after every `next`.
   */
  readonly hold: BinlogPlace | undefined;
  /** Set when everything is read, which is when the `end` step was taken; unset when a table has to be read again. */
  readonly end: BinlogPlace | undefined;
  /**
   * Waits for the next step; the one before must be durable. A step's entry must come after all changes that were filtered
   * before it was taken, hence between two transactions. After `end` it waits until a table has to be read again.
   * @throws MYSQL_UNREACHABLE and others; then the snapshot is over and goes on with a new one made from the state
   */
  next(signal: AbortSignal): Promise<SnapshotStep>;
  /** A table changed in a way that its chunks and the stream cannot tell apart, or joins the snapshot: it is read anew. */
  tableChanged(table: TableId): void;
  progress(): readonly TableProgress[];
  /** The stream has passed `end`: all changes are kept from now on. The records belong into the append of `snapshotEnd`. */
  finish(): readonly StateRecord[];
}

/** What a snapshot hands over, in order. `state` must become durable in the same append as the step's entry. */
export type SnapshotStep =
  /**
   * A new snapshot begins (not after a restart, when it goes on): becomes `snapshotBegin`. `position` is the oldest of the
   * first views: a stream that does not run yet starts there.
   */
  | {
      readonly kind: 'begin';
      readonly tables: readonly TableSchema[];
      /** They are all captured tables. */
      readonly whole: boolean;
      readonly position: SourcePosition;
      readonly state: readonly StateRecord[];
    }
  /** Rows that were read at `position`: becomes `chunk`. The batch is valid until `next` is called again. */
  | {
      readonly kind: 'chunk';
      readonly batch: ChangeBatch;
      readonly position: SourcePosition;
      readonly readMicros: number;
      readonly first?: 'table' | 'snapshot';
      readonly last?: 'table' | 'snapshot';
      readonly state: readonly StateRecord[];
    }
  /** A table is read anew, or joins: becomes a `snapshotBegin` of it alone. */
  | { readonly kind: 'tableRestart'; readonly table: TableSchema; readonly state: readonly StateRecord[] }
  /** A table is not there any more: it leaves the snapshot, and its rows so far are void. */
  | { readonly kind: 'tableDropped'; readonly table: TableId; readonly state: readonly StateRecord[] }
  /** Everything is read. When the stream has reached `place`, call `finish` and append `snapshotEnd`. */
  | { readonly kind: 'end'; readonly place: BinlogPlace; readonly state: readonly StateRecord[] };
