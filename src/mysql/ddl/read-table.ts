import { readColumn, type ColumnRules } from './read-column.ts';
import { readTableKey } from './read-key.ts';
import { charsetName } from './read-type.ts';
import type { CharsetClause, ColumnDefinition, DdlStatement, KeyDefinition, PeriodDefinition, TableOptions } from './statement.ts';
import { UnreadableDdl, type TokenReader } from './token-reader.ts';

type Create = Extract<DdlStatement, { kind: 'createTable' }>;
type Options = { -readonly [K in keyof TableOptions]: TableOptions[K] };

/** Reads CREATE TABLE from behind the word TABLE. */
export function readCreateTable(
  reader: TokenReader,
  { orReplace, rules }: { readonly orReplace: boolean; readonly rules: ColumnRules },
): Create {
  const ifNotExists = reader.ifNotExists();
  const table = reader.tableId();
  const columns: ColumnDefinition[] = [];
  const keys: KeyDefinition[] = [];
  const periods: PeriodDefinition[] = [];
  const base = { kind: 'createTable', table, orReplace, ifNotExists, columns, keys, periods } as const;

  if (reader.accept('LIKE')) return { ...base, options: {}, like: reader.tableId(), asSelect: false };
  if (reader.seesSymbol('(') && reader.peek(1).keyword === 'LIKE') {
    reader.next();
    reader.next();
    return { ...base, options: {}, like: reader.tableId(), asSelect: false };
  }
  if (reader.seesSymbol('(') && !seesQuery(reader, 1)) {
    reader.next();
    do {
      readElement(reader, { columns, keys, periods, rules });
    } while (reader.acceptSymbol(','));
    reader.expectSymbol(')');
  }
  const options = readTableOptions(reader);
  return { ...base, options, asSelect: readsRows(reader) };
}

interface Elements {
  readonly columns: ColumnDefinition[];
  readonly keys: KeyDefinition[];
  readonly periods: PeriodDefinition[];
  readonly rules: ColumnRules;
}

function readElement(reader: TokenReader, { columns, keys, periods, rules }: Elements): void {
  if (seesPeriod(reader)) {
    periods.push(readPeriod(reader));
    return;
  }
  const key = readTableKey(reader);
  if (key === null) return;
  if (key !== undefined) {
    keys.push(key);
    return;
  }
  const column = readColumn(reader, rules);
  columns.push(column);
  // Keys are named in the order of the text, those of columns among them.
  if (column.key !== undefined) keys.push({ kind: column.key, parts: [{ column: column.name }] });
  if (column.references === true) keys.push({ kind: 'foreign', parts: [{ column: column.name }] });
}

export function seesPeriod(reader: TokenReader): boolean {
  return reader.mariadb && reader.sees('PERIOD', 'FOR');
}

/** `PERIOD FOR p (start, end)`. */
export function readPeriod(reader: TokenReader): PeriodDefinition {
  reader.expect('PERIOD', 'FOR');
  reader.ifNotExists();
  const name = reader.name();
  reader.expectSymbol('(');
  const start = reader.name();
  reader.expectSymbol(',');
  const end = reader.name();
  reader.expectSymbol(')');
  return { name, start, end };
}

function seesQuery(reader: TokenReader, distance: number): boolean {
  let at = distance;
  while (reader.seesSymbol('(', at)) at++;
  return ['SELECT', 'WITH', 'VALUES', 'TABLE'].includes(reader.peek(at).keyword);
}

/** Whether the rows of a query follow. MySQL's START TRANSACTION, which its binlog has behind the definition, is none. */
function readsRows(reader: TokenReader): boolean {
  reader.acceptOneOf('IGNORE', 'REPLACE');
  const as = reader.accept('AS');
  const query = as || seesQuery(reader, 0);
  if (!query && !reader.atEnd()) throw new UnreadableDdl('a table option', reader.peek());
  return query;
}

/** Reads options up to the end, a comma or a query; those that matter are given. */
function readTableOptions(reader: TokenReader): TableOptions {
  const options: Options = {};
  for (;;) {
    reader.acceptSymbol(',');
    if (reader.accept('PARTITION', 'BY')) {
      skipPartitions(reader);
    } else if (reader.accept('WITH', 'SYSTEM', 'VERSIONING')) {
      options.versioning = true;
    } else if (reader.accept('START', 'TRANSACTION')) {
      continue;
    } else if (!readTableOption(reader, options)) {
      return options;
    }
  }
}

/** Reads one option of CREATE or ALTER TABLE into `options`; false if none comes next. */
export function readTableOption(reader: TokenReader, options: Options): boolean {
  const charset = readDefaultCharset(reader);
  if (charset !== undefined) {
    options.charset = { ...options.charset, ...charset };
    return true;
  }
  const token = reader.peek();
  if (token.kind !== 'word' && token.kind !== 'name') return false;
  if (reader.seesOneOf('AS', 'SELECT', 'IGNORE', 'REPLACE', 'TABLE', 'VALUES', 'WITH')) return false;
  if (reader.accept('DATA', 'DIRECTORY') || reader.accept('INDEX', 'DIRECTORY')) {
    reader.acceptSymbol('=');
    reader.text();
    return true;
  }
  if (reader.accept('UNION')) {
    reader.acceptSymbol('=');
    reader.group();
    return true;
  }
  const equalsAt = reader.seesSymbol('=', 1) ? 2 : 1;
  const value = reader.peek(equalsAt);
  if (value.kind === 'end' || value.kind === 'symbol') return false;
  reader.next();
  reader.acceptSymbol('=');
  switch (token.keyword) {
    case 'COMMENT':
      options.comment = reader.text();
      return true;
    case 'ENGINE':
    case 'TYPE':
      options.engine = reader.next().value.toUpperCase();
      return true;
    case 'TABLESPACE':
      reader.next();
      if (reader.accept('STORAGE')) reader.next();
      return true;
    default:
      if (reader.peek().kind === 'text') reader.texts();
      else reader.next();
      return true;
  }
}

/** `[DEFAULT] CHARACTER SET [=] x`, `[DEFAULT] COLLATE [=] x`; undefined if none comes next. */
export function readDefaultCharset(reader: TokenReader): CharsetClause | undefined {
  const from = reader.sees('DEFAULT') ? 1 : 0;
  const word = reader.peek(from).keyword;
  const charset = word === 'CHARSET' || ((word === 'CHARACTER' || word === 'CHAR') && reader.peek(from + 1).keyword === 'SET');
  if (!charset && word !== 'COLLATE') return undefined;
  for (let i = 0; i < from + (word === 'CHARACTER' || word === 'CHAR' ? 2 : 1); i++) reader.next();
  return word === 'COLLATE' ? { collation: charsetName(reader) } : { charset: charsetName(reader) };
}

/** Partitions change no column; a query may follow them. */
export function skipPartitions(reader: TokenReader): void {
  while (!reader.atEnd() && !reader.seesOneOf('AS', 'SELECT', 'IGNORE', 'REPLACE')) {
    if (!reader.acceptGroup()) reader.next();
  }
}
