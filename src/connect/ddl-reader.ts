import type { SchemaChange } from '../event/schema-change.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';

/**
 * Follows DDL statements as the server does, without one: for topics that another connector has written. The source's folder
 * knows SQL, the decoder of records does not; whoever composes the two gives it.
 */
export interface DdlReader {
  /** The table as it is now, without the columns that `exclude` has named. */
  find(table: TableId): TableSchema | undefined;
  /**
   * What a statement does to the tables that the reader knows, which are others afterwards. Where it could not be read, or
   * leaves a table in doubt, `define` can say what it has become.
   */
  apply(statement: string, database: string): DdlEffect;
  define(schema: TableSchema): void;
  remove(table: TableId): void;
  /** Columns that records leave out, as the source's column lists say. */
  exclude(table: TableId, columns: readonly string[]): void;
  /** What has changed since the last call: notes that make the same reader when they are all given to a new one. */
  drainNotes(): ReadonlyMap<string, string | null>;
}

export interface DdlEffect {
  readonly changes: readonly SchemaChange[];
  /** Tables whose rows, or definition, the statement leaves in doubt. */
  readonly uncertain: readonly { readonly table: TableId; readonly reason: string }[];
  readonly unreadable: boolean;
}

/** A reader of the statements of this kind of server that goes on from an earlier one's notes. */
export type OpenDdlReader = (flavor: 'mysql' | 'mariadb', notes: ReadonlyMap<string, string>) => DdlReader;
