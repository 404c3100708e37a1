import type { MessagePort } from 'node:worker_threads';
import { MillraceError, reviveError, toErrorData } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { SinkMetrics, SourceMetrics } from './metrics.ts';
import { createCaller } from './rpc.ts';
import type { Caller } from './rpc.ts';
import type { TaskState } from './task-state.ts';
import { connectThreads, startThread } from './thread.ts';
import type { Thread } from './thread.ts';
import type {
  FromThread,
  LogSettings,
  LoggingOptions,
  SinkStart,
  SinkThreadMethods,
  SourceMethods,
  ToThread,
  WarehouseKind,
  WarehouseMethods,
} from './thread-messages.ts';

/** Where a task runs. */
export type TaskPlace =
  /** In a thread of its own. */
  | { readonly type: 'source'; readonly entry: URL; /** Name of its stream in the log. */ readonly stream: string }
  /** In the thread of all sinks with this key; those of a warehouse's file share its only instance. `kind`: it can be read. */
  | { readonly type: 'sink'; readonly entry: URL; readonly key: string; readonly kind?: WarehouseKind; readonly file?: string };

export interface TaskStart {
  /** References are resolved. */
  readonly connector: ConnectorConfig;
  readonly place: TaskPlace;
  /** Of a sink: streams that it takes from besides those of the sources that run. */
  readonly streams?: readonly string[];
  readonly paused?: boolean;
}

export interface HerderOptions {
  readonly dataFolder: string;
  readonly logging: LoggingOptions;
  readonly logSettings: LogSettings;
  readonly log: Logger;
  /** How long a source that stops may take, before it is ended by force; absent: for ever. */
  readonly graceMs?: number;
  readonly onState?: (status: TaskStatus) => void;
}

export interface TaskStatus {
  readonly connector: string;
  readonly type: 'source' | 'sink';
  readonly state: TaskState;
  /** Of the last fault: why it is RESTARTING or FAILED. */
  readonly error: ErrorData | undefined;
}

export interface WarehouseHandle extends Caller<WarehouseMethods> {
  readonly kind: WarehouseKind;
  /** Of DuckDB. */
  readonly file: string | undefined;
  /** Connectors of its sinks, and the sources that feed them. */
  readonly sinks: readonly SinkStart[];
  /** Lets another thread call its methods; what that has pinned is released when the port closes. */
  attach(port: MessagePort): void;
}

/** The threads of a worker, seen from its main thread. Tasks come and go; one that fails ends alone. */
export interface Herder {
  /** Streams of sources that may run some time: all sinks take from them. Resolves when those that run know. */
  addStreams(streams: readonly string[]): Promise<void>;
  removeStream(stream: string): void;
  /** Starts a task; one of this connector must not be there. Resolves when its thread has it; how it goes shows in `tasks`. */
  start(task: TaskStart): Promise<void>;
  /** Nothing is polled or put from when it resolves; a task that has failed stays so. */
  pause(connector: string): Promise<void>;
  resume(connector: string): Promise<void>;
  /** Ends the task when nothing is half done; it is in `tasks` no more. Nothing when it is not there. */
  stopTask(connector: string): Promise<void>;
  tasks(): readonly TaskStatus[];
  /** The newest of each task; those that have not reported are not there. */
  sourceMetrics(): readonly SourceMetrics[];
  sinkMetrics(): readonly SinkMetrics[];
  readonly warehouses: readonly WarehouseHandle[];
  source(connector: string): Caller<SourceMethods> | undefined;
  /** Of all threads, those that start later too. */
  setLogLevel(level: LoggingOptions['level']): void;
  /** Resolves with the error of the first task that fails for good; stays pending else. */
  readonly failed: Promise<MillraceError>;
  /** Stops the sources, lets the sinks drain the log and commit, ends the threads. */
  stop(): Promise<void>;
  /** Ends the threads at once; what is not committed is done again at the next start. */
  kill(): Promise<void>;
}

interface Source {
  readonly stream: string;
  readonly thread: Thread;
  readonly caller: Caller<SourceMethods>;
}

/** A thread of sinks. */
interface SinkThread {
  readonly key: string;
  readonly kind: WarehouseKind | undefined;
  readonly file: string | undefined;
  readonly thread: Thread;
  readonly caller: Caller<WarehouseMethods & SinkThreadMethods>;
  readonly members: Map<string, SinkStart>;
  closing: Promise<void> | undefined;
}

const { signal } = new AbortController();

/** Longest time for sinks to drain the log and commit; what is left is applied at the next start. */
const sinkGraceMs = 60_000;

/**
 * Runs a thread per source and one per warehouse file, connects them so that an append wakes the sinks, and keeps what they
 * tell. Nothing here touches rows.
 */
export function createHerder(options: HerderOptions): Herder {
  const { log } = options;
  const states = new Map<string, TaskStatus>();
  const sourceMetrics = new Map<string, SourceMetrics>();
  const sinkMetrics = new Map<string, SinkMetrics>();
  const sources = new Map<string, Source>();
  const sinkThreads = new Map<string, SinkThread>();
  const streams = new Set<string>();
  const failed = Promise.withResolvers<MillraceError>();
  let stopping = false;
  let shared = { dataFolder: options.dataFolder, logging: options.logging, logSettings: options.logSettings };

  const enter = (connector: string, state: TaskState, error: ErrorData | undefined): void => {
    const before = states.get(connector);
    if (before === undefined) return;
    const status = { ...before, state, error };
    states.set(connector, status);
    if (state === 'FAILED' && error !== undefined) failed.resolve(reviveError(error));
    options.onState?.(status);
  };
  const breakDown = (connectors: readonly string[], error: unknown): void => {
    if (connectors.length === 0) return;
    log.error({ err: error, connectors }, 'a thread ended by a fault');
    for (const connector of connectors) enter(connector, 'FAILED', toErrorData(error));
  };
  const resync = ({ source, tables, reason }: FromThread & { readonly kind: 'resync' }): void => {
    const [connector, found] = [...sources].find(([, each]) => each.stream === source) ?? [];
    log.warn({ connector, tables, reason }, 'a sink needs a new snapshot');
    found?.caller
      .call('resync', { tables }, signal)
      .catch((error: unknown) => log.warn({ err: error, tables }, 'the new snapshot could not be asked for'));
  };

  const startSource = ({ connector, paused }: TaskStart, { entry, stream }: TaskPlace & { readonly type: 'source' }): void => {
    const { name } = connector;
    const isCurrent = (): boolean => sources.get(name)?.thread === thread;
    const thread: Thread = startThread({
      entry,
      name,
      data: { ...shared, connector, paused: paused ?? false },
      onMessage(message) {
        if (!isCurrent()) return;
        if (message.kind === 'state') enter(name, message.state, message.error);
        else if (message.kind === 'source') sourceMetrics.set(name, message.metrics);
      },
      onBroken: (error) => isCurrent() && breakDown([name], error),
    });
    sources.set(name, { stream, thread, caller: createCaller<SourceMethods>(thread.worker) });
    for (const each of sinkThreads.values()) connectThreads(thread, each.thread);
  };

  const startSinkThread = (first: SinkStart, { entry, key, kind, file }: TaskPlace & { readonly type: 'sink' }): void => {
    const members = new Map([[first.connector.name, first]]);
    const thread = startThread({
      entry,
      name: file ?? key,
      data: { ...shared, sinks: [first] },
      onMessage(message) {
        if (message.kind === 'state' && members.has(message.connector)) enter(message.connector, message.state, message.error);
        else if (message.kind === 'sinks') {
          for (const metrics of message.metrics) if (members.has(metrics.connector)) sinkMetrics.set(metrics.connector, metrics);
        } else if (message.kind === 'resync') resync(message);
      },
      onBroken: (error) => breakDown([...members.keys()], error),
    });
    const sinkThread: SinkThread = { key, kind, file, thread, caller: createCaller(thread.worker), members, closing: undefined };
    sinkThreads.set(key, sinkThread);
    void thread.ended.then(() => {
      if (sinkThreads.get(key) === sinkThread) sinkThreads.delete(key);
      if (stopping) return;
      // Those that joined a thread which could not begin.
      const lost = [...members.keys()].filter((name) => states.get(name)?.state !== 'FAILED');
      breakDown(lost, new MillraceError('WORKER_REFUSED', `The thread of ${file ?? key} has ended.`));
    });
    for (const source of sources.values()) connectThreads(source.thread, thread);
  };

  const startSink = async (task: TaskStart, place: TaskPlace & { readonly type: 'sink' }): Promise<void> => {
    const { connector, paused = false } = task;
    const start = { connector, paused, sources: [...new Set([...(task.streams ?? []), ...streams])] };
    for (;;) {
      const there = sinkThreads.get(place.key);
      if (there?.closing !== undefined) await there.closing;
      else if (there === undefined) return startSinkThread(start, place);
      else {
        there.members.set(connector.name, start);
        // A thread that ends meanwhile has told so.
        await there.caller.call('startSink', start, signal).catch(() => undefined);
        return;
      }
    }
  };

  const stopSink = async (name: string, there: SinkThread): Promise<void> => {
    await there.caller.call('stopSink', { connector: name }, signal).catch(() => undefined);
    there.members.delete(name);
    if (there.members.size > 0 || there.closing !== undefined) return;
    there.closing = there.thread.stop();
    await there.closing;
  };

  const addStreams = async (names: readonly string[]): Promise<void> => {
    const added = names.filter((name) => !streams.has(name));
    for (const name of added) streams.add(name);
    const calls = added.flatMap((source) => [...sinkThreads.values()].map(({ caller }) => caller.call('addSource', { source }, signal)));
    // a thread that ends meanwhile has told so
    await Promise.allSettled(calls);
  };

  const sinkThreadOf = (name: string): SinkThread | undefined => [...sinkThreads.values()].find((each) => each.members.has(name));

  return {
    addStreams,
    removeStream: (stream) => void streams.delete(stream),
    async start(task) {
      const { connector, place } = task;
      states.set(connector.name, { connector: connector.name, type: place.type, state: 'UNASSIGNED', error: undefined });
      if (place.type === 'sink') return startSink(task, place);
      startSource(task, place);
      await addStreams([place.stream]);
    },
    async pause(connector) {
      sources.get(connector)?.thread.worker.postMessage({ kind: 'pause' } satisfies ToThread);
      await sinkThreadOf(connector)
        ?.caller.call('pauseSink', { connector }, signal)
        .catch(() => undefined);
    },
    async resume(connector) {
      sources.get(connector)?.thread.worker.postMessage({ kind: 'resume' } satisfies ToThread);
      await sinkThreadOf(connector)
        ?.caller.call('resumeSink', { connector }, signal)
        .catch(() => undefined);
    },
    async stopTask(connector) {
      const source = sources.get(connector);
      await source?.thread.stop(options.graceMs);
      sources.delete(connector);
      const sinkThread = sinkThreadOf(connector);
      if (sinkThread !== undefined) await stopSink(connector, sinkThread);
      states.delete(connector);
      sourceMetrics.delete(connector);
      sinkMetrics.delete(connector);
    },
    tasks: () => [...states.values()],
    sourceMetrics: () => [...sourceMetrics.values()],
    sinkMetrics: () => [...sinkMetrics.values()],
    get warehouses() {
      return [...sinkThreads.values()].flatMap(({ kind, file, members, thread, caller }) => {
        if (kind === undefined) return [];
        const attach = (port: MessagePort): void => thread.worker.postMessage({ kind: 'callPort', port } satisfies ToThread, [port]);
        return [{ ...caller, kind, file, sinks: [...members.values()], attach }];
      });
    },
    // The thread of one that has failed is gone.
    source: (connector) => (states.get(connector)?.state === 'FAILED' ? undefined : sources.get(connector)?.caller),
    setLogLevel(level) {
      shared = { ...shared, logging: { ...shared.logging, level } };
      for (const { thread } of [...sources.values(), ...sinkThreads.values()]) {
        thread.worker.postMessage({ kind: 'logLevel', level } satisfies ToThread);
      }
    },
    failed: failed.promise,
    async stop() {
      stopping = true;
      await Promise.all([...sources.values()].map(({ thread }) => thread.stop(options.graceMs)));
      await Promise.all([...sinkThreads.values()].map(({ thread }) => thread.stop(sinkGraceMs)));
    },
    async kill() {
      stopping = true;
      const threads = [...sources.values(), ...sinkThreads.values()].map((each) => each.thread);
      await Promise.all(threads.map((thread) => thread.kill()));
    },
  };
}
