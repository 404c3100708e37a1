/**
 * A worker as its REST API and the command line need it: Kafka Connect's own operations, answers in the shape of its JSON.
 * `rest/` maps paths to methods and errors to codes (`connectStatus`), nothing else. Values of configurations are text, and
 * a `${provider:…}` in them is never resolved in an answer.
 */
import { isMillraceError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { ConfigInfos, ConfigKey } from '../config/config-key.ts';
import type { SignalRecord } from '../connect/signal-record.ts';
import type { TaskStatus } from './herder.ts';
import type { SinkMetrics, SourceMetrics } from './metrics.ts';
import type { TaskState } from './task-state.ts';
import type { LoggingOptions } from './thread-messages.ts';

export type ConnectorType = 'source' | 'sink' | 'unknown';

/** `initial_state` of a new connector. */
export const initialStates = ['RUNNING', 'PAUSED', 'STOPPED'] as const;
export type InitialState = (typeof initialStates)[number];

/** In any case of letters, as Connect reads it; undefined: it is none. */
export function initialStateOf(value: unknown): InitialState | undefined {
  return initialStates.find((state) => typeof value === 'string' && state === value.toUpperCase());
}

/** A configuration as a client gave it; null: no value (PUT and POST refuse it, PATCH takes the property away). */
export type GivenConfig = Readonly<Record<string, string | null>>;

export interface TaskRef {
  readonly connector: string;
  readonly task: number;
}

/** The properties that have a value. */
export function withoutNulls(config: GivenConfig): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(config).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Answer of create, info, and of a change of the configuration. */
export interface ConnectorInfo {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  readonly tasks: readonly TaskRef[];
  readonly type: ConnectorType;
}

export interface StateInfo {
  readonly state: TaskState;
  /** `host:port`. */
  readonly worker_id: string;
  /** Of the plugin; null where it could not be loaded or runs no more. */
  readonly version: string | null;
  readonly trace?: string;
}

export interface TaskStateInfo extends StateInfo {
  readonly id: number;
}

export interface ConnectorStatus {
  readonly name: string;
  readonly connector: StateInfo;
  readonly tasks: readonly TaskStateInfo[];
  readonly type: ConnectorType;
}

export interface TaskInfo {
  readonly id: TaskRef;
  readonly config: Readonly<Record<string, string>>;
}

/** A partition or an offset: a flat JSON object. */
export type OffsetMap = Readonly<Record<string, unknown>>;

export interface ConnectorOffset {
  readonly partition: OffsetMap | null;
  /** Null: there is none; to alter: take it away. */
  readonly offset: OffsetMap | null;
}

export interface ConnectorOffsets {
  readonly offsets: readonly ConnectorOffset[];
}

export interface Message {
  readonly message: string;
}

/** What a client asks a source for. */
export interface SignalRequest {
  /** Absent: one is made. */
  readonly id?: string;
  readonly type: string;
  /** JSON; null: none. */
  readonly data: string | null;
  /** It comes as a record of the source's signal topic. */
  readonly record?: SignalRecord;
}

export interface RestartRequest {
  readonly includeTasks: boolean;
  readonly onlyFailed: boolean;
}

export interface CreateRequest {
  readonly name: string;
  readonly config: GivenConfig;
  readonly initialState?: InitialState;
}

export interface WorkerInfo {
  /** Of Kafka Connect, whose API this is. */
  readonly version: string;
  readonly commit: string;
  /** The log's identity. */
  readonly kafka_cluster_id: string;
}

export interface Health {
  readonly status: 'healthy' | 'starting' | 'unhealthy';
  readonly message: string;
}

/** What the tasks of a worker have told last. */
export interface WorkerMetrics {
  readonly tasks: readonly TaskStatus[];
  readonly sources: readonly SourceMetrics[];
  readonly sinks: readonly SinkMetrics[];
}

/** A connector's plugin, as far as the worker needs it. */
export interface ConnectorPlugin {
  readonly className: string;
  /** Short names that `connector.class` may have, too. */
  readonly aliases: readonly string[];
  readonly type: 'source' | 'sink';
  readonly version: string;
  /** `task.class` of its tasks' configurations. */
  readonly taskClass: string;
  /**
   * Errors of a configuration in Connect's texts (`Invalid value x for configuration y: …`), one a line of the 400; none:
   * it may be started. References are resolved.
   */
  validate(config: GivenConfig, signal: AbortSignal): Promise<readonly string[]>;
  /** Its properties, in the order in which they are shown. */
  readonly keys: readonly ConfigKey[];
  /** Every property with what is wrong with it; those of `validate` are among it. References are not resolved. */
  describe(config: GivenConfig, signal: AbortSignal): Promise<ConfigInfos>;
  /** How many tasks it runs as of this configuration. */
  taskCount(config: Readonly<Record<string, string>>): number;
  /**
   * Checks offsets that someone sets, and says whether they are all that there is to set; absent: as if it said no, and those
   * of a sink cannot be set at all. A null offset is taken away. @throws with the text of the refusal
   */
  alterOffsets?(config: Readonly<Record<string, string>>, offsets: readonly ConnectorOffset[]): boolean;
}

/** All plugins; handed to the worker by the composition root. */
export interface PluginCatalog {
  /**
   * By class name or alias.
   * @throws REQUEST_INVALID with Connect's text, which names all that there are
   */
  find(className: string): ConnectorPlugin;
  all(): readonly ConnectorPlugin[];
}

/**
 * The operations. Each answers as soon as what was asked for is durable in the worker's configuration; what it brings about
 * shows in the status.
 *
 * @throws CONNECTOR_NOT_FOUND, CONNECTOR_CONFLICT, REQUEST_INVALID, REQUEST_FORBIDDEN with Connect's exact texts; any other
 *   is a 500
 */
export interface ConnectService {
  info(): WorkerInfo;
  health(): Health;
  readonly workerId: string;
  readonly plugins: PluginCatalog;
  /** Names, in the order in which they were created. */
  connectors(): readonly string[];
  connector(name: string): ConnectorInfo;
  config(name: string): Readonly<Record<string, string>>;
  /** The configuration has the request's order of members, `name` last. */
  create(request: CreateRequest, signal: AbortSignal): Promise<ConnectorInfo>;
  /** `created`: there was none of this name (201). */
  putConfig(name: string, config: GivenConfig, signal: AbortSignal): Promise<{ readonly created: boolean; readonly info: ConnectorInfo }>;
  patchConfig(name: string, patch: GivenConfig, signal: AbortSignal): Promise<ConnectorInfo>;
  delete(name: string): Promise<void>;
  status(name: string): ConnectorStatus;
  taskStatus(name: string, task: number): TaskStateInfo;
  tasks(name: string): readonly TaskInfo[];
  /** The status with RESTARTING where something restarts; undefined when the connector alone restarts (204). */
  restart(name: string, request: RestartRequest): Promise<ConnectorStatus | undefined>;
  restartTask(name: string, task: number): Promise<void>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  /** Sorted; none for a connector that is not there. */
  activeTopics(name: string): readonly string[];
  resetActiveTopics(name: string): Promise<void>;
  offsets(name: string): Promise<ConnectorOffsets>;
  alterOffsets(name: string, offsets: readonly ConnectorOffset[] | undefined): Promise<Message>;
  resetOffsets(name: string): Promise<Message>;
  /**
   * Gives a running source a signal of Debezium's form; the answer is its id.
   * @throws CONNECTOR_CONFLICT when it does not run, or takes none; REQUEST_INVALID when it reads none through its topic, or by that key
   */
  signal(name: string, request: SignalRequest, signal: AbortSignal): Promise<{ readonly id: string }>;
  metrics(): WorkerMetrics;
  /** How much the worker and its threads tell from now on. */
  setLogLevel(level: LoggingOptions['level']): void;
}

const statusOf: Partial<Readonly<Record<ErrorCode, number>>> = {
  CONNECTOR_NOT_FOUND: 404,
  CONNECTOR_CONFLICT: 409,
  REQUEST_INVALID: 400,
  REQUEST_FORBIDDEN: 403,
  // A reference that a config provider cannot read: the configuration's mistake.
  CONFIG_UNREADABLE: 400,
  CONFIG_INVALID: 400,
};

/** The HTTP status of an error of the service. */
export function connectStatus(error: unknown): number {
  return isMillraceError(error) ? (statusOf[error.code] ?? 500) : 500;
}
