import type { CommitGroup, SourcePosition } from './commit-group.ts';
import type { SignalRecord } from './signal-record.ts';

/** A record of a compacted topic of the source's own: table models, snapshot progress. `value` null removes the key. */
export interface StateRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: string | null;
}

/** What a source hands over at once: the group and everything that must become durable with it. */
export interface SourceBatch {
  readonly group: CommitGroup;
  /** JSON object; given back to the task at its next start. */
  readonly offset: Readonly<Record<string, unknown>>;
  /** What the offset is of, as Kafka Connect shows it; absent: `{"server": group.source}`, as Debezium's. */
  readonly partition?: Readonly<Record<string, unknown>>;
  readonly state: readonly StateRecord[];
}

/** An offset of a source, by its partition. */
export interface StoredOffset {
  readonly partition: Readonly<Record<string, unknown>> | null;
  readonly offset: Readonly<Record<string, unknown>>;
}

/** The durable state of a source, as its last appended batch left it, or as someone has set it since. */
export interface SourceState {
  /** The first of `offsets`. */
  readonly offset: Readonly<Record<string, unknown>> | undefined;
  /** All that are stored under its name: those of partitions that it had under another configuration, too. */
  readonly offsets?: readonly StoredOffset[];
  /** Key and value of the compacted records under `topic`. */
  state(topic: string): ReadonlyMap<string, string>;
}

/** What someone asks a source for. */
export interface SourceSignal {
  readonly id: string;
  readonly type: string;
  /** JSON. */
  readonly data: string | null;
  /** It comes as a record of the source's signal topic; null: not through that. */
  readonly record: SignalRecord | null;
}

export interface SourceTask extends AsyncDisposable {
  /**
   * Waits for the next group; it may be without entries, when the position alone moved. Not called again before the
   * last one is durable. The batch may be views of memory that the next poll reuses.
   */
  poll(signal: AbortSignal): Promise<SourceBatch>;
  /** The last polled batch is durable in the log. */
  commit?(signal: AbortSignal): Promise<void>;
  /**
   * Asks for a new snapshot of tables (`database.table`, empty: all) while the stream goes on. With the records stored, it comes
   * after a restart, too.
   */
  requestSnapshot?(tables: readonly string[]): readonly StateRecord[];
  /** A signal of Debezium's form, from outside of the source's own channels: acted on soon. */
  signal?(signal: SourceSignal): void;
  /** How far it is, for people; cheap, called twice a second. */
  progress?(): SourceProgress;
}

export interface SourceProgress {
  /** Tables of the snapshot that is being taken; empty when there is none. A table is done once its snapshotEnd is polled. */
  readonly snapshot: readonly TableProgress[];
  /** All before it has been polled; undefined while that is not known. */
  readonly position?: SourcePosition | undefined;
  /** Events of the stream that nothing was made of, since their tables are not captured; absent: not counted. */
  readonly filteredEvents?: number;
}

/** How far the snapshot of one table is. */
export interface TableProgress {
  /** `database.table`. */
  readonly table: string;
  readonly rows: number;
  /** The server's own estimate, which may be far off; 0 is unknown. */
  readonly estimatedRows: number;
  readonly done: boolean;
}

/** How far a sink is with one source: what it stores with its data. */
export interface SinkOffset {
  /** `topic.prefix` of the source. */
  readonly source: string;
  /** Identity of the log that `seq` counts in. */
  readonly logId: string;
  /** Last group that is wholly applied; 0 is none. */
  readonly seq: number;
  /** Transactions of group `seq + 1` that are applied too: not 0 after a cut at a position inside of a group. */
  readonly applied: number;
  /** Source position after it. */
  readonly position: SourcePosition | undefined;
  /** Newest source commit that is applied: milliseconds since the epoch, 0 if none. */
  readonly committedMs: number;
}

/** A group as a sink takes it. */
export interface SinkGroup extends CommitGroup {
  /**
   * What must be known to decode the groups after this one, where its records were decoded: stored by the sink with the end of
   * the group, given back by `notes`; null removes a key.
   */
  readonly notes?: ReadonlyMap<string, string | null>;
}

export interface SinkTask extends AsyncDisposable {
  /** The stored offsets, one per source that this sink has applied anything of; other sources start at the log's begin. */
  open(logId: string, signal: AbortSignal): Promise<readonly SinkOffset[]>;
  /**
   * Takes the next group of its source, in order. Returns when the sink can take another one, which is not yet durable.
   * The group's memory is the sink's until the offsets of its seq are flushed.
   */
  put(group: SinkGroup, signal: AbortSignal): Promise<void>;
  /**
   * Groups of a source up to this one do not come: the next one begins a snapshot of all its tables. Called right after `open`,
   * of sinks that keep tables.
   */
  passOver?(source: string, seq: number): void;
  /** Applies what was put up to the last closed transaction, and returns what is durable now. */
  flush(signal: AbortSignal): Promise<readonly SinkOffset[]>;
  /** The stored notes of a source's groups, as of its stored offset. */
  notes?(source: string): ReadonlyMap<string, string>;
  /** What is durable now, without waiting. */
  committed(): readonly SinkOffset[];
  /**
   * Tables (`database.table`) of the source that are not whole: they wait for a snapshot that this sink asked for, or one is
   * being loaded. As of what is committed.
   */
  unfinished?(source: string): readonly string[];
  /** Whether something was put that is not durable yet and could be: a closed transaction. */
  pending(): boolean;
  /**
   * Whether what is pending is worth a flush now, of a sink whose flushes cost something; absent: it always is. `atEnd`: there
   * is no later.
   */
  due?(atEnd: boolean): boolean;
  /** Last group of a source of which the warehouse has everything, whether or not that is stored there yet. */
  applied?(source: string): number;
  /**
   * Commits exactly at this source position (every transaction that ends at or before it, nothing after it), runs `pinned`
   * while nothing else is applied, then goes on. Resolves with what `pinned` gave, when the position was reached.
   * @throws VERIFY_UNDECIDED when the sink is past the position already
   */
  cutAt<T>(cut: CutRequest, pinned: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /**
   * Commits nothing of the source, but for cuts, until disposed: so that a position which is read from the server now is
   * not passed before it is given to `cutAt`. Groups are taken until the sink's memory bound, then `put` waits.
   */
  hold?(source: string): Disposable;
}

export interface CutRequest {
  /** `topic.prefix` of the source. */
  readonly source: string;
  readonly position: SourcePosition;
}
