import type { MessagePort } from 'node:worker_threads';
import { toErrorData } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { Log } from '../log/log.ts';
import { serveCalls } from './rpc.ts';
import type { Handlers, Methods } from './rpc.ts';
import { openServedSink } from './served-sink.ts';
import type { ServedSink, SinkParts } from './served-sink.ts';
import type { SinkLoop } from './sink-loop.ts';
import { isToThread } from './thread-messages.ts';
import type { FromThread, LoggingOptions, SinkStart, SinkThreadMethods } from './thread-messages.ts';

export interface ServeSinksOptions<M extends Methods> {
  /** To the main thread. */
  readonly port: MessagePort;
  readonly log: Log;
  readonly logger: Logger;
  readonly setLogLevel: (level: LoggingOptions['level']) => void;
  /** Those that it begins with. */
  readonly sinks: readonly SinkStart[];
  /** What runs a connector's sink. @throws CONFIG_INVALID */
  readonly parts: (connector: ConnectorConfig) => SinkParts;
  /** Makes what the thread does on demand for one caller, given its loops by connector; disposed when the caller has gone. */
  readonly methods: (loops: ReadonlyMap<string, SinkLoop>) => Handlers<M> & AsyncDisposable;
}

const metricsMs = 250;
const retentionMs = 5000;

/**
 * The life of a thread of sinks: their loops, their metrics, calls from outside. Sinks join and leave; one that fails ends
 * alone. Resolves when the thread is told to stop and all loops have ended, in whatever way; calls are answered until then.
 */
export async function serveSinks<M extends Methods>(options: ServeSinksOptions<M>): Promise<void> {
  const { port, log, logger, methods } = options;
  const post = (message: FromThread): void => port.postMessage(message);
  const stopped = Promise.withResolvers<void>();
  const sinks = new Map<string, ServedSink>();
  const loops = new Map<string, SinkLoop>();

  const start = (given: SinkStart): void => {
    const { name } = given.connector;
    try {
      const sink = openServedSink({
        start: given,
        parts: options.parts(given.connector),
        log,
        onLoop: (loop) => loops.set(name, loop),
        onState: (state, error) => post({ kind: 'state', connector: name, state, error }),
      });
      sinks.set(name, sink);
    } catch (error) {
      post({ kind: 'state', connector: name, state: 'FAILED', error: toErrorData(error) });
    }
  };
  const remove = async (name: string): Promise<void> => {
    await sinks.get(name)?.stop(0);
    sinks.delete(name);
    loops.delete(name);
  };
  const own: Handlers<SinkThreadMethods> = {
    async startSink(given) {
      await remove(given.connector.name);
      start(given);
      return null;
    },
    async pauseSink({ connector }) {
      await sinks.get(connector)?.pause();
      return null;
    },
    async resumeSink({ connector }) {
      sinks.get(connector)?.resume();
      return null;
    },
    async stopSink({ connector }) {
      await remove(connector);
      return null;
    },
    async addSource({ source }) {
      await Promise.all([...sinks.values()].map((sink) => sink.addSource(source)));
      return null;
    },
  };

  const ports = new Set<MessagePort>();
  let isOver = false;
  // What came before is delivered to the first listener: the calls among it must find theirs in the same turn.
  port.on('message', (message: unknown) => {
    if (!isToThread(message)) return;
    if (message.kind === 'stop') stopped.resolve();
    if (message.kind === 'logLevel') options.setLogLevel(message.level);
    if (message.kind !== 'callPort' && message.kind !== 'wakePort') return;
    const { port: other } = message;
    // nobody would close it any more, and it would hold the thread
    if (isOver) {
      other.close();
      return;
    }
    ports.add(other);
    other.on('close', () => ports.delete(other));
    if (message.kind === 'callPort') serve(other);
    else {
      other.on('message', () => {
        for (const sink of sinks.values()) sink.wake();
      });
    }
  });
  const serve = (caller: MessagePort): void => {
    const handlers = methods(loops);
    serveCalls<M>(caller, handlers);
    caller.on('close', () => void handlers[Symbol.asyncDispose]());
  };
  const ofMain = methods(loops);
  serveCalls<M & SinkThreadMethods>(port, { ...ofMain, ...own });
  const report = (): void => post({ kind: 'sinks', metrics: [...sinks.values()].map((sink) => sink.metrics()) });
  const metricsTimer = setInterval(report, metricsMs);
  const retentionTimer = setInterval(() => applyRetention(log, logger), retentionMs);
  for (const each of options.sinks) start(each);
  try {
    await stopped.promise;
    await Promise.all([...sinks.values()].map((sink) => sink.stop()));
  } finally {
    clearInterval(metricsTimer);
    clearInterval(retentionTimer);
    report();
    isOver = true;
    for (const each of ports) each.close();
    await ofMain[Symbol.asyncDispose]();
  }
}

function applyRetention(log: Log, logger: Logger): void {
  try {
    log.applyRetention();
  } catch (error) {
    // Tried again at the next turn; appends tell of what lasts.
    logger.warn({ err: error }, 'the log could not be shortened');
  }
}
