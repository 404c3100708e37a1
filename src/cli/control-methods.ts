import type { SignalRecord } from '../connect/signal-record.ts';
import type { SinkMetrics, SourceMetrics } from '../worker/metrics.ts';
import type { TaskStatus } from '../worker/herder.ts';
import type { QueryAnswer, RowCount } from '../worker/thread-messages.ts';
import type { ReplicasReport, ReplicaVerdict } from './verify-replicas.ts';

export interface WorkerStatus {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly tasks: readonly TaskStatus[];
  readonly sources: readonly SourceMetrics[];
  readonly sinks: readonly SinkMetrics[];
  /** Replica files of the worker. */
  readonly files: readonly string[];
}

export interface QueryParams {
  readonly sql: string;
  readonly maxRows: number;
  /** The replica, where the worker has several: its file, or a connector that writes to it. */
  readonly file?: string;
  readonly sink?: string;
}

export interface VerifyParams {
  /** `database.table`; empty: all. */
  readonly tables: readonly string[];
  readonly onePosition: boolean;
  readonly maxDifferences: number;
}

export interface SignalParams {
  readonly connector: string;
  readonly type: string;
  /** JSON. */
  readonly data: string | null;
  /** It comes as a record of the source's signal topic. */
  readonly record: SignalRecord | null;
}

export interface ResyncAnswer {
  readonly sources: readonly string[];
}

/** What a running worker does for other commands: parameters, events before the answer, and the answer. */
export type ControlMethods = {
  status: { params: null; event: never; result: WorkerStatus };
  query: { params: QueryParams; event: never; result: QueryAnswer };
  rowCounts: { params: null; event: never; result: readonly RowCount[] };
  /** `database.table`; empty: all. */
  resync: { params: { readonly tables: readonly string[] }; event: never; result: ResyncAnswer };
  /** Gives the source of this name a signal; the answer is its id. */
  signal: { params: SignalParams; event: never; result: { readonly id: string } };
  verify: { params: VerifyParams; event: ReplicaVerdict; result: ReplicasReport };
};
