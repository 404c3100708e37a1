import type { SourcePosition } from '../connect/commit-group.ts';
import type { TableProgress } from '../connect/tasks.ts';
import type { RecordCounts } from './record-path.ts';
import type { SourceCounts } from './source-counts.ts';
import type { TaskState } from './task-state.ts';
import type { ErrorData } from '../base/errors.ts';

/** What the thread of a source tells, about twice a second. */
export interface SourceMetrics {
  readonly connector: string;
  /** `topic.prefix`; empty until the first group. */
  readonly source: string;
  readonly state: TaskState;
  /** Of the last fault: why it is RESTARTING or FAILED. */
  readonly error: ErrorData | undefined;
  /** What it waits for, for people: "the log is full …"; undefined when it works. */
  readonly waiting: string | undefined;
  readonly snapshot: readonly TableProgress[];
  /** Whether a snapshot is under way, as of `seq`. */
  readonly snapshotting: boolean;
  /** How long snapshots were under way since the thread began. */
  readonly snapshotMs: number;
  /** When the task was opened last: milliseconds since the epoch; undefined before the first time. */
  readonly openedMs: number | undefined;
  /** Events of tables that are not captured; undefined where they are not counted. */
  readonly filteredEvents: number | undefined;
  /** Changes appended since the thread began, snapshot rows not counted. */
  readonly changes: number;
  readonly snapshotRows: number;
  readonly counts: SourceCounts;
  /** What became of the records of a source that has transformations; undefined without. */
  readonly records: RecordCounts | undefined;
  /** Passing faults after which the task was opened again. */
  readonly interruptions: number;
  readonly groups: number;
  /** Number of the last group in the log. */
  readonly seq: number;
  readonly position: SourcePosition | undefined;
  /** Newest source commit in the log: milliseconds since the epoch; 0 if none. */
  readonly committedMs: number;
  readonly logBytes: number;
}

/** What a warehouse thread tells of one sink and one source. */
export interface SinkSourceMetrics {
  readonly source: string;
  /** Last group that is wholly applied. */
  readonly seq: number;
  readonly position: SourcePosition | undefined;
  /** Newest source commit that is applied: milliseconds since the epoch; 0 if none. */
  readonly committedMs: number;
  /** Groups in the log that are not applied yet. */
  readonly behind: number;
  /** Tables (`database.table`) that wait for a snapshot or are being loaded. */
  readonly unfinished: readonly string[];
}

export interface SinkRecordCounts {
  readonly failed: number;
  readonly deadLetters: number;
}

export interface SinkMetrics {
  readonly connector: string;
  readonly state: TaskState;
  readonly error: ErrorData | undefined;
  readonly sources: readonly SinkSourceMetrics[];
  /** Changes given to the sink since the thread began, snapshot rows not counted. */
  readonly changes: number;
  readonly snapshotRows: number;
  readonly flushes: number;
  /** Records that it could not handle, and those of them that are in its dead letter topic; undefined: it takes none. */
  readonly records: SinkRecordCounts | undefined;
  /**
   * Age of the newest applied source commit at the moment it was applied: how fresh the replica is while changes come.
   * Of the last flush that applied any; undefined before it.
   */
  readonly freshnessMs: number | undefined;
  /** The greatest of the last ten seconds. */
  readonly worstFreshnessMs: number | undefined;
}

/** Counts of the last seconds as a rate. */
export interface RateMeter {
  /** Takes the value of a counter that only grows, as of now. */
  observe(counter: number, nowMs?: number): void;
  perSecond(): number;
}

/** A rate over a sliding window; 0 until two values are known. */
export function createRateMeter(windowMs = 5000): RateMeter {
  let seen: { readonly ms: number; readonly counter: number }[] = [];
  return {
    observe(counter, nowMs = performance.now()) {
      // A thread that was started anew counts from 0 again.
      if (counter < (seen.at(-1)?.counter ?? 0)) seen = [];
      seen.push({ ms: nowMs, counter });
      while (seen.length > 2 && nowMs - (seen[1]?.ms ?? nowMs) >= windowMs) seen.shift();
    },
    perSecond() {
      const first = seen[0];
      const last = seen.at(-1);
      if (first === undefined || last === undefined || last.ms <= first.ms) return 0;
      return ((last.counter - first.counter) * 1000) / (last.ms - first.ms);
    },
  };
}

/** The greatest of the values of the last while. */
export function createWindowMax(windowMs = 10_000): {
  observe(value: number, nowMs?: number): void;
  max(nowMs?: number): number | undefined;
} {
  let seen: { readonly ms: number; readonly value: number }[] = [];
  return {
    observe(value, nowMs = performance.now()) {
      // What is not greater than a later value can never be the greatest again.
      while ((seen.at(-1)?.value ?? Infinity) <= value) seen.pop();
      seen.push({ ms: nowMs, value });
    },
    max(nowMs = performance.now()) {
      seen = seen.filter((each) => nowMs - each.ms < windowMs);
      return seen[0]?.value;
    },
  };
}
