import type { GtidSet } from './gtid-set.ts';
import type { MariadbGtid } from './mariadb-gtid.ts';
import type { QueryStatus } from './query-event.ts';
import type { TableMap } from './table-map.ts';

export type { QueryStatus } from './query-event.ts';
export type { TableMap } from './table-map.ts';

/**
 * What every event has. `file` and `nextPosition` name the place behind it; for events that lie in no file (heartbeats,
 * what the dump thread makes up) that is the place where the stream already was. Exact at the end of each transaction;
 * inside, MariaDB 11.7 and newer write no positions, and sizes are added up, which leaves out what was not sent.
 *
 * A compressed transaction of MySQL is one event of the file. The events in it have the place before it and no size, but
 * for the last one, which has the place behind it and its size: `nextPosition - size` is where each of them is read from.
 */
export interface EventHeader {
  readonly file: string;
  readonly nextPosition: number;
  /** Seconds since 1970, when the statement began; 0 for artificial events. */
  readonly timestamp: number;
  /** The server that wrote it first. */
  readonly serverId: number;
  /** Bytes of the event in the file, header and checksum included. */
  readonly size: number;
  readonly flags: number;
}

/** The stream goes on in `file` at `position`; also the first event of a stream. */
export interface RotateEvent extends EventHeader {
  readonly type: 'ROTATE';
  readonly position: number;
  /** Made up by the dump thread, at its start and when it opens a file. */
  readonly artificial: boolean;
}

export interface FormatDescriptionEvent extends EventHeader {
  readonly type: 'FORMAT_DESCRIPTION';
  readonly binlogVersion: number;
  readonly serverVersion: string;
  /** Whether the events that follow end with a CRC32. */
  readonly checksum: boolean;
  /** Seconds since 1970 when the server started, in its first file after a start; else 0. */
  readonly created: number;
}

/** MySQL: all transactions before this file. */
export interface PreviousGtidsEvent extends EventHeader {
  readonly type: 'PREVIOUS_GTIDS';
  readonly gtids: GtidSet;
}

/** MySQL: begins a transaction. */
export interface GtidEvent extends EventHeader {
  readonly type: 'GTID';
  /** Without an id, because `gtid_mode` is off: `source` is empty, `gno` 0. */
  readonly anonymous: boolean;
  /** `uuid`, or `uuid:tag`. */
  readonly source: string;
  readonly gno: number;
  /** The logical clock of parallel replicas: it may run beside those after `lastCommitted`. */
  readonly lastCommitted: number;
  readonly sequenceNumber: number;
  /** Microseconds since 1970, on the server that committed first, and on this one; undefined if the server did not write it. */
  readonly originalCommitMicros: number | undefined;
  readonly immediateCommitMicros: number | undefined;
  /** Bytes of the whole transaction, this event included; undefined if not written. */
  readonly transactionLength: number | undefined;
}

/** MariaDB: begins a transaction; there is no BEGIN. The server of the id is the header's `serverId`. */
export interface MariadbGtidEvent extends EventHeader {
  readonly type: 'MARIADB_GTID';
  readonly domain: number;
  readonly sequence: number;
  /** One statement follows and ends the transaction without COMMIT. */
  readonly standalone: boolean;
  readonly transactional: boolean;
  readonly ddl: boolean;
  /** Transactions with the same id were committed together. */
  readonly groupCommitId: bigint | undefined;
  readonly xa: 'prepared' | 'completed' | undefined;
  /** Of a DDL statement that is logged twice (`binlog_alter_two_phase`), which part this is. */
  readonly alter: 'start' | 'commit' | 'rollback' | undefined;
}

/** MariaDB: the last transactions of each domain and server before this file. */
export interface GtidListEvent extends EventHeader {
  readonly type: 'GTID_LIST';
  readonly gtids: readonly MariadbGtid[];
}

/** A statement: BEGIN, COMMIT, DDL, and rows where the format is not ROW. */
export interface QueryEvent extends EventHeader {
  readonly type: 'QUERY';
  readonly threadId: number;
  readonly executionSeconds: number;
  readonly errorCode: number;
  /** The default database, which may be empty. */
  readonly database: string;
  readonly sql: string;
  readonly status: QueryStatus;
  /** It is a transaction by itself: no COMMIT follows. */
  readonly standalone: boolean;
}

/** COMMIT of a transaction. */
export interface XidEvent extends EventHeader {
  readonly type: 'XID';
  readonly xid: bigint;
}

/** Ends an XA transaction: prepared under its xid, or committed if `onePhase`. */
export interface XaPrepareEvent extends EventHeader {
  readonly type: 'XA_PREPARE';
  readonly onePhase: boolean;
  readonly formatId: number;
  readonly gtrid: Uint8Array;
  readonly bqual: Uint8Array;
}

/** The table that later ROWS events of the statement refer to. `table` is the same object as long as its definition is the same. */
export interface TableMapEvent extends EventHeader {
  readonly type: 'TABLE_MAP';
  readonly tableId: number;
  readonly table: TableMap;
}

interface RowsEventBase extends EventHeader {
  readonly type: 'ROWS';
  readonly table: TableMap;
  /** PARTIAL_UPDATE_ROWS: an after image begins with its value options, and JSON columns may be diffs. */
  readonly partial: boolean;
  /** The row images are `bytes[start, end)`; a view that stays valid as long as it is referenced. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** The last rows event of its statement. */
  readonly endOfStatement: boolean;
}

/** Bitmaps of columns, lowest bit first: which columns each before and each after image holds. */
export type RowsEvent =
  | (RowsEventBase & { readonly kind: 'insert'; readonly presentBefore: undefined; readonly presentAfter: Uint8Array })
  | (RowsEventBase & { readonly kind: 'update'; readonly presentBefore: Uint8Array; readonly presentAfter: Uint8Array })
  | (RowsEventBase & { readonly kind: 'delete'; readonly presentBefore: Uint8Array; readonly presentAfter: undefined });

/** The statement whose rows follow, where the server is set to write it (MySQL ROWS_QUERY, MariaDB ANNOTATE_ROWS). */
export interface RowsQueryEvent extends EventHeader {
  readonly type: 'ROWS_QUERY';
  readonly sql: string;
}

/** The server is there, and has sent everything up to `file` and `nextPosition`. */
export interface HeartbeatEvent extends EventHeader {
  readonly type: 'HEARTBEAT';
}

/** The server says that events are missing here. */
export interface IncidentEvent extends EventHeader {
  readonly type: 'INCIDENT';
  readonly incident: number;
  readonly message: string;
}

/** The server was shut down here. */
export interface StopEvent extends EventHeader {
  readonly type: 'STOP';
}

/** An event that carries nothing for a row-based reader, by name. */
export interface OtherEvent extends EventHeader {
  readonly type: 'OTHER';
  readonly code: number;
  readonly name: string;
}

/**
 * Not from the server: the stream was cut and goes on. Whatever came of the transaction that was open comes again
 * from its start; the consumer forgets it.
 */
export interface ReconnectedEvent extends EventHeader {
  readonly type: 'RECONNECTED';
  /** Connections tried since the cut. */
  readonly attempts: number;
  /** What had cut it. */
  readonly reason: string;
}

export type BinlogEvent =
  | RotateEvent
  | FormatDescriptionEvent
  | PreviousGtidsEvent
  | GtidEvent
  | MariadbGtidEvent
  | GtidListEvent
  | QueryEvent
  | XidEvent
  | XaPrepareEvent
  | TableMapEvent
  | RowsEvent
  | RowsQueryEvent
  | HeartbeatEvent
  | IncidentEvent
  | StopEvent
  | OtherEvent
  | ReconnectedEvent;
