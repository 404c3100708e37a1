import type { MessagePort } from 'node:worker_threads';
import { createWakeup } from '../base/abort.ts';
import type { Wakeup } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';
import type { SinkConnector, TaskContext } from '../connect/connector.ts';
import type { Log } from '../log/log.ts';
import { serveCalls } from './rpc.ts';
import type { Handlers } from './rpc.ts';
import { createSinkLoop } from './sink-loop.ts';
import type { SinkLoop } from './sink-loop.ts';
import { isToThread } from './thread-messages.ts';
import type { FromThread, WarehouseMethods } from './thread-messages.ts';

export interface ServedSink {
  readonly connector: SinkConnector;
  readonly context: TaskContext;
  readonly sources: readonly string[];
}

export interface ServeSinksOptions {
  /** To the main thread. */
  readonly port: MessagePort;
  readonly log: Log;
  readonly sinks: readonly ServedSink[];
  /** Makes what the thread does on demand for one caller, given its loops by connector; disposed when the caller has gone. */
  readonly methods: (loops: ReadonlyMap<string, SinkLoop>) => Handlers<WarehouseMethods> & AsyncDisposable;
}

const metricsMs = 250;
const retentionMs = 5000;

/**
 * The life of a warehouse's thread: the loops of all its sinks, their metrics, calls from outside. Resolves when all
 * loops have ended, in whatever way; calls are answered until then.
 */
export async function serveSinks({ port, log, sinks, methods }: ServeSinksOptions): Promise<void> {
  const post = (message: FromThread): void => port.postMessage(message);
  const drain = new AbortController();
  const wakeups: Wakeup[] = [];
  const loops = new Map(
    sinks.map(({ connector, context, sources }): [string, SinkLoop] => {
      const wakeup = createWakeup();
      wakeups.push(wakeup);
      const onState: Parameters<typeof createSinkLoop>[0]['onState'] = (state, error) =>
        post({ kind: 'state', connector: context.connector, state, error });
      return [context.connector, createSinkLoop({ connector, context, sources, log, wakeup, onState })];
    }),
  );
  const ports: MessagePort[] = [];
  port.on('message', (message: unknown) => {
    if (!isToThread(message)) return;
    if (message.kind === 'stop') {
      drain.abort(new MillraceError('ABORTED', 'The worker stops.'));
      return;
    }
    ports.push(message.port);
    if (message.kind === 'callPort') {
      serve(message.port);
      return;
    }
    message.port.on('message', () => {
      for (const wakeup of wakeups) wakeup.wake();
    });
  });
  const serve = (caller: MessagePort): void => {
    const handlers = methods(loops);
    serveCalls<WarehouseMethods>(caller, handlers);
    caller.on('close', () => void handlers[Symbol.asyncDispose]());
  };
  serve(port);
  const report = (): void => post({ kind: 'sinks', metrics: [...loops.values()].map((loop) => loop.metrics()) });
  const metricsTimer = setInterval(report, metricsMs);
  const retentionTimer = setInterval(() => applyRetention(log, sinks), retentionMs);
  try {
    // Each failure has been told by its loop already; the others go on until the main thread stops them.
    await Promise.allSettled([...loops.values()].map((loop) => loop.run(drain.signal, new AbortController().signal)));
  } finally {
    clearInterval(metricsTimer);
    clearInterval(retentionTimer);
    report();
    for (const each of ports) each.close();
  }
}

function applyRetention(log: Log, sinks: readonly ServedSink[]): void {
  try {
    log.applyRetention();
  } catch (error) {
    // Tried again at the next turn; appends tell of what lasts.
    sinks[0]?.context.log.warn({ err: error }, 'the log could not be shortened');
  }
}
