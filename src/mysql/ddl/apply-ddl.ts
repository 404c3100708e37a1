import type { ColumnOrigin, SchemaChange } from '../../event/schema-change.ts';
import type { TableId } from '../../event/table-schema.ts';
import { captureTable, type CapturedTable } from '../captured.ts';
import { resolveCharset, type CharsetCatalog } from '../charset-catalog.ts';
import type { TableDefinition } from '../read-schema.ts';
import { alterModel, type TableEnvironment } from './alter-model.ts';
import { createModel, likeModel, renamed } from './create-model.ts';
import type { AlterAction, DdlStatement } from './statement.ts';

/** The definitions that are known before a statement, and what else its meaning depends on. */
export interface DdlScope {
  find(table: TableId): TableDefinition | undefined;
  inDatabase(database: string): readonly TableDefinition[];
  /** Default collation of a database; undefined: there is none of that name. */
  databaseCollation(database: string): string | undefined;
  captures(table: TableId): boolean;
  capturesColumn(table: TableId, column: string): boolean;
  readonly catalog: CharsetCatalog;
  /** Of the session that ran the statement. */
  readonly sqlMode: bigint;
  /** explicit_defaults_for_timestamp. */
  readonly explicitTimestamps: boolean;
  /** As an offset; literal defaults of TIMESTAMP columns are meant in it. */
  readonly timeZone: string;
}

export interface DdlEffect {
  /** In the order of the statement, in terms of the captured columns. */
  readonly changes: readonly SchemaChange[];
  /** The definitions that are new or changed. */
  readonly defined: readonly TableDefinition[];
  readonly removed: readonly TableId[];
  /** Databases with another default collation; null: dropped. */
  readonly databases: readonly { readonly database: string; readonly collation: string | null }[];
  /**
   * Captured tables whose rows or definition after the statement are not certain: read them again and resync. They may
   * be views, or not be there.
   */
  readonly uncertain: readonly { readonly table: TableId; readonly reason: string }[];
  /** The statement could not be read at all: any table may be another. */
  readonly unreadable: string | undefined;
}

/** What a statement does to the tables that are known. Pure: the scope is not changed. */
export function applyDdl(statement: DdlStatement, scope: DdlScope): DdlEffect {
  const effect = new Effect(scope);
  switch (statement.kind) {
    case 'createTable':
      createTable(effect, statement);
      break;
    case 'alterTable':
      alterTable(effect, statement);
      break;
    case 'dropTables':
      for (const table of statement.tables) effect.drop(effect.id(table));
      break;
    case 'renameTables':
      renameTables(effect, statement.renames, statement.ifExists);
      break;
    case 'truncateTable':
      effect.truncate(effect.id(statement.table));
      break;
    case 'createDatabase':
    case 'alterDatabase':
    case 'dropDatabase':
      changeDatabase(effect, statement);
      break;
    case 'irrelevant':
      break;
    case 'uncertain':
      if (statement.tables.length === 0) effect.unreadable = statement.reason;
      for (const table of statement.tables) effect.doubt(effect.id(table), statement.reason);
      break;
  }
  return effect.result();
}

/** Collects what a statement does; later parts of it see the earlier ones. */
class Effect {
  readonly scope: DdlScope;
  unreadable: string | undefined;
  readonly changes: SchemaChange[] = [];
  readonly databases: { database: string; collation: string | null }[] = [];
  readonly #uncertain = new Map<string, { table: TableId; reason: string }>();
  /** null: gone. */
  readonly #tables = new Map<string, { id: TableId; definition: TableDefinition | null }>();

  constructor(scope: DdlScope) {
    this.scope = scope;
  }

  /** The name as the server keeps it. */
  id({ database, table }: TableId): TableId {
    if (!this.scope.catalog.foldsNames) return { database, table };
    return { database: database.toLowerCase(), table: table.toLowerCase() };
  }

  find(table: TableId): TableDefinition | undefined {
    const own = this.#tables.get(keyOf(table));
    return own === undefined ? this.scope.find(table) : (own.definition ?? undefined);
  }

  define(definition: TableDefinition): void {
    const { database, table } = definition.schema;
    this.#tables.set(keyOf(definition.schema), { id: { database, table }, definition });
  }

  remove({ database, table }: TableId): void {
    this.#tables.set(keyOf({ database, table }), { id: { database, table }, definition: null });
  }

  captured({ schema }: TableDefinition): CapturedTable {
    return captureTable(schema, (table, column) => this.scope.capturesColumn(table, column));
  }

  doubt(table: TableId, reason: string): void {
    if (this.scope.captures(table) && !this.#uncertain.has(keyOf(table))) this.#uncertain.set(keyOf(table), { table, reason });
  }

  drop(table: TableId): void {
    const definition = this.find(table);
    if (definition === undefined) return;
    this.changes.push({ kind: 'dropTable', before: this.captured(definition).captured });
    this.remove(table);
    this.#uncertain.delete(keyOf(table));
  }

  truncate(table: TableId): void {
    const definition = this.find(table);
    if (definition !== undefined) this.changes.push({ kind: 'truncateTable', before: this.captured(definition).captured });
    else this.doubt(table, 'an unknown table is emptied');
  }

  create(definition: TableDefinition): void {
    this.define(definition);
    this.changes.push({ kind: 'createTable', after: this.captured(definition).captured });
  }

  environment(database: string): TableEnvironment {
    const { catalog, sqlMode, explicitTimestamps, timeZone } = this.scope;
    return {
      catalog,
      sqlMode,
      explicitTimestamps,
      timeZone,
      databaseCollation: this.scope.databaseCollation(database) ?? catalog.serverCollation,
    };
  }

  result(): DdlEffect {
    const { changes, databases, unreadable } = this;
    const defined: TableDefinition[] = [];
    const removed: TableId[] = [];
    for (const { id, definition } of this.#tables.values()) {
      if (definition === null) removed.push(id);
      else defined.push(definition);
    }
    return { changes, defined, removed, databases, uncertain: [...this.#uncertain.values()], unreadable };
  }
}

function keyOf({ database, table }: TableId): string {
  return `${database}\0${table}`;
}

function createTable(effect: Effect, statement: Extract<DdlStatement, { kind: 'createTable' }>): void {
  const table = effect.id(statement.table);
  const known = effect.find(table);
  if (known !== undefined && statement.ifNotExists && !statement.orReplace) return;
  if (known !== undefined && statement.orReplace) effect.drop(table);
  if (!effect.scope.captures(table)) return;
  if (known !== undefined && !statement.orReplace) {
    effect.doubt(table, 'it is created, but is already known');
    return;
  }
  if (statement.like !== undefined) {
    const like = effect.find(effect.id(statement.like));
    if (like === undefined) effect.doubt(table, `it is made like ${statement.like.table}, which is not known`);
    else effect.create(likeModel(like, table));
    return;
  }
  if (statement.asSelect) {
    effect.doubt(table, 'it is made from a query');
    return;
  }
  const { model, doubts } = createModel({ ...statement, table }, effect.environment(table.database));
  effect.create(model);
  for (const reason of doubts) effect.doubt(table, reason);
}

function alterTable(effect: Effect, statement: Extract<DdlStatement, { kind: 'alterTable' }>): void {
  const table = effect.id(statement.table);
  const before = effect.find(table);
  const rename = statement.actions.findLast((action): action is Extract<AlterAction, { kind: 'rename' }> => action.kind === 'rename');
  if (before !== undefined) {
    if (statement.actions.some(({ kind }) => kind === 'truncate')) effect.truncate(table);
    const { after, origins, doubts } = alterModel(before, statement.actions, effect.environment(table.database));
    alter(effect, { before, after, origins });
    for (const reason of doubts) effect.doubt(table, reason);
    const adds = statement.actions.some((action) => action.kind === 'addKey' && action.key.kind !== 'index');
    if (statement.ignore && adds) effect.doubt(table, 'ALTER IGNORE drops rows that break a key');
  } else if (!statement.ifExists) {
    effect.doubt(table, 'an unknown table is altered');
  }
  for (const action of statement.actions) {
    if (action.kind === 'uncertain') for (const other of action.tables) effect.doubt(effect.id(other), action.reason);
  }
  if (rename !== undefined) renameTables(effect, [{ from: table, to: rename.to }], statement.ifExists);
}

interface Altered {
  readonly before: TableDefinition;
  readonly after: TableDefinition;
  readonly origins: readonly ColumnOrigin[];
}

/** Adds the change in terms of the captured columns, if they change at all. */
function alter(effect: Effect, { before, after, origins }: Altered): void {
  effect.define(after);
  const old = effect.captured(before);
  const now = effect.captured(after);
  if (old.captured.fingerprint === now.captured.fingerprint) {
    // Columns may have gone and come under one definition: then their values are others.
    const same = now.positions.every((position, i) => fromOf(origins[position]) === old.positions[i]);
    if (same) return;
  }
  const columns = now.positions.map((position): ColumnOrigin => {
    const origin = origins[position] ?? { fill: null };
    if ('fill' in origin) return origin;
    const from = old.positions.indexOf(origin.from);
    if (from >= 0) return { from };
    effect.doubt(after.schema, 'a column is captured from now on');
    return { fill: null };
  });
  effect.changes.push({ kind: 'alterTable', before: old.captured, after: now.captured, columns });
}

function fromOf(origin: ColumnOrigin | undefined): number | undefined {
  return origin !== undefined && 'from' in origin ? origin.from : undefined;
}

/**
 * Renames, one after the other. A table keeps its rows through names that are not captured if its last name is; one
 * that ends under such a name is dropped, and one that comes from an unknown name has to be read.
 */
function renameTables(effect: Effect, renames: readonly { readonly from: TableId; readonly to: TableId }[], ifExists: boolean): void {
  const steps = renames.map(({ from, to }) => ({ from: effect.id(from), to: effect.id(to) }));
  steps.forEach(({ from, to }, step) => {
    const definition = effect.find(from);
    if (definition === undefined) {
      // A captured table that is not known is none.
      if (ifExists && effect.scope.captures(from)) return;
      effect.doubt(to, `it was ${from.table}, which is not known`);
      return;
    }
    if (!effect.scope.captures(lastName(to, steps.slice(step + 1)))) {
      effect.drop(from);
      return;
    }
    const moved = renamed(definition, to);
    effect.remove(from);
    effect.define(moved);
    const before = effect.captured(definition);
    const after = effect.captured(moved);
    effect.changes.push({ kind: 'renameTable', before: before.captured, after: after.captured });
    if (before.positions.join() !== after.positions.join()) effect.doubt(to, 'other columns are captured under its new name');
  });
}

function lastName(table: TableId, steps: readonly { readonly from: TableId; readonly to: TableId }[]): TableId {
  let name = table;
  for (const { from, to } of steps) if (keyOf(from) === keyOf(name)) name = to;
  return name;
}

function changeDatabase(
  effect: Effect,
  statement: Extract<DdlStatement, { kind: 'createDatabase' | 'alterDatabase' | 'dropDatabase' }>,
): void {
  const { database } = effect.id({ database: statement.database, table: '' });
  const dropAll = (): void => {
    for (const { schema } of effect.scope.inDatabase(database)) effect.drop({ database, table: schema.table });
  };
  if (statement.kind === 'dropDatabase') {
    dropAll();
    effect.databases.push({ database, collation: null });
    return;
  }
  const { catalog } = effect.scope;
  if (statement.kind === 'createDatabase') {
    if (statement.orReplace) dropAll();
    // The server logs IF NOT EXISTS also where the database was there, and then leaves it as it was.
    else if (statement.ifNotExists && effect.scope.databaseCollation(database) !== undefined) return;
  }
  const keeps = statement.kind === 'alterDatabase' && statement.charset.charset !== 'default';
  const inherited = (keeps ? effect.scope.databaseCollation(database) : undefined) ?? catalog.serverCollation;
  effect.databases.push({ database, collation: resolveCharset(statement.charset, inherited, catalog).collation });
}
