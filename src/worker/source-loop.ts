import { sleep } from '../base/abort.ts';
import { createBackoff } from '../base/backoff.ts';
import { isMillraceError, toErrorData } from '../base/errors.ts';
import { failpoint } from '../base/failpoint.ts';
import type { ErrorData } from '../base/errors.ts';
import { newestCommitMs } from '../connect/commit-group.ts';
import type { SourceConnector, TaskContext } from '../connect/connector.ts';
import type { SourceBatch, SourceTask } from '../connect/tasks.ts';
import type { Log } from '../log/log.ts';
import { countRows } from './count-rows.ts';
import type { RecordPath } from './record-path.ts';
import { countGroup, noSourceCounts } from './source-counts.ts';
import type { SourceCounts } from './source-counts.ts';
import { nextState } from './task-state.ts';
import type { TaskEvent, TaskState } from './task-state.ts';

export interface SourceLoopOptions {
  readonly connector: SourceConnector;
  readonly context: TaskContext;
  readonly log: Log;
  /** Of connectors with transformations, or with converters that the log's readers do not have. */
  readonly recordPath?: RecordPath | undefined;
  /** A group is durable in the log: wake the sinks. */
  readonly onAppended: () => void;
  /** The state has changed. */
  readonly onState: (state: TaskState, error: ErrorData | undefined) => void;
}

/** The loop's counters and state, read by the metrics of its thread. */
export interface SourceLoop {
  readonly state: TaskState;
  readonly error: ErrorData | undefined;
  readonly task: SourceTask | undefined;
  readonly changes: number;
  readonly snapshotRows: number;
  readonly counts: SourceCounts;
  /** Passing faults after which the task was opened again. */
  readonly interruptions: number;
  readonly groups: number;
  readonly seq: number;
  readonly source: string;
  readonly position: SourceBatch['group']['position'] | undefined;
  readonly committedMs: number;
  /** Whether a snapshot is under way, as of what is durable in the log. */
  readonly snapshotting: boolean;
  readonly snapshotMs: number;
  readonly openedMs: number | undefined;
  /**
   * Runs until the signal is aborted (then it resolves, the task disposed and nothing half done), or until the task fails for
   * good (then it rejects).
   */
  run(signal: AbortSignal): Promise<void>;
}

const firstRetryMs = 200;
const longestRetryMs = 30_000;

/** Debezium's own retries of passing faults: any number, and our growing waits, unless the connector says otherwise. */
function readRetries(properties: Readonly<Record<string, string>>): { readonly most: number; readonly waitMs: number | undefined } {
  const most = Number(properties['errors.max.retries'] ?? -1);
  const waitMs = Number(properties['retriable.restart.connector.wait.ms'] ?? NaN);
  return { most: most >= 0 ? most : Infinity, waitMs: waitMs >= 0 ? waitMs : undefined };
}

/**
 * Moves a source's groups into the log: poll → append → commit, one at a time. A passing fault closes the task and opens
 * it again from what is durable, after a wait that grows; any other ends the loop.
 */
export function createSourceLoop(options: SourceLoopOptions): SourceLoop {
  const { context, log } = options;
  const logger = context.log;
  let snapshotMs = 0;
  /** While a snapshot is under way. */
  let snapshotSinceMs: number | undefined;
  const loop = {
    state: 'UNASSIGNED' as TaskState,
    error: undefined as ErrorData | undefined,
    task: undefined as SourceTask | undefined,
    changes: 0,
    snapshotRows: 0,
    counts: noSourceCounts,
    interruptions: 0,
    groups: 0,
    seq: 0,
    source: context.properties['topic.prefix'] ?? '',
    position: undefined as SourceLoop['position'],
    committedMs: 0,
    snapshotting: false,
    openedMs: undefined as number | undefined,
    get snapshotMs(): number {
      return snapshotMs + (snapshotSinceMs === undefined ? 0 : performance.now() - snapshotSinceMs);
    },
    async run(signal: AbortSignal): Promise<void> {
      const { most, waitMs: givenMs } = readRetries(context.properties);
      const backoff = createBackoff({ firstMs: firstRetryMs, maxMs: longestRetryMs });
      while (!signal.aborted) {
        const groups = loop.groups;
        try {
          await runTask(signal);
        } catch (error) {
          if (signal.aborted) break;
          if (!isMillraceError(error) || !error.retriable) {
            enter('failed', error);
            throw error;
          }
          // What got something done ended the trouble: this fault is a new one.
          if (loop.groups > groups) backoff.reset();
          if (backoff.attempts >= most) {
            enter('failed', error);
            throw error;
          }
          const nextMs = Math.round(backoff.next());
          const waitMs = givenMs ?? nextMs;
          loop.interruptions++;
          enter('faulted', error);
          logger.warn(
            { code: error.code, error: error.message, attempt: backoff.attempts, waitMs },
            'source task interrupted, it is tried again',
          );
          await sleep(waitMs, signal).catch(() => undefined);
        }
      }
      enter('stopped', undefined);
    },
  };

  const enter = (event: TaskEvent, error: unknown): void => {
    loop.state = nextState(loop.state, event);
    loop.error = error === undefined ? undefined : toErrorData(error);
    options.onState(loop.state, loop.error);
  };

  const runTask = async (signal: AbortSignal): Promise<void> => {
    const state = await log.loadSource(context.connector, signal);
    await using task = await options.connector.openTask({ ...context, state }, signal);
    loop.task = task;
    loop.openedMs = Date.now();
    // A sink has to commit what an earlier life appended, too.
    loop.seq = Math.max(loop.seq, log.range(loop.source)?.last ?? 0);
    observe(task);
    enter('started', undefined);
    try {
      for (;;) {
        const batch = await task.poll(signal);
        // From here on the signal no longer counts: what was polled becomes durable, or is polled again.
        loop.seq = await append(batch, signal);
        failpoint('appended');
        observe(task);
        options.onAppended();
        await task.commit?.(signal);
      }
    } finally {
      stopWatch();
      loop.task = undefined;
    }
  };

  const stopWatch = (): void => {
    ({ snapshotMs } = loop);
    snapshotSinceMs = undefined;
  };

  const observe = (task: SourceTask): void => {
    const progress = task.progress?.();
    loop.snapshotting = progress?.snapshot.some((table) => !table.done) ?? false;
    if (loop.snapshotting) snapshotSinceMs ??= performance.now();
    else stopWatch();
    loop.position ??= progress?.position;
  };

  const append = async (batch: SourceBatch, signal: AbortSignal): Promise<number> => {
    const { group } = batch;
    const made = options.recordPath === undefined ? batch : { ...batch, group: await options.recordPath.convert(group, signal) };
    const seq = await log.append(made, { connector: context.connector }, signal);
    const rows = countRows(group);
    loop.changes += rows.changes;
    loop.snapshotRows += rows.snapshotRows;
    loop.counts = countGroup(loop.counts, group);
    loop.groups++;
    loop.source = group.source;
    loop.position = group.position;
    loop.committedMs = Math.max(loop.committedMs, newestCommitMs(group));
    return seq;
  };

  return loop;
}
