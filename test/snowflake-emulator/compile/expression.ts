import { compilationError, unknownForm } from '../snowflake-error.ts';
import type { Call, Expr, OrderItem, Query } from '../sql/ast.ts';
import { isQuery } from '../sql/parse-expression.ts';
import { boolean, type SfType } from '../sql/sf-type.ts';
import { aggregates, windowFunctions } from './aggregates.ts';
import { cast } from './cast.ts';
import type { Argument } from './function.ts';
import { datePart, scalarFunctions, truth } from './functions.ts';
import { path } from './json-functions.ts';
import { align, arithmetic, assertListLength, asText, comparable, compare, concat, unify } from './operators.ts';
import { type Environment, resolveColumn, type Scope } from './scope.ts';
import { type CompiledQuery, quoteText, type Typed } from './typed.ts';

/** Compiles expressions of one scope; `compileQuery` does the queries in them. */
export interface ExpressionContext {
  readonly environment: Environment;
  readonly scope: Scope;
  readonly compileQuery: (query: Query, environment: Environment, outer: Scope | undefined) => CompiledQuery;
}

export function compileExpression(expr: Expr, context: ExpressionContext): Typed {
  const compile = (inner: Expr): Typed => compileExpression(inner, context);
  switch (expr.is) {
    case 'text':
      return { sql: quoteText(expr.value), type: { kind: 'text', length: Math.max(1, Array.from(expr.value).length) } };
    case 'number':
      return numberLiteral(expr.value);
    case 'boolean':
      return { sql: String(expr.value), type: boolean };
    case 'null':
      return { sql: 'NULL', type: { kind: 'null' } };
    case 'bind':
      return context.environment.bind(expr.index);
    case 'column':
      return column(expr.name, context);
    case 'position':
      return resolveColumn(context.scope, [`$${expr.index}`]);
    case 'call':
      return compileCall(expr, context);
    case 'cast':
      return cast(compile(expr.operand), expr.type, expr.attempt ? 'try' : 'explicit');
    case 'unary': {
      const operand = compile(expr.operand);
      if (expr.operator === 'NOT') return { sql: `(NOT ${truth(operand)})`, type: boolean };
      if (operand.type.kind !== 'number' && operand.type.kind !== 'float') {
        throw unknownForm(`${expr.operator} before a ${operand.type.kind}`);
      }
      return { sql: `(${expr.operator}${operand.sql})`, type: operand.type };
    }
    case 'binary':
      return binary(expr.operator, compile(expr.left), compile(expr.right));
    case 'isNull':
      return { sql: `((${compile(expr.operand).sql}) IS ${expr.not ? 'NOT ' : ''}NULL)`, type: boolean };
    case 'between': {
      const operand = compile(expr.operand);
      const sql = `(${compare('>=', operand, compile(expr.low)).sql} AND ${compare('<=', operand, compile(expr.high)).sql})`;
      return { sql: expr.not ? `(NOT ${sql})` : sql, type: boolean };
    }
    case 'in':
      return isIn(expr, context);
    case 'like': {
      const operator = `${expr.not ? 'NOT ' : ''}${expr.ignoreCase ? 'ILIKE' : 'LIKE'}`;
      return { sql: `(${asText(compile(expr.operand), 'LIKE')} ${operator} ${asText(compile(expr.pattern), 'LIKE')})`, type: boolean };
    }
    case 'case':
      return compileCase(expr, compile);
    case 'path':
      return path(compile(expr.operand), expr.step);
    case 'exists':
      return { sql: `EXISTS (${context.compileQuery(expr.query, context.environment, context.scope).sql})`, type: boolean };
    case 'scalar': {
      const query = context.compileQuery(expr.query, context.environment, context.scope);
      const [only] = query.columns;
      if (only === undefined || query.columns.length > 1) throw unknownForm('a subquery of several columns as a value');
      return { sql: `(${query.sql})`, type: only.type };
    }
    case 'row':
      throw unknownForm('a row (a, b) as a value');
  }
}

function numberLiteral(value: string): Typed {
  if (/[eE]/.test(value)) return { sql: `CAST(${value} AS DOUBLE)`, type: { kind: 'float' } };
  const [whole = '', fraction = ''] = value.split('.');
  const precision = Math.max(1, whole.replace(/^0+/, '').length + fraction.length);
  if (precision > 38) throw compilationError('100039', '22003', `Numeric value '${value}' is out of range`);
  const type: SfType = { kind: 'number', precision, scale: fraction.length };
  return {
    sql: `CAST('${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}' AS DECIMAL(${precision},${fraction.length}))`,
    type,
  };
}

/** Functions without parentheses come as names: `CURRENT_TIMESTAMP`. */
function column(name: readonly string[], context: ExpressionContext): Typed {
  return resolveColumn(context.scope, name);
}

function binary(operator: string, left: Typed, right: Typed): Typed {
  switch (operator) {
    case 'AND':
    case 'OR':
      return { sql: `(${truth(left)} ${operator} ${truth(right)})`, type: boolean };
    case '||':
      return concat(left, right);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(operator, left, right);
    default:
      return compare(operator, left, right);
  }
}

function isIn(expr: Extract<Expr, { is: 'in' }>, context: ExpressionContext): Typed {
  const not = expr.not ? 'NOT ' : '';
  const operands = expr.operand.is === 'row' ? expr.operand.items : [expr.operand];
  const left = operands.map((operand) => compileExpression(operand, context));
  if (isQuery(expr.list)) {
    const query = context.compileQuery(expr.list, context.environment, context.scope);
    if (query.columns.length !== left.length) throw unknownForm('IN of another number of columns');
    const alias = context.environment.nextAlias();
    const pairs = left.map((value, index) =>
      align(value, { sql: `${alias}.c${index + 1}`, type: query.columns[index]?.type ?? value.type }),
    );
    const row = (values: readonly string[]): string => (values.length === 1 ? (values[0] ?? '') : `(${values.join(', ')})`);
    const mine = row(pairs.map(([a]) => comparable(a)));
    const theirs = row(pairs.map(([, b]) => comparable(b)));
    return { sql: `(${mine} ${not}IN (SELECT ${theirs} FROM (${query.sql}) ${alias}))`, type: boolean };
  }
  assertListLength(expr.list.length);
  const alternatives = expr.list.map((each) => {
    const items = each.is === 'row' ? each.items : [each];
    if (items.length !== left.length) throw unknownForm('IN of another number of columns');
    return `(${items.map((item, index) => compare('=', left[index] ?? { sql: 'NULL', type: { kind: 'null' } }, compileExpression(item, context)).sql).join(' AND ')})`;
  });
  return { sql: `(${not}(${alternatives.join(' OR ')}))`, type: boolean };
}

function compileCase(expr: Extract<Expr, { is: 'case' }>, compile: (expr: Expr) => Typed): Typed {
  const operand = expr.operand === undefined ? undefined : compile(expr.operand);
  const conditions = expr.whens.map(([when]) => (operand === undefined ? truth(compile(when)) : compare('=', operand, compile(when)).sql));
  const results = expr.whens.map(([, then]) => compile(then));
  const otherwise: Typed = expr.otherwise === undefined ? { sql: 'NULL', type: { kind: 'null' } } : compile(expr.otherwise);
  const unified = unify([...results, otherwise], 'CASE');
  const last = unified.at(-1) ?? otherwise;
  const whens = conditions.map((condition, index) => `WHEN ${condition} THEN ${unified[index]?.sql ?? 'NULL'}`);
  return { sql: `CASE ${whens.join(' ')} ELSE ${last.sql} END`, type: last.type };
}

export function orderBySql(items: readonly OrderItem[], context: ExpressionContext): string {
  if (items.length === 0) return '';
  return `ORDER BY ${items.map((item) => orderItem(item, compileExpression(item.expr, context))).join(', ')}`;
}

/** NULL is the largest value: last in ascending order, first in descending. */
export function orderItem(item: OrderItem, value: Typed): string {
  return `${comparable(value)} ${item.descending ? 'DESC' : 'ASC'} NULLS ${(item.nulls ?? (item.descending ? 'first' : 'last')).toUpperCase()}`;
}

function compileCall(call: Call, context: ExpressionContext): Typed {
  const { name } = call;
  if (name === 'DATE_PART' || name === 'EXTRACT') {
    const [part, value] = call.args;
    const word = part?.is === 'column' ? part.name.at(-1) : part?.is === 'text' ? part.value.toUpperCase() : undefined;
    if (word === undefined || value === undefined) throw unknownForm(name);
    return datePart(word, compileExpression(value, context));
  }
  const args = call.args.map((arg): Argument => ({ ...compileExpression(arg, context), literal: literalOf(arg) }));
  const aggregate = aggregates[name];
  const windowFunction = windowFunctions[name];
  if (call.over !== undefined) {
    const build = windowFunction ?? aggregate;
    if (build === undefined) throw unknownForm(`${name}(…) OVER`);
    const value = build(args, name, { star: call.star, distinct: call.distinct, orderBy: '' });
    return { sql: overWindow(value.sql, call.over, context, windowFunction !== undefined), type: value.type };
  }
  if (windowFunction !== undefined) throw compilationError('002301', '42601', `Window function [${name}] requires an OVER clause.`);
  if (aggregate !== undefined) {
    const orderBy = orderBySql(call.withinGroup ?? [], context);
    return aggregate(args, name, { star: call.star, distinct: call.distinct, orderBy });
  }
  if (call.star || call.distinct) throw unknownForm(`${name}(${call.star ? '*' : 'DISTINCT …'})`);
  const scalar = scalarFunctions[name];
  if (scalar !== undefined) return scalar(args, name);
  const value =
    (args.length === 0 ? context.environment.sessionValue(name) : undefined) ??
    context.environment.systemCall(
      name,
      args.map((arg) => arg.literal),
    );
  if (value !== undefined) return value;
  throw unknownForm(`function ${name}`);
}

function overWindow(sql: string, over: NonNullable<Call['over']>, context: ExpressionContext, ordered: boolean): string {
  if (ordered && over.orderBy.length === 0) {
    throw compilationError('002303', '42601', 'Window function requires ORDER BY in the OVER clause.');
  }
  const partition = over.partitionBy.map((each) => comparable(compileExpression(each, context)));
  const by = partition.length === 0 ? '' : `PARTITION BY ${partition.join(', ')} `;
  // A sum is cast on its way out: OVER belongs to the aggregate within.
  const inner = /^CAST\((.*) AS (DECIMAL\(\d+,\d+\))\)$/s.exec(sql);
  const window = `OVER (${by}${orderBySql(over.orderBy, context)})`;
  return inner === null ? `${sql} ${window}` : `CAST(${inner[1] ?? ''} ${window} AS ${inner[2] ?? ''})`;
}

function literalOf(expr: Expr): string | undefined {
  return expr.is === 'text' || expr.is === 'number' ? expr.value : undefined;
}
