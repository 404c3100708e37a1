import { compileQuery } from '../compile/query.ts';
import { alreadyExists, compilationError, unknownForm } from '../snowflake-error.ts';
import type { TimeTravel } from '../sql/ast.ts';
import { duckType, text } from '../sql/sf-type.ts';
import type { CreateTable, TableKind } from '../sql/statement.ts';
import { stored } from './dml.ts';
import { environmentOf, fullNameOf, type StatementContext, versionAt } from './environment.ts';
import { define, locked } from './ddl.ts';
import type { Column, TableObject } from './objects.ts';
import type { Result } from './result.ts';
import { createTableSql, pastSource, tableSource } from './versions.ts';

export async function createTable(context: StatementContext, statement: CreateTable): Promise<Result> {
  const { session } = context;
  const { catalog } = session;
  const temporary = statement.kind === 'temporary' ? session.sessionId : 0;
  const place = catalog.place(statement.name, session);
  const before = catalog.findIn(place.schema.id, 'table', place.name, temporary);
  return locked(context, before !== undefined && statement.create.orReplace ? [before.id] : [], () =>
    define(session, async (version) => {
      const { schema, name } = catalog.place(statement.name, session);
      const existing = catalog.findIn(schema.id, 'table', name, temporary);
      // A temporary table hides a permanent one of its name; it is another object.
      const same = existing !== undefined && (existing.sessionId ?? 0) === temporary ? existing : undefined;
      if (same !== undefined && statement.create.ifNotExists) {
        return { entered: [], removed: [], message: `${name} already exists, statement succeeded.` };
      }
      if (same !== undefined && (!statement.create.orReplace || same.kind !== 'table')) throw alreadyExists(name);
      const table = await makeTable(context, statement, { schemaId: schema.id, name, version });
      return { entered: [table], removed: same === undefined ? [] : [same], message: `Table ${name} successfully created.` };
    }),
  );
}

interface Where {
  readonly schemaId: number;
  readonly name: string;
  readonly version: number;
}

async function makeTable(context: StatementContext, statement: CreateTable, where: Where): Promise<TableObject> {
  const { session } = context;
  const { catalog, connection } = session;
  if (statement.clone !== undefined) {
    const source = catalog.get('table', statement.clone.name, session);
    return copyTable(context, source, {
      id: catalog.nextId(),
      schemaId: where.schemaId,
      name: where.name,
      kind: statement.kind,
      at: statement.clone.at,
      version: where.version,
    });
  }
  const like = statement.like === undefined ? undefined : catalog.get('table', statement.like, session);
  const query = statement.query === undefined ? undefined : compileQuery(statement.query, environmentOf(context, undefined));
  const columns = like?.columns ?? columnsOf(statement, query?.columns);
  const table: TableObject = {
    kind: 'table',
    id: catalog.nextId(),
    name: where.name,
    schemaId: where.schemaId,
    createdMs: Date.now(),
    ...(statement.kind === 'temporary' ? { sessionId: session.sessionId } : {}),
    tableKind: statement.kind,
    columns,
    primaryKey: like?.primaryKey ?? statement.primaryKey,
    nextColumn: columns.length + 1,
    retentionDays: retention(statement),
    ...(typeof statement.options['COMMENT'] === 'string' ? { comment: statement.options['COMMENT'] } : {}),
    createdVersion: where.version,
    oldestVersion: where.version,
    formerColumns: [],
    ...(statement.dynamic === undefined
      ? {}
      : { dynamic: { text: statement.dynamic, database: session.database, schema: session.schema } }),
  };
  await connection.run(createTableSql(table, (column) => duckType(column.type)));
  if (query !== undefined) {
    const values = table.columns.map((column, index) =>
      stored({ sql: `s.c${index + 1}`, type: query.columns[index]?.type ?? column.type }, column),
    );
    await connection.run(
      `INSERT INTO t${table.id} SELECT ${[...values, "nextval('sys_row')", String(where.version), 'NULL', 'true'].join(', ')} FROM (${query.sql}) s`,
    );
  }
  return table;
}

const knownOptions = new Set([
  'COMMENT',
  'DATA_RETENTION_TIME_IN_DAYS',
  'CHANGE_TRACKING',
  'ENABLE_SCHEMA_EVOLUTION',
  'MAX_DATA_EXTENSION_TIME_IN_DAYS',
  'ERROR_LOGGING',
]);

function retention(statement: CreateTable): number {
  for (const name of Object.keys(statement.options)) if (!knownOptions.has(name)) throw unknownForm(`CREATE TABLE … ${name} = …`);
  const days = Number(statement.options['DATA_RETENTION_TIME_IN_DAYS'] ?? 1);
  const most = statement.kind === 'permanent' ? 90 : 1;
  if (!Number.isInteger(days) || days < 0 || days > most) {
    throw compilationError('001008', '22023', `invalid value [${days}] for parameter 'DATA_RETENTION_TIME_IN_DAYS'`);
  }
  return days;
}

function columnsOf(
  statement: CreateTable,
  found: readonly { readonly name: string; readonly type: Column['type']; readonly nullable: boolean }[] | undefined,
): readonly Column[] {
  const names = statement.columns?.map((column) => column.name) ?? statement.columnNames;
  if (found !== undefined && names !== undefined && names.length !== found.length) {
    throw compilationError('002057', '42601', 'column list does not match the query');
  }
  const columns: readonly Column[] =
    statement.columns?.map((column, index) => ({
      id: index + 1,
      name: column.name,
      type: column.type,
      nullable: column.nullable && !statement.primaryKey.includes(column.name),
      ...(column.defaultValue === undefined ? {} : { defaultValue: column.defaultValue }),
      ...(column.comment === undefined ? {} : { comment: column.comment }),
    })) ??
    (found ?? []).map((column, index) => ({
      id: index + 1,
      name: names?.[index] ?? column.name,
      type: column.type.kind === 'null' ? text : column.type,
      nullable: column.nullable,
    }));
  const twice = columns.find((column, index) => columns.findIndex((each) => each.name === column.name) !== index);
  if (twice !== undefined) throw compilationError('002025', '42S21', `duplicate column name '${twice.name}'`);
  return columns;
}

export interface CopyTo {
  readonly id: number;
  readonly schemaId: number;
  readonly name: string;
  readonly kind: TableKind;
  readonly at: TimeTravel | undefined;
  readonly version: number;
}

/** A clone: its own rows and no load history. */
export async function copyTable(context: StatementContext, source: TableObject, to: CopyTo): Promise<TableObject> {
  const { session } = context;
  if (source.tableKind === 'transient' && to.kind === 'permanent') {
    throw compilationError('003540', '0A000', 'Transient object cannot be cloned to a permanent object.');
  }
  const name = fullNameOf(session, source);
  const from =
    to.at === undefined ? tableSource(source, name, session.view(undefined)) : pastSource(source, name, versionAt(context, to.at));
  const columns = to.at === undefined ? source.columns : from.columns.map((column, index): Column => ({ ...column, id: index + 1 }));
  const { sessionId: _, ...rest } = source;
  const table: TableObject = {
    ...rest,
    ...(to.kind === 'temporary' ? { sessionId: session.sessionId } : {}),
    id: to.id,
    schemaId: to.schemaId,
    name: to.name,
    tableKind: to.kind,
    columns: columns.map((column, index) => ({ ...column, id: index + 1 })),
    nextColumn: columns.length + 1,
    createdMs: Date.now(),
    createdVersion: to.version,
    oldestVersion: to.version,
    formerColumns: [],
  };
  await session.connection.run(createTableSql(table, (column) => duckType(column.type)));
  const values = columns.map((_column, index) => `c${index + 1}`);
  await session.connection.run(
    `INSERT INTO t${table.id} SELECT ${[...values, "nextval('sys_row')", String(to.version), 'NULL', 'true'].join(', ')} FROM (${from.sql})`,
  );
  return table;
}
