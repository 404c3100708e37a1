import { unknownForm } from '../snowflake-error.ts';
import type { Expr, MergeClause, OptionValue, Query } from './ast.ts';
import { parseExpression } from './parse-expression.ts';
import { parseOptions, parseTrailingOptions } from './parse-options.ts';
import { parseAlias, parseFrom, parseQuery, parseStage } from './parse-query.ts';
import type { Statement } from './statement.ts';
import type { TokenReader } from './token-reader.ts';

export function parseInsert(reader: TokenReader): Statement {
  reader.expectWords('INSERT');
  if (reader.isWord('ALL') || reader.isWord('FIRST')) throw unknownForm(`INSERT ${reader.peek().text.toUpperCase()}`);
  const overwrite = reader.acceptWords('OVERWRITE');
  reader.expectWords('INTO');
  const table = reader.name();
  const columns = reader.isSymbol('(') ? reader.nameList() : undefined;
  return { is: 'insert', table, overwrite, columns, query: parseQuery(reader) };
}

/** The column of a SET, which may be qualified by the target. */
function assignments(reader: TokenReader): readonly (readonly [string, Expr])[] {
  return reader.list(() => {
    const name = reader.name();
    reader.expectSymbol('=');
    return [name.at(-1) ?? '', parseExpression(reader)] as const;
  });
}

export function parseUpdate(reader: TokenReader): Statement {
  reader.expectWords('UPDATE');
  const table = reader.name();
  const alias = parseAlias(reader);
  reader.expectWords('SET');
  const set = assignments(reader);
  const from = reader.acceptWords('FROM') ? reader.list(() => parseFrom(reader)) : [];
  const where = reader.acceptWords('WHERE') ? parseExpression(reader) : undefined;
  return { is: 'update', table, alias, set, from, where };
}

export function parseDelete(reader: TokenReader): Statement {
  reader.expectWords('DELETE', 'FROM');
  const table = reader.name();
  const alias = reader.isWord('USING') ? undefined : parseAlias(reader);
  const using = reader.acceptWords('USING') ? reader.list(() => parseFrom(reader)) : [];
  const where = reader.acceptWords('WHERE') ? parseExpression(reader) : undefined;
  return { is: 'delete', table, alias, using, where };
}

export function parseMerge(reader: TokenReader): Statement {
  reader.expectWords('MERGE', 'INTO');
  const table = reader.name();
  const alias = reader.isWord('USING') ? undefined : parseAlias(reader);
  reader.expectWords('USING');
  const source = parseFrom(reader);
  reader.expectWords('ON');
  const on = parseExpression(reader);
  const clauses: MergeClause[] = [];
  while (reader.acceptWords('WHEN')) clauses.push(parseMergeClause(reader));
  if (clauses.length === 0) throw reader.fail();
  return { is: 'merge', table, alias, source, on, clauses };
}

function parseMergeClause(reader: TokenReader): MergeClause {
  const matched = !reader.acceptWords('NOT');
  reader.expectWords('MATCHED');
  if (reader.isWord('BY')) throw unknownForm('WHEN … MATCHED BY');
  const condition = reader.acceptWords('AND') ? parseExpression(reader) : undefined;
  reader.expectWords('THEN');
  if (!matched) {
    reader.expectWords('INSERT');
    const columns = reader.isSymbol('(') ? reader.nameList() : undefined;
    reader.expectWords('VALUES');
    return { matched, condition, action: { is: 'insert', columns, values: reader.parenthesized(() => parseExpression(reader)) } };
  }
  if (reader.acceptWords('DELETE')) return { matched, condition, action: { is: 'delete' } };
  reader.expectWords('UPDATE', 'SET');
  return { matched, condition, action: { is: 'update', set: assignments(reader) } };
}

export function parseCopy(reader: TokenReader): Statement {
  reader.expectWords('COPY', 'INTO');
  if (reader.isSymbol('@') || reader.peek().kind === 'string') throw unknownForm('COPY INTO a location');
  const table = reader.name();
  const columns = reader.isSymbol('(') ? reader.nameList() : undefined;
  reader.expectWords('FROM');
  let transformation: Query | undefined;
  let stage;
  if (reader.acceptSymbol('(')) {
    transformation = parseQuery(reader);
    reader.expectSymbol(')');
    const from = transformation.body.is === 'select' ? transformation.body.from[0] : undefined;
    if (from?.is !== 'stage') throw unknownForm('COPY INTO … FROM (SELECT …) of anything but a stage');
    stage = from.stage;
  } else {
    stage = reader.peek().kind === 'string' ? parseStage(reader.of(reader.string())) : parseStage(reader);
  }
  let files: readonly string[] | undefined;
  let pattern: string | undefined;
  let options: Record<string, OptionValue> = {};
  while (!reader.isEnd() && !reader.isSymbol(';')) {
    if (reader.acceptWords('FILES')) {
      reader.expectSymbol('=');
      files = reader.parenthesized(() => reader.string());
    } else if (reader.acceptWords('PATTERN')) {
      reader.expectSymbol('=');
      pattern = reader.string();
    } else if (reader.isWord('FILE_FORMAT') && reader.isSymbol('(', 2)) {
      reader.next();
      reader.next();
      options['FILE_FORMAT'] = parseOptions(reader);
    } else {
      const position = reader.position;
      options = { ...options, ...parseTrailingOptions(reader) };
      if (reader.position === position) throw reader.fail();
    }
  }
  return { is: 'copy', table, columns, stage, transformation, files, pattern, options };
}
