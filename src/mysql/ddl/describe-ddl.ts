import type { DdlRecord, DdlTableChange } from '../../event/ddl-record.ts';
import type { TableId, TableSchema } from '../../event/table-schema.ts';
import type { DdlContext } from './read-ddl.ts';
import { lexicalRules } from './read-ddl.ts';
import type { DdlStatement } from './statement.ts';
import { Tokenizer, type Token } from './tokenizer.ts';

/** A record of the schema-change topic but for its place. */
export type DescribedDdl = Omit<DdlRecord, 'place'>;

/** What there is after the statement, whether captured or not. */
export interface DescribedScope {
  /** The name as the server keeps it. */
  id(table: TableId): TableId;
  /** Whether the statement made or changed it. */
  isDefined(table: TableId): boolean;
  find(table: TableId): TableSchema | undefined;
}

/** What Debezium reads over in a streamed statement that changes no table. */
const unheard =
  /^\s*(?:(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*\S+\s+|ALGORITHM\s*=\s*\w+\s+|SQL\s+SECURITY\s+\w+\s+|AGGREGATE\s+)*(?:VIEW|PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE|USER|ROLE|SERVER|TABLESPACE|LOGFILE|INSTANCE|RESOURCE|SPATIAL\s+REFERENCE|LIBRARY|TEMPORARY)\b|GRANT\b|REVOKE\b|ANALYZE\b|OPTIMIZE\b|REPAIR\b|CHECK\b|RENAME\s+USER\b|SET\b|INSERT\b|REPLACE\b|UPDATE\b|DELETE\b|LOAD\b|WITH\b|TRUNCATE\b|FLUSH\s+RELAY\b|SAVEPOINT\b|XA\b|INSTALL\b|UNINSTALL\b)/i;

/**
 * The records that Debezium writes of a streamed statement: one of most, one per table of DROP TABLE and RENAME TABLE, none of
 * what touches no table, and none of TRUNCATE.
 */
export function describeDdl(
  statement: DdlStatement,
  statementText: string,
  context: DdlContext,
  scope: DescribedScope,
): readonly DescribedDdl[] {
  const { sql, tokens } = asRead(statementText, context);
  const text = textOf(sql, tokens);
  const { defaultDatabase } = context;
  const one = (database: string, table: string | null, changes: readonly DdlTableChange[] = []): readonly DescribedDdl[] => [
    { statement: text, database, table, changes },
  ];
  /** As the binlog has it, comments behind it included. */
  const untouched = (database: string): readonly DescribedDdl[] => [{ statement: sql.trim(), database, table: '', changes: [] }];
  switch (statement.kind) {
    case 'createTable': {
      const id = scope.id(statement.table);
      return scope.isDefined(id) ? one(id.database, id.table, changesOf('CREATE', id, scope)) : untouched(id.database);
    }
    case 'alterTable': {
      const written = statement.actions.findLast((action) => action.kind === 'rename')?.to ?? statement.table;
      const id = scope.id(written);
      // CREATE INDEX and DROP INDEX
      if (tokens[0]?.keyword !== 'ALTER') return one(defaultDatabase, '');
      return one(id.database, id.table, changesOf('ALTER', id, scope));
    }
    case 'dropTables': {
      const ids = statement.tables.map((table) => scope.id(table));
      const words = tokens.slice(0, 4).some(({ keyword }) => keyword === 'EXISTS') ? 'DROP TABLE IF EXISTS' : 'DROP TABLE';
      return ids.map((id) => ({
        statement: `${words} ${quoted(id)}`,
        database: id.database,
        table: namesOf(ids, id.database),
        changes: [{ kind: 'DROP', id }],
      }));
    }
    case 'renameTables':
      return describeRenames(statement, sql, tokens, scope);
    case 'createDatabase':
    case 'dropDatabase':
      return one(statement.database, null);
    case 'alterDatabase':
      return one(statement.database, '');
    case 'truncateTable':
      return [];
    case 'irrelevant':
    case 'uncertain':
      return unheard.test(text) || text === '' ? [] : untouched(defaultDatabase);
  }
}

function changesOf(kind: 'CREATE' | 'ALTER', id: TableId, scope: DescribedScope): readonly DdlTableChange[] {
  const schema = scope.find(id);
  return schema === undefined ? [] : [{ kind, id, schema }];
}

function describeRenames(
  statement: Extract<DdlStatement, { kind: 'renameTables' }>,
  sql: string,
  tokens: readonly Token[],
  scope: DescribedScope,
): readonly DescribedDdl[] {
  const ids = statement.renames.map(({ to }) => scope.id(to));
  const pairs = pairTexts(sql, tokens);
  const words = tokens.some(({ keyword }) => keyword === 'EXISTS') ? 'RENAME TABLE IF EXISTS' : 'RENAME TABLE';
  return statement.renames.map(({ from, to }, at) => {
    const id = scope.id(to);
    return {
      statement: `${words} ${pairs[at] ?? ''}`,
      database: id.database,
      table: namesOf(ids, id.database),
      changes: changesOf('ALTER', id, scope).map((change) => ({ ...change, previous: scope.id(from) })),
    };
  });
}

/** `a TO b` of each pair, as written. */
function pairTexts(sql: string, tokens: readonly Token[]): readonly string[] {
  const texts: string[] = [];
  let start = tokens.findIndex(({ keyword }) => keyword === 'TABLE' || keyword === 'TABLES') + 1;
  if (tokens[start]?.keyword === 'IF') start += 2;
  for (let at = start; at <= tokens.length; at++) {
    const token = tokens[at];
    if (token !== undefined && !(token.kind === 'symbol' && token.value === ',')) continue;
    texts.push(sql.slice(tokens[start]?.start ?? 0, tokens[at - 1]?.end ?? 0));
    start = at + 1;
  }
  return texts;
}

/** MySQL's connector has no double quotes around texts before it reads a statement. */
function asRead(sql: string, context: DdlContext): { readonly sql: string; readonly tokens: readonly Token[] } {
  const tokens = tokensOf(sql, context);
  const isQuoted = ({ kind, end }: Token): boolean => kind === 'text' && sql[end - 1] === '"';
  if (lexicalRules(context).flavor === 'mariadb' || !tokens.some(isQuoted)) return { sql, tokens };
  let text = '';
  let done = 0;
  for (const token of tokens.filter(isQuoted)) {
    const from = sql.indexOf('"', token.start);
    text += `${sql.slice(done, from)}'${sql.slice(from + 1, token.end - 1).replaceAll("'", "''")}'`;
    done = token.end;
  }
  text += sql.slice(done);
  return { sql: text, tokens: tokensOf(text, context) };
}

/** The statement's tokens, without MariaDB's SET STATEMENT in front and without the semicolon behind. */
function tokensOf(sql: string, context: DdlContext): readonly Token[] {
  const tokenizer = new Tokenizer(sql, lexicalRules(context));
  let tokens: Token[] = [];
  for (let token = tokenizer.next(); token.kind !== 'end'; token = tokenizer.next()) {
    if (token.kind === 'symbol' && token.value === ';') break;
    tokens.push(token);
    if (token.keyword === 'FOR' && tokens[0]?.keyword === 'SET' && tokens[1]?.keyword === 'STATEMENT') tokens = [];
  }
  return tokens;
}

/** From the first token to the last: comments inside are kept, those around are not. */
function textOf(sql: string, tokens: readonly Token[]): string {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return first === undefined || last === undefined ? '' : sql.slice(first.start, last.end);
}

function quoted({ database, table }: TableId): string {
  return [database, table].map((name) => `\`${name.replaceAll('`', '``')}\``).join('.');
}

/** The names of tables, in the order in which a Java HashSet of up to twelve table ids has them. */
function namesOf(ids: readonly TableId[], database: string): string {
  const own = new Map(ids.filter((id) => id.database === database).map((id) => [id.table, bucketOf(`${database}.${id.table}`)]));
  return [...own]
    .toSorted(([, a], [, b]) => a - b)
    .map(([name]) => name)
    .join(',');
}

function bucketOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 16)) & 15;
}
