import type { SfType } from './sf-type.ts';

/** A name as Snowflake resolves it: folded already, one to three parts. */
export type Name = readonly string[];

export type Expr =
  | { readonly is: 'text'; readonly value: string }
  | { readonly is: 'number'; readonly value: string }
  | { readonly is: 'boolean'; readonly value: boolean }
  | { readonly is: 'null' }
  | { readonly is: 'bind'; readonly index: number }
  | { readonly is: 'column'; readonly name: Name }
  | { readonly is: 'position'; readonly index: number }
  | Call
  | { readonly is: 'cast'; readonly operand: Expr; readonly type: SfType; readonly attempt: boolean }
  | { readonly is: 'unary'; readonly operator: '-' | '+' | 'NOT'; readonly operand: Expr }
  | { readonly is: 'binary'; readonly operator: string; readonly left: Expr; readonly right: Expr }
  | { readonly is: 'isNull'; readonly operand: Expr; readonly not: boolean }
  | { readonly is: 'between'; readonly operand: Expr; readonly low: Expr; readonly high: Expr; readonly not: boolean }
  | { readonly is: 'in'; readonly operand: Expr; readonly list: readonly Expr[] | Query; readonly not: boolean }
  | { readonly is: 'like'; readonly operand: Expr; readonly pattern: Expr; readonly not: boolean; readonly ignoreCase: boolean }
  | {
      readonly is: 'case';
      readonly operand: Expr | undefined;
      readonly whens: readonly (readonly [Expr, Expr])[];
      readonly otherwise: Expr | undefined;
    }
  | { readonly is: 'path'; readonly operand: Expr; readonly step: string | number }
  | { readonly is: 'exists'; readonly query: Query }
  | { readonly is: 'scalar'; readonly query: Query }
  | { readonly is: 'row'; readonly items: readonly Expr[] };

export interface Call {
  readonly is: 'call';
  readonly name: string;
  readonly args: readonly Expr[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly withinGroup: readonly OrderItem[] | undefined;
  readonly over: Window | undefined;
}

export interface OrderItem {
  readonly expr: Expr;
  readonly descending: boolean;
  readonly nulls: 'first' | 'last' | undefined;
}

export interface Window {
  readonly partitionBy: readonly Expr[];
  readonly orderBy: readonly OrderItem[];
}

export interface Query {
  readonly with: readonly { readonly name: string; readonly columns: readonly string[] | undefined; readonly query: Query }[];
  readonly body: SetBody;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expr | undefined;
  readonly offset: Expr | undefined;
}

export type SetBody =
  | Select
  | { readonly is: 'set'; readonly operator: string; readonly left: SetBody; readonly right: SetBody }
  | { readonly is: 'values'; readonly rows: readonly (readonly Expr[])[] }
  | { readonly is: 'nested'; readonly query: Query };

export interface Select {
  readonly is: 'select';
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  readonly from: readonly FromItem[];
  readonly where: Expr | undefined;
  readonly groupBy: readonly Expr[] | 'all';
  readonly having: Expr | undefined;
  readonly qualify: Expr | undefined;
}

export type SelectItem =
  | { readonly is: 'star'; readonly qualifier: Name | undefined; readonly exclude: readonly string[] }
  | { readonly is: 'item'; readonly expr: Expr; readonly alias: string | undefined };

/** `AT(STATEMENT => …)`, `BEFORE(…)`, `AT(TIMESTAMP => …)`, `AT(OFFSET => …)`. */
export interface TimeTravel {
  readonly before: boolean;
  readonly by: 'STATEMENT' | 'TIMESTAMP' | 'OFFSET';
  readonly value: Expr;
}

export interface StageRef {
  /** The stage's name; of a table's own stage the table's. */
  readonly name: Name;
  readonly kind: 'named' | 'table' | 'user';
  /** Without a leading slash. */
  readonly path: string;
}

export type FromItem =
  | { readonly is: 'table'; readonly name: Name; readonly alias: string | undefined; readonly at: TimeTravel | undefined }
  | { readonly is: 'query'; readonly query: Query; readonly alias: string | undefined; readonly columns: readonly string[] | undefined }
  | { readonly is: 'stage'; readonly stage: StageRef; readonly alias: string | undefined; readonly options: Options }
  | { readonly is: 'function'; readonly call: Call; readonly alias: string | undefined; readonly lateral: boolean }
  | {
      readonly is: 'join';
      readonly kind: 'inner' | 'left' | 'right' | 'full' | 'cross';
      readonly left: FromItem;
      readonly right: FromItem;
      readonly on: Expr | undefined;
      readonly using: readonly string[] | undefined;
    };

/** `NAME = value` pairs of a statement, names in upper case. */
export type OptionValue = string | number | boolean | readonly string[] | OptionMap;
export interface OptionMap {
  readonly [name: string]: OptionValue;
}
export type Options = OptionMap;

export interface ColumnDefinition {
  readonly name: string;
  readonly type: SfType;
  readonly nullable: boolean;
  readonly primaryKey: boolean;
  readonly defaultValue: Expr | undefined;
  readonly comment: string | undefined;
}

export interface MergeClause {
  readonly matched: boolean;
  readonly condition: Expr | undefined;
  readonly action:
    | { readonly is: 'delete' }
    | { readonly is: 'update'; readonly set: readonly (readonly [string, Expr])[] }
    | { readonly is: 'insert'; readonly columns: readonly string[] | undefined; readonly values: readonly Expr[] };
}
