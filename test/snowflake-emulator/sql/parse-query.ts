import { unknownForm } from '../snowflake-error.ts';
import type { FromItem, Query, Select, SelectItem, SetBody, StageRef, TimeTravel } from './ast.ts';
import { parseCall, parseExpression, parseOrderBy, startsQuery } from './parse-expression.ts';
import { parseOptions } from './parse-options.ts';
import type { TokenReader } from './token-reader.ts';

export function parseQuery(reader: TokenReader): Query {
  const tables: Query['with'][number][] = [];
  if (reader.acceptWords('WITH')) {
    if (reader.isWord('RECURSIVE')) throw unknownForm('WITH RECURSIVE');
    tables.push(
      ...reader.list(() => {
        const name = reader.identifier();
        const columns = reader.isSymbol('(') ? reader.nameList() : undefined;
        reader.expectWords('AS');
        reader.expectSymbol('(');
        const query = parseQuery(reader);
        reader.expectSymbol(')');
        return { name, columns, query };
      }),
    );
  }
  const body = parseSet(reader);
  const orderBy = parseOrderBy(reader);
  let limit: Query['limit'];
  let offset: Query['offset'];
  if (reader.acceptWords('LIMIT')) limit = parseExpression(reader);
  if (reader.acceptWords('OFFSET')) offset = parseExpression(reader);
  if (reader.isWord('FETCH')) throw unknownForm('FETCH');
  if (reader.isWords('FOR', 'UPDATE')) throw unknownForm('SELECT … FOR UPDATE');
  return { with: tables, body, orderBy, limit, offset };
}

function parseSet(reader: TokenReader): SetBody {
  let left = parseSetOperand(reader);
  for (;;) {
    const word = reader.acceptOne('UNION', 'EXCEPT', 'MINUS', 'INTERSECT');
    if (word === undefined) return left;
    const all = reader.acceptWords('ALL');
    if (all && word !== 'UNION') throw unknownForm(`${word} ALL`);
    const operator = word === 'MINUS' ? 'EXCEPT' : word;
    left = { is: 'set', operator: all ? `${operator} ALL` : operator, left, right: parseSetOperand(reader) };
  }
}

function parseSetOperand(reader: TokenReader): SetBody {
  if (reader.isSymbol('(')) {
    reader.next();
    const query = parseQuery(reader);
    reader.expectSymbol(')');
    return { is: 'nested', query };
  }
  if (reader.acceptWords('VALUES')) {
    const rows = reader.list(() => reader.parenthesized(() => parseExpression(reader)));
    return { is: 'values', rows };
  }
  return parseSelect(reader);
}

function parseSelect(reader: TokenReader): Select {
  reader.expectWords('SELECT');
  const distinct = reader.acceptOne('DISTINCT', 'ALL') === 'DISTINCT';
  if (reader.isWord('TOP') && reader.peek(1).kind === 'number') throw unknownForm('SELECT TOP');
  const items = reader.list(() => parseItem(reader));
  const from = reader.acceptWords('FROM') ? reader.list(() => parseFrom(reader)) : [];
  const where = reader.acceptWords('WHERE') ? parseExpression(reader) : undefined;
  let groupBy: Select['groupBy'] = [];
  if (reader.acceptWords('GROUP', 'BY')) {
    if (['CUBE', 'ROLLUP', 'GROUPING'].some((word) => reader.isWord(word))) {
      throw unknownForm(`GROUP BY ${reader.peek().text.toUpperCase()}`);
    }
    groupBy = reader.acceptWords('ALL') ? 'all' : reader.list(() => parseExpression(reader));
  }
  const having = reader.acceptWords('HAVING') ? parseExpression(reader) : undefined;
  const qualify = reader.acceptWords('QUALIFY') ? parseExpression(reader) : undefined;
  return { is: 'select', distinct, items, from, where, groupBy, having, qualify };
}

function parseItem(reader: TokenReader): SelectItem {
  const qualifier = starQualifier(reader);
  if (qualifier !== undefined || reader.isSymbol('*')) {
    reader.expectSymbol('*');
    if (reader.isWord('RENAME') || reader.isWord('REPLACE') || reader.isWord('ILIKE')) throw unknownForm(`* ${reader.peek().text}`);
    let exclude: readonly string[] = [];
    if (reader.acceptWords('EXCLUDE')) exclude = reader.isSymbol('(') ? reader.nameList() : [reader.identifier()];
    return { is: 'star', qualifier, exclude };
  }
  const expr = parseExpression(reader);
  return { is: 'item', expr, alias: parseAlias(reader) };
}

/** `a.b.` before a star. */
function starQualifier(reader: TokenReader): readonly string[] | undefined {
  let length = 0;
  while (reader.isIdentifier(length * 2) && reader.isSymbol('.', length * 2 + 1)) length += 1;
  if (length === 0 || !reader.isSymbol('*', length * 2)) return undefined;
  const parts: string[] = [];
  for (let index = 0; index < length; index += 1) {
    parts.push(reader.identifier());
    reader.next();
  }
  return parts;
}

const notAnAlias = [
  'AT',
  'BEFORE',
  'LIMIT',
  'OFFSET',
  'CHANGES',
  'EXCEPT',
  'ASOF',
  'PIVOT',
  'UNPIVOT',
  'MATCH_RECOGNIZE',
  'FETCH',
  'WITHIN',
];

export function parseAlias(reader: TokenReader): string | undefined {
  if (reader.acceptWords('AS')) return reader.identifier();
  if (!reader.isIdentifier() || notAnAlias.some((word) => reader.isWord(word))) return undefined;
  return reader.identifier();
}

export function parseFrom(reader: TokenReader): FromItem {
  let left = parseRelation(reader);
  for (;;) {
    const kind = joinKind(reader);
    if (kind === undefined) return left;
    const right = parseRelation(reader);
    const on = kind !== 'cross' && reader.acceptWords('ON') ? parseExpression(reader) : undefined;
    const using = kind !== 'cross' && on === undefined && reader.acceptWords('USING') ? reader.nameList() : undefined;
    if (kind !== 'cross' && on === undefined && using === undefined) throw unknownForm('JOIN without ON or USING');
    left = { is: 'join', kind, left, right, on, using };
  }
}

function joinKind(reader: TokenReader): Extract<FromItem, { is: 'join' }>['kind'] | undefined {
  if (reader.acceptWords('CROSS', 'JOIN')) return 'cross';
  if (reader.acceptWords('INNER', 'JOIN') || reader.acceptWords('JOIN')) return 'inner';
  if (reader.isWord('NATURAL') || reader.isWord('ASOF')) throw unknownForm(`${reader.peek().text.toUpperCase()} JOIN`);
  const outer = (['LEFT', 'RIGHT', 'FULL'] as const).find((word) => reader.isWord(word));
  if (outer === undefined) return undefined;
  reader.next();
  reader.acceptWords('OUTER');
  reader.expectWords('JOIN');
  return outer === 'LEFT' ? 'left' : outer === 'RIGHT' ? 'right' : 'full';
}

function parseRelation(reader: TokenReader): FromItem {
  if (reader.isSymbol('@')) {
    const stage = parseStage(reader);
    const options = reader.isSymbol('(') ? parseOptions(reader) : {};
    return { is: 'stage', stage, alias: parseAlias(reader), options };
  }
  const lateral = reader.acceptWords('LATERAL');
  if (reader.isSymbol('(')) {
    if (lateral) throw unknownForm('LATERAL (SELECT …)');
    return parseNestedRelation(reader);
  }
  if (reader.isWord('TABLE') && reader.isSymbol('(', 1)) {
    reader.next();
    reader.next();
    const call = parseCall(reader);
    reader.expectSymbol(')');
    return { is: 'function', call, alias: parseAlias(reader), lateral };
  }
  if (lateral || (reader.isWord('FLATTEN') && reader.isSymbol('(', 1))) {
    return { is: 'function', call: parseCall(reader), alias: parseAlias(reader), lateral: true };
  }
  const name = reader.name();
  const at = parseTimeTravel(reader);
  if (reader.isWord('CHANGES')) throw unknownForm('CHANGES');
  const alias = parseAlias(reader);
  if (reader.isWord('SAMPLE') || reader.isWord('TABLESAMPLE')) throw unknownForm('SAMPLE');
  return { is: 'table', name, alias, at };
}

function parseNestedRelation(reader: TokenReader): FromItem {
  reader.expectSymbol('(');
  if (!startsQuery(reader) && !reader.isSymbol('(')) {
    const inner = parseFrom(reader);
    reader.expectSymbol(')');
    return inner;
  }
  const query = parseQuery(reader);
  reader.expectSymbol(')');
  const alias = parseAlias(reader);
  const columns = alias !== undefined && reader.isSymbol('(') ? reader.nameList() : undefined;
  return { is: 'query', query, alias, columns };
}

export function parseTimeTravel(reader: TokenReader): TimeTravel | undefined {
  const word = (['AT', 'BEFORE'] as const).find((candidate) => reader.isWord(candidate) && reader.isSymbol('(', 1));
  if (word === undefined) return undefined;
  reader.next();
  reader.expectSymbol('(');
  const by = reader.acceptOne('STATEMENT', 'TIMESTAMP', 'OFFSET');
  if (by === undefined) throw unknownForm(`${word}(${reader.peek().text.toUpperCase()} => …)`);
  reader.expectSymbol('=>');
  const value = parseExpression(reader);
  reader.expectSymbol(')');
  return { before: word === 'BEFORE', by, value };
}

/** `@stage/path`, `@db.schema.stage/path`, `@%table/path`, `@~/path`; the path ends at a blank or a parenthesis. */
export function parseStage(reader: TokenReader): StageRef {
  reader.expectSymbol('@');
  if (reader.acceptSymbol('~')) return { kind: 'user', name: [], path: parsePath(reader) };
  if (reader.acceptSymbol('%')) return { kind: 'table', name: [reader.identifier()], path: parsePath(reader) };
  const parts = [reader.identifier()];
  while (parts.length < 3 && reader.acceptSymbol('.')) {
    if (reader.acceptSymbol('%')) return { kind: 'table', name: [...parts, reader.identifier()], path: parsePath(reader) };
    parts.push(reader.identifier());
  }
  return { kind: 'named', name: parts, path: parsePath(reader) };
}

function parsePath(reader: TokenReader): string {
  if (!reader.isSymbol('/')) return '';
  const start = reader.peek().start;
  let end = start;
  while (!reader.isEnd() && reader.peek().start === end && !reader.isSymbol(')') && !reader.isSymbol('(') && !reader.isSymbol(';')) {
    end = reader.next().end;
  }
  return reader.sql.slice(start + 1, end);
}
