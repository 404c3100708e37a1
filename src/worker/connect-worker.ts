import { randomUUID } from 'node:crypto';
import { MillraceError } from '../base/errors.ts';
import type { Log } from '../log/log.ts';
import type { TopicIndex } from '../log/topic-view.ts';
import { createActiveTopics } from './active-topics.ts';
import type { ActiveTopics } from './active-topics.ts';
import {
  badRequest,
  connectorExists,
  connectorNotFound,
  nameMismatch,
  noConnectorStatus,
  noTaskStatus,
  notStopped,
  unknownConnector,
  unknownConnectorToRestart,
  unknownTask,
} from './connect-errors.ts';
import { alterConnectorOffsets, readConnectorOffsets, resetConnectorOffsets } from './connect-offsets.ts';
import type { OffsetOwner } from './connect-offsets.ts';
import type {
  ConnectService,
  ConnectorInfo,
  ConnectorOffset,
  ConnectorOffsets,
  ConnectorPlugin,
  ConnectorStatus,
  CreateRequest,
  GivenConfig,
  Health,
  Message,
  PluginCatalog,
  RestartRequest,
  SignalRequest,
  TaskInfo,
  TaskStateInfo,
  WorkerInfo,
  WorkerMetrics,
} from './connect-service.ts';
import { validateConfig } from './connect-validation.ts';
import type { CheckedConfig } from './connect-validation.ts';
import type { TargetState } from './config-store.ts';
import { ConnectorRunner } from './connector-runner.ts';
import type { RestartPlan, RunnerParts } from './connector-runner.ts';
import type { TaskStatus } from './herder.ts';
import type { TaskState } from './task-state.ts';
import type { LoggingOptions } from './thread-messages.ts';

export interface ConnectWorkerOptions extends Omit<RunnerParts, 'streamsOf' | 'onRestartDue'> {
  readonly store: Log & TopicIndex;
  readonly info: WorkerInfo;
  /** Of the main thread. */
  readonly setLogLevel: (level: LoggingOptions['level']) => void;
  readonly topicTracking: { readonly enabled: boolean; readonly allowReset: boolean };
}

/** How often active topics are looked for. */
const observeMs = 500;

/**
 * Kafka Connect's worker over a herder: a request is answered when what it asks for is durable in the config topic, and done
 * behind it, each connector's one after another.
 */
export class ConnectWorker implements ConnectService, AsyncDisposable {
  readonly workerId: string;
  readonly plugins: PluginCatalog;
  readonly #options: ConnectWorkerOptions;
  readonly #parts: RunnerParts;
  readonly #runners = new Map<string, ConnectorRunner>();
  /** What is being done about a connector's name: one that is made again waits for the end of its namesake. */
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #topics: ActiveTopics;
  readonly #timer: NodeJS.Timeout;
  #health: Health = { status: 'starting', message: 'Worker is still starting up.' };
  #closed = false;

  constructor(options: ConnectWorkerOptions) {
    const { store, workerId, plugins } = options;
    this.#options = options;
    this.workerId = workerId;
    this.plugins = plugins;
    this.#parts = {
      ...options,
      streamsOf: (sink) => store.consumers().flatMap(({ consumer, source }) => (consumer === sink ? [source] : [])),
      onRestartDue: (name) => this.#restartFailed(name),
    };
    this.#topics = createActiveTopics(store, options.statuses);
    this.#timer = setInterval(() => this.#observeTopics(), observeMs);
  }

  /** Starts what the config topic holds; resolves when every connector has been brought on its way. */
  async start(): Promise<void> {
    this.#options.statuses.clearStates();
    for (const stored of this.#options.configs.load()) {
      const runner = new ConnectorRunner(stored, this.#parts);
      this.#runners.set(stored.name, runner);
      runner.findStream();
    }
    await Promise.all([...this.#runners.values()].map((runner) => this.#enqueue(runner.name, () => runner.reconcile())));
    this.#health = { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' };
  }

  /** To be called by the herder. */
  taskChanged(status: TaskStatus): void {
    if (!this.#closed) this.#runners.get(status.connector)?.taskChanged(status);
  }

  /** Configurations of the connectors whose tasks are to run, references resolved; those that cannot be resolved are left out. */
  started(): readonly { readonly name: string; readonly config: Readonly<Record<string, string>> }[] {
    return [...this.#runners.values()].flatMap(({ name, config, target, tasks }) => {
      if (target === 'STOPPED' || tasks.length === 0) return [];
      try {
        return [{ name, config: this.#options.resolve(config) }];
      } catch {
        return [];
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const runner of this.#runners.values()) runner.close();
    await Promise.all(this.#lanes.values());
  }

  info(): WorkerInfo {
    return this.#options.info;
  }

  health(): Health {
    return this.#health;
  }

  connectors(): readonly string[] {
    return [...this.#runners.keys()];
  }

  connector(name: string): ConnectorInfo {
    const { config, tasks, type } = this.#find(name);
    return { name, config, tasks: tasks.map((_, task) => ({ connector: name, task })), type };
  }

  config(name: string): Readonly<Record<string, string>> {
    return this.#find(name).config;
  }

  async create({ name, config, initialState }: CreateRequest, signal: AbortSignal): Promise<ConnectorInfo> {
    const checked = await this.#check(name, { ...config, name: config['name'] ?? name }, signal);
    if (this.#runners.has(name)) throw connectorExists(name);
    const target = initialState === undefined || initialState === 'RUNNING' ? 'STARTED' : initialState;
    this.#options.configs.putConnector(name, checked.config, initialState === undefined ? undefined : target);
    const runner = new ConnectorRunner({ name, config: checked.config, target, tasks: [] }, this.#parts);
    this.#runners.set(name, runner);
    runner.findStream();
    this.#topics.begin(name, checked.plugin.type);
    const info = this.connector(name);
    void this.#enqueue(name, () => runner.reconcile());
    return info;
  }

  async putConfig(
    name: string,
    config: GivenConfig,
    signal: AbortSignal,
  ): Promise<{ readonly created: boolean; readonly info: ConnectorInfo }> {
    if (!this.#runners.has(name)) return { created: true, info: await this.create({ name, config }, signal) };
    const checked = await this.#check(name, { ...config, name: config['name'] ?? name }, signal);
    return { created: false, info: this.#replace(name, checked.config) };
  }

  async patchConfig(name: string, patch: GivenConfig, signal: AbortSignal): Promise<ConnectorInfo> {
    const { config } = this.#find(name);
    const patched = Object.fromEntries(Object.entries({ ...config, ...patch }).filter(([, value]) => value !== null));
    const checked = await this.#validate(name, patched, signal);
    return this.#replace(name, checked.config);
  }

  async delete(name: string): Promise<void> {
    const runner = this.#find(name);
    this.#options.configs.remove(name);
    this.#runners.delete(name);
    this.#topics.remove(name);
    if (runner.stream !== undefined) this.#options.herder.removeStream(runner.stream);
    void this.#enqueue(name, async () => {
      await runner.remove();
      // Its replica keeps what it has; the log need not wait for it any more. One that was made again registers anew.
      if (runner.type === 'sink') this.#options.store.unregister(name);
    });
  }

  status(name: string): ConnectorStatus {
    const status = this.#runners.get(name)?.status();
    if (status === undefined) throw noConnectorStatus(name);
    return status;
  }

  /** Of the connector, without its tasks; UNASSIGNED before it has begun. */
  state(name: string): TaskState {
    return this.#runners.get(name)?.state ?? 'UNASSIGNED';
  }

  taskStatus(name: string, task: number): TaskStateInfo {
    const status = this.#runners.get(name)?.taskState(task);
    if (status === undefined) throw noTaskStatus(name, task);
    return status;
  }

  tasks(name: string): readonly TaskInfo[] {
    return this.#find(name).tasks.map((config, task) => ({ id: { connector: name, task }, config }));
  }

  async restart(name: string, request: RestartRequest): Promise<ConnectorStatus | undefined> {
    const runner = this.#runners.get(name);
    if (runner === undefined) throw unknownConnectorToRestart(name);
    const { includeTasks, onlyFailed } = request;
    if (!includeTasks && !onlyFailed) {
      this.#restartSoon(runner, { connector: true, tasks: [] });
      return undefined;
    }
    const planned = runner.restartPlan(onlyFailed);
    const plan = { connector: planned.connector, tasks: includeTasks ? planned.tasks : [] };
    const status = runner.restartingStatus(plan);
    if (status === undefined) throw noConnectorStatus(name);
    this.#options.configs.putRestart(name, request);
    if (plan.connector || plan.tasks.length > 0) this.#restartSoon(runner, plan);
    return status;
  }

  async restartTask(name: string, task: number): Promise<void> {
    const runner = this.#runners.get(name);
    if (runner === undefined) throw unknownConnectorToRestart(name);
    if (task < 0 || task >= runner.tasks.length) throw unknownTask(name, task);
    this.#restartSoon(runner, { connector: false, tasks: [task] });
  }

  async pause(name: string): Promise<void> {
    this.#aim(name, 'PAUSED');
  }

  async resume(name: string): Promise<void> {
    this.#aim(name, 'STARTED');
  }

  async stop(name: string): Promise<void> {
    this.#aim(name, 'STOPPED');
  }

  activeTopics(name: string): readonly string[] {
    this.#assertTracking();
    this.#observeTopics();
    return this.#topics.of(name);
  }

  async resetActiveTopics(name: string): Promise<void> {
    this.#assertTracking();
    if (!this.#options.topicTracking.allowReset) throw new MillraceError('REQUEST_FORBIDDEN', 'Topic tracking reset is disabled.');
    this.#topics.reset(name);
  }

  async offsets(name: string): Promise<ConnectorOffsets> {
    return { offsets: await readConnectorOffsets(this.#options.store, this.#find(name)) };
  }

  async alterOffsets(name: string, offsets: readonly ConnectorOffset[] | undefined): Promise<Message> {
    if (offsets === undefined || offsets.length === 0) {
      throw badRequest('Partitions / offsets need to be provided for an alter offsets request');
    }
    return alterConnectorOffsets(this.#options.store, await this.#stopped(name), offsets);
  }

  async resetOffsets(name: string): Promise<Message> {
    return resetConnectorOffsets(this.#options.store, await this.#stopped(name));
  }

  async signal(name: string, request: SignalRequest, signal: AbortSignal): Promise<{ readonly id: string }> {
    this.#find(name);
    const source = this.#options.herder.source(name);
    if (source === undefined) throw new MillraceError('CONNECTOR_CONFLICT', `${name} is no source that runs: it takes no signals.`);
    const { id = randomUUID(), type, data, record = null } = request;
    await source.call('signal', { id, type, data, record }, signal);
    return { id };
  }

  metrics(): WorkerMetrics {
    const { herder } = this.#options;
    return { tasks: herder.tasks(), sources: herder.sourceMetrics(), sinks: herder.sinkMetrics() };
  }

  setLogLevel(level: LoggingOptions['level']): void {
    this.#options.setLogLevel(level);
    this.#options.herder.setLogLevel(level);
  }

  #find(name: string): ConnectorRunner {
    const runner = this.#runners.get(name);
    if (runner === undefined) throw connectorNotFound(name);
    return runner;
  }

  #aim(name: string, target: TargetState): void {
    const runner = this.#runners.get(name);
    if (runner === undefined) throw unknownConnector(name);
    const { configs } = this.#options;
    if (target === 'STOPPED') {
      configs.putTasks(name, []);
      runner.tasks = [];
    }
    configs.putTarget(name, target);
    runner.target = target;
    void this.#enqueue(name, () => runner.reconcile());
  }

  #replace(name: string, config: Readonly<Record<string, string>>): ConnectorInfo {
    const runner = this.#find(name);
    const isSame = JSON.stringify(runner.config) === JSON.stringify(config);
    this.#options.configs.putConnector(name, config);
    // At once: what is asked next builds on it, however long the change itself waits.
    runner.config = config;
    if (!isSame) void this.#enqueue(name, () => runner.reconfigure());
    return { ...this.connector(name), config };
  }

  async #check(name: string, config: GivenConfig, signal: AbortSignal): Promise<CheckedConfig> {
    if (config['name'] !== name) throw nameMismatch(config['name'] ?? 'null', name);
    return this.#validate(name, config, signal);
  }

  #validate(name: string, config: GivenConfig, signal: AbortSignal): Promise<CheckedConfig> {
    const { plugins, resolve } = this.#options;
    return validateConfig(config, { plugins, resolve, clashes: (resolved) => this.#clashes(name, resolved) }, signal);
  }

  /** Sources are told apart by their streams: in the log, in the topics, in the replicas' offsets. */
  #clashes(name: string, resolved: Readonly<Record<string, string>>): readonly string[] {
    const place = this.#options.place({ name, config: resolved });
    if (place.type !== 'source') return [];
    const other = [...this.#runners.values()].find((each) => each.name !== name && each.stream === place.stream);
    if (other === undefined) return [];
    return [`Invalid value ${place.stream} for configuration topic.prefix: The connector ${other.name} has this prefix already.`];
  }

  /** A connector whose offsets may be set. */
  async #stopped(name: string): Promise<OffsetOwner & { readonly plugin: ConnectorPlugin }> {
    const runner = this.#find(name);
    if (runner.target !== 'STOPPED') throw notStopped(name);
    // Its task may still be ending.
    await this.#lanes.get(name);
    const { type, config, target } = this.#find(name);
    if (target !== 'STOPPED') throw notStopped(name);
    return { name, type, config, plugin: this.plugins.find(this.#options.resolve(config)['connector.class'] ?? '') };
  }

  /** One that waits already is this one, too. */
  #restartSoon(runner: ConnectorRunner, plan: RestartPlan): void {
    const key = JSON.stringify(plan);
    if (runner.restartsToCome.has(key)) return;
    runner.restartsToCome.add(key);
    void this.#enqueue(runner.name, () => {
      runner.restartsToCome.delete(key);
      return runner.restart(plan);
    });
  }

  #restartFailed(name: string): void {
    const runner = this.#runners.get(name);
    if (runner === undefined) return;
    void this.#enqueue(name, async () => {
      if (runner.taskState(0)?.state === 'FAILED') await runner.restart({ connector: false, tasks: [0] }, false);
    });
  }

  /** Work on a connector begins when the work before it has ended. */
  #enqueue(name: string, work: () => Promise<void>): Promise<void> {
    const before = this.#lanes.get(name) ?? Promise.resolve();
    const lane = before
      .then(() => (this.#closed ? undefined : work()))
      .catch((error: unknown) => this.#options.log.error({ err: error, connector: name }, 'a connector could not be brought to its state'))
      .finally(() => {
        if (this.#lanes.get(name) === lane) this.#lanes.delete(name);
      });
    this.#lanes.set(name, lane);
    return lane;
  }

  #assertTracking(): void {
    if (!this.#options.topicTracking.enabled) throw new MillraceError('REQUEST_FORBIDDEN', 'Topic tracking is disabled.');
  }

  #observeTopics(): void {
    if (!this.#options.topicTracking.enabled) return;
    try {
      const running = [...this.#runners.values()].filter((runner) => runner.target === 'STARTED');
      this.#topics.observe(running.map((runner) => runner.tracked));
    } catch (error) {
      // A busy log; looked for again at the next turn.
      this.#options.log.debug({ err: error }, 'active topics could not be read');
    }
  }
}
