import type { ColumnDefinition, Expr, FromItem, MergeClause, Name, Options, Query, StageRef, TimeTravel } from './ast.ts';
import type { SfType } from './sf-type.ts';

export type TableKind = 'permanent' | 'transient' | 'temporary';
export type ObjectKind = 'DYNAMIC TABLE' | 'TABLE' | 'VIEW' | 'SCHEMA' | 'DATABASE' | 'STAGE' | 'FILE FORMAT' | 'STREAM' | 'TASK';

export type Statement =
  | { readonly is: 'begin'; readonly name: string }
  | { readonly is: 'commit' | 'rollback' }
  | { readonly is: 'use'; readonly kind: 'ROLE' | 'WAREHOUSE' | 'DATABASE' | 'SCHEMA' | 'SECONDARY ROLES'; readonly name: Name }
  | { readonly is: 'setParameters'; readonly parameters: Options }
  | { readonly is: 'unsetParameters'; readonly names: readonly string[] }
  | { readonly is: 'warehouse'; readonly action: string }
  | { readonly is: 'query'; readonly query: Query }
  | Insert
  | Update
  | Delete
  | Merge
  | { readonly is: 'truncate'; readonly table: Name; readonly ifExists: boolean }
  | Copy
  | Put
  | { readonly is: 'list'; readonly stage: StageRef; readonly pattern: string | undefined }
  | { readonly is: 'remove'; readonly stage: StageRef; readonly pattern: string | undefined }
  | CreateTable
  | CreateContainer
  | CreateFiles
  | {
      readonly is: 'createView';
      readonly name: Name;
      readonly create: Create;
      readonly columns: readonly string[] | undefined;
      readonly query: Query;
      readonly text: string;
    }
  | CreateStream
  | CreateTask
  | { readonly is: 'drop'; readonly kind: ObjectKind; readonly name: Name; readonly ifExists: boolean }
  | { readonly is: 'alterTable'; readonly table: Name; readonly ifExists: boolean; readonly actions: readonly AlterAction[] }
  | { readonly is: 'alterSchema'; readonly name: Name; readonly rename: Name | undefined; readonly swap: Name | undefined }
  | { readonly is: 'alterTask'; readonly name: Name; readonly ifExists: boolean; readonly action: 'RESUME' | 'SUSPEND' }
  | { readonly is: 'alterDynamicTable'; readonly name: Name; readonly action: 'REFRESH' | 'RESUME' | 'SUSPEND' }
  | { readonly is: 'executeTask'; readonly name: Name }
  | { readonly is: 'describe'; readonly kind: 'TABLE' | 'VIEW' | 'STAGE' | 'STREAM' | 'TASK'; readonly name: Name }
  | { readonly is: 'show'; readonly what: string; readonly like: string | undefined; readonly scope: ShowScope | undefined };

export interface Create {
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
}

export interface CreateContainer {
  readonly is: 'createSchema' | 'createDatabase';
  readonly name: Name;
  readonly create: Create;
  readonly clone: CloneOf | undefined;
  readonly transient: boolean;
}

export interface CreateFiles {
  readonly is: 'createStage' | 'createFileFormat';
  readonly name: Name;
  readonly create: Create;
  readonly temporary: boolean;
  readonly options: Options;
}

export interface CloneOf {
  readonly name: Name;
  readonly at: TimeTravel | undefined;
}

export interface ShowScope {
  readonly kind: 'ACCOUNT' | 'DATABASE' | 'SCHEMA' | 'TABLE';
  readonly name: Name;
}

export interface Insert {
  readonly is: 'insert';
  readonly table: Name;
  readonly overwrite: boolean;
  readonly columns: readonly string[] | undefined;
  readonly query: Query;
}

export interface Update {
  readonly is: 'update';
  readonly table: Name;
  readonly alias: string | undefined;
  readonly set: readonly (readonly [string, Expr])[];
  readonly from: readonly FromItem[];
  readonly where: Expr | undefined;
}

export interface Delete {
  readonly is: 'delete';
  readonly table: Name;
  readonly alias: string | undefined;
  readonly using: readonly FromItem[];
  readonly where: Expr | undefined;
}

export interface Merge {
  readonly is: 'merge';
  readonly table: Name;
  readonly alias: string | undefined;
  readonly source: FromItem;
  readonly on: Expr;
  readonly clauses: readonly MergeClause[];
}

export interface Copy {
  readonly is: 'copy';
  readonly table: Name;
  readonly columns: readonly string[] | undefined;
  /** Either whole files, or a SELECT of their columns. */
  readonly stage: StageRef;
  readonly transformation: Query | undefined;
  readonly files: readonly string[] | undefined;
  readonly pattern: string | undefined;
  readonly options: Options;
}

export interface Put {
  readonly is: 'put';
  readonly file: string;
  readonly stage: StageRef;
  readonly options: Options;
}

export interface CreateTable {
  readonly is: 'createTable';
  readonly name: Name;
  readonly create: Create;
  readonly kind: TableKind;
  readonly columns: readonly ColumnDefinition[] | undefined;
  readonly columnNames: readonly string[] | undefined;
  readonly primaryKey: readonly string[];
  readonly query: Query | undefined;
  readonly like: Name | undefined;
  readonly clone: CloneOf | undefined;
  readonly options: Options;
  /** Of a dynamic table: the text of its query. */
  readonly dynamic?: string;
}

export interface CreateStream {
  readonly is: 'createStream';
  readonly name: Name;
  readonly create: Create;
  readonly table: Name;
  readonly at: TimeTravel | undefined;
  readonly options: Options;
}

export interface CreateTask {
  readonly is: 'createTask';
  readonly name: Name;
  readonly create: Create;
  readonly options: Options;
  readonly after: readonly Name[];
  readonly when: string | undefined;
  /** A statement, or a block `BEGIN …; END`. */
  readonly body: string;
}

export type AlterAction =
  | { readonly is: 'addColumn'; readonly column: ColumnDefinition; readonly ifNotExists: boolean }
  | { readonly is: 'dropColumn'; readonly column: string; readonly ifExists: boolean }
  | { readonly is: 'renameColumn'; readonly column: string; readonly to: string }
  | { readonly is: 'setType'; readonly column: string; readonly type: SfType }
  | { readonly is: 'setNotNull' | 'dropNotNull' | 'dropDefault'; readonly column: string }
  | { readonly is: 'comment'; readonly column: string; readonly text: string }
  | { readonly is: 'renameTo'; readonly name: Name }
  | { readonly is: 'swapWith'; readonly name: Name }
  | { readonly is: 'addPrimaryKey'; readonly columns: readonly string[] }
  | { readonly is: 'dropPrimaryKey' }
  | { readonly is: 'set'; readonly options: Options };
