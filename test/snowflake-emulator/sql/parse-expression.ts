import { unknownForm } from '../snowflake-error.ts';
import type { Call, Expr, OrderItem, Query, Window } from './ast.ts';
import { type SfType, sfType } from './sf-type.ts';
import type { TokenReader } from './token-reader.ts';

const comparisons = new Set(['=', '<>', '!=', '<', '<=', '>', '>=']);
/** Reserved words that name functions, too. */
const callableWords = new Set(['LEFT', 'RIGHT', 'CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME', 'CURRENT_USER']);
/** Functions that are written without parentheses. */
const bare = new Set(['CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME', 'CURRENT_USER']);

export function parseExpression(reader: TokenReader): Expr {
  let left = parseAnd(reader);
  while (reader.acceptWords('OR')) left = { is: 'binary', operator: 'OR', left, right: parseAnd(reader) };
  return left;
}

function parseAnd(reader: TokenReader): Expr {
  let left = parseNot(reader);
  while (reader.acceptWords('AND')) left = { is: 'binary', operator: 'AND', left, right: parseNot(reader) };
  return left;
}

function parseNot(reader: TokenReader): Expr {
  if (reader.acceptWords('NOT')) return { is: 'unary', operator: 'NOT', operand: parseNot(reader) };
  return parsePredicate(reader);
}

function parsePredicate(reader: TokenReader): Expr {
  let left = parseSum(reader);
  for (;;) {
    const token = reader.peek();
    if (token.kind === 'symbol' && comparisons.has(token.text)) {
      reader.next();
      left = { is: 'binary', operator: token.text === '!=' ? '<>' : token.text, left, right: parseSum(reader) };
      continue;
    }
    const predicate = parseWordPredicate(reader, left);
    if (predicate === undefined) return left;
    left = predicate;
  }
}

function parseWordPredicate(reader: TokenReader, operand: Expr): Expr | undefined {
  if (reader.acceptWords('IS')) {
    const not = reader.acceptWords('NOT');
    if (reader.acceptWords('NULL')) return { is: 'isNull', operand, not };
    if (reader.acceptWords('DISTINCT')) {
      reader.expectWords('FROM');
      const equal: Expr = callOf('EQUAL_NULL', [operand, parseSum(reader)]);
      return not ? equal : { is: 'unary', operator: 'NOT', operand: equal };
    }
    throw reader.fail();
  }
  const not = reader.isWord('NOT') && ['IN', 'BETWEEN', 'LIKE', 'ILIKE', 'RLIKE', 'REGEXP'].some((word) => reader.isWord(word, 1));
  if (not) reader.next();
  if (reader.acceptWords('BETWEEN')) {
    const low = parseSum(reader);
    reader.expectWords('AND');
    return { is: 'between', operand, low, high: parseSum(reader), not };
  }
  if (reader.acceptWords('IN')) {
    reader.expectSymbol('(');
    const list = startsQuery(reader) ? reader.query() : reader.list(() => parseExpression(reader));
    reader.expectSymbol(')');
    return { is: 'in', operand, list, not };
  }
  const like = reader.acceptOne('LIKE', 'ILIKE');
  if (like !== undefined) {
    if (reader.isWord('ANY') || reader.isWord('ALL')) throw unknownForm(`${like} ANY`);
    const pattern = parseSum(reader);
    if (reader.acceptWords('ESCAPE')) throw unknownForm(`${like} … ESCAPE`);
    return { is: 'like', operand, pattern, not, ignoreCase: like === 'ILIKE' };
  }
  if (reader.isWord('RLIKE') || reader.isWord('REGEXP')) throw unknownForm(reader.peek().text.toUpperCase());
  return undefined;
}

function parseSum(reader: TokenReader): Expr {
  let left = parseProduct(reader);
  for (;;) {
    const operator = ['+', '-', '||'].find((symbol) => reader.acceptSymbol(symbol));
    if (operator === undefined) return left;
    left = { is: 'binary', operator, left, right: parseProduct(reader) };
  }
}

function parseProduct(reader: TokenReader): Expr {
  let left = parseUnary(reader);
  for (;;) {
    const operator = ['*', '/', '%'].find((symbol) => reader.acceptSymbol(symbol));
    if (operator === undefined) return left;
    left = { is: 'binary', operator, left, right: parseUnary(reader) };
  }
}

function parseUnary(reader: TokenReader): Expr {
  if (reader.acceptSymbol('-')) return { is: 'unary', operator: '-', operand: parseUnary(reader) };
  if (reader.acceptSymbol('+')) return { is: 'unary', operator: '+', operand: parseUnary(reader) };
  return parsePostfix(reader);
}

/** `x::T`, `x:"k"."l"[0]` */
function parsePostfix(reader: TokenReader): Expr {
  let operand = parsePrimary(reader);
  for (;;) {
    if (reader.acceptSymbol('::')) {
      operand = { is: 'cast', operand, type: parseType(reader), attempt: false };
    } else if (reader.isSymbol(':') && reader.peek(1).kind !== 'number') {
      reader.next();
      operand = { is: 'path', operand, step: pathKey(reader) };
      while (reader.acceptSymbol('.')) operand = { is: 'path', operand, step: pathKey(reader) };
    } else if (reader.acceptSymbol('[')) {
      const token = reader.next();
      if (token.kind !== 'string' && !(token.kind === 'number' && /^\d+$/.test(token.text))) throw unknownForm('a computed index in […]');
      operand = { is: 'path', operand, step: token.kind === 'string' ? token.text : Number(token.text) };
      reader.expectSymbol(']');
      while (reader.acceptSymbol('.')) operand = { is: 'path', operand, step: pathKey(reader) };
    } else {
      return operand;
    }
  }
}

/** Keys of a path keep their case, quoted or not. */
function pathKey(reader: TokenReader): string {
  const token = reader.peek();
  if (token.kind !== 'word' && token.kind !== 'quoted') throw reader.fail();
  return reader.next().text;
}

function parsePrimary(reader: TokenReader): Expr {
  const token = reader.peek();
  if (token.kind === 'string') return { is: 'text', value: reader.next().text };
  if (token.kind === 'number') return { is: 'number', value: reader.next().text };
  if (reader.acceptSymbol('?')) return { is: 'bind', index: reader.nextBind() };
  if (reader.isSymbol(':') && reader.peek(1).kind === 'number') {
    reader.next();
    return { is: 'bind', index: reader.integer() };
  }
  if (reader.acceptSymbol('$')) return { is: 'position', index: reader.integer() };
  if (reader.acceptSymbol('(')) return parseParenthesized(reader);
  if (token.kind === 'word') {
    const special = parseKeyword(reader);
    if (special !== undefined) return special;
  }
  const callable = token.kind === 'word' && reader.isSymbol('(', 1);
  if (callable && (reader.isIdentifier() || callableWords.has(token.text.toUpperCase()))) {
    return parseCall(reader);
  }
  if (!reader.isIdentifier()) throw reader.fail();
  return { is: 'column', name: columnName(reader) };
}

/** Up to four parts: database, schema, table, column. `x.$1` is a position of a staged file's row. */
function columnName(reader: TokenReader): readonly string[] {
  const parts = [reader.identifier()];
  while (parts.length < 4 && reader.isSymbol('.') && (reader.isIdentifier(1) || reader.peek(1).kind === 'word')) {
    reader.next();
    parts.push(reader.fold(reader.next()));
  }
  return parts;
}

function parseParenthesized(reader: TokenReader): Expr {
  if (startsQuery(reader)) {
    const query = reader.query();
    reader.expectSymbol(')');
    return { is: 'scalar', query };
  }
  const items = reader.list(() => parseExpression(reader));
  reader.expectSymbol(')');
  const [first] = items;
  return items.length === 1 && first !== undefined ? first : { is: 'row', items };
}

export function startsQuery(reader: TokenReader): boolean {
  return reader.isWord('SELECT') || reader.isWord('WITH') || (reader.isWord('VALUES') && reader.isSymbol('(', 1));
}

function parseKeyword(reader: TokenReader): Expr | undefined {
  if (reader.acceptWords('NULL')) return { is: 'null' };
  if (reader.acceptWords('TRUE')) return { is: 'boolean', value: true };
  if (reader.acceptWords('FALSE')) return { is: 'boolean', value: false };
  if (reader.acceptWords('CASE')) return parseCase(reader);
  if (reader.acceptWords('EXISTS')) {
    reader.expectSymbol('(');
    const query = reader.query();
    reader.expectSymbol(')');
    return { is: 'exists', query };
  }
  const cast = reader.acceptOne('CAST', 'TRY_CAST');
  if (cast !== undefined) {
    reader.expectSymbol('(');
    const operand = parseExpression(reader);
    reader.expectWords('AS');
    const type = parseType(reader);
    reader.expectSymbol(')');
    return { is: 'cast', operand, type, attempt: cast === 'TRY_CAST' };
  }
  const typed = ['DATE', 'TIMESTAMP', 'TIME', 'INTERVAL'].find((word) => reader.isWord(word) && reader.peek(1).kind === 'string');
  if (typed !== undefined) throw unknownForm(`${typed} '…' (write CAST('…' AS …))`);
  const word = reader.peek().text.toUpperCase();
  if (bare.has(word) && !reader.isSymbol('(', 1)) {
    reader.next();
    return callOf(word, []);
  }
  return undefined;
}

function parseCase(reader: TokenReader): Expr {
  const operand = reader.isWord('WHEN') ? undefined : parseExpression(reader);
  const whens: (readonly [Expr, Expr])[] = [];
  while (reader.acceptWords('WHEN')) {
    const condition = parseExpression(reader);
    reader.expectWords('THEN');
    whens.push([condition, parseExpression(reader)]);
  }
  if (whens.length === 0) throw reader.fail();
  const otherwise = reader.acceptWords('ELSE') ? parseExpression(reader) : undefined;
  reader.expectWords('END');
  return { is: 'case', operand, whens, otherwise };
}

function callOf(name: string, args: readonly Expr[]): Call {
  return { is: 'call', name, args, star: false, distinct: false, withinGroup: undefined, over: undefined };
}

export function parseCall(reader: TokenReader): Call {
  const name = reader.next().text.toUpperCase();
  reader.expectSymbol('(');
  const distinct = reader.acceptWords('DISTINCT');
  const star = reader.acceptSymbol('*');
  const args: Expr[] = [];
  if (!star && !reader.isSymbol(')')) args.push(...reader.list(() => parseArgument(reader, name)));
  reader.expectSymbol(')');
  let withinGroup: readonly OrderItem[] | undefined;
  if (reader.acceptWords('WITHIN', 'GROUP')) {
    reader.expectSymbol('(');
    withinGroup = parseOrderBy(reader);
    reader.expectSymbol(')');
  }
  if (reader.isWords('IGNORE', 'NULLS') || reader.isWords('RESPECT', 'NULLS')) throw unknownForm(`${name}(…) IGNORE NULLS`);
  const over = reader.acceptWords('OVER') ? parseWindow(reader) : undefined;
  return { is: 'call', name, args, star, distinct, withinGroup, over };
}

/** `NAME => value` is an argument of table functions and of streams alone. */
function parseArgument(reader: TokenReader, name: string): Expr {
  if (reader.isSymbol('=>', 1)) {
    if (name !== 'FLATTEN' || !reader.acceptWords('INPUT')) throw unknownForm(`${name}(${reader.peek().text.toUpperCase()} => …)`);
    reader.expectSymbol('=>');
  }
  return parseExpression(reader);
}

function parseWindow(reader: TokenReader): Window {
  reader.expectSymbol('(');
  const partitionBy = reader.acceptWords('PARTITION', 'BY') ? reader.list(() => parseExpression(reader)) : [];
  const orderBy = reader.isWord('ORDER') ? parseOrderBy(reader) : [];
  if (reader.isWord('ROWS') || reader.isWord('RANGE')) throw unknownForm('a window frame');
  reader.expectSymbol(')');
  return { partitionBy, orderBy };
}

/** `ORDER BY …`, or nothing. */
export function parseOrderBy(reader: TokenReader): readonly OrderItem[] {
  if (!reader.acceptWords('ORDER', 'BY')) return [];
  return reader.list(() => {
    const expr = parseExpression(reader);
    const descending = reader.acceptOne('ASC', 'DESC') === 'DESC';
    let nulls: 'first' | 'last' | undefined;
    if (reader.acceptWords('NULLS')) nulls = reader.acceptWords('FIRST') ? 'first' : 'last';
    if (nulls === 'last') reader.expectWords('LAST');
    return { expr, descending, nulls };
  });
}

export function parseType(reader: TokenReader): SfType {
  const token = reader.next();
  if (token.kind !== 'word') throw unknownForm(`type ${token.text}`);
  let name = token.text.toUpperCase();
  if (name === 'DOUBLE') reader.acceptWords('PRECISION');
  if ((name === 'CHAR' || name === 'CHARACTER') && reader.acceptWords('VARYING')) name = 'VARCHAR';
  const args = reader.isSymbol('(') ? reader.parenthesized(() => reader.integer()) : [];
  return sfType(name, args);
}

export function isQuery(list: readonly Expr[] | Query): list is Query {
  return !Array.isArray(list);
}
