import { unknownForm } from '../snowflake-error.ts';
import type { Folding } from './token-reader.ts';
import { parseAlter } from './parse-alter.ts';
import { parseCreate } from './parse-create.ts';
import { parseCopy, parseDelete, parseInsert, parseMerge, parseUpdate } from './parse-dml.ts';
import { startsQuery } from './parse-expression.ts';
import { parseTrailingOptions } from './parse-options.ts';
import { parseQuery, parseStage } from './parse-query.ts';
import type { ObjectKind, ShowScope, Statement } from './statement.ts';
import { TokenReader } from './token-reader.ts';

/**
 * One statement. What the emulator does not know is refused by the name of its form; what is no SQL, with its place.
 * @throws SnowflakeError
 */
export function parseStatement(sql: string, folding: Folding): Statement {
  const reader = new TokenReader(quotedPut(sql), folding, parseQuery);
  const statement = parse(reader);
  reader.expectEnd();
  return statement;
}

/** The statements of a text, cut at semicolons outside of quotes. */
export function splitStatements(sql: string): readonly string[] {
  const reader = new TokenReader(sql, { quotedIgnoreCase: false }, parseQuery);
  const statements: string[] = [];
  let start = 0;
  while (!reader.isEnd()) {
    const token = reader.next();
    if (token.kind !== 'symbol' || token.text !== ';') continue;
    statements.push(sql.slice(start, token.start).trim());
    start = token.end;
  }
  statements.push(sql.slice(start).trim());
  return statements.filter((statement) => new TokenReader(statement, { quotedIgnoreCase: false }, parseQuery).peek().kind !== 'end');
}

/** A bare `file://…` of a PUT in quotes: its slashes would begin a comment. The driver's own PUT has no blank after it. */
function quotedPut(sql: string): string {
  return sql.replace(/^(\s*PUT\s+)(file:\/\/[^\s';]+)/i, "$1'$2' ");
}

function parse(reader: TokenReader): Statement {
  if (startsQuery(reader) || reader.isSymbol('(')) return { is: 'query', query: parseQuery(reader) };
  const word = reader.peek().text.toUpperCase();
  switch (reader.peek().kind === 'word' ? word : '') {
    case 'BEGIN':
      return parseBegin(reader);
    case 'START':
      reader.expectWords('START', 'TRANSACTION');
      return { is: 'begin', name: '' };
    case 'COMMIT':
    case 'ROLLBACK':
      reader.next();
      reader.acceptWords('WORK');
      return { is: word === 'COMMIT' ? 'commit' : 'rollback' };
    case 'USE':
      return parseUse(reader);
    case 'INSERT':
      return parseInsert(reader);
    case 'UPDATE':
      return parseUpdate(reader);
    case 'DELETE':
      return parseDelete(reader);
    case 'MERGE':
      return parseMerge(reader);
    case 'TRUNCATE': {
      reader.next();
      reader.acceptWords('TABLE');
      const ifExists = reader.acceptWords('IF', 'EXISTS');
      return { is: 'truncate', table: reader.name(), ifExists };
    }
    case 'COPY':
      return parseCopy(reader);
    case 'PUT':
      return parsePut(reader);
    case 'LIST':
    case 'LS':
    case 'REMOVE':
    case 'RM': {
      reader.next();
      const stage = parseStage(reader);
      const pattern = reader.acceptWords('PATTERN') ? (reader.expectSymbol('='), reader.string()) : undefined;
      return { is: word === 'LIST' || word === 'LS' ? 'list' : 'remove', stage, pattern };
    }
    case 'CREATE':
      return parseCreate(reader);
    case 'ALTER':
      return parseAlter(reader);
    case 'DROP': {
      reader.next();
      const kind = objectKind(reader);
      const ifExists = reader.acceptWords('IF', 'EXISTS');
      const name = reader.name();
      if (reader.acceptOne('CASCADE', 'RESTRICT') === 'RESTRICT') throw unknownForm('DROP … RESTRICT');
      return { is: 'drop', kind, name, ifExists };
    }
    case 'EXECUTE':
      if (!reader.isWord('TASK', 1)) throw unknownForm(`EXECUTE ${reader.peek(1).text.toUpperCase()}`);
      reader.expectWords('EXECUTE', 'TASK');
      return { is: 'executeTask', name: reader.name() };
    case 'DESCRIBE':
    case 'DESC':
      return parseDescribe(reader);
    case 'SHOW':
      return parseShow(reader);
    case '':
      throw reader.fail();
    default:
      throw unknownForm(word);
  }
}

function parseBegin(reader: TokenReader): Statement {
  reader.expectWords('BEGIN');
  if (reader.acceptOne('TRANSACTION', 'WORK') === undefined && !reader.isSymbol(';') && !reader.isEnd()) {
    throw unknownForm('a scripting block BEGIN … END');
  }
  return { is: 'begin', name: reader.acceptWords('NAME') ? reader.name().join('.') : '' };
}

function parseUse(reader: TokenReader): Statement {
  reader.expectWords('USE');
  if (reader.acceptWords('SECONDARY', 'ROLES')) return { is: 'use', kind: 'SECONDARY ROLES', name: [reader.next().text.toUpperCase()] };
  const kind = reader.acceptOne('ROLE', 'WAREHOUSE', 'DATABASE', 'SCHEMA');
  return { is: 'use', kind: kind ?? 'DATABASE', name: reader.name() };
}

function parsePut(reader: TokenReader): Statement {
  reader.expectWords('PUT');
  const file = reader.string();
  if (!file.startsWith('file://')) throw reader.fail();
  const quoted = reader.peek().kind === 'string';
  const stage = quoted ? parseStage(reader.of(reader.string())) : parseStage(reader);
  return { is: 'put', file: file.slice('file://'.length), stage, options: parseTrailingOptions(reader) };
}

export function objectKind(reader: TokenReader): ObjectKind {
  const first = reader.peek().text.toUpperCase();
  const kinds: readonly ObjectKind[] = ['TABLE', 'VIEW', 'SCHEMA', 'DATABASE', 'STAGE', 'STREAM', 'TASK'];
  if (reader.acceptWords('FILE', 'FORMAT')) return 'FILE FORMAT';
  if (reader.acceptWords('DYNAMIC', 'TABLE')) return 'DYNAMIC TABLE';
  const kind = kinds.find((candidate) => candidate === first);
  if (kind === undefined) throw unknownForm(`… ${first}`);
  reader.next();
  return kind;
}

function parseDescribe(reader: TokenReader): Statement {
  reader.next();
  const kind = objectKind(reader);
  if (kind === 'SCHEMA' || kind === 'DATABASE' || kind === 'FILE FORMAT' || kind === 'DYNAMIC TABLE') throw unknownForm(`DESCRIBE ${kind}`);
  return { is: 'describe', kind, name: reader.name() };
}

const shown = [
  'TABLES',
  'OBJECTS',
  'COLUMNS',
  'SCHEMAS',
  'DATABASES',
  'STAGES',
  'STREAMS',
  'TASKS',
  'VIEWS',
  'PARAMETERS',
  'LOCKS',
  'TRANSACTIONS',
  'WAREHOUSES',
];

function parseShow(reader: TokenReader): Statement {
  reader.expectWords('SHOW');
  reader.acceptWords('TERSE');
  const two = reader.acceptWords('PRIMARY', 'KEYS')
    ? 'PRIMARY KEYS'
    : reader.acceptWords('DYNAMIC', 'TABLES')
      ? 'DYNAMIC TABLES'
      : undefined;
  const what = two ?? reader.peek().text.toUpperCase();
  if (two === undefined && !shown.includes(what)) throw unknownForm(`SHOW ${what}`);
  if (two === undefined) reader.next();
  const like = reader.acceptWords('LIKE') ? reader.string() : undefined;
  let scope: ShowScope | undefined;
  if (reader.acceptWords('IN')) {
    const kind = reader.acceptOne('ACCOUNT', 'DATABASE', 'SCHEMA', 'TABLE', 'SESSION');
    const name = kind === 'ACCOUNT' || kind === 'SESSION' || !reader.isIdentifier() ? [] : reader.name();
    scope = { kind: kind === 'SESSION' ? 'ACCOUNT' : (kind ?? (what === 'COLUMNS' ? 'TABLE' : 'SCHEMA')), name };
  }
  if (['STARTS', 'LIMIT', 'HISTORY'].some((word) => reader.isWord(word))) {
    throw unknownForm(`SHOW ${what} ${reader.peek().text.toUpperCase()}`);
  }
  return { is: 'show', what, like, scope };
}
