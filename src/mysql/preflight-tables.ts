import { tableName, type TableId, type TableSchema } from '../event/table-schema.ts';
import type { Grants } from './preflight-grants.ts';
import { fail, ok, warn, type PreflightResult, type PreflightScope } from './preflight-result.ts';
import { quoteTable, readTableSchemas } from './read-schema.ts';

interface TableScope {
  readonly scope: PreflightScope;
  readonly grants: Grants;
}

/** How many tables a message names. */
const named = 10;

/** The captured tables: that there are some, and what of them cannot be replicated, or not exactly. */
export async function checkTables({ scope, grants }: TableScope, signal: AbortSignal): Promise<PreflightResult[]> {
  const { config, connection } = scope;
  const captures = (table: TableId): boolean => config.captures(table);
  const schemas = await readTableSchemas(connection, captures, signal);
  if (schemas.length === 0) {
    const why = grants.global.has('SELECT') ? '' : ', or the user may see none of them';
    return [fail('captured tables', `no table matches the lists${why}`, 'correct database.include.list and table.include.list')];
  }
  return [
    ok('captured tables', `${schemas.length}`),
    checkSelect(schemas, { scope, grants }),
    checkKeys(schemas),
    ...(await checkEngines(scope, captures)),
    ...(await checkCascades(scope, captures)),
    ...checkVersioning(schemas),
  ];
}

function checkSelect(schemas: readonly TableSchema[], { scope, grants }: TableScope): PreflightResult {
  const denied = schemas.filter((schema) => !grants.selects(schema));
  if (denied.length === 0) {
    const hidden = grants.global.has('SELECT') ? '' : '; tables on which the user has no privilege at all are invisible to it';
    return ok('SELECT', `the user may read all captured tables${hidden}`);
  }
  const databases = [...new Set(denied.map(({ database }) => database))];
  const user = `'${scope.config.server.user}'@'%'`;
  const repair = databases.map((database) => `GRANT SELECT ON \`${database.replaceAll('`', '``')}\`.* TO ${user}`).join('; ');
  return fail('SELECT', `the user may not read ${listed(denied)}`, repair);
}

function checkKeys(schemas: readonly TableSchema[]): PreflightResult {
  const keyless = schemas.filter(({ primaryKey }) => primaryKey.length === 0);
  if (keyless.length === 0) return ok('keys', 'every captured table has one');
  const repair = keyless
    .slice(0, named)
    .map(
      (schema) => `ALTER TABLE ${quoteTable(schema)} ADD COLUMN millrace_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY`,
    )
    .join('; ');
  return warn(
    'keys',
    `without a primary key, or a unique one over NOT NULL columns: ${listed(keyless)}. They are replicated by their whole rows, which is slower`,
    repair,
  );
}

async function checkEngines({ ask }: PreflightScope, captures: (table: TableId) => boolean): Promise<PreflightResult[]> {
  const rows = await ask(
    `SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.tables WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
     AND ENGINE NOT IN ('InnoDB', 'RocksDB') AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')`,
  );
  const others = (rows ?? []).map((row) => ({ database: row[0] ?? '', table: row[1] ?? '', engine: row[2] ?? '' })).filter(captures);
  if (others.length === 0) return [ok('storage engines', 'transactional')];
  const repair = others
    .slice(0, named)
    .map((table) => `ALTER TABLE ${quoteTable(table)} ENGINE = InnoDB`)
    .join('; ');
  const names = others.slice(0, named).map((table) => `${tableName(table)} (${table.engine})`);
  const text = `no transactions: ${names.join(', ')}${more(others)}. A snapshot of them may hold changes twice or miss some while they are written to`;
  return [warn('storage engines', text, repair)];
}

/** Before MySQL had foreign keys in its SQL layer, and in MariaDB, InnoDB cascades without a word to the binlog. */
async function checkCascades(scope: PreflightScope, captures: (table: TableId) => boolean): Promise<PreflightResult[]> {
  const check = 'foreign keys';
  if (scope.variable('innodb_native_foreign_keys') === 'OFF') return [ok(check, 'cascades are in the binlog')];
  const all = await readCascades(scope);
  if (all === undefined) {
    const text = 'whether some cascade, which the binlog does not show, the user may not see';
    return [warn(check, text, `GRANT PROCESS ON *.* TO '${scope.config.server.user}'@'%'`)];
  }
  const children = all.filter(captures);
  if (children.length === 0) return [ok(check, 'none with an action that the binlog does not show')];
  const names = children.slice(0, named).map((child) => `${tableName(child)} (${child.constraint})`);
  const first = children[0];
  const repair =
    first === undefined
      ? undefined
      : `let the application delete children before parents, and replace each: ALTER TABLE ${quoteTable(first)} DROP FOREIGN KEY \`${first.constraint}\`, ADD FOREIGN KEY … ON DELETE RESTRICT`;
  return [
    warn(
      check,
      `what CASCADE and SET NULL do to children is not in the binlog: the replica of ${names.join(', ')}${more(children)} keeps rows that the source deletes so`,
      repair,
    ),
  ];
}

interface Cascade extends TableId {
  readonly constraint: string;
}

/** Foreign keys with an action that changes children. */
async function readCascades({ ask, connection: { version } }: PreflightScope): Promise<readonly Cascade[] | undefined> {
  const actions = "('CASCADE', 'SET NULL', 'SET DEFAULT')";
  const rows = await ask(
    `SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME FROM information_schema.referential_constraints
     WHERE UPDATE_RULE IN ${actions} OR DELETE_RULE IN ${actions}`,
  );
  const seen = (rows ?? []).map((row) => ({ database: row[0] ?? '', table: row[1] ?? '', constraint: row[2] ?? '' }));
  if (version.flavor === 'mysql' || seen.length > 0) return seen;
  // MariaDB shows constraints there only to those who may do more than SELECT; here to those with PROCESS.
  const own = await ask('SELECT ID, FOR_NAME FROM information_schema.INNODB_SYS_FOREIGN WHERE TYPE & 15 <> 0');
  return own?.map((row) => {
    const [database = '', table = ''] = (row[1] ?? '').split('/').map(decodeFileName);
    return { database, table, constraint: (row[0] ?? '').split('/').at(-1) ?? '' };
  });
}

/** InnoDB has names as files have them: `a@0024b` is `a$b`. */
function decodeFileName(name: string): string {
  return name.replaceAll(/@([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** With transaction ids as row start and end, MariaDB writes such a table's changes as statements. */
function checkVersioning(schemas: readonly TableSchema[]): PreflightResult[] {
  const byTransaction = schemas.filter(({ columns }) =>
    columns.some(({ versioning, type }) => versioning !== undefined && type.kind === 'int'),
  );
  if (byTransaction.length === 0) return [];
  return [
    fail(
      'system versioning',
      `versioned by transaction id, whose changes come as statements: ${listed(byTransaction)}`,
      'use TIMESTAMP(6) columns for the row start and end, or exclude the tables',
    ),
  ];
}

function listed(tables: readonly TableId[]): string {
  return `${tables.slice(0, named).map(tableName).join(', ')}${more(tables)}`;
}

function more(all: readonly unknown[]): string {
  return all.length > named ? ` and ${all.length - named} more` : '';
}
