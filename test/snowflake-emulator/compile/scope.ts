import { compilationError } from '../snowflake-error.ts';
import type { Call, Name, StageRef, TimeTravel, Options } from '../sql/ast.ts';
import type { OutputColumn, Source, Typed } from './typed.ts';

/** A table of a FROM clause: where its columns are, and what they may be called by. */
export interface Relation {
  readonly alias: string | undefined;
  /** The full name of what has no alias. */
  readonly name: Name;
  /** DuckDB's name of it in this query. */
  readonly duckName: string;
  readonly columns: readonly OutputColumn[];
}

/** What a query asks of the session that runs it. */
export interface Environment {
  readonly sessionValue: (name: string) => Typed | undefined;
  readonly bind: (index: number) => Typed;
  readonly table: (name: Name, at: TimeTravel | undefined) => Source;
  readonly stage: (stage: StageRef, options: Options) => Source;
  readonly tableFunction: (call: Call) => Source;
  /** Functions of the service: `SYSTEM$…`, `LAST_QUERY_ID`. */
  readonly systemCall: (name: string, args: readonly (string | undefined)[]) => Typed | undefined;
  nextAlias: () => string;
}

/** The names that an expression may use: columns first, then aliases of the select list, then the query around. */
export interface Scope {
  readonly relations: readonly Relation[];
  readonly alias: ((name: string) => Typed | undefined) | undefined;
  readonly outer: Scope | undefined;
}

export function resolveColumn(scope: Scope, name: Name): Typed {
  for (let current: Scope | undefined = scope; current !== undefined; current = current.outer) {
    const found = inRelations(current.relations, name) ?? (name.length === 1 ? current.alias?.(name[0] ?? '') : undefined);
    if (found !== undefined) return found;
  }
  throw compilationError('000904', '42000', `error line 1 at position 0\ninvalid identifier '${name.map(shown).join('.')}'`);
}

function inRelations(relations: readonly Relation[], name: Name): Typed | undefined {
  const column = name.at(-1) ?? '';
  const qualifier = name.slice(0, -1);
  const found: Typed[] = [];
  for (const relation of relations) {
    if (qualifier.length > 0 && !answersTo(relation, qualifier)) continue;
    relation.columns.forEach((each, index) => {
      if (each.name === column) found.push({ sql: `${relation.duckName}.c${index + 1}`, type: each.type });
    });
  }
  if (found.length > 1) throw compilationError('000979', '42601', `ambiguous column name '${column}'`);
  return found[0];
}

export function answersTo(relation: Relation, qualifier: Name): boolean {
  if (relation.alias !== undefined) return qualifier.length === 1 && qualifier[0] === relation.alias;
  return qualifier.length <= relation.name.length && qualifier.every((part, index) => part === relation.name.at(index - qualifier.length));
}

function shown(part: string): string {
  return /^[A-Z_][A-Z0-9_$]*$/.test(part) ? part : `"${part}"`;
}
