import type { CommitGroup } from '../connect/commit-group.ts';
import type { SourceBatch, SourceState, StateRecord } from '../connect/tasks.ts';

/**
 * The durable, ordered store between sources and sinks: one stream of commit groups per source, and compacted topics.
 * Every implementation passes `log.contract.ts`.
 */
export interface Log extends AsyncDisposable {
  /** Random identity, made with the log; sinks store it beside their offsets. */
  readonly id: string;
  /** Last durable state of a connector. */
  loadSource(connector: string, signal: AbortSignal): Promise<SourceState>;
  /** Writes state records of a source that does not run; its offsets have `offsetTopic` and `offsetKey`. */
  putSource(connector: string, records: readonly StateRecord[]): void;
  /** Forgets offsets and state records of a source that does not run; its groups stay. */
  clearSource(connector: string): void;
  /**
   * Makes the group, the source's offset and its state records durable in one commit, and returns the group's number.
   * Calls are made one after another; their order is the order of the log. Waits while the log is at its size limit
   * (`onFull` tells, once per wait), but not within a transaction.
   * @throws DISK_FULL (retriable), LOG_CORRUPT
   */
  append(batch: SourceBatch, context: AppendContext, signal: AbortSignal): Promise<number>;
  /** Numbers that are held of a source's groups; `undefined`: the source is unknown here. `last` may be first - 1. */
  range(source: string): GroupRange | undefined;
  sources(): readonly string[];
  /**
   * Groups of a source in order from `afterSeq + 1` on, as many as are durable, at most about `maxBytes` but at least
   * one; empty when there is none yet. Groups own their memory.
   * @throws LOG_START_GONE when the next group is no longer held; LOG_IDENTITY when the log ends before `afterSeq`
   */
  read(request: ReadRequest): readonly CommitGroup[];
  /**
   * Durable in the sink named `consumer`: everything of the source up to `seq`, which may be less than it said before.
   * Retention keeps what is above. Does not wait for the disk, since it can be said again; nothing if it is not registered.
   */
  acknowledge(consumer: string, source: string, seq: number): void;
  /**
   * Registers a consumer, so that retention keeps what it has not acknowledged: everything, of a source that is new to it.
   * Idempotent; sources that are not named stay registered.
   */
  register(consumer: string, sources: readonly string[]): void;
  unregister(consumer: string): void;
  /** Acknowledged numbers by consumer and source. */
  consumers(): readonly ConsumerPosition[];
  /** Compacted topics outside of a source's commit: configs, status. */
  put(records: readonly StateRecord[]): void;
  get(topic: string): ReadonlyMap<string, string>;
  /**
   * Removes groups past the retention that every registered consumer has acknowledged, for a tenth of a second at most;
   * returns how many.
   */
  applyRetention(): number;
  stats(): LogStats;
}

export interface AppendContext {
  readonly connector: string;
}

export interface GroupRange {
  readonly first: number;
  readonly last: number;
}

export interface ReadRequest {
  readonly source: string;
  readonly afterSeq: number;
  readonly maxBytes: number;
}

export interface ConsumerPosition {
  readonly consumer: string;
  readonly source: string;
  readonly seq: number;
}

export interface LogStats {
  readonly bytes: number;
  readonly groups: number;
}
