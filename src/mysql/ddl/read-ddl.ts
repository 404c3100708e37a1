import type { TableId } from '../../event/table-schema.ts';
import { readAlterTable } from './read-alter.ts';
import { readCreateIndex } from './read-key.ts';
import { readCreateTable, readDefaultCharset } from './read-table.ts';
import type { CharsetClause, DdlStatement, KeyDefinition } from './statement.ts';
import { TokenReader, UnreadableDdl } from './token-reader.ts';
import type { LexicalRules } from './tokenizer.ts';

/** Bits of sql_mode, as the binlog's statements carry it. */
export const sqlModeBits = {
  realAsFloat: 1n,
  ansiQuotes: 4n,
  oracle: 512n,
  noBackslashEscapes: 1n << 20n,
  strictTransTables: 1n << 21n,
  strictAllTables: 1n << 22n,
  /** MySQL. */
  timeTruncateFractional: 1n << 32n,
  /** MariaDB. */
  timeRoundFractional: 1n << 34n,
} as const;

export interface DdlContext {
  readonly flavor: 'mysql' | 'mariadb';
  /** The database that names without one mean; empty: none. */
  readonly defaultDatabase: string;
  /** The session's sql_mode, as the statement's event has it. */
  readonly sqlMode: bigint;
  /** The server's version as executable comments have it: 80403, 110809. Default: all their code is read. */
  readonly versionNumber?: number;
}

/**
 * Reads a statement of the binlog as far as it changes columns, keys, names or existence of tables. Never throws: what
 * cannot be read is `uncertain`, with the tables that it names as far as it got.
 *
 * Statements that change rows (a session with binlog_format=STATEMENT writes such) are `uncertain` too: their effect
 * comes as no row event.
 */
export function readDdl(sql: string, context: DdlContext): DdlStatement {
  const { defaultDatabase, sqlMode } = context;
  const rules = lexicalRules(context);
  const reader = new TokenReader(sql, { rules, defaultDatabase });
  try {
    return readStatement(reader, {
      realAsFloat: (sqlMode & sqlModeBits.realAsFloat) !== 0n,
      oracle: (sqlMode & sqlModeBits.oracle) !== 0n,
    });
  } catch (error) {
    if (!(error instanceof UnreadableDdl)) throw error;
    return { kind: 'uncertain', tables: namedTables(new TokenReader(sql, { rules, defaultDatabase })), reason: error.message };
  }
}

/** How a session's statements are cut into tokens. */
export function lexicalRules({ flavor, sqlMode, versionNumber = 999_999 }: DdlContext): LexicalRules {
  return {
    flavor,
    versionNumber,
    ansiQuotes: (sqlMode & sqlModeBits.ansiQuotes) !== 0n,
    noBackslashEscapes: (sqlMode & sqlModeBits.noBackslashEscapes) !== 0n,
  };
}

interface Modes {
  readonly realAsFloat: boolean;
  readonly oracle: boolean;
}

const irrelevant: DdlStatement = { kind: 'irrelevant' };

function readStatement(reader: TokenReader, modes: Modes): DdlStatement {
  // MariaDB: SET STATEMENT a=1, b=2 FOR CREATE TABLE …
  if (reader.accept('SET', 'STATEMENT')) {
    while (!reader.atEnd() && !reader.sees('FOR')) reader.next();
    reader.expect('FOR');
  }
  switch (reader.peek().keyword) {
    case 'CREATE':
      return readCreate(reader, modes);
    case 'ALTER':
      return readAlter(reader, modes);
    case 'DROP':
      return readDrop(reader);
    case 'RENAME':
      return readRename(reader);
    case 'TRUNCATE':
      reader.next();
      reader.accept('TABLE');
      return { kind: 'truncateTable', table: reader.tableId() };
    case 'INSERT':
    case 'REPLACE':
    case 'UPDATE':
    case 'DELETE':
    case 'LOAD':
    case 'WITH':
      return changesRows(reader);
    default:
      return irrelevant;
  }
}

function readCreate(reader: TokenReader, modes: Modes): DdlStatement {
  reader.expect('CREATE');
  const orReplace = reader.accept('OR', 'REPLACE');
  if (reader.accept('TABLE')) return rejectOracle(readCreateTable(reader, { orReplace, rules: modes }), modes);
  if (reader.acceptOneOf('DATABASE', 'SCHEMA') !== undefined) {
    const ifNotExists = reader.ifNotExists();
    const database = reader.name();
    return { kind: 'createDatabase', database, orReplace, ifNotExists, charset: readDatabaseOptions(reader) };
  }
  const kind = readIndexKind(reader);
  if (kind === undefined) return irrelevant;
  const { table, key } = readCreateIndex(reader, kind);
  const replaced = orReplace && key.name !== undefined ? ([{ kind: 'dropKey', name: key.name, ifExists: true }] as const) : [];
  return { kind: 'alterTable', table, ifExists: false, ignore: false, actions: [...replaced, { kind: 'addKey', key }] };
}

function readIndexKind(reader: TokenReader): KeyDefinition['kind'] | undefined {
  reader.acceptOneOf('ONLINE', 'OFFLINE');
  const kinds: Readonly<Record<string, KeyDefinition['kind']>> = {
    UNIQUE: 'unique',
    FULLTEXT: 'fulltext',
    SPATIAL: 'spatial',
    VECTOR: 'vector',
  };
  const kind = kinds[reader.peek().keyword];
  if (kind !== undefined && reader.peek(1).keyword === 'INDEX') {
    reader.next();
    reader.next();
    return kind;
  }
  return reader.accept('INDEX') ? 'index' : undefined;
}

/** In Oracle's mode types mean other things (DATE has a time, NUMBER is DOUBLE). */
function rejectOracle(statement: Extract<DdlStatement, { readonly table: TableId }>, { oracle }: Modes): DdlStatement {
  return oracle ? { kind: 'uncertain', tables: [statement.table], reason: 'sql_mode ORACLE' } : statement;
}

function readDatabaseOptions(reader: TokenReader): CharsetClause {
  let charset: CharsetClause = {};
  while (!reader.atEnd()) {
    const more = readDefaultCharset(reader);
    if (more === undefined) reader.next();
    else charset = { ...charset, ...more };
  }
  return charset;
}

function readAlter(reader: TokenReader, modes: Modes): DdlStatement {
  reader.expect('ALTER');
  reader.acceptOneOf('ONLINE', 'OFFLINE');
  const ignore = reader.accept('IGNORE');
  if (reader.accept('TABLE')) return rejectOracle(readAlterTable(reader, { ignore, rules: modes }), modes);
  if (reader.acceptOneOf('DATABASE', 'SCHEMA') === undefined) return irrelevant;
  const charset = readDefaultCharset(reader);
  const database = charset === undefined ? reader.name() : reader.defaultDatabase;
  return { kind: 'alterDatabase', database, charset: { ...charset, ...readDatabaseOptions(reader) } };
}

function readDrop(reader: TokenReader): DdlStatement {
  reader.expect('DROP');
  if (reader.acceptOneOf('TABLE', 'TABLES') !== undefined) {
    reader.ifExists();
    return { kind: 'dropTables', tables: reader.tableIds() };
  }
  if (reader.acceptOneOf('DATABASE', 'SCHEMA') !== undefined) {
    reader.ifExists();
    return { kind: 'dropDatabase', database: reader.name() };
  }
  reader.acceptOneOf('ONLINE', 'OFFLINE');
  if (!reader.accept('INDEX')) return irrelevant;
  const ifExists = reader.ifExists();
  const name = reader.name();
  reader.expect('ON');
  const table = reader.tableId();
  const primary = name.toUpperCase() === 'PRIMARY';
  const action = primary ? ({ kind: 'dropPrimaryKey', ifExists } as const) : ({ kind: 'dropKey', name, ifExists } as const);
  return { kind: 'alterTable', table, ifExists: false, ignore: false, actions: [action] };
}

function readRename(reader: TokenReader): DdlStatement {
  reader.expect('RENAME');
  if (reader.acceptOneOf('TABLE', 'TABLES') === undefined) return irrelevant;
  const ifExists = reader.ifExists();
  const renames: { from: TableId; to: TableId }[] = [];
  do {
    const from = reader.tableId();
    if (reader.accept('WAIT')) reader.integer();
    else reader.accept('NOWAIT');
    reader.expect('TO');
    renames.push({ from, to: reader.tableId() });
  } while (reader.acceptSymbol(','));
  return { kind: 'renameTables', ifExists, renames };
}

/** The tables in the part of a statement that names what it changes; some of the names may be those of columns. */
function changesRows(reader: TokenReader): DdlStatement {
  return { kind: 'uncertain', tables: namedTables(reader), reason: 'rows are changed by a statement (binlog_format)' };
}

/** Every name of the statement that could be a table's. */
function namedTables(reader: TokenReader): TableId[] {
  const tables = new Map<string, TableId>();
  while (reader.peek().kind !== 'end') {
    if (!reader.seesName()) {
      reader.next();
      continue;
    }
    const first = reader.next().value;
    let id: TableId = { database: reader.defaultDatabase, table: first };
    if (reader.seesSymbol('.') && reader.seesName(1)) {
      reader.next();
      id = { database: first, table: reader.next().value };
    }
    tables.set(`${id.database}\0${id.table}`, id);
  }
  return [...tables.values()];
}
