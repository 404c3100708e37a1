import type { ChangeBatch } from '../event/change-batch.ts';
import type { ColumnRules } from '../config/column-rules.ts';
import type { TableId } from '../event/table-schema.ts';
import type { SignalConfig } from './signals/signal-config.ts';
import type { SnapshotSelection } from './snapshot-selection.ts';

/** TLS of the connection to the server; PEM texts, already read from their files. */
export interface TlsConfig {
  readonly mode: 'disabled' | 'preferred' | 'required' | 'verify_ca' | 'verify_identity';
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where and as whom to connect. */
export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly tls: TlsConfig;
  readonly connectTimeoutMs: number;
  /** Run on each new connection. */
  readonly initialStatements?: readonly string[];
}

/** What the schema-change topic tells of: captured tables, and others of databases that are. */
export interface DescribedTables {
  takesDatabase(database: string): boolean;
  takesTable(table: TableId): boolean;
  /** Also of statements that change no table. */
  readonly takesOthers: boolean;
}

export type SnapshotMode = 'initial' | 'initial_only' | 'no_data' | 'when_needed' | 'always' | 'recovery';

/** A MySQL or MariaDB source connector's configuration, parsed and checked. */
export interface SourceConfig {
  /** The connector's name. */
  readonly name: string;
  readonly flavor: 'mysql' | 'mariadb';
  readonly server: ServerConfig;
  readonly serverId: number;
  readonly topicPrefix: string;
  /** `database.*` and `table.*` include and exclude lists. System databases are never captured. */
  captures(table: TableId): boolean;
  /** `column.*` include and exclude lists; key columns are always captured. */
  capturesColumn(table: TableId, column: string): boolean;
  /** Place of the pattern of `table.include.list` that takes the table, which snapshots follow; 0 without a list. */
  tableRank(table: TableId): number;
  /** `gtid.source.*`: whether rows of the transactions of a GTID source (`uuid`, `domain-server`) are left out; undefined: none are. */
  readonly leavesOut?: ((gtidSource: string) => boolean) | undefined;
  readonly rules: ColumnRules;
  /** Undefined: any number of tables may be captured. */
  readonly guardrail?: { readonly most: number; readonly fails: boolean } | undefined;
  /** Whether records tell of TRUNCATE: `skipped.operations` without `t`. */
  readonly tellsTruncate: boolean;
  /** Records per batch, without tombstones, for transaction metadata; undefined: there is none. */
  readonly countRecords?: ((batch: ChangeBatch) => number) | undefined;
  /** `include.query`. */
  readonly tellsQueries: boolean;
  /** `millrace.compat`: the text of a document marks the values that Debezium prints in a form of its own. */
  readonly marksDocuments: boolean;
  /** Undefined: there is no schema-change topic. */
  readonly described?: DescribedTables | undefined;
  readonly snapshotMode: SnapshotMode;
  /** Debezium's schema history, which tells a takeover of the tables at its offset. */
  readonly historyFile?: string | undefined;
  readonly snapshotSelection: SnapshotSelection;
  readonly snapshotThreads: number;
  readonly signals: SignalConfig;
  /** Wait before a first snapshot, and before the stream begins after it. */
  readonly snapshotDelayMs: number;
  readonly streamingDelayMs: number;
  /** 0: none. */
  readonly heartbeatIntervalMs: number;
  /** Run on the source at each heartbeat. */
  readonly heartbeatQuery?: string | undefined;
  /** Longest wait for FLUSH TABLES WITH READ LOCK; 0: none is taken. */
  readonly lockWaitMs: number;
  /** Rows of a snapshot chunk, about. */
  readonly chunkRows: number;
  /** A commit group is closed at about this size. */
  readonly groupBytes: number;
}
