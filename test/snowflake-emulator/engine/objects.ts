import type { Expr, Options } from '../sql/ast.ts';
import type { SfType } from '../sql/sf-type.ts';
import type { TableKind } from '../sql/statement.ts';

/** Where an object stands. */
interface Placed {
  readonly id: number;
  name: string;
  schemaId: number;
  readonly createdMs: number;
  /** Of temporary objects: whose they are. */
  readonly sessionId?: number;
  comment?: string;
}

export interface SchemaObject {
  readonly kind: 'schema';
  readonly id: number;
  database: string;
  name: string;
  readonly transient: boolean;
  readonly createdMs: number;
}

export interface DatabaseObject {
  readonly kind: 'database';
  readonly id: number;
  readonly name: string;
  readonly createdMs: number;
}

export interface Column {
  /** Names DuckDB's column: `c<id>`; names of Snowflake may differ in case alone. */
  readonly id: number;
  readonly name: string;
  readonly type: SfType;
  readonly nullable: boolean;
  readonly defaultValue?: Expr;
  readonly comment?: string;
}

export interface TableObject extends Placed {
  readonly kind: 'table';
  readonly tableKind: TableKind;
  columns: readonly Column[];
  primaryKey: readonly string[];
  nextColumn: number;
  retentionDays: number;
  /** Of a dynamic table: its query, and where its names are looked for. */
  readonly dynamic?: { readonly text: string; readonly database: string | undefined; readonly schema: string | undefined };
  /** The version that made it; older data there is none. */
  readonly createdVersion: number;
  /** Versions before this one have been thrown away. */
  oldestVersion: number;
  /** The columns that earlier versions had, the oldest first. */
  formerColumns: readonly { readonly untilVersion: number; readonly columns: readonly Column[] }[];
}

export interface ViewObject extends Placed {
  readonly kind: 'view';
  readonly columns: readonly string[] | undefined;
  readonly text: string;
}

export interface StageObject extends Placed {
  readonly kind: 'stage';
  readonly options: Options;
}

export interface FileFormatObject extends Placed {
  readonly kind: 'fileFormat';
  readonly options: Options;
}

export interface StreamObject extends Placed {
  readonly kind: 'stream';
  readonly tableId: number;
  readonly appendOnly: boolean;
  /** The stream shows what came after this version. */
  offset: number;
}

export interface TaskObject extends Placed {
  readonly kind: 'task';
  readonly options: Options;
  readonly when: string | undefined;
  readonly body: string;
  state: 'started' | 'suspended';
  /** The database and schema that names in its body are resolved in. */
  readonly database: string;
  readonly schema: string;
}

export type SchemaMember = TableObject | ViewObject | StageObject | FileFormatObject | StreamObject | TaskObject;
export type CatalogObject = SchemaMember | SchemaObject | DatabaseObject;

export type MemberKind = SchemaMember['kind'];

/** Tables, views and streams share their names. */
export function nameSpace(kind: MemberKind): string {
  return kind === 'view' || kind === 'stream' ? 'table' : kind;
}
