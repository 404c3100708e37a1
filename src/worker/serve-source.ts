import type { MessagePort } from 'node:worker_threads';
import { MillraceError } from '../base/errors.ts';
import type { SourceConnector, TaskContext } from '../connect/connector.ts';
import type { Log } from '../log/log.ts';
import type { SourceMetrics } from './metrics.ts';
import type { RecordPath } from './record-path.ts';
import { serveCalls } from './rpc.ts';
import { createSourceLoop } from './source-loop.ts';
import type { SourceLoop } from './source-loop.ts';
import type { TaskState } from './task-state.ts';
import { isToThread } from './thread-messages.ts';
import type { FromThread, LoggingOptions, SourceMethods } from './thread-messages.ts';

export interface ServeSourceOptions {
  /** To the main thread. */
  readonly port: MessagePort;
  readonly connector: SourceConnector;
  readonly context: TaskContext;
  readonly log: Log;
  readonly recordPath?: RecordPath | undefined;
  /** It begins as PAUSED. */
  readonly paused: boolean;
  readonly setLogLevel: (level: LoggingOptions['level']) => void;
  /** What the log waits for, if it does, given the newest source commit in it. */
  readonly waiting: (committedMs: number) => string | undefined;
  readonly onAppended: () => void;
}

const metricsMs = 500;

/**
 * The life of a source's thread: its loop, its metrics, its calls; resolves when the loop has ended, in whatever way. A
 * pause ends the loop and keeps the thread: a source that is not polled would lose its server connection anyway, and goes on
 * from what is durable.
 */
export async function serveSource(options: ServeSourceOptions): Promise<void> {
  const { port, connector, context, log, waiting } = options;
  const post = (message: FromThread): void => port.postMessage(message);
  const stop = new AbortController();
  let paused = options.paused;
  let state: TaskState = 'UNASSIGNED';
  let interrupt = new AbortController();
  let resumed = Promise.withResolvers<void>();
  const wakePorts = new Set<MessagePort>();

  const createLoop = (): SourceLoop =>
    createSourceLoop({
      connector,
      context,
      log,
      recordPath: options.recordPath,
      onAppended: () => {
        options.onAppended();
        for (const each of wakePorts) each.postMessage(null);
      },
      onState: (next, error) => {
        // The loop of a source that pauses has stopped, the source has not.
        if (next === 'STOPPED' && !stop.signal.aborted) return;
        state = next;
        post({ kind: 'state', connector: context.connector, state, error });
      },
    });
  let loop = createLoop();

  port.on('message', (message: unknown) => {
    if (!isToThread(message)) return;
    if (message.kind === 'stop') {
      stop.abort(new MillraceError('ABORTED', 'The worker stops.'));
      resumed.resolve();
    } else if (message.kind === 'pause') {
      paused = true;
      interrupt.abort(new MillraceError('ABORTED', 'The source pauses.'));
    } else if (message.kind === 'resume') {
      paused = false;
      resumed.resolve();
    } else if (message.kind === 'logLevel') {
      options.setLogLevel(message.level);
    } else if (message.kind === 'wakePort') {
      const { port: wakePort } = message;
      wakePorts.add(wakePort);
      wakePort.on('close', () => wakePorts.delete(wakePort));
    }
  });
  serveCalls<SourceMethods>(port, {
    resync({ tables }) {
      const task = loop.task;
      if (task?.requestSnapshot === undefined) {
        return Promise.reject(
          new MillraceError('WORKER_REFUSED', `The source "${context.connector}" is ${state}; it can resync only while it runs.`),
        );
      }
      log.putSource(context.connector, task.requestSnapshot(tables));
      return Promise.resolve(null);
    },
    signal(params) {
      const task = loop.task;
      if (task?.signal === undefined) {
        return Promise.reject(
          new MillraceError('CONNECTOR_CONFLICT', `The source "${context.connector}" is ${state}; it takes no signals now.`),
        );
      }
      task.signal(params);
      return Promise.resolve(null);
    },
  });
  const report = (): void => {
    try {
      post({ kind: 'source', metrics: measure() });
    } catch (error) {
      // A busy log; what lasts, the appends meet too.
      context.log.debug({ err: error }, 'no metrics');
    }
  };
  const measure = (): SourceMetrics => {
    const { error, source, changes, snapshotRows, counts, interruptions, groups, seq, position, committedMs, snapshotting, task } = loop;
    const progress = task?.progress?.();
    const logBytes = log.stats().bytes;
    const { connector: name } = context;
    return {
      connector: name,
      source,
      state,
      error,
      waiting: waiting(committedMs),
      snapshot: progress?.snapshot ?? [],
      // one that has begun since the last append is under way, too
      snapshotting: snapshotting || (progress?.snapshot.some((table) => !table.done) ?? false),
      snapshotMs: loop.snapshotMs,
      openedMs: loop.openedMs,
      filteredEvents: progress?.filteredEvents,
      changes,
      snapshotRows,
      counts,
      records: options.recordPath?.counts,
      interruptions,
      groups,
      seq,
      position,
      committedMs,
      logBytes,
    };
  };

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      if (paused) {
        state = 'PAUSED';
        post({ kind: 'state', connector: context.connector, state, error: undefined });
        resumed = Promise.withResolvers<void>();
        await resumed.promise;
        continue;
      }
      interrupt = new AbortController();
      loop = createLoop();
      await loop.run(AbortSignal.any([stop.signal, interrupt.signal]));
    }
  };

  const timer = setInterval(report, metricsMs);
  try {
    await run();
  } catch (error) {
    // Told by the loop already, as the state FAILED.
    context.log.debug({ err: error }, 'source loop failed');
  } finally {
    clearInterval(timer);
    report();
    for (const each of wakePorts) each.close();
  }
}
