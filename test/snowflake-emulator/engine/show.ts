import { doesNotExist, unknownForm } from '../snowflake-error.ts';
import { optionText } from '../sql/parse-options.ts';
import type { SfType } from '../sql/sf-type.ts';
import type { Statement } from '../sql/statement.ts';
import type { StatementContext } from './environment.ts';
import type { SchemaMember, SchemaObject, TableObject } from './objects.ts';
import { type Result, tableResult } from './result.ts';
import type { Session } from './session.ts';
import { hasDataSql } from './streams.ts';

type Show = Extract<Statement, { is: 'show' }>;

function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** LIKE of SHOW: `%` and `_`, upper and lower case alike. */
function likes(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const escaped = pattern
    .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  const regex = new RegExp(`^${escaped}$`, 'is');
  return (name) => regex.test(name);
}

/** Schemas that a SHOW looks in: the named one, all of a database, all; else the session's. */
function schemasOf(session: Session, statement: Show): readonly SchemaObject[] {
  const { catalog } = session;
  const schemas = catalog.all().filter((object) => object.kind === 'schema');
  const { scope } = statement;
  if (scope?.kind === 'ACCOUNT') return schemas;
  if (scope?.kind === 'DATABASE' || (scope === undefined && session.schema === undefined)) {
    const database = scope?.name[0] ?? session.database;
    if (database !== undefined && catalog.database(database) === undefined) throw doesNotExist('Database', database);
    return schemas.filter((schema) => database === undefined || schema.database === database);
  }
  if (scope?.kind === 'SCHEMA' && scope.name.length > 0) return [catalog.schema(scope.name, session)];
  return [catalog.schema([session.schema ?? ''], session)];
}

function membersIn(session: Session, statement: Show, ...kinds: readonly SchemaMember['kind'][]): readonly [SchemaMember, SchemaObject][] {
  const like = likes(statement.like);
  return schemasOf(session, statement).flatMap((schema) =>
    session.catalog
      .all()
      .filter(
        (object): object is SchemaMember =>
          'schemaId' in object && object.schemaId === schema.id && (kinds as readonly string[]).includes(object.kind),
      )
      .filter((object) => (object.sessionId === undefined || object.sessionId === session.sessionId) && like(object.name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((object): [SchemaMember, SchemaObject] => [object, schema]),
  );
}

export async function runShow(context: StatementContext, statement: Show): Promise<Result> {
  const { session } = context;
  const { catalog } = session;
  switch (statement.what) {
    case 'DYNAMIC TABLES':
    case 'TABLES':
    case 'OBJECTS':
    case 'VIEWS':
      // no other session drops a table between the list and its counts
      return session.catalog.store.exclusively(() => showTables(session, statement));
    case 'COLUMNS':
      return showColumns(session, statement);
    case 'PRIMARY KEYS': {
      const table = catalog.get('table', statement.scope?.name ?? [], session);
      const schema = catalog.schemaById(table.schemaId);
      const names = ['created_on', 'database_name', 'schema_name', 'table_name', 'column_name', 'key_sequence', 'constraint_name'];
      return tableResult(
        names,
        table.primaryKey.map((column, index) => [
          time(table.createdMs),
          schema.database,
          schema.name,
          table.name,
          column,
          index + 1,
          `PK_${table.id}`,
        ]),
      );
    }
    case 'SCHEMAS': {
      const like = likes(statement.like);
      const database = statement.scope?.kind === 'ACCOUNT' ? undefined : (statement.scope?.name[0] ?? session.database);
      if (database !== undefined && catalog.database(database) === undefined) throw doesNotExist('Database', database);
      const schemas = catalog
        .all()
        .filter((object) => object.kind === 'schema' && (database === undefined || object.database === database) && like(object.name));
      return tableResult(
        ['created_on', 'name', 'is_default', 'is_current', 'database_name', 'owner', 'comment', 'options', 'retention_time'],
        schemas.flatMap((schema) =>
          schema.kind === 'schema'
            ? [
                [
                  time(schema.createdMs),
                  schema.name,
                  'N',
                  schema.name === session.schema ? 'Y' : 'N',
                  schema.database,
                  session.role,
                  '',
                  schema.transient ? 'TRANSIENT' : '',
                  '1',
                ],
              ]
            : [],
        ),
      );
    }
    case 'DATABASES': {
      const like = likes(statement.like);
      const databases = catalog.all().flatMap((object) => (object.kind === 'database' && like(object.name) ? [object] : []));
      return tableResult(
        ['created_on', 'name', 'is_default', 'is_current', 'owner'],
        databases.map((each) => [time(each.createdMs), each.name, 'N', each.name === session.database ? 'Y' : 'N', session.role]),
      );
    }
    case 'STAGES':
      return tableResult(
        ['created_on', 'name', 'database_name', 'schema_name', 'url', 'type'],
        membersIn(session, statement, 'stage').map(([stage, schema]) => [
          time(stage.createdMs),
          stage.name,
          schema.database,
          schema.name,
          '',
          stage.sessionId === undefined ? 'INTERNAL' : 'INTERNAL TEMPORARY',
        ]),
      );
    case 'STREAMS':
      return showStreams(session, statement);
    case 'TASKS':
      return tableResult(
        ['created_on', 'name', 'id', 'database_name', 'schema_name', 'warehouse', 'schedule', 'state', 'definition', 'condition'],
        membersIn(session, statement, 'task').map(([task, schema]) =>
          task.kind === 'task'
            ? [
                time(task.createdMs),
                task.name,
                String(task.id),
                schema.database,
                schema.name,
                optionText(task.options, 'WAREHOUSE', ''),
                optionText(task.options, 'SCHEDULE', ''),
                task.state,
                task.body,
                task.when ?? null,
              ]
            : [],
        ),
      );
    case 'PARAMETERS': {
      const like = likes(statement.like);
      return tableResult(
        ['key', 'value', 'default', 'level', 'description', 'type'],
        session
          .parameters()
          .filter(({ name }) => like(name))
          .map(({ name, value }) => [
            name,
            String(value),
            '',
            'SESSION',
            '',
            typeof value === 'string' ? 'STRING' : typeof value === 'number' ? 'NUMBER' : 'BOOLEAN',
          ]),
      );
    }
    case 'TRANSACTIONS':
      return showTransactions(session);
    case 'LOCKS': {
      const rows = session.account.locks.list().map(({ tableId, owner, holding }) => {
        const table = catalog.byId(tableId);
        return [
          table?.kind === 'table' ? table.name : String(tableId),
          'PARTITIONS',
          String(owner.transactionId),
          String(owner.sessionId),
          holding ? 'HOLDING' : 'WAITING',
        ];
      });
      return tableResult(['resource', 'type', 'transaction', 'session', 'status'], rows);
    }
    case 'WAREHOUSES':
      return tableResult(
        ['name', 'state', 'type', 'size'],
        session.warehouse === undefined ? [] : [[session.warehouse, 'STARTED', 'STANDARD', 'X-Small']],
      );
    default:
      throw unknownForm(`SHOW ${statement.what}`);
  }
}

async function showTables(session: Session, statement: Show): Promise<Result> {
  const dynamic = statement.what === 'DYNAMIC TABLES';
  const all = ['table', 'view'] as const;
  const kinds = all.filter((kind) => statement.what === 'OBJECTS' || (kind === 'view') === (statement.what === 'VIEWS'));
  const rows: (string | number | null)[][] = [];
  for (const [object, schema] of membersIn(session, statement, ...kinds)) {
    if (dynamic && (object.kind !== 'table' || object.dynamic === undefined)) continue;
    const kind =
      object.kind === 'view'
        ? 'VIEW'
        : object.kind === 'table' && object.tableKind !== 'permanent'
          ? object.tableKind.toUpperCase()
          : 'TABLE';
    const count = object.kind === 'table' ? await rowCount(session, object) : null;
    rows.push([
      time(object.createdMs),
      object.name,
      schema.database,
      schema.name,
      kind,
      object.comment ?? '',
      '',
      count,
      null,
      session.role,
      object.kind === 'table' ? String(object.retentionDays) : '',
    ]);
  }
  return tableResult(
    ['created_on', 'name', 'database_name', 'schema_name', 'kind', 'comment', 'cluster_by', 'rows', 'bytes', 'owner', 'retention_time'],
    rows,
  );
}

async function rowCount(session: Session, table: TableObject): Promise<number> {
  const version = session.catalog.store.version;
  return session.connection.number(`SELECT count(*) FROM t${table.id} WHERE _b <= ${version} AND (_e IS NULL OR _e > ${version})`);
}

function showColumns(session: Session, statement: Show): Result {
  const { catalog } = session;
  const { scope } = statement;
  const tables =
    scope?.kind === 'TABLE'
      ? [catalog.get('table', scope.name, session)]
      : membersIn(session, statement, 'table').flatMap(([table]) => (table.kind === 'table' ? [table] : []));
  const rows = tables.flatMap((table) => {
    const schema = catalog.schemaById(table.schemaId);
    return table.columns.map((column) => [
      table.name,
      schema.name,
      column.name,
      dataType(column.type, column.nullable),
      column.nullable ? 'true' : 'NOT_NULL',
      '',
      'COLUMN',
      '',
      column.comment ?? '',
      schema.database,
      '',
    ]);
  });
  return tableResult(
    [
      'table_name',
      'schema_name',
      'column_name',
      'data_type',
      'null?',
      'default',
      'kind',
      'expression',
      'comment',
      'database_name',
      'autoincrement',
    ],
    rows,
  );
}

/** SHOW COLUMNS gives types as JSON. */
function dataType(type: SfType, nullable: boolean): string {
  const name = type.kind === 'number' ? 'FIXED' : type.kind === 'float' ? 'REAL' : type.kind.toUpperCase();
  return JSON.stringify({ type: name, ...type, kind: undefined, nullable });
}

async function showStreams(session: Session, statement: Show): Promise<Result> {
  const rows: (string | null)[][] = [];
  for (const [stream, schema] of membersIn(session, statement, 'stream')) {
    if (stream.kind !== 'stream') continue;
    const table = session.catalog.byId(stream.tableId);
    const stale = table === undefined;
    rows.push([
      time(stream.createdMs),
      stream.name,
      schema.database,
      schema.name,
      table?.kind === 'table' ? table.name : null,
      'DELTA',
      String(stale),
      stream.appendOnly ? 'APPEND_ONLY' : 'DEFAULT',
      time(Date.now() + 14 * 24 * 3600 * 1000),
      stale ? null : String((await session.connection.rows(hasDataSql(stream, session.catalog.store.version)))[0]?.[0] === true),
    ]);
  }
  return tableResult(
    ['created_on', 'name', 'database_name', 'schema_name', 'table_name', 'type', 'stale', 'mode', 'stale_after', 'has_data'],
    rows,
  );
}

function showTransactions(session: Session): Result {
  const rows = [...session.account.sessions.values()].flatMap((each) =>
    each.transaction === undefined
      ? []
      : [
          [
            String(each.transaction.transactionId),
            each.user,
            String(each.sessionId),
            each.transaction.name,
            time(each.transaction.startedMs),
            'running',
            '',
          ],
        ],
  );
  return tableResult(['id', 'user', 'session', 'name', 'started_on', 'state', 'scope'], rows);
}
