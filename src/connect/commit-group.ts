import type { ChangeBatch } from '../event/change-batch.ts';
import type { DdlRecord } from '../event/ddl-record.ts';
import type { SchemaChange } from '../event/schema-change.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import type { SerializedRecord } from './record.ts';

/** A place between two transactions in a server's binlog. */
export interface SourcePosition {
  /** Binlog file and offset of the next event. */
  readonly file: string;
  readonly pos: number;
  /** GTIDs executed up to here: MySQL's set, MariaDB's list (`0-1-7,1-1-3`); empty when the server has none. */
  readonly gtids: string;
}

/** The transactions of a group, as columns; the ordinal of one is its index. */
export interface TransactionTable {
  readonly count: number;
  /** Distinct GTID sources: MySQL `uuid` or `uuid:tag`, MariaDB `domain-server`; empty text: no GTID. */
  readonly gtidSources: readonly string[];
  /** Per transaction: index in `gtidSources`, and the sequence number. */
  readonly gtidSource: Uint16Array;
  readonly gtidSequence: Float64Array;
  /** Microseconds since the epoch at which the source committed (MySQL 8: exact; else the event's second). */
  readonly committedMicros: Float64Array;
  readonly threadId: Uint32Array;
  readonly serverId: Uint32Array;
  /** Offset of the transaction's GTID event in the group's `file`; set for MariaDB, whose records carry it. */
  readonly pos?: Float64Array;
}

/** The row events (and DDL events) of a group, as columns; `ChangeBatch.events` are indexes in it. */
export interface EventTable {
  readonly count: number;
  /** Per event: the ordinal of its transaction. */
  readonly transaction: Uint32Array;
  /** Offset of the event in the group's `file`. */
  readonly pos: Float64Array;
  /** The event header's timestamp: seconds since the epoch. */
  readonly seconds: Uint32Array;
  /** With transaction metadata: records of the event's transaction before it, and those of its table among them. */
  readonly order?: EventOrder;
  /** With `include.query`: per event the statement that made it; null where the binlog does not tell. */
  readonly queries?: readonly (string | null)[];
}

export interface EventOrder {
  readonly total: Uint32Array;
  readonly ofTable: Uint32Array;
}

/** A transaction that begins or ends, as Debezium's transaction topic tells it. */
export interface TransactionMark {
  readonly status: 'BEGIN' | 'END';
  readonly id: string;
  /** Microseconds since the epoch. */
  readonly micros: number;
  /** Records per table, in the order of their first; of an END. */
  readonly tables: readonly (TableId & { readonly records: number })[];
}

/** What a snapshot does, as Debezium's notification topic tells it. */
export interface SnapshotNotification {
  readonly id: string;
  /** `STARTED`, `IN_PROGRESS`, `TABLE_SCAN_COMPLETED`, … */
  readonly type: string;
  /** `Initial Snapshot` or `Incremental Snapshot`. */
  readonly aggregate: string;
  /** `additional_data`, in the order in which it is written. */
  readonly data: readonly (readonly [name: string, value: string])[];
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

export type Entry =
  | { readonly kind: 'changes'; readonly batch: ChangeBatch }
  /**
   * Changes that only topics take: a chunk of a resync brings sinks what they did, or sinks cannot take them (rows of a
   * table without a key, by an incremental snapshot).
   */
  | { readonly kind: 'told'; readonly batch: ChangeBatch }
  /** A DDL statement, at its place in the order; `changes` is empty when it touches no captured table. */
  | {
      readonly kind: 'schema';
      readonly database: string;
      readonly statement: string;
      /** Index in the group's `events`; -1: it came without one (tables of a source without a snapshot, a table that went while it was read). */
      readonly event: number;
      readonly changes: readonly SchemaChange[];
    }
  /**
   * A snapshot of tables begins: sinks keep what they have of them as it is and load chunks, and the tables' changes from
   * here on, aside. A table already in an unfinished snapshot starts anew.
   */
  | {
      readonly kind: 'snapshotBegin';
      readonly snapshot: string;
      readonly tables: readonly TableSchema[];
      /** Whether the source had no earlier state of them: nothing is shown until the end. */
      readonly initial: boolean;
      /** These are all tables that the source captures: what else a sink has of it is gone there. */
      readonly whole?: boolean;
      /** Of one that is not initial: its rows are records all the same (a blocking snapshot). */
      readonly told?: boolean;
    }
  /** Rows of one table (all `op.read`), read at `position`. Sinks never see a change that a chunk already holds. */
  | {
      readonly kind: 'chunk';
      readonly snapshot: string;
      readonly batch: ChangeBatch;
      readonly position: SourcePosition;
      /** The server's clock when the chunk was read, in microseconds since the epoch. */
      readonly readMicros?: number;
      /** The chunk's first row is the first of its table, or of the whole snapshot. */
      readonly first?: 'table' | 'snapshot';
      /** The chunk's last row is the last of its table, or of the whole snapshot. */
      readonly last?: 'table' | 'snapshot';
    }
  /**
   * Records of one topic as bytes, in their order: of a connector with transformations or converters of its own, and of
   * topics that are no tables (transactions, heartbeats, notifications). `told`: of changes that only topics take, as above.
   */
  | { readonly kind: 'records'; readonly topic: string; readonly records: readonly SerializedRecord[]; readonly told?: boolean }
  /** What the schema-change topic says, of captured tables and others; sinks go by `schema` alone. */
  | { readonly kind: 'ddl'; readonly records: readonly DdlRecord[] }
  /** Transactions of the source, of captured tables or not: with `provide.transaction.metadata`. */
  | { readonly kind: 'transactionMarks'; readonly marks: readonly TransactionMark[] }
  /** With `notification.enabled.channels`. */
  | { readonly kind: 'notifications'; readonly topic: string; readonly notifications: readonly SnapshotNotification[] }
  /** The source is alive: with `heartbeat.interval.ms`. */
  | { readonly kind: 'heartbeat'; readonly micros: number }
  /** The chunks and changes of these tables are now together a state that the source had: swap them in, all at once. */
  | { readonly kind: 'snapshotEnd'; readonly snapshot: string; readonly tables: readonly TableId[] };

/**
 * The unit of the log: whole source transactions of one source, hundreds of small ones together, in commit order. A
 * transaction over the size bound spans several groups, all but the last of them `open`.
 */
export interface CommitGroup {
  /** `topic.prefix` of the source. */
  readonly source: string;
  /** Number in the log, from 1, without gaps per source; 0 before it is appended. */
  readonly seq: number;
  /** Where the source goes on after this group; for an open group: where its transaction begins. */
  readonly position: SourcePosition;
  /** The last transaction goes on in the next group: no consistent state ends here. */
  readonly open: boolean;
  /** Binlog file that `events.pos` counts in. */
  readonly file: string;
  /** The source's own clock when it made the group, in microseconds since the epoch. */
  readonly madeMicros?: number;
  /** Of the start of the source's task, a UUID of version 7: a header of its records. */
  readonly run?: string;
  readonly transactions: TransactionTable;
  readonly events: EventTable;
  readonly entries: readonly Entry[];
}

/** Of groups whose records or position belong to no transaction. */
export const noTransactions: TransactionTable = {
  count: 0,
  gtidSources: [],
  gtidSource: new Uint16Array(0),
  gtidSequence: new Float64Array(0),
  committedMicros: new Float64Array(0),
  threadId: new Uint32Array(0),
  serverId: new Uint32Array(0),
};

export const noEvents: EventTable = { count: 0, transaction: new Uint32Array(0), pos: new Float64Array(0), seconds: new Uint32Array(0) };

/** Milliseconds since the epoch of the newest commit in the group; 0 without transactions. */
export function newestCommitMs(group: CommitGroup): number {
  const { count, committedMicros } = group.transactions;
  return count === 0 ? 0 : Math.floor((committedMicros[count - 1] ?? 0) / 1000);
}
