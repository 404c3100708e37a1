import type { MessagePort } from 'node:worker_threads';
import { MillraceError } from '../base/errors.ts';
import type { SourceConnector, TaskContext } from '../connect/connector.ts';
import type { Log } from '../log/log.ts';
import type { SourceMetrics } from './metrics.ts';
import { serveCalls } from './rpc.ts';
import { createSourceLoop } from './source-loop.ts';
import { isToThread } from './thread-messages.ts';
import type { FromThread, SourceMethods } from './thread-messages.ts';

export interface ServeSourceOptions {
  /** To the main thread. */
  readonly port: MessagePort;
  readonly connector: SourceConnector;
  readonly context: TaskContext;
  readonly log: Log;
  /** What the log waits for, if it does, given the newest source commit in it. */
  readonly waiting: (committedMs: number) => string | undefined;
  readonly onAppended: () => void;
}

const metricsMs = 500;

/** The life of a source's thread: its loop, its metrics, its calls; resolves when the loop has ended, in whatever way. */
export async function serveSource({ port, connector, context, log, waiting, onAppended }: ServeSourceOptions): Promise<void> {
  const post = (message: FromThread): void => port.postMessage(message);
  const stop = new AbortController();
  const wakePorts: MessagePort[] = [];
  const loop = createSourceLoop({
    connector,
    context,
    log,
    onAppended: () => {
      onAppended();
      for (const each of wakePorts) each.postMessage(null);
    },
    onState: (state, error) => post({ kind: 'state', connector: context.connector, state, error }),
  });
  port.on('message', (message: unknown) => {
    if (!isToThread(message)) return;
    if (message.kind === 'stop') stop.abort(new MillraceError('ABORTED', 'The worker stops.'));
    else if (message.kind === 'wakePort') wakePorts.push(message.port);
  });
  serveCalls<SourceMethods>(port, {
    resync({ tables }) {
      const task = loop.task;
      if (task?.requestSnapshot === undefined) {
        return Promise.reject(
          new MillraceError('WORKER_REFUSED', `The source "${context.connector}" is ${loop.state}; it can resync only while it runs.`),
        );
      }
      task.requestSnapshot(tables);
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
    const { state, error, source, changes, snapshotRows, groups, seq, position, committedMs, snapshotting, task } = loop;
    const snapshot = task?.progress?.().snapshot ?? [];
    const logBytes = log.stats().bytes;
    const { connector: name } = context;
    return {
      connector: name,
      source,
      state,
      error,
      waiting: waiting(committedMs),
      snapshot,
      snapshotting,
      changes,
      snapshotRows,
      groups,
      seq,
      position,
      committedMs,
      logBytes,
    };
  };
  const timer = setInterval(report, metricsMs);
  try {
    await loop.run(stop.signal);
  } catch (error) {
    // Told by the loop already, as the state FAILED.
    context.log.debug({ err: error }, 'source loop failed');
  } finally {
    clearInterval(timer);
    report();
    for (const each of wakePorts) each.close();
  }
}
