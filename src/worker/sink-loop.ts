import { sleep } from '../base/abort.ts';
import type { Wakeup } from '../base/abort.ts';
import { createBackoff } from '../base/backoff.ts';
import { MillraceError, isMillraceError, toErrorData } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import type { SinkConnector, TaskContext } from '../connect/connector.ts';
import type { SinkOffset, SinkTask } from '../connect/tasks.ts';
import type { Log } from '../log/log.ts';
import { countRows } from './count-rows.ts';
import { LateStarts } from './late-starts.ts';
import type { LateStartsOptions } from './late-starts.ts';
import { createWindowMax } from './metrics.ts';
import type { SinkMetrics } from './metrics.ts';
import type { SinkRecords } from './sink-records.ts';
import { nextState } from './task-state.ts';
import type { TaskEvent, TaskState } from './task-state.ts';

export interface SinkLoopOptions {
  readonly connector: SinkConnector;
  readonly context: TaskContext;
  readonly log: Log;
  /** Names of the sources (`topic.prefix`) that the sink may take from; each is registered, so that the log keeps its groups. */
  readonly sources: readonly string[];
  /** Makes batches of records, of a sink that takes tables. */
  readonly records?: SinkRecords | undefined;
  /** What is done where the log no longer has the next group; absent: the sink fails. */
  readonly lateStarts?: Omit<LateStartsOptions, 'logger'> | undefined;
  /** Woken after every append. */
  readonly wakeup: Wakeup;
  readonly onState: (state: TaskState, error: ErrorData | undefined) => void;
  /** Longest time that a drain reads on; `drainMs` unless told. */
  readonly drainMs?: () => number;
}

export interface SinkLoop {
  readonly state: TaskState;
  readonly error: ErrorData | undefined;
  /** Undefined while it is not open. */
  readonly task: SinkTask | undefined;
  /**
   * Runs until `drain` is aborted (then it takes what the log holds, commits, and resolves), until `signal` is (then it drops
   * what is not committed), or until the task fails for good (then it rejects).
   */
  run(drain: AbortSignal, signal: AbortSignal): Promise<void>;
  metrics(): SinkMetrics;
}

/** Read from the log at a time. */
const readBytes = 4 * 1024 * 1024;
/** A read of so much row data says that there is more: the sink is behind. */
const fullBytes = readBytes / 2;
/**
 * Steady small changes are flushed again and again, as many as have come meanwhile; between two flushes lies half the
 * time that one takes, at most this, so that the warehouse does not take all of the machine.
 */
const greatestRestMs = 40;
/** Without a wake the log is looked at as often: a wake is a message, which a dying thread may owe. */
const idleMs = 250;
/** Acknowledgements only free space in the log, and each is a write to it. */
const acknowledgeMs = 100;
/** Longest time that the end of a worker reads on; what is left is applied at the next start. */
export const drainMs = 15_000;

interface Pumped {
  /** There was something. */
  readonly any: boolean;
  /** There was as much as is read at a time. */
  readonly full: boolean;
}

/**
 * Moves groups from the log into a sink: read → put, each source's in order, and a flush as soon as it has caught
 * up with the log. Where to start the sink itself says: its offsets are stored with its data. A passing fault closes the task and
 * opens it again at those offsets.
 */
export function createSinkLoop(options: SinkLoopOptions): SinkLoop {
  const { context, log, wakeup, records } = options;
  const logger = context.log;
  const consumer = context.connector;
  let state: TaskState = 'UNASSIGNED';
  let error: ErrorData | undefined;
  let task: SinkTask | undefined;
  let changes = 0;
  let snapshotRows = 0;
  let flushes = 0;
  let freshnessMs: number | undefined;
  let appliedMs = 0;
  let startedMs = 0;
  let acknowledgedAtMs = 0;
  const worst = createWindowMax();
  const acknowledged = new Map<string, number>();
  const late = new LateStarts({ startGone: () => 'fail', ask: () => undefined, ...options.lateStarts, logger });

  const enter = (event: TaskEvent, fault: unknown): void => {
    state = nextState(state, event);
    error = fault === undefined ? undefined : toErrorData(fault);
    options.onState(state, error);
  };

  /** Offsets at which the sink goes on, per source; checks that this log has what comes next. */
  const start = (offsets: readonly SinkOffset[]): Map<string, number> => {
    const cursors = new Map(options.sources.map((source) => [source, 0]));
    for (const offset of offsets) {
      if (!cursors.has(offset.source)) continue;
      if (offset.logId !== log.id) throw otherLog(consumer, offset);
      const range = log.range(offset.source);
      if (offset.seq > (range?.last ?? 0)) throw otherLog(consumer, offset);
      cursors.set(offset.source, offset.seq);
    }
    log.register(consumer, options.sources);
    for (const [source, seq] of cursors) cursors.set(source, late.begin(source, seq, log.range(source)));
    return cursors;
  };

  const acknowledge = (offsets: readonly SinkOffset[], force: boolean): void => {
    const now = performance.now();
    if (!force && now - acknowledgedAtMs < acknowledgeMs) return;
    for (const { source, seq } of offsets) {
      if (seq <= (acknowledged.get(source) ?? 0)) continue;
      log.acknowledge(consumer, source, seq);
      acknowledged.set(source, seq);
      acknowledgedAtMs = now;
    }
  };

  const observe = (offsets: readonly SinkOffset[]): void => {
    const newest = Math.max(0, ...offsets.map((offset) => offset.committedMs));
    if (newest <= appliedMs) return;
    appliedMs = newest;
    // What was committed while nobody looked says nothing of how fresh the replica is kept.
    if (newest < startedMs) return;
    freshnessMs = Math.max(0, Date.now() - newest);
    worst.observe(freshnessMs);
  };

  const flush = async (open: SinkTask, signal: AbortSignal): Promise<void> => {
    const offsets = await open.flush(signal);
    flushes++;
    observe(offsets);
    acknowledge(offsets, false);
  };

  /** Reads and puts what is ready of every source once. */
  const pump = async (open: SinkTask, cursors: Map<string, number>, signal: AbortSignal): Promise<Pumped> => {
    let any = false;
    let full = false;
    for (const [source, afterSeq] of cursors) {
      let bytes = 0;
      const groups = log.read({ source, afterSeq, maxBytes: readBytes });
      if (groups.length === 0) late.remind(source);
      for (const group of groups) {
        if (late.passes(group)) {
          cursors.set(source, group.seq);
          log.acknowledge(consumer, source, group.seq);
          any = true;
          continue;
        }
        if (late.starts(source)) open.passOver?.(source, group.seq - 1);
        const taken = records === undefined ? group : await records.take(group, signal);
        await open.put(taken, signal);
        cursors.set(source, group.seq);
        const rows = countRows(taken);
        changes += rows.changes;
        snapshotRows += rows.snapshotRows;
        bytes += rows.bytes;
        any = true;
      }
      full ||= bytes >= fullBytes;
    }
    return { any, full };
  };

  const runTask = async (drain: AbortSignal, signal: AbortSignal): Promise<void> => {
    await using open = await options.connector.openTask(context, signal);
    const cursors = start(await open.open(log.id, signal));
    await records?.open(open, log, signal);
    task = open;
    startedMs = Date.now();
    enter('started', undefined);
    // A drain wakes a wait as an append does.
    const idle = AbortSignal.any([drain, signal]);
    let deadlineMs = Infinity;
    let nextFlushMs = 0;
    try {
      for (;;) {
        if (drain.aborted && deadlineMs === Infinity) deadlineMs = performance.now() + (options.drainMs?.() ?? drainMs);
        const { any, full } = await pump(open, cursors, signal);
        const onTime = performance.now() < deadlineMs;
        observe(open.committed());
        acknowledge(open.committed(), false);
        // Far behind: the sink flushes by itself, when that is worth while.
        if (full && onTime) continue;
        const restMs = nextFlushMs - performance.now();
        const wanted = open.pending() && (open.due?.(drain.aborted) ?? true);
        if (wanted && (restMs <= 0 || drain.aborted)) {
          const begunMs = performance.now();
          await flush(open, signal);
          const endMs = performance.now();
          nextFlushMs = endMs + Math.min(greatestRestMs, (endMs - begunMs) / 2);
          if (!drain.aborted) continue;
        }
        if (drain.aborted && !(any && onTime)) break;
        if (any) continue;
        await wakeup.wait(wanted ? Math.max(1, restMs) : idleMs, idle).catch(() => undefined);
        signal.throwIfAborted();
      }
      acknowledge(open.committed(), true);
    } finally {
      task = undefined;
    }
  };

  const describeSources = (): SinkMetrics['sources'] => {
    const committed = task?.committed() ?? [];
    return options.sources.map((source) => {
      const offset = committed.find((each) => each.source === source);
      const seq = Math.max(offset?.seq ?? 0, task?.applied?.(source) ?? 0);
      const behind = Math.max(0, (log.range(source)?.last ?? 0) - seq);
      return {
        source,
        seq,
        position: offset?.position,
        committedMs: offset?.committedMs ?? 0,
        behind,
        unfinished: task?.unfinished?.(source) ?? [],
      };
    });
  };

  return {
    get state() {
      return state;
    },
    get error() {
      return error;
    },
    get task() {
      return task;
    },
    async run(drain, signal) {
      const backoff = createBackoff({ firstMs: 200, maxMs: 30_000 });
      for (;;) {
        const applied = flushes;
        try {
          await runTask(drain, signal);
          break;
        } catch (fault) {
          signal.throwIfAborted();
          if (!isMillraceError(fault) || !fault.retriable || drain.aborted) {
            enter('failed', fault);
            throw fault;
          }
          // What got something done ended the trouble: this fault is a new one.
          if (flushes > applied) backoff.reset();
          const waitMs = Math.round(backoff.next());
          enter('faulted', fault);
          logger.warn(
            { code: fault.code, error: fault.message, attempt: backoff.attempts, waitMs },
            'sink task interrupted, it is tried again',
          );
          await sleep(waitMs, AbortSignal.any([drain, signal])).catch(() => undefined);
        }
      }
      enter('stopped', undefined);
    },
    metrics: () => ({
      connector: consumer,
      state,
      error,
      sources: describeSources(),
      changes,
      snapshotRows,
      flushes,
      records: records?.counts,
      freshnessMs,
      worstFreshnessMs: worst.max(),
    }),
  };
}

function otherLog(consumer: string, { source, seq }: SinkOffset): MillraceError {
  return new MillraceError(
    'LOG_IDENTITY',
    `The replica of "${consumer}" was fed with ${source} up to group ${seq} of another log than the one in the data folder`,
    {
      nextStep: 'Use the data folder that the replica belongs to, or copy the tables again: `millrace resync --all`.',
      context: { consumer, source, seq },
    },
  );
}
