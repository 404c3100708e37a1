import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { MillraceError, reviveError, toErrorData } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { SinkMetrics, SourceMetrics } from './metrics.ts';
import { createCaller } from './rpc.ts';
import type { Caller } from './rpc.ts';
import type { TaskState } from './task-state.ts';
import { isFromThread } from './thread-messages.ts';
import type {
  FromThread,
  LogSettings,
  LoggingOptions,
  SinkStart,
  SourceMethods,
  SourceThreadData,
  ToThread,
  WarehouseMethods,
  WarehouseThreadData,
} from './thread-messages.ts';

/** All sinks that write to one warehouse file; it has one thread. */
export interface WarehouseStart {
  readonly file: string;
  readonly sinks: readonly SinkStart[];
}

export interface HerderOptions {
  readonly sources: readonly ConnectorConfig[];
  readonly warehouses: readonly WarehouseStart[];
  /** Entry files of the two kinds of threads. */
  readonly sourceThread: URL;
  readonly warehouseThread: URL;
  readonly dataFolder: string;
  readonly logging: LoggingOptions;
  readonly logSettings: LogSettings;
  readonly log: Logger;
}

export interface TaskStatus {
  readonly connector: string;
  readonly type: 'source' | 'sink';
  readonly state: TaskState;
}

export interface WarehouseHandle extends Caller<WarehouseMethods> {
  readonly file: string;
  /** Connectors of its sinks, and the sources that feed them. */
  readonly sinks: readonly SinkStart[];
  /** Lets another thread call its methods; what that has pinned is released when the port closes. */
  attach(port: MessagePort): void;
}

/** The threads of a worker, seen from its main thread. */
export interface Herder {
  tasks(): readonly TaskStatus[];
  /** The newest of each task; those that have not reported are not there. */
  sourceMetrics(): readonly SourceMetrics[];
  sinkMetrics(): readonly SinkMetrics[];
  readonly warehouses: readonly WarehouseHandle[];
  source(connector: string): Caller<SourceMethods> | undefined;
  /** Resolves with the error of the first task that fails for good; stays pending else. */
  readonly failed: Promise<MillraceError>;
  /** Stops the sources, lets the sinks drain the log and commit, ends the threads. */
  stop(): Promise<void>;
  /** Ends the threads at once; what is not committed is done again at the next start. */
  kill(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly connectors: readonly string[];
  readonly ended: Promise<void>;
}

/**
 * Starts a thread per source and a thread per warehouse file, connects them so that an append wakes the sinks, and keeps
 * what they tell. Nothing here touches rows.
 */
export function startHerder(options: HerderOptions): Herder {
  const states = new Map<string, TaskStatus>();
  const sourceMetrics = new Map<string, SourceMetrics>();
  const sinkMetrics = new Map<string, SinkMetrics>();
  const failed = Promise.withResolvers<MillraceError>();
  let stopping = false;

  const take = (message: FromThread): void => {
    switch (message.kind) {
      case 'state': {
        const status = states.get(message.connector);
        if (status !== undefined) states.set(message.connector, { ...status, state: message.state });
        if (message.state === 'FAILED' && message.error !== undefined) failed.resolve(reviveError(message.error));
        return;
      }
      case 'source':
        sourceMetrics.set(message.metrics.connector, message.metrics);
        return;
      case 'sinks':
        for (const metrics of message.metrics) sinkMetrics.set(metrics.connector, metrics);
        return;
      case 'resync': {
        const { source, tables, reason } = message;
        const connector = options.sources.find(({ config }) => config['topic.prefix'] === source);
        options.log.warn({ connector: connector?.name, tables, reason }, 'a sink needs a new snapshot');
        sources
          .find((each) => each.name === connector?.name)
          ?.caller.call('resync', { tables }, new AbortController().signal)
          .catch((error: unknown) => options.log.warn({ err: error, tables }, 'the new snapshot could not be asked for'));
        return;
      }
      case 'ended':
        return;
    }
  };

  const startThread = (entry: URL, data: SourceThreadData | WarehouseThreadData, connectors: readonly string[]): Thread => {
    const worker = new Worker(entry, { workerData: data, name: connectors.join(', ') });
    let sound = false;
    const broken = (error: unknown): void => {
      options.log.error({ err: error, connectors }, 'a thread ended by a fault');
      for (const connector of connectors) take({ kind: 'state', connector, state: 'FAILED', error: toErrorData(error) });
    };
    worker.on('message', (message: unknown) => {
      if (!isFromThread(message)) return;
      if (message.kind === 'ended') sound = true;
      take(message);
    });
    worker.on('error', broken);
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', (code) => {
        if (!sound && !stopping) broken(new MillraceError('INTERNAL', `The thread of ${connectors.join(', ')} ended with code ${code}`));
        resolve();
      });
    });
    return { worker, connectors, ended };
  };

  const { dataFolder, logging, logSettings } = options;
  for (const { name } of options.sources) states.set(name, { connector: name, type: 'source', state: 'UNASSIGNED' });
  const warehouses = options.warehouses.map(({ file, sinks }) => {
    const connectors = sinks.map((sink) => sink.connector.name);
    for (const name of connectors) states.set(name, { connector: name, type: 'sink', state: 'UNASSIGNED' });
    const thread = startThread(options.warehouseThread, { dataFolder, logging, logSettings, sinks }, connectors);
    const attach = (port: MessagePort): void => thread.worker.postMessage({ kind: 'callPort', port } satisfies ToThread, [port]);
    return { thread, handle: { file, sinks, attach, ...createCaller<WarehouseMethods>(thread.worker) } };
  });
  const sources = options.sources.map((connector) => {
    const thread = startThread(options.sourceThread, { dataFolder, logging, logSettings, connector }, [connector.name]);
    for (const warehouse of warehouses) connect(thread.worker, warehouse.thread.worker);
    return { name: connector.name, thread, caller: createCaller<SourceMethods>(thread.worker) };
  });
  const sourceThreads = sources.map((source) => source.thread);
  const warehouseThreads = warehouses.map((warehouse) => warehouse.thread);

  return {
    tasks: () => [...states.values()],
    sourceMetrics: () => [...sourceMetrics.values()],
    sinkMetrics: () => [...sinkMetrics.values()],
    warehouses: warehouses.map((warehouse) => warehouse.handle),
    source: (connector) => sources.find((source) => source.name === connector)?.caller,
    failed: failed.promise,
    async stop() {
      stopping = true;
      await stopThreads(sourceThreads);
      await stopThreads(warehouseThreads);
    },
    async kill() {
      stopping = true;
      await Promise.all([...sourceThreads, ...warehouseThreads].map((thread) => thread.worker.terminate()));
    },
  };
}

/** Gives the two threads the ends of a channel; the source posts an empty message into it after each append. */
function connect(source: Worker, warehouse: Worker): void {
  const { port1, port2 } = new MessageChannel();
  source.postMessage({ kind: 'wakePort', port: port1 } satisfies ToThread, [port1]);
  warehouse.postMessage({ kind: 'wakePort', port: port2 } satisfies ToThread, [port2]);
}

async function stopThreads(threads: readonly Thread[]): Promise<void> {
  for (const { worker } of threads) worker.postMessage({ kind: 'stop' } satisfies ToThread);
  await Promise.all(threads.map((thread) => thread.ended));
}
