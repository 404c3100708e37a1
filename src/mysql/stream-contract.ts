import type { QueryEvent } from '../binlog/events.ts';
import type { CommitGroup, SourcePosition } from '../connect/commit-group.ts';
import type { StateRecord } from '../connect/tasks.ts';
import type { ChangeBatchBuilder } from '../event/change-batch.ts';
import type { SchemaChange } from '../event/schema-change.ts';
import type { TableId } from '../event/table-schema.ts';
import type { CapturedTable } from './captured.ts';
import type { Charsets } from './charset.ts';
import type { DescribedDdl } from './ddl/describe-ddl.ts';
import type { GroupBuilder } from './group-builder.ts';
import type { FindRowMask } from './mask-rows.ts';
import type { TransactionMonitor } from './transaction-monitor.ts';

/** What a DDL statement means for the captured tables. */
export interface StatementEffect {
  readonly changes: readonly SchemaChange[];
  readonly state: readonly StateRecord[];
  /** Captured tables whose definition or rows cannot be told from the statement. */
  readonly uncertain: readonly TableId[];
  /** What the schema-change topic tells of it. */
  readonly described: readonly DescribedDdl[];
}

/** The table models of the stream, at its position. */
export interface StreamModels {
  find(database: string, table: string): CapturedTable | undefined;
  /** Whether rows of a table without a model are none of ours. */
  isAbsent(table: TableId): boolean;
  /**
   * Applies a statement that is neither row data nor a transaction's frame, to the tables that `takes` lets. Never throws
   * for the statement's sake.
   */
  apply(statement: QueryEvent, takes: (table: TableId) => boolean): StatementEffect;
}

export interface EventMapperOptions {
  readonly flavor: 'mysql' | 'mariadb';
  /** `topic.prefix`. */
  readonly source: string;
  readonly captures: (table: TableId) => boolean;
  readonly charsets: Charsets;
  readonly models: StreamModels;
  /** Whether rows of the transactions of a GTID source are left out. */
  readonly leavesOut?: ((gtidSource: string) => boolean) | undefined;
  /** An event's table is not captured. */
  readonly onFiltered?: () => void;
  readonly start: StreamPosition;
  readonly masks?: FindRowMask | undefined;
  /** Records tell of TRUNCATE. */
  readonly tellsTruncate?: boolean;
  /** Records tell the statement that made them. */
  readonly tellsQueries?: boolean;
  readonly marksDocuments?: boolean;
  /** Records and a topic tell of transactions. */
  readonly monitor?: TransactionMonitor | undefined;
  /** Of the start of the task. */
  readonly run?: string | undefined;
  /** The server's own. */
  readonly serverId?: number;
  /** A group is closed at about this size. */
  readonly groupBytes: number;
  /** As of `TaskContext`. */
  readonly keepsTables?: (() => boolean) | undefined;
}

/** Where the stream goes on: a position, and what of the transaction there is done already, counted as Debezium does. */
export interface StreamPosition extends SourcePosition {
  /** Events from its BEGIN on, which is the first (MariaDB's GTID event); 0: none of it is done. */
  readonly eventsDone: number;
  /** Rows of the event after those. */
  readonly rowsDone?: number;
  /** To be looked for by GTIDs, where there are some: someone has set it, and the file may be another server's. */
  readonly byGtids?: boolean;
}

/** Whoever looks at what goes into groups, and adds to it. */
export interface StreamWatcher {
  /** Rows from `from` on were added to the batch, all of one event. */
  rows(batch: ChangeBatchBuilder, from: number, at: { readonly event: number; readonly rows: GroupBuilder }): void;
  /** A statement changed tables as a whole. */
  changed(tables: readonly TableId[]): void;
}

export interface MappedGroup {
  readonly group: CommitGroup;
  readonly position: StreamPosition;
  /** Of its newest record, as `ToldPlace` has it; undefined: it has none. */
  readonly told: StreamPosition | undefined;
  readonly state: readonly StateRecord[];
  readonly uncertain: readonly TableId[];
}
