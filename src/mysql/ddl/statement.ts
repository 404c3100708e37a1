import type { TableId } from '../../event/table-schema.ts';
import type { NativeType } from '../column-type.ts';

/** A default as written. `now` is CURRENT_TIMESTAMP with so many fraction digits. */
export type DefaultValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'now'; readonly fsp: number; readonly written?: string }
  | { readonly kind: 'expression'; readonly text: string }
  /** `value` is the text, or the digits of a number (with its sign), a hexadecimal or a bit literal. */
  | { readonly kind: 'text' | 'number' | 'hex' | 'bit'; readonly value: string; readonly introducer?: string; readonly written?: string };

/** Character set and collation as a clause names them; `charset` is lower case, or `default`. */
export interface CharsetClause {
  readonly charset?: string;
  readonly collation?: string;
  /** The BINARY attribute: the character set's binary collation. */
  readonly binary?: boolean;
  /** The character set is named by a word of its own: ASCII, UNICODE, BYTE. */
  readonly byWord?: boolean;
}

/** A column definition as written: what is not there was not said. */
export interface ColumnDefinition extends CharsetClause {
  readonly name: string;
  /** Synonyms resolved; sizes and widths as written. */
  readonly type: NativeType;
  readonly nullable?: boolean;
  readonly default?: DefaultValue;
  readonly onUpdateNow?: boolean;
  readonly autoIncrement?: boolean;
  readonly generated?: 'virtual' | 'stored';
  readonly versioning?: 'start' | 'end';
  readonly invisible?: boolean;
  readonly comment?: string;
  readonly key?: 'primary' | 'unique';
  /** REFERENCES: a foreign key of this column. */
  readonly references?: boolean;
}

export interface KeyPart {
  /** null: an expression. */
  readonly column: string | null;
  /** Prefix length, in characters. */
  readonly length?: number;
}

export interface KeyDefinition {
  /** `foreign` makes a key of its own where no other serves. */
  readonly kind: 'primary' | 'unique' | 'index' | 'foreign' | 'fulltext' | 'spatial' | 'vector';
  readonly name?: string;
  readonly parts: readonly KeyPart[];
  readonly usingHash?: boolean;
  readonly ifNotExists?: boolean;
  /** MariaDB: UNIQUE (…, p WITHOUT OVERLAPS) has the columns of the period p. */
  readonly withoutOverlaps?: string;
}

export interface PeriodDefinition {
  readonly name: string;
  readonly start: string;
  readonly end: string;
}

export type Position = 'first' | { readonly after: string };

export type AlterAction =
  | { readonly kind: 'addColumn'; readonly column: ColumnDefinition; readonly position?: Position; readonly ifNotExists: boolean }
  | { readonly kind: 'dropColumn'; readonly column: string; readonly ifExists: boolean }
  /** MODIFY has the same name twice. */
  | {
      readonly kind: 'changeColumn';
      readonly from: string;
      readonly column: ColumnDefinition;
      readonly position?: Position;
      readonly ifExists: boolean;
    }
  | { readonly kind: 'renameColumn'; readonly from: string; readonly to: string; readonly ifExists: boolean }
  /** `default` undefined: DROP DEFAULT. */
  | { readonly kind: 'alterDefault'; readonly column: string; readonly default: DefaultValue | undefined; readonly ifExists: boolean }
  | { readonly kind: 'alterVisibility'; readonly column: string; readonly invisible: boolean }
  | { readonly kind: 'addKey'; readonly key: KeyDefinition }
  | { readonly kind: 'dropKey'; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'dropPrimaryKey'; readonly ifExists: boolean }
  /** DROP CONSTRAINT: a key, a foreign key or a check. */
  | { readonly kind: 'dropConstraint'; readonly name: string }
  | { readonly kind: 'renameKey'; readonly from: string; readonly to: string }
  | { readonly kind: 'rename'; readonly to: TableId }
  | { readonly kind: 'convertCharset'; readonly charset: CharsetClause }
  | { readonly kind: 'defaultCharset'; readonly charset: CharsetClause }
  | { readonly kind: 'comment'; readonly comment: string }
  | { readonly kind: 'addPeriod'; readonly period: PeriodDefinition }
  | { readonly kind: 'dropPeriod'; readonly name: string }
  | { readonly kind: 'versioning'; readonly on: boolean }
  /** Every row is gone. */
  | { readonly kind: 'truncate' }
  /** It changes rows, or what it changes was not understood; of these tables too. */
  | { readonly kind: 'uncertain'; readonly reason: string; readonly tables: readonly TableId[] };

export interface TableOptions {
  readonly charset?: CharsetClause;
  readonly comment?: string;
  readonly versioning?: boolean;
  readonly engine?: string;
}

/** What a statement does to columns, keys, names and existence of tables; names are as written, with the database filled in. */
export type DdlStatement =
  | {
      readonly kind: 'createTable';
      readonly table: TableId;
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      readonly columns: readonly ColumnDefinition[];
      readonly keys: readonly KeyDefinition[];
      readonly periods: readonly PeriodDefinition[];
      readonly options: TableOptions;
      readonly like?: TableId;
      /** CREATE TABLE … SELECT: columns that the statement does not name. */
      readonly asSelect: boolean;
    }
  | {
      readonly kind: 'alterTable';
      readonly table: TableId;
      readonly ifExists: boolean;
      /** ALTER IGNORE TABLE: rows that break a key are dropped. */
      readonly ignore: boolean;
      readonly actions: readonly AlterAction[];
    }
  | { readonly kind: 'dropTables'; readonly tables: readonly TableId[] }
  | {
      readonly kind: 'renameTables';
      readonly ifExists: boolean;
      readonly renames: readonly { readonly from: TableId; readonly to: TableId }[];
    }
  | { readonly kind: 'truncateTable'; readonly table: TableId }
  | {
      readonly kind: 'createDatabase';
      readonly database: string;
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      readonly charset: CharsetClause;
    }
  | { readonly kind: 'alterDatabase'; readonly database: string; readonly charset: CharsetClause }
  | { readonly kind: 'dropDatabase'; readonly database: string }
  /** It touches no column, key, name or row of a table. */
  | { readonly kind: 'irrelevant' }
  /** It may change these tables in a way that is not known. Empty: any table, the statement could not be read. */
  | { readonly kind: 'uncertain'; readonly tables: readonly TableId[]; readonly reason: string };
