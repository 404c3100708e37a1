import { unknownForm } from '../snowflake-error.ts';
import type { ColumnDefinition, Expr, Name } from './ast.ts';
import { parseExpression, parseType } from './parse-expression.ts';
import { parseTrailingOptions } from './parse-options.ts';
import { parseQuery, parseTimeTravel } from './parse-query.ts';
import type { CloneOf, Create, Statement, TableKind } from './statement.ts';
import type { TokenReader } from './token-reader.ts';

export function parseCreate(reader: TokenReader): Statement {
  reader.expectWords('CREATE');
  const orReplace = reader.acceptWords('OR', 'REPLACE');
  if (reader.isWords('OR', 'ALTER')) throw unknownForm('CREATE OR ALTER');
  reader.acceptOne('LOCAL', 'GLOBAL');
  const modifier = reader.acceptOne('TEMPORARY', 'TEMP', 'VOLATILE', 'TRANSIENT');
  const kind: TableKind = modifier === undefined ? 'permanent' : modifier === 'TRANSIENT' ? 'transient' : 'temporary';
  if (reader.acceptWords('TABLE')) return parseCreateTable(reader, orReplace, kind);
  if (reader.acceptWords('DYNAMIC', 'TABLE')) return parseDynamicTable(reader, orReplace, kind);
  const what = reader.acceptWords('FILE', 'FORMAT') ? 'FILE FORMAT' : reader.next().text.toUpperCase();
  const create: Create = { orReplace, ifNotExists: reader.acceptWords('IF', 'NOT', 'EXISTS') };
  if (create.orReplace && create.ifNotExists) throw reader.fail();
  switch (what) {
    case 'SCHEMA':
    case 'DATABASE': {
      if (kind === 'temporary') throw unknownForm(`CREATE TEMPORARY ${what}`);
      const name = reader.name();
      const clone = parseClone(reader);
      parseTrailingOptions(reader);
      return { is: what === 'SCHEMA' ? 'createSchema' : 'createDatabase', name, create, clone, transient: kind === 'transient' };
    }
    case 'STAGE':
    case 'FILE FORMAT': {
      const name = reader.name();
      const options = parseTrailingOptions(reader);
      if (options['URL'] !== undefined) throw unknownForm('an external stage');
      return { is: what === 'STAGE' ? 'createStage' : 'createFileFormat', name, create, temporary: kind === 'temporary', options };
    }
    case 'VIEW': {
      if (kind !== 'permanent') throw unknownForm('CREATE TEMPORARY VIEW');
      const name = reader.name();
      const columns = reader.isSymbol('(') ? reader.nameList() : undefined;
      parseTrailingOptions(reader);
      reader.expectWords('AS');
      const text = reader.restText();
      return { is: 'createView', name, create, columns, query: parseQuery(reader), text };
    }
    case 'STREAM': {
      const name = reader.name();
      reader.expectWords('ON');
      if (!reader.acceptWords('TABLE')) throw unknownForm(`CREATE STREAM … ON ${reader.peek().text.toUpperCase()}`);
      const table = reader.name();
      const at = parseTimeTravel(reader);
      return { is: 'createStream', name, create, table, at, options: parseTrailingOptions(reader) };
    }
    case 'TASK':
      return parseCreateTask(reader, create);
    default:
      throw unknownForm(`CREATE ${what}`);
  }
}

function parseClone(reader: TokenReader): CloneOf | undefined {
  if (!reader.acceptWords('CLONE')) return undefined;
  const name = reader.name();
  const at = parseTimeTravel(reader);
  // There are no grants here: that they are copied is no more than said.
  reader.acceptWords('COPY', 'GRANTS');
  return { name, at };
}

function parseCreateTable(reader: TokenReader, orReplace: boolean, kind: TableKind): Statement {
  const create: Create = { orReplace, ifNotExists: reader.acceptWords('IF', 'NOT', 'EXISTS') };
  if (create.orReplace && create.ifNotExists) throw reader.fail();
  const name = reader.name();
  const parsed = { is: 'createTable', name, create, kind, columnNames: undefined, columns: undefined, primaryKey: [] } as const;
  const clone = parseClone(reader);
  const like = clone === undefined && reader.acceptWords('LIKE') ? reader.name() : undefined;
  if (clone !== undefined || like !== undefined) {
    return { ...parsed, clone, like, query: undefined, options: parseTrailingOptions(reader) };
  }
  let columns: ColumnDefinition[] | undefined;
  let columnNames: readonly string[] | undefined;
  const primaryKey: string[] = [];
  if (reader.isSymbol('(')) {
    if (reader.isSymbol(',', 2) || reader.isSymbol(')', 2)) {
      columnNames = reader.nameList();
    } else {
      columns = [];
      const found = columns;
      reader.parenthesized(() => {
        const key = parseTableConstraint(reader);
        if (key === undefined) found.push(parseColumn(reader));
        else primaryKey.push(...key);
      });
    }
  }
  const options = parseTableOptions(reader);
  const query = reader.acceptWords('AS') ? parseQuery(reader) : undefined;
  if (columns === undefined && query === undefined) throw reader.fail();
  primaryKey.push(...(columns ?? []).filter((column) => column.primaryKey).map((column) => column.name));
  return { ...parsed, columns, columnNames, primaryKey, query, like, clone, options };
}

function parseDynamicTable(reader: TokenReader, orReplace: boolean, kind: TableKind): Statement {
  const create: Create = { orReplace, ifNotExists: reader.acceptWords('IF', 'NOT', 'EXISTS') };
  const name = reader.name();
  const columnNames = reader.isSymbol('(') ? reader.nameList() : undefined;
  const options = parseTrailingOptions(reader);
  for (const option of Object.keys(options)) {
    if (!['TARGET_LAG', 'WAREHOUSE', 'REFRESH_MODE', 'INITIALIZE', 'COMMENT'].includes(option)) {
      throw unknownForm(`CREATE DYNAMIC TABLE … ${option}`);
    }
  }
  if (options['TARGET_LAG'] === undefined || options['WAREHOUSE'] === undefined) throw reader.fail();
  reader.expectWords('AS');
  const dynamic = reader.restText();
  const query = parseQuery(reader);
  const none = { columns: undefined, primaryKey: [], like: undefined, clone: undefined };
  return { is: 'createTable', name, create, kind, columnNames, query, options: {}, dynamic, ...none };
}

function parseTableOptions(reader: TokenReader): Readonly<Record<string, never>> | ReturnType<typeof parseTrailingOptions> {
  let options = parseTrailingOptions(reader);
  if (reader.acceptWords('CLUSTER', 'BY')) {
    reader.parenthesized(() => parseExpression(reader));
    options = { ...options, ...parseTrailingOptions(reader) };
  }
  return options;
}

/** `[CONSTRAINT c] PRIMARY KEY (…)`, which Snowflake keeps and does not enforce. */
function parseTableConstraint(reader: TokenReader): readonly string[] | undefined {
  if (reader.acceptWords('CONSTRAINT')) reader.identifier();
  if (reader.acceptWords('PRIMARY', 'KEY')) {
    const names = reader.nameList();
    if (reader.acceptWords('NOT', 'ENFORCED')) return names;
    return names;
  }
  if (reader.isWord('UNIQUE') || reader.isWords('FOREIGN', 'KEY')) throw unknownForm(reader.peek().text.toUpperCase());
  return undefined;
}

export function parseColumn(reader: TokenReader): ColumnDefinition {
  const name = reader.identifier();
  const type = parseType(reader);
  let nullable = true;
  let primaryKey = false;
  let defaultValue: Expr | undefined;
  let comment: string | undefined;
  for (;;) {
    if (reader.acceptWords('NOT', 'NULL')) nullable = false;
    else if (reader.acceptWords('NULL')) nullable = true;
    else if (reader.acceptWords('DEFAULT')) defaultValue = parseExpression(reader);
    else if (reader.acceptWords('PRIMARY', 'KEY')) primaryKey = true;
    else if (reader.acceptWords('COMMENT')) comment = reader.string();
    else break;
  }
  for (const word of ['AUTOINCREMENT', 'IDENTITY', 'COLLATE', 'UNIQUE', 'REFERENCES', 'MASKING', 'AS', 'WITH']) {
    if (reader.isWord(word)) throw unknownForm(`a column with ${word}`);
  }
  // A column of a primary key is never NULL.
  return { name, type, nullable: nullable && !primaryKey, primaryKey, defaultValue, comment };
}

function parseCreateTask(reader: TokenReader, create: Create): Statement {
  const name = reader.name();
  let options = parseTrailingOptions(reader);
  const after: Name[] = [];
  if (reader.acceptWords('AFTER')) after.push(...reader.list(() => reader.name()));
  options = { ...options, ...parseTrailingOptions(reader) };
  let when: string | undefined;
  if (reader.acceptWords('WHEN')) {
    const start = reader.peek().start;
    parseExpression(reader);
    when = reader.sql.slice(start, reader.peek().start).trim();
  }
  reader.expectWords('AS');
  const body = reader.restText();
  while (!reader.isEnd()) reader.next();
  return { is: 'createTask', name, create, options, after, when, body };
}
