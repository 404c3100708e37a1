import { toErrorData } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { TrackedConnector } from './active-topics.ts';
import type { ConfigStore, StoredConnector, TargetState } from './config-store.ts';
import type { ConnectorStatus, ConnectorType, PluginCatalog, StateInfo, TaskStateInfo } from './connect-service.ts';
import type { Herder, TaskPlace, TaskStatus } from './herder.ts';
import type { StatusStore, StoredState } from './status-store.ts';
import { createTaskRestarts } from './task-restarts.ts';
import type { RestartPolicy, TaskRestarts } from './task-restarts.ts';
import { nextConnectorState } from './task-state.ts';
import type { ConnectorEvent, TaskState } from './task-state.ts';
import { sinkTopicFilter } from './topic-filter.ts';
import { traceOf } from './trace.ts';

export interface RunnerParts {
  readonly herder: Herder;
  readonly configs: ConfigStore;
  readonly statuses: StatusStore;
  readonly plugins: PluginCatalog;
  readonly workerId: string;
  readonly log: Logger;
  readonly restartPolicy: RestartPolicy;
  /** Puts the values in the place of `${provider:…}`. @throws CONFIG_UNREADABLE */
  readonly resolve: (config: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** Where a task runs. @throws CONFIG_INVALID, CONFIG_UNSUPPORTED */
  readonly place: (connector: ConnectorConfig) => TaskPlace;
  /** Streams that a sink has taken from before. */
  readonly streamsOf: (sink: string) => readonly string[];
  /** A task is about to start. Gives the connector as the task is to have it. */
  readonly prepare: (connector: ConnectorConfig, place: TaskPlace) => Promise<ConnectorConfig>;
  /** A failed task is due to be started again. */
  readonly onRestartDue: (connector: string) => void;
}

export interface RestartPlan {
  readonly connector: boolean;
  readonly tasks: readonly number[];
}

/**
 * One connector: what it shall be, and what it is. `reconcile` makes the one of the other; calls that change threads come
 * one after another (the worker sees to that). A connector is one task; where its class has several, the others have
 * nothing to do, as in Connect with fewer partitions than tasks.
 */
export class ConnectorRunner {
  readonly name: string;
  config: Readonly<Record<string, string>>;
  target: TargetState;
  tasks: readonly Readonly<Record<string, string>>[];
  /** Those that are asked for and not begun. */
  readonly restartsToCome = new Set<string>();
  /** Name of its stream, of a source. */
  stream: string | undefined;
  readonly #parts: RunnerParts;
  readonly #restarts: TaskRestarts;
  #state: StoredState | undefined;
  readonly #taskStates = new Map<number, StoredState>();
  /** The configuration that the herder has. */
  #running: { readonly text: string; paused: boolean } | undefined;

  constructor({ name, config, target, tasks }: StoredConnector, parts: RunnerParts) {
    this.name = name;
    this.config = config;
    this.target = target;
    this.tasks = tasks;
    this.#parts = parts;
    this.#restarts = createTaskRestarts(parts.restartPolicy, parts.log.child({ connector: name }), () => parts.onRestartDue(name));
  }

  /** `unknown` when the class is not there, or comes from a provider. */
  get type(): ConnectorType {
    return this.#plugin?.type ?? 'unknown';
  }

  get state(): TaskState | undefined {
    return this.#state?.state;
  }

  /** Undefined before it has begun. */
  status(): ConnectorStatus | undefined {
    if (this.#state === undefined) return undefined;
    const tasks = [...this.#taskStates].sort(([a], [b]) => a - b).map(([id, state]): TaskStateInfo => ({ id, ...this.#info(state) }));
    return { name: this.name, connector: this.#info(this.#state), tasks, type: this.type };
  }

  /** For its active topics. */
  get tracked(): TrackedConnector {
    const { name, type, config, stream } = this;
    return {
      name,
      stream: type === 'source' ? stream : undefined,
      own: type === 'source' ? [config['schema.history.internal.kafka.topic'] ?? '', config['signal.kafka.topic'] ?? ''] : [],
      takes: type === 'sink' ? sinkTopicFilter(config) : undefined,
    };
  }

  /** A source's stream is known before it starts, so that sinks which start before it take from it. */
  findStream(): void {
    const { herder, place: placeOf, resolve } = this.#parts;
    try {
      const place = placeOf({ name: this.name, config: resolve(this.config) });
      if (place.type !== 'source') return;
      this.stream = place.stream;
      void herder.addStreams([place.stream]);
    } catch {
      // It fails by itself, and says so.
    }
  }

  /** Makes it what it shall be. */
  async reconcile(): Promise<void> {
    if (this.target === 'STOPPED') {
      this.#enter('stopped');
      await this.#endTask();
      return;
    }
    let resolved: Readonly<Record<string, string>>;
    try {
      resolved = this.#parts.resolve(this.config);
    } catch (error) {
      this.#enter('failed', traceOf(toErrorData(error)));
      return;
    }
    const paused = this.target === 'PAUSED';
    if (!paused) this.#enter('started');
    this.#makeTasks(resolved, paused);
    // A connector that was never started has no tasks; the first resume makes them.
    if (this.tasks.length > 0) await this.#run(resolved, paused);
    if (paused) this.#enter('paused');
  }

  /** `config` has changed, more than once maybe since this was asked for. */
  async reconfigure(): Promise<void> {
    if (this.target !== 'STOPPED') this.#enter('reconfigured');
    this.#restarts.cancel();
    await this.reconcile();
  }

  /** Starts the connector, the tasks or both anew; by hand, and the restarts by itself are counted from there. */
  async restart({ connector, tasks }: RestartPlan, byHand = true): Promise<void> {
    if (byHand && tasks.length > 0) this.#restarts.cancel();
    if (connector) this.#enter('restarted');
    for (const task of tasks) this.#setTask(task, { state: 'RESTARTING', trace: null, version: null });
    if (tasks.includes(0)) await this.#endTask(true);
    await this.reconcile();
    for (const task of tasks) if (task !== 0) this.#setIdle(task);
  }

  /** What a restart would start anew. */
  restartPlan(onlyFailed: boolean): RestartPlan {
    const tasks = [...this.#taskStates].filter(([, { state }]) => !onlyFailed || state === 'FAILED').map(([task]) => task);
    return { connector: !onlyFailed || this.#state?.state === 'FAILED', tasks };
  }

  /** The status with RESTARTING where the plan restarts something; undefined before it has begun. */
  restartingStatus({ connector, tasks }: RestartPlan): ConnectorStatus | undefined {
    const status = this.status();
    if (status === undefined) return undefined;
    return {
      ...status,
      connector: connector ? { ...status.connector, state: 'RESTARTING' } : status.connector,
      tasks: status.tasks.map((task) => (tasks.includes(task.id) ? { ...task, state: 'RESTARTING' } : task)),
    };
  }

  taskState(task: number): TaskStateInfo | undefined {
    const state = this.#taskStates.get(task);
    return state === undefined ? undefined : { id: task, ...this.#info(state) };
  }

  /** It is deleted; resolves when its task has ended. */
  async remove(): Promise<void> {
    this.#restarts.cancel();
    await this.#parts.herder.stopTask(this.name);
    this.#running = undefined;
    for (const task of this.#taskStates.keys()) this.#parts.statuses.putTask(this.name, task, null);
    if (this.#state !== undefined) this.#parts.statuses.putConnector(this.name, null);
  }

  /** The worker ends; states stay as they are. */
  close(): void {
    this.#restarts.cancel();
    this.#running = undefined;
  }

  /** Its thread has told. */
  taskChanged({ state, error }: TaskStatus): void {
    if (this.#running === undefined || state === 'UNASSIGNED' || state === 'STOPPED') return;
    const trace = error === undefined ? null : traceOf(error);
    this.#setTask(0, { state, trace, version: this.#version });
    if (state !== 'RESTARTING') for (let task = 1; task < this.tasks.length; task++) this.#setIdle(task);
    if (state === 'RUNNING') this.#restarts.running();
    else if (state === 'FAILED') this.#restarts.failed(error?.code ?? 'INTERNAL');
  }

  get #plugin(): ReturnType<PluginCatalog['find']> | undefined {
    try {
      return this.#parts.plugins.find(this.config['connector.class'] ?? '');
    } catch {
      return undefined;
    }
  }

  get #version(): string | null {
    return this.#plugin?.version ?? null;
  }

  #makeTasks(resolved: Readonly<Record<string, string>>, paused: boolean): void {
    if (paused && this.tasks.length === 0) return;
    const plugin = this.#parts.plugins.find(resolved['connector.class'] ?? '');
    const tasks = Array.from({ length: plugin.taskCount(resolved) }, () => ({ ...this.config, 'task.class': plugin.taskClass }));
    if (JSON.stringify(tasks) === JSON.stringify(this.tasks)) return;
    this.#parts.configs.putTasks(this.name, tasks);
    for (const task of this.#taskStates.keys()) if (task >= tasks.length) this.#setTask(task, undefined);
    this.tasks = tasks;
  }

  async #run(resolved: Readonly<Record<string, string>>, paused: boolean): Promise<void> {
    const { herder, place: placeOf, streamsOf, prepare } = this.#parts;
    const text = JSON.stringify(this.config);
    if (this.#running?.text === text) {
      if (this.#running.paused === paused) return;
      this.#running.paused = paused;
      if (paused) await herder.pause(this.name);
      else await herder.resume(this.name);
      return;
    }
    await this.#endTask(true);
    const given = { name: this.name, config: resolved };
    this.#running = { text, paused };
    try {
      const place = placeOf(given);
      this.stream = place.type === 'source' ? place.stream : undefined;
      const connector = await prepare(given, place);
      await herder.start({ connector, place, paused, streams: place.type === 'sink' ? streamsOf(this.name) : [] });
    } catch (error) {
      const type = this.type === 'sink' ? 'sink' : 'source';
      this.taskChanged({ connector: this.name, type, state: 'FAILED', error: toErrorData(error) });
    }
  }

  /** With `keep` the states stay: the task starts again. */
  async #endTask(keep = false): Promise<void> {
    if (!keep) this.#restarts.cancel();
    this.#running = undefined;
    await this.#parts.herder.stopTask(this.name);
    if (keep) return;
    for (const task of this.#taskStates.keys()) this.#setTask(task, undefined);
  }

  #enter(event: ConnectorEvent, trace: string | null = null): void {
    const state = nextConnectorState(this.#state?.state ?? 'UNASSIGNED', event);
    // One that failed keeps its trace while nothing changes.
    if (state === 'FAILED' && event !== 'failed') return;
    const version = state === 'UNASSIGNED' || state === 'RESTARTING' ? null : this.#version;
    const next = { state, trace, version };
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return;
    this.#state = next;
    this.#parts.statuses.putConnector(this.name, next);
    this.#parts.log.info({ connector: this.name, state }, 'connector state');
  }

  /** A task that has nothing to do does not fail at it. */
  #setIdle(task: number): void {
    this.#setTask(task, { state: this.target === 'PAUSED' ? 'PAUSED' : 'RUNNING', trace: null, version: this.#version });
  }

  #setTask(task: number, state: StoredState | undefined): void {
    if (state === undefined) this.#taskStates.delete(task);
    else this.#taskStates.set(task, state);
    this.#parts.statuses.putTask(this.name, task, state ?? null);
  }

  #info({ state, trace, version }: StoredState): StateInfo {
    return { state, worker_id: this.#parts.workerId, version, ...(trace === null ? {} : { trace }) };
  }
}
