import { createWakeup } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import type { SinkConnector, TaskContext } from '../connect/connector.ts';
import type { Log } from '../log/log.ts';
import type { SinkMetrics } from './metrics.ts';
import type { LateStartsOptions } from './late-starts.ts';
import { createSinkLoop, drainMs } from './sink-loop.ts';
import type { SinkLoop } from './sink-loop.ts';
import type { SinkRecords } from './sink-records.ts';
import type { TaskState } from './task-state.ts';
import type { SinkStart } from './thread-messages.ts';

export interface SinkParts {
  readonly connector: SinkConnector;
  readonly context: TaskContext;
  /** Of a sink of tables. */
  readonly records?: SinkRecords;
  readonly lateStarts?: Omit<LateStartsOptions, 'logger'>;
}

export interface ServedSinkOptions {
  readonly start: SinkStart;
  readonly parts: SinkParts;
  readonly log: Log;
  /** Each life of the sink has a loop of its own. */
  readonly onLoop: (loop: SinkLoop) => void;
  readonly onState: (state: TaskState, error: ErrorData | undefined) => void;
}

/** A sink in its thread. */
export interface ServedSink {
  /** Something was appended to the log. */
  wake(): void;
  /** Resolves when what was put is committed and the task is closed. */
  pause(): Promise<void>;
  resume(): void;
  /** From now on it takes from this source, too. */
  addSource(source: string): Promise<void>;
  /** Resolves when its loop has ended, in whatever way; reads on from the log for so long at most. */
  stop(drainMs?: number): Promise<void>;
  metrics(): SinkMetrics;
}

/** Runs a sink's loop while it is neither paused, failed nor stopped. */
export function openServedSink({ start, parts, log, onLoop, onState }: ServedSinkOptions): ServedSink {
  const wakeup = createWakeup();
  const sources = new Set(start.sources);
  let state: TaskState = 'UNASSIGNED';
  let ending = false;
  let { paused } = start;
  let loop: SinkLoop;
  let drain = new AbortController();
  /** The end of the loop's present life. */
  let running: Promise<void> | undefined;
  let readOnMs = 0;

  const enter = (next: TaskState, error: ErrorData | undefined): void => {
    // The loop of a sink that pauses, or that gets another source, has stopped; the sink has not.
    if (next === 'STOPPED' && !ending) return;
    state = next;
    onState(next, error);
  };
  const createLoop = (): SinkLoop => {
    loop = createSinkLoop({ ...parts, sources: [...sources], log, wakeup, drainMs: () => readOnMs, onState: enter });
    onLoop(loop);
    return loop;
  };
  const run = (): void => {
    drain = new AbortController();
    // A failure has been told by the loop already, as the state FAILED.
    running = createLoop()
      .run(drain.signal, new AbortController().signal)
      .catch(() => undefined);
  };
  const halt = async (why: string, forMs: number): Promise<void> => {
    readOnMs = forMs;
    drain.abort(new MillraceError('ABORTED', why));
    await running;
    running = undefined;
  };

  loop = createLoop();
  if (paused) enter('PAUSED', undefined);
  else run();
  return {
    wake: () => wakeup.wake(),
    async pause() {
      if (state === 'FAILED' || ending) return;
      paused = true;
      await halt('The sink pauses.', 0);
      // It may have failed meanwhile.
      if (loop.state !== 'FAILED') enter('PAUSED', undefined);
    },
    resume() {
      paused = false;
      if (state === 'PAUSED' && !ending) run();
    },
    async addSource(source) {
      if (sources.has(source)) return;
      sources.add(source);
      if (running === undefined || loop.state === 'FAILED') return;
      await halt('The sink takes another source.', 0);
      if (loop.state === 'STOPPED' && !ending && !paused) run();
    },
    async stop(forMs = drainMs) {
      ending = true;
      await halt('The sink stops.', forMs);
      if (state === 'PAUSED') enter('STOPPED', undefined);
    },
    metrics: () => ({ ...loop.metrics(), state }),
  };
}
