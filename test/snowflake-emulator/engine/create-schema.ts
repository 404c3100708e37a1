import { alreadyExists, unknownForm } from '../snowflake-error.ts';
import type { CreateContainer } from '../sql/statement.ts';
import { copyTable } from './create-table.ts';
import { define, membersOf } from './ddl.ts';
import type { StatementContext } from './environment.ts';
import type { CatalogObject, SchemaObject } from './objects.ts';
import type { Result } from './result.ts';
import type { Session } from './session.ts';

export async function createSchema(context: StatementContext, statement: CreateContainer): Promise<Result> {
  const { session } = context;
  const { catalog } = session;
  const result = await define(session, async (version) => {
    const { database, name } = catalog.schemaName(statement.name, session);
    const existing = catalog.findSchema(database, name);
    if (existing !== undefined && statement.create.ifNotExists) {
      return { entered: [], removed: [], message: `${name} already exists, statement succeeded.` };
    }
    if (existing !== undefined && !statement.create.orReplace) throw alreadyExists(name);
    const schema: SchemaObject = {
      kind: 'schema',
      id: catalog.nextId(),
      database,
      name,
      transient: statement.transient,
      createdMs: Date.now(),
    };
    const removed = existing === undefined ? [] : [...membersOf(session, existing), existing];
    const entered: CatalogObject[] = [schema];
    if (statement.clone !== undefined) {
      const source = catalog.schema(statement.clone.name, session);
      for (const member of membersOf(session, source)) {
        if (member.kind !== 'table') throw unknownForm(`CLONE of a schema with a ${member.kind}`);
        entered.push(
          await copyTable(context, member, {
            id: catalog.nextId(),
            schemaId: schema.id,
            name: member.name,
            kind: member.tableKind,
            at: statement.clone.at,
            version,
          }),
        );
      }
    }
    return { entered, removed, message: `Schema ${name} successfully created.` };
  });
  // A new schema becomes the session's, as on Snowflake.
  if (!statement.create.ifNotExists) {
    const place = catalog.schemaName(statement.name, session);
    session.database = place.database;
    session.schema = place.name;
  }
  return result;
}

export async function createDatabase(session: Session, statement: CreateContainer): Promise<Result> {
  if (statement.clone !== undefined) throw unknownForm('CREATE DATABASE … CLONE');
  const name = statement.name[0] ?? '';
  const result = await define(session, () => {
    const { catalog } = session;
    if (catalog.database(name) !== undefined) {
      if (statement.create.ifNotExists) {
        return Promise.resolve({ entered: [], removed: [], message: `${name} already exists, statement succeeded.` });
      }
      if (statement.create.orReplace) throw unknownForm('CREATE OR REPLACE DATABASE');
      throw alreadyExists(name);
    }
    const entered: readonly CatalogObject[] = [
      { kind: 'database', id: catalog.nextId(), name, createdMs: Date.now() },
      { kind: 'schema', id: catalog.nextId(), database: name, name: 'PUBLIC', transient: false, createdMs: Date.now() },
    ];
    return Promise.resolve({ entered, removed: [], message: `Database ${name} successfully created.` });
  });
  if (!statement.create.ifNotExists) {
    session.database = name;
    session.schema = 'PUBLIC';
  }
  return result;
}
