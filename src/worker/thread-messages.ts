/** What the threads of a worker say to each other. Rows never pass here, but for the answers of `query` and `verify`. */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorData } from '../base/errors.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { SourceSignal } from '../connect/tasks.ts';
import type { TableId } from '../event/table-schema.ts';
import type { SinkMetrics, SourceMetrics } from './metrics.ts';
import type { TaskState } from './task-state.ts';

/** How a thread logs. */
export interface LoggingOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'text' | 'json';
  readonly color: boolean;
  /** Without it: standard error. */
  readonly file?: string;
}

/** How much the log keeps; see its options. */
export interface LogSettings {
  readonly maxBytes: number;
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

interface ThreadData {
  readonly dataFolder: string;
  readonly logging: LoggingOptions;
  readonly logSettings: LogSettings;
}

/** `workerData` of the thread of a source. */
export interface SourceThreadData extends ThreadData {
  readonly connector: ConnectorConfig;
  /** It begins as PAUSED. */
  readonly paused: boolean;
}

/** `workerData` of the thread of sinks: those that it begins with; for a warehouse those that write to it. */
export interface SinkThreadData extends ThreadData {
  readonly sinks: readonly SinkStart[];
}

export interface SinkStart {
  readonly connector: ConnectorConfig;
  /** Names of the sources that may feed it. */
  readonly sources: readonly string[];
  readonly paused: boolean;
}

/** From the main thread. */
export type ToThread =
  /** Ends when nothing is half done: a source after its append, a sink after it has drained the log. */
  | { readonly kind: 'stop' }
  /** To a source: nothing is polled until `resume`. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** From now on its loggers tell as much. */
  | { readonly kind: 'logLevel'; readonly level: LoggingOptions['level'] }
  /** To a source: its end of the channel through which it wakes a warehouse. To a warehouse: the end that wakes it. */
  | { readonly kind: 'wakePort'; readonly port: MessagePort }
  /** To a warehouse: another thread that calls its methods. What it has pinned is released when the port closes. */
  | { readonly kind: 'callPort'; readonly port: MessagePort };

/** To the main thread. */
export type FromThread =
  | { readonly kind: 'state'; readonly connector: string; readonly state: TaskState; readonly error: ErrorData | undefined }
  | { readonly kind: 'source'; readonly metrics: SourceMetrics }
  | { readonly kind: 'sinks'; readonly metrics: readonly SinkMetrics[] }
  /** Tables of a source (`database.table`; none: all) that a sink cannot go on with from the log. */
  | { readonly kind: 'resync'; readonly source: string; readonly tables: readonly string[]; readonly reason: string }
  /** Everything is closed; the thread exits by itself. */
  | { readonly kind: 'ended' };

/** Messages of our own threads; those with `rpc` are calls. */
export function isToThread(message: unknown): message is ToThread {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

export function isFromThread(message: unknown): message is FromThread {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

/** What the thread of a source does on demand. */
export type SourceMethods = {
  /** Tables as `database.table`; none: all. Resolves when the snapshot is asked for, not when it is there. */
  resync: { params: { readonly tables: readonly string[] }; result: null };
  /** Resolves when the signal is taken, not when what it asks for is done. */
  signal: { params: SourceSignal; result: null };
};

/** What a thread of sinks does for the main thread. */
export type SinkThreadMethods = {
  /** Another sink; resolves when it has begun, whatever comes of it. One of its name must have been stopped before. */
  startSink: { params: SinkStart; result: null };
  /** Commits what it was given and takes no more until `resumeSink`. */
  pauseSink: { params: { readonly connector: string }; result: null };
  resumeSink: { params: { readonly connector: string }; result: null };
  /** Commits what it was given and closes it; resolves when it is closed. */
  stopSink: { params: { readonly connector: string }; result: null };
  /** A source that may feed all sinks of the thread. */
  addSource: { params: { readonly source: string }; result: null };
};

export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Values as the warehouse prints them. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** There were more rows than asked for. */
  readonly truncated: boolean;
}

export interface RowCount {
  /** Its connector. */
  readonly sink: string;
  /** `schema.table` in the replica. */
  readonly table: string;
  /** Rows that readers see; undefined while the first snapshot is loaded. */
  readonly rows: number | undefined;
  /** Rows of a snapshot that is being loaded. */
  readonly loading: number | undefined;
}

/** Kinds of replicas that can be read through the thread of their sinks. */
export type WarehouseKind = 'duckdb' | 'snowflake';

/** A table in the replica. */
export interface ReplicaTable {
  readonly source: string;
  readonly id: TableId;
  readonly columns: readonly string[];
  /** Their names there, where they are others. */
  readonly replicaColumns?: readonly string[];
  readonly replicaSchema: string;
  readonly replicaName: string;
  /** Of Snowflake: the statement whose state is read. */
  readonly statement?: string;
  /** Those of `columns` whose types nothing tells: guesses. */
  readonly guessed: readonly string[];
}

/** What the thread of a warehouse does on demand. */
export type WarehouseMethods = {
  query: { params: { readonly sql: string; readonly maxRows: number }; result: QueryAnswer };
  rowCounts: { params: null; result: readonly RowCount[] };
  tables: { params: { readonly connector: string }; result: readonly ReplicaTable[] };
  /** The sink commits nothing of the source, but for `pinAt`, until released or the caller has gone. Gives the hold's number. */
  hold: { params: { readonly connector: string; readonly source: string }; result: number };
  release: { params: { readonly hold: number }; result: null };
  /**
   * Commits exactly at the position and pins a reader of these tables there, which `pinnedQuery` uses until `unpin`. Gives the
   * pin's number.
   */
  pinAt: {
    params: { readonly connector: string; readonly source: string; readonly position: SourcePosition; readonly tables: readonly TableId[] };
    result: number;
  };
  pinnedQuery: { params: { readonly pin: number; readonly sql: string }; result: readonly (readonly (string | null)[])[] };
  /** A table as it was where the pin is; undefined when readers saw none there. */
  pinnedTable: {
    params: { readonly pin: number; readonly connector: string; readonly source: string; readonly id: TableId };
    result: ReplicaTable | undefined;
  };
  unpin: { params: { readonly pin: number }; result: null };
};
