import { alreadyExists, doesNotExist, unknownForm } from '../snowflake-error.ts';
import type { Name } from '../sql/ast.ts';
import type { Statement } from '../sql/statement.ts';
import { isKind } from './catalog.ts';
import type { StatementContext } from './environment.ts';
import type { CatalogObject, MemberKind, SchemaMember, SchemaObject } from './objects.ts';
import { type Result, statusResult } from './result.ts';
import type { Session } from './session.ts';

/** What a DDL statement made or altered, and what is gone. */
export interface Defined {
  readonly entered: readonly CatalogObject[];
  readonly removed: readonly CatalogObject[];
  readonly message: string;
}

/**
 * A DDL statement: it commits the open transaction, and is one of its own. `work` writes to the store; memory follows
 * when that is durable.
 */
export async function define(session: Session, work: (version: number) => Promise<Defined>): Promise<Result> {
  await session.commit();
  const { catalog, connection } = session;
  const { store } = catalog;
  const defined = await store.exclusively(async () => {
    const version = store.version + 1;
    const result = await connection.atomically(async () => {
      const made = await work(version);
      for (const object of made.removed) await removeStored(session, object);
      for (const object of made.entered) await catalog.save(connection, object);
      await connection.run('INSERT INTO sys_statements VALUES (?, ?, ?, ?)', [
        session.queryId,
        BigInt(version),
        BigInt(version - 1),
        BigInt(Date.now()),
      ]);
      return made;
    });
    store.version = version;
    for (const object of result.removed) catalog.remove(object.id);
    catalog.enter(...result.entered);
    return result;
  });
  for (const object of defined.removed) if (object.kind === 'stage') await session.account.files.drop(object.id);
  return statusResult(defined.message);
}

async function removeStored(session: Session, object: CatalogObject): Promise<void> {
  await session.catalog.forget(session.connection, object);
  if (object.kind !== 'table') return;
  await session.connection.run(`DROP TABLE IF EXISTS t${object.id}`);
  await session.connection.run(`DELETE FROM sys_loads WHERE table_id = ${object.id}`);
}

/** Waits until no transaction holds a table, and keeps it for the statement. */
export async function locked<T>(context: StatementContext, tableIds: readonly number[], work: () => Promise<T>): Promise<T> {
  const { session } = context;
  await session.commit();
  const { locks, catalog } = session.account;
  const owner = { transactionId: catalog.store.nextStamp(), sessionId: session.sessionId };
  try {
    for (const id of tableIds) await locks.acquire(id, owner, session.waitOptions(String(id), context.signal));
    return await work();
  } finally {
    locks.release(owner.transactionId);
  }
}

export function membersOf(session: Session, schema: SchemaObject): readonly SchemaMember[] {
  return session.catalog.all().filter((object): object is SchemaMember => 'schemaId' in object && object.schemaId === schema.id);
}

/** A member of a schema: stage, file format, view, stream, task. */
export async function createMember(
  context: StatementContext,
  what: {
    readonly kind: MemberKind;
    readonly name: Name;
    readonly create: { readonly orReplace: boolean; readonly ifNotExists: boolean };
    readonly temporary: boolean;
  },
  make: (base: {
    readonly id: number;
    readonly name: string;
    readonly schemaId: number;
    readonly createdMs: number;
    readonly sessionId?: number;
  }) => SchemaMember,
): Promise<Result> {
  const { session } = context;
  const { catalog } = session;
  return define(session, () => {
    const { schema, name } = catalog.place(what.name, session);
    const own = what.temporary ? session.sessionId : 0;
    const existing = catalog.findIn(schema.id, what.kind, name, own);
    if (existing !== undefined && what.create.ifNotExists) {
      return Promise.resolve({ entered: [], removed: [], message: `${name} already exists, statement succeeded.` });
    }
    const replaced = existing !== undefined && what.create.orReplace && isKind(existing, what.kind) ? [existing] : [];
    if (existing !== undefined && replaced.length === 0) throw alreadyExists(name);
    const object = make({
      id: catalog.nextId(),
      name,
      schemaId: schema.id,
      createdMs: Date.now(),
      ...(what.temporary ? { sessionId: session.sessionId } : {}),
    });
    return Promise.resolve({ entered: [object], removed: replaced, message: `${what.kind.toUpperCase()} ${name} successfully created.` });
  });
}

const kinds: Readonly<Record<string, MemberKind>> = {
  TABLE: 'table',
  VIEW: 'view',
  STAGE: 'stage',
  'FILE FORMAT': 'fileFormat',
  STREAM: 'stream',
  TASK: 'task',
};

export async function drop(context: StatementContext, statement: Extract<Statement, { is: 'drop' }>): Promise<Result> {
  const { session } = context;
  const { catalog } = session;
  const missing = { entered: [], removed: [], message: 'Drop statement executed successfully (already dropped).' };
  if (statement.kind === 'DATABASE') throw unknownForm('DROP DATABASE');
  if (statement.kind === 'SCHEMA') {
    const result = await define(session, () => {
      const { database, name } = catalog.schemaName(statement.name, session);
      const schema = catalog.findSchema(database, name);
      if (schema === undefined && statement.ifExists) return Promise.resolve(missing);
      if (schema === undefined) throw doesNotExist('Schema', name);
      return Promise.resolve({ entered: [], removed: [...membersOf(session, schema), schema], message: `${name} successfully dropped.` });
    });
    if (
      session.schema !== undefined &&
      session.database !== undefined &&
      catalog.findSchema(session.database, session.schema) === undefined
    ) {
      session.schema = undefined;
    }
    return result;
  }
  const kind = kinds[statement.kind] ?? 'table';
  const dynamic = statement.kind === 'DYNAMIC TABLE';
  if (statement.ifExists && !schemaIsThere(session, statement.name)) return define(session, () => Promise.resolve(missing));
  const found = catalog.find(kind, statement.name, session);
  return locked(context, found?.kind === 'table' ? [found.id] : [], () =>
    define(session, () => {
      const object = catalog.find(kind, statement.name, session);
      if (object === undefined && statement.ifExists) return Promise.resolve(missing);
      if (object === undefined) {
        throw doesNotExist(statement.kind === 'TABLE' ? 'Table' : statement.kind, catalog.fullName(statement.name, session));
      }
      if (!isKind(object, kind) || (object.kind === 'table' && (object.dynamic !== undefined) !== dynamic)) {
        throw unknownForm(`DROP ${statement.kind} of another kind of object`);
      }
      return Promise.resolve({ entered: [], removed: [object], message: `${object.name} successfully dropped.` });
    }),
  );
}

/** IF EXISTS holds for the schema of a name, too. */
function schemaIsThere(session: Session, name: Name): boolean {
  if (name.length < 2) return true;
  const database = name.length > 2 ? name[0] : session.database;
  return database !== undefined && session.catalog.findSchema(database, name.at(-2) ?? '') !== undefined;
}

export async function alterSchema(session: Session, statement: Extract<Statement, { is: 'alterSchema' }>): Promise<Result> {
  const { catalog } = session;
  return define(session, () => {
    const schema = catalog.schema(statement.name, session);
    if (statement.rename !== undefined) {
      const place = catalog.schemaName(statement.rename, session);
      if (catalog.findSchema(place.database, place.name) !== undefined) throw alreadyExists(place.name);
      return Promise.resolve({ entered: [{ ...schema, ...place }], removed: [], message: 'Statement executed successfully.' });
    }
    const other = catalog.schema(statement.swap ?? [], session);
    const entered = [
      { ...schema, database: other.database, name: other.name },
      { ...other, database: schema.database, name: schema.name },
    ];
    return Promise.resolve({ entered, removed: [], message: 'Statement executed successfully.' });
  });
}
