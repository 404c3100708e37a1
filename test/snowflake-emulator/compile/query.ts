import { compilationError, unknownForm } from '../snowflake-error.ts';
import type { Expr, FromItem, Name, Query, Select, SetBody } from '../sql/ast.ts';
import type { SfType } from '../sql/sf-type.ts';
import { compileExpression, type ExpressionContext, orderItem } from './expression.ts';
import { truth } from './functions.ts';
import { cast } from './cast.ts';
import { assertListLength, comparable, commonType } from './operators.ts';
import { answersTo, type Environment, type Relation, type Scope } from './scope.ts';
import type { CompiledQuery, OutputColumn, Source, Typed } from './typed.ts';

/** A query in DuckDB's SQL; its columns are `c1`, `c2`, …. */
export function compileQuery(query: Query, environment: Environment, outer?: Scope): CompiledQuery {
  const inner = query.with.length === 0 ? environment : withTables(query, environment, outer);
  const { body } = query;
  if (body.is === 'select') return compileSelect(body, query, inner, outer);
  const compiled = compileSet(body, inner, outer);
  if (query.orderBy.length === 0 && query.limit === undefined && query.offset === undefined) return compiled;
  const alias = inner.nextAlias();
  const scope: Scope = { relations: [{ alias: undefined, name: [], duckName: alias, columns: compiled.columns }], alias: undefined, outer };
  const context = contextOf(inner, scope);
  const order = orderBy(query, (expr) => positionOf(expr, compiled.columns, alias) ?? compileExpression(expr, context));
  return { sql: `SELECT * FROM (${compiled.sql}) ${alias} ${order}${limit(query, context)}`, columns: compiled.columns };
}

export function contextOf(environment: Environment, scope: Scope): ExpressionContext {
  return { environment, scope, compileQuery };
}

/** The tables of a WITH clause hide others of their name. */
function withTables(query: Query, environment: Environment, outer: Scope | undefined): Environment {
  const tables = new Map<string, Source>();
  const inner: Environment = {
    ...environment,
    table: (name, at) => {
      const found = name.length === 1 && at === undefined ? tables.get(name[0] ?? '') : undefined;
      return found ?? environment.table(name, at);
    },
  };
  for (const each of query.with) {
    const compiled = renamed(compileQuery(each.query, inner, outer), each.columns);
    tables.set(each.name, { ...compiled, name: [each.name] });
  }
  return inner;
}

function renamed(compiled: CompiledQuery, names: readonly string[] | undefined): CompiledQuery {
  if (names === undefined) return compiled;
  if (names.length !== compiled.columns.length) throw compilationError('002057', '42601', 'column list does not match the query');
  return { sql: compiled.sql, columns: compiled.columns.map((column, index) => ({ ...column, name: names[index] ?? column.name })) };
}

function compileSet(body: SetBody, environment: Environment, outer: Scope | undefined): CompiledQuery {
  switch (body.is) {
    case 'select':
      return compileSelect(body, undefined, environment, outer);
    case 'nested':
      return compileQuery(body.query, environment, outer);
    case 'values':
      return compileValues(body.rows, environment, outer);
    case 'set': {
      const left = compileSet(body.left, environment, outer);
      const right = compileSet(body.right, environment, outer);
      if (left.columns.length !== right.columns.length) {
        throw compilationError('001789', '42601', `invalid number of result columns for set operator input branches`);
      }
      if (body.operator !== 'UNION ALL') assertDistinct([...left.columns, ...right.columns].map((column) => column.type));
      const columns = left.columns.map((column, index): OutputColumn => {
        const other = right.columns[index] ?? column;
        return { name: column.name, type: commonType(column.type, other.type, body.operator), nullable: column.nullable || other.nullable };
      });
      return { sql: `(${converted(left, columns)}) ${body.operator} (${converted(right, columns)})`, columns };
    }
  }
}

/** Of two TIMESTAMP_TZ that are one instant in two zones, Snowflake keeps one. */
function assertDistinct(types: readonly SfType[]): void {
  if (types.some((type) => type.kind === 'timestamp_tz')) throw unknownForm('distinct values of a TIMESTAMP_TZ (cast it)');
}

function converted(query: CompiledQuery, columns: readonly OutputColumn[]): string {
  const items = columns.map((column, index) => {
    const from: Typed = { sql: `c${index + 1}`, type: query.columns[index]?.type ?? column.type };
    return `${JSON.stringify(from.type) === JSON.stringify(column.type) ? from.sql : cast(from, column.type, 'explicit').sql} AS c${index + 1}`;
  });
  return `SELECT ${items.join(', ')} FROM (${query.sql})`;
}

/** `VALUES (…), (…)`: each column has the one type that all of its values go into. */
export function compileValues(rows: readonly (readonly Expr[])[], environment: Environment, outer: Scope | undefined): CompiledQuery {
  assertListLength(rows.length);
  const context = contextOf(environment, { relations: [], alias: undefined, outer });
  const compiled = rows.map((row) => row.map((expr) => compileExpression(expr, context)));
  const width = compiled[0]?.length ?? 0;
  if (compiled.some((row) => row.length !== width)) throw compilationError('001789', '42601', 'VALUES rows of different lengths');
  const columns = Array.from({ length: width }, (_, index): OutputColumn => {
    let type = compiled[0]?.[index]?.type ?? { kind: 'null' as const };
    for (const row of compiled) type = commonType(type, row[index]?.type ?? type, 'VALUES');
    return { name: `COLUMN${index + 1}`, type, nullable: true };
  });
  const selects = compiled.map((row) => {
    const items = row.map((value, index) => {
      const type = columns[index]?.type ?? value.type;
      return `${type.kind === 'null' ? value.sql : cast(value, type, 'explicit').sql} AS c${index + 1}`;
    });
    return `SELECT ${items.join(', ')}`;
  });
  return { sql: selects.join(' UNION ALL '), columns };
}

interface Item {
  readonly name: string;
  readonly value: Typed;
  readonly nullable: boolean;
}

function compileSelect(select: Select, query: Query | undefined, environment: Environment, outer: Scope | undefined): CompiledQuery {
  const relations: Relation[] = [];
  const from = compileFrom(select.from, environment, relations, outer);
  const aliases = aliasesOf(select);
  const compiledAliases = new Map<string, Typed>();
  const pending = new Set<string>();
  const scope: Scope = {
    relations,
    outer,
    // An alias stands for its expression, which may use other aliases.
    alias: (name) => {
      const expr = aliases.get(name);
      if (expr === undefined || pending.has(name)) return undefined;
      const known = compiledAliases.get(name);
      if (known !== undefined) return known;
      pending.add(name);
      const value = compileExpression(expr, context);
      pending.delete(name);
      compiledAliases.set(name, value);
      return value;
    },
  };
  const context = contextOf(environment, scope);
  const items = select.items.flatMap((item): readonly Item[] => {
    if (item.is === 'star') return star(item.qualifier, item.exclude, relations);
    const value = compileExpression(item.expr, context);
    return [{ name: item.alias ?? nameOf(item.expr), value, nullable: nullable(item.expr, relations) }];
  });
  if (select.distinct) assertDistinct(items.map((item) => item.value.type));
  const output = items.map((item): OutputColumn => ({ name: item.name, type: item.value.type, nullable: item.nullable }));
  const byPosition = (expr: Expr): Typed | undefined => (expr.is === 'number' ? items[Number(expr.value) - 1]?.value : undefined);
  const parts = [
    `SELECT ${select.distinct ? 'DISTINCT ' : ''}${items.map((item, index) => `${item.value.sql} AS c${index + 1}`).join(', ')}`,
  ];
  if (from !== '') parts.push(`FROM ${from}`);
  if (select.where !== undefined) parts.push(`WHERE ${truth(compileExpression(select.where, context))}`);
  if (select.groupBy === 'all') parts.push('GROUP BY ALL');
  else if (select.groupBy.length > 0) {
    parts.push(`GROUP BY ${select.groupBy.map((expr) => comparable(byPosition(expr) ?? compileExpression(expr, context))).join(', ')}`);
  }
  if (select.having !== undefined) parts.push(`HAVING ${truth(compileExpression(select.having, context))}`);
  if (select.qualify !== undefined && !hasWindow([select.qualify, select.items])) {
    throw compilationError('002303', '42601', 'QUALIFY needs a window function in its predicate or in the select list');
  }
  if (select.qualify !== undefined) parts.push(`QUALIFY ${truth(compileExpression(select.qualify, context))}`);
  if (query !== undefined) {
    parts.push(orderBy(query, (expr) => byPosition(expr) ?? compileExpression(expr, context)) + limit(query, context));
  }
  return { sql: parts.join(' '), columns: output };
}

/** Whether there is an OVER somewhere in a piece of a statement. */
function hasWindow(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  if ('over' in part && part.over !== undefined) return true;
  return Object.values(part).some(hasWindow);
}

function aliasesOf(select: Select): ReadonlyMap<string, Expr> {
  return new Map(
    select.items.flatMap((item) => (item.is === 'item' && item.alias !== undefined ? [[item.alias, item.expr] as const] : [])),
  );
}

function star(qualifier: Name | undefined, exclude: readonly string[], relations: readonly Relation[]): readonly Item[] {
  const chosen = qualifier === undefined ? relations : relations.filter((relation) => answersTo(relation, qualifier));
  if (chosen.length === 0) throw compilationError('002003', '42S02', `invalid identifier '${(qualifier ?? ['*']).join('.')}'`);
  return chosen.flatMap((relation) =>
    relation.columns.flatMap((column, index): readonly Item[] =>
      exclude.includes(column.name)
        ? []
        : [{ name: column.name, value: { sql: `${relation.duckName}.c${index + 1}`, type: column.type }, nullable: column.nullable }],
    ),
  );
}

function nullable(expr: Expr, relations: readonly Relation[]): boolean {
  if (expr.is !== 'column' || relations.length !== 1) return true;
  return relations[0]?.columns.find((column) => column.name === expr.name.at(-1))?.nullable ?? true;
}

/** The name of a column that has no alias: a column's own, else its expression's text, roughly. */
function nameOf(expr: Expr): string {
  switch (expr.is) {
    case 'column':
      return expr.name.at(-1) ?? '';
    case 'call':
      return `${expr.name}(${expr.star ? '*' : expr.args.map(nameOf).join(', ')})`;
    case 'number':
      return expr.value;
    case 'text':
      return `'${expr.value}'`;
    case 'null':
      return 'NULL';
    case 'boolean':
      return String(expr.value).toUpperCase();
    case 'bind':
      return '?';
    case 'position':
      return `$${expr.index}`;
    case 'path':
      return `${nameOf(expr.operand)}:${expr.step}`;
    case 'cast':
      return `CAST(${nameOf(expr.operand)} AS ${expr.type.kind.toUpperCase()})`;
    case 'binary':
      return `${nameOf(expr.left)} ${expr.operator} ${nameOf(expr.right)}`;
    case 'unary':
    case 'isNull':
    case 'between':
    case 'in':
    case 'like':
    case 'case':
    case 'exists':
    case 'scalar':
    case 'row':
      return expr.is.toUpperCase();
  }
}

function positionOf(expr: Expr, columns: readonly OutputColumn[], alias: string): Typed | undefined {
  const index = expr.is === 'number' ? Number(expr.value) : 0;
  const column = columns[index - 1];
  return column === undefined ? undefined : { sql: `${alias}.c${index}`, type: column.type };
}

function orderBy(query: Query, compile: (expr: Expr) => Typed): string {
  if (query.orderBy.length === 0) return '';
  return `ORDER BY ${query.orderBy.map((item) => orderItem(item, compile(item.expr))).join(', ')}`;
}

function limit(query: Query, context: ExpressionContext): string {
  const part = (word: string, expr: Expr | undefined): string =>
    expr === undefined ? '' : ` ${word} CAST(${compileExpression(expr, context).sql} AS BIGINT)`;
  return part('LIMIT', query.limit) + part('OFFSET', query.offset);
}

/** SQL of a FROM clause; the tables in it are added to `relations`. */
export function compileFrom(items: readonly FromItem[], environment: Environment, relations: Relation[], outer: Scope | undefined): string {
  return items.map((item) => compileRelation(item, environment, relations, outer)).join(', ');
}

function compileRelation(item: FromItem, environment: Environment, relations: Relation[], outer: Scope | undefined): string {
  const enter = (source: CompiledQuery, alias: string | undefined, name: Name): string => {
    const duckName = environment.nextAlias();
    relations.push({ alias, name, duckName, columns: source.columns });
    return `(${source.sql}) ${duckName}`;
  };
  switch (item.is) {
    case 'table': {
      const source = environment.table(item.name, item.at);
      return enter(source, item.alias, source.name);
    }
    case 'query':
      return enter(renamed(compileQuery(item.query, environment, outer), item.columns), item.alias, []);
    case 'stage': {
      const source = environment.stage(item.stage, item.options);
      return enter(source, item.alias, source.name);
    }
    case 'function': {
      if (item.lateral) throw unknownForm('LATERAL');
      return enter(environment.tableFunction(item.call), item.alias, []);
    }
    case 'join':
      return join(item, environment, relations, outer);
  }
}

function join(item: Extract<FromItem, { is: 'join' }>, environment: Environment, relations: Relation[], outer: Scope | undefined): string {
  if (item.using !== undefined) throw unknownForm('JOIN … USING (write ON)');
  const left = compileRelation(item.left, environment, relations, outer);
  const right = compileRelation(item.right, environment, relations, outer);
  if (item.kind === 'cross') return `${left} CROSS JOIN ${right}`;
  const context = contextOf(environment, { relations, alias: undefined, outer });
  const on = item.on === undefined ? 'true' : truth(compileExpression(item.on, context));
  return `${left} ${item.kind.toUpperCase()} JOIN ${right} ON ${on}`;
}
