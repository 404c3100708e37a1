import { compileQuery } from '../compile/query.ts';
import { compilationError, doesNotExist, SnowflakeError, unknownForm } from '../snowflake-error.ts';
import type { Query } from '../sql/ast.ts';
import { optionText } from '../sql/parse-options.ts';
import { parseStatement } from '../sql/parse-statement.ts';
import type { Statement } from '../sql/statement.ts';
import { alterTable } from './alter-table.ts';
import { runCopy, stageOf } from './copy.ts';
import { createDatabase, createSchema } from './create-schema.ts';
import { createTable } from './create-table.ts';
import { alterSchema, createMember, define, drop } from './ddl.ts';
import { runDescribe } from './describe.ts';
import { runDelete, runInsert, runUpdate, writable } from './dml.ts';
import { alterDynamicTable } from './dynamic-table.ts';
import { errorOfDuck } from './duck-error.ts';
import { assertZone, environmentOf, fullNameOf, type StatementContext, versionAt } from './environment.ts';
import { runMerge } from './merge.ts';
import { cellSql, type Result, statementTypes, statusResult, tableResult } from './result.ts';
import { runShow } from './show.ts';
import { runSystemActions } from './system-actions.ts';
import { assertTaskBody, taskOf, taskStatements } from './tasks.ts';
import { duckType } from '../sql/sf-type.ts';

/**
 * Runs one statement of a session. A statement that fails leaves nothing, and an open transaction goes on without it.
 * @throws SnowflakeError
 */
export async function execute(context: StatementContext, sql: string): Promise<Result> {
  try {
    const statement = parseStatement(sql, { quotedIgnoreCase: context.session.parameter('QUOTED_IDENTIFIERS_IGNORE_CASE') === true });
    return await run(context, statement);
  } catch (error) {
    throw errorOfDuck(error);
  } finally {
    if (context.session.transaction !== undefined) context.session.transaction.idleSinceMs = Date.now();
  }
}

async function run(context: StatementContext, statement: Statement): Promise<Result> {
  const { session } = context;
  switch (statement.is) {
    case 'begin':
      session.begin(statement.name);
      return statusResult('Statement executed successfully.', statementTypes.begin);
    case 'commit':
      await session.commit();
      return statusResult('Statement executed successfully.', statementTypes.commit);
    case 'rollback':
      await session.rollback();
      return statusResult('Statement executed successfully.', statementTypes.rollback);
    case 'use':
      return use(context, statement);
    case 'setParameters':
      if (Object.keys(statement.parameters).length === 0) throw compilationError('001003', '42000', 'ALTER SESSION SET of nothing');
      for (const [name, value] of Object.entries(statement.parameters)) session.setParameter(name, value);
      return statusResult('Statement executed successfully.', statementTypes.session);
    case 'unsetParameters':
      for (const name of statement.names) session.unsetParameter(name);
      return statusResult('Statement executed successfully.', statementTypes.session);
    case 'warehouse':
      return statusResult('Statement executed successfully.');
    case 'query':
      return runQuery(context, statement.query);
    case 'insert':
      return runInsert(context, statement);
    case 'update':
      return runUpdate(context, statement);
    case 'delete':
      return runDelete(context, statement);
    case 'merge':
      return runMerge(context, statement);
    case 'truncate':
      return truncate(context, statement);
    case 'copy':
      return runCopy(context, statement);
    case 'put':
      return put(context, statement);
    case 'list': {
      const stage = stageOf(session, statement.stage);
      const files = await session.account.files.list(stage.id, statement.stage.path);
      return tableResult(
        ['name', 'size', 'md5', 'last_modified'],
        files.map((file) => [`${stage.name.toLowerCase()}/${file.path}`, file.size, file.md5, new Date(file.modifiedMs).toUTCString()]),
      );
    }
    case 'remove': {
      const stage = stageOf(session, statement.stage);
      if (statement.pattern !== undefined) throw unknownForm('REMOVE … PATTERN');
      const files = await session.account.files.list(stage.id, statement.stage.path);
      for (const file of files) await session.account.files.remove(file);
      return tableResult(
        ['name', 'result'],
        files.map((file) => [`${stage.name.toLowerCase()}/${file.path}`, 'removed']),
      );
    }
    case 'createTable':
      return createTable(context, statement);
    case 'createSchema':
      return createSchema(context, statement);
    case 'createDatabase':
      return createDatabase(session, statement);
    case 'createStage':
    case 'createFileFormat': {
      const kind = statement.is === 'createStage' ? 'stage' : 'fileFormat';
      return createMember(context, { kind, name: statement.name, create: statement.create, temporary: statement.temporary }, (base) => ({
        kind,
        ...base,
        options: statement.options,
      }));
    }
    case 'createView': {
      compileQuery(statement.query, environmentOf(context, undefined));
      return createMember(context, { kind: 'view', name: statement.name, create: statement.create, temporary: false }, (base) => ({
        kind: 'view',
        ...base,
        columns: statement.columns,
        text: statement.text,
      }));
    }
    case 'createStream':
      return createStream(context, statement);
    case 'createTask': {
      assertTaskBody(statement.body);
      if (statement.after.length > 0) throw unknownForm('CREATE TASK … AFTER');
      const { database, schema } = session;
      if (database === undefined || schema === undefined) {
        throw compilationError('090105', '22000', 'This session does not have a current database.');
      }
      return createMember(context, { kind: 'task', name: statement.name, create: statement.create, temporary: false }, (base) => ({
        kind: 'task',
        ...base,
        options: statement.options,
        when: statement.when,
        body: statement.body,
        state: 'suspended',
        database,
        schema,
      }));
    }
    case 'alterTask':
      return define(session, () => {
        const task = taskOf(session, statement.name);
        return Promise.resolve({
          entered: [{ ...task, state: statement.action === 'RESUME' ? 'started' : 'suspended' }],
          removed: [],
          message: 'Statement executed successfully.',
        });
      });
    case 'alterDynamicTable':
      return alterDynamicTable(context, statement);
    case 'executeTask':
      return executeTask(context, statement);
    case 'drop':
      return drop(context, statement);
    case 'alterTable':
      return alterTable(context, statement);
    case 'alterSchema':
      return alterSchema(session, statement);
    case 'describe':
      return runDescribe(context, statement);
    case 'show':
      return runShow(context, statement);
  }
}

function use(context: StatementContext, statement: Extract<Statement, { is: 'use' }>): Result {
  const { session } = context;
  const [first = ''] = statement.name;
  switch (statement.kind) {
    case 'ROLE':
      session.role = first;
      break;
    case 'WAREHOUSE':
      session.warehouse = first;
      break;
    case 'SECONDARY ROLES':
      break;
    case 'DATABASE':
      if (session.catalog.database(first) === undefined) throw doesNotExist('Database', first);
      session.database = first;
      session.schema = session.catalog.findSchema(first, 'PUBLIC')?.name;
      break;
    case 'SCHEMA': {
      const schema = session.catalog.schema(statement.name, session);
      session.database = schema.database;
      session.schema = schema.name;
      break;
    }
  }
  return statusResult('Statement executed successfully.', statementTypes.session);
}

async function runQuery(context: StatementContext, query: Query): Promise<Result> {
  const { session } = context;
  await runSystemActions(session, query);
  const compiled = compileQuery(query, environmentOf(context, session.transaction));
  assertZone(session, compiled.columns);
  const cells = compiled.columns.map((column, index) => {
    const sql = column.type.kind === 'null' ? `CAST(s.c${index + 1} AS ${duckType(column.type)})` : `s.c${index + 1}`;
    return cellSql({ sql, type: column.type });
  });
  const rows = await session.connection.rows(`SELECT ${cells.join(', ')} FROM (${compiled.sql}) s`);
  return {
    columns: compiled.columns,
    rows: rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
    statementTypeId: statementTypes.select,
  };
}

/** TRUNCATE is DDL: it commits, waits for the lock, and forgets which files were loaded. */
async function truncate(context: StatementContext, statement: Extract<Statement, { is: 'truncate' }>): Promise<Result> {
  const { session } = context;
  await session.commit();
  const found = session.catalog.find('table', statement.table, session);
  if (found === undefined && statement.ifExists) return statusResult('Statement executed successfully.');
  await session.change(async (transaction) => {
    const table = writable(session, statement.table);
    await session.account.locks.acquire(table.id, transaction, session.waitOptions(table.name, context.signal));
    transaction.tables.add(table.id);
    const { version } = session.catalog.store;
    await session.connection.atomically(async () => {
      await session.connection.run(`UPDATE t${table.id} SET _e = ${transaction.stamp} WHERE _b <= ${version} AND _e IS NULL`);
      await session.connection.run(`DELETE FROM sys_loads WHERE table_id = ${table.id}`);
    });
  });
  return statusResult('Statement executed successfully.');
}

function put(context: StatementContext, statement: Extract<Statement, { is: 'put' }>): Result {
  const stage = stageOf(context.session, statement.stage);
  const { options } = statement;
  for (const name of Object.keys(options)) {
    if (!['AUTO_COMPRESS', 'OVERWRITE', 'PARALLEL', 'SOURCE_COMPRESSION'].includes(name)) throw unknownForm(`PUT … ${name} = …`);
  }
  return {
    ...tableResult([], []),
    upload: {
      stageId: stage.id,
      path: statement.stage.path,
      source: statement.file,
      overwrite: options['OVERWRITE'] === true,
      autoCompress: options['AUTO_COMPRESS'] !== false,
      sourceCompression: optionText(options, 'SOURCE_COMPRESSION', 'auto_detect').toLowerCase(),
      parallel: Number(options['PARALLEL'] ?? 4),
    },
  };
}

async function createStream(context: StatementContext, statement: Extract<Statement, { is: 'createStream' }>): Promise<Result> {
  const { session } = context;
  for (const name of Object.keys(statement.options)) {
    if (name !== 'APPEND_ONLY' && name !== 'SHOW_INITIAL_ROWS' && name !== 'COMMENT') throw unknownForm(`CREATE STREAM … ${name} = …`);
  }
  if (statement.options['SHOW_INITIAL_ROWS'] === true) throw unknownForm('CREATE STREAM … SHOW_INITIAL_ROWS');
  await session.commit();
  const table = session.catalog.get('table', statement.table, session);
  const offset = statement.at === undefined ? session.catalog.store.version : versionAt(context, statement.at);
  if (offset < table.createdVersion) {
    throw compilationError('000707', '02000', `Time travel data is not available for table ${fullNameOf(session, table).join('.')}`);
  }
  return createMember(context, { kind: 'stream', name: statement.name, create: statement.create, temporary: false }, (base) => ({
    kind: 'stream',
    ...base,
    tableId: table.id,
    appendOnly: statement.options['APPEND_ONLY'] === true,
    offset,
  }));
}

/** Runs a task now and waits for it, which Snowflake does not; a failure is the answer, where Snowflake writes it into TASK_HISTORY. */
async function executeTask(context: StatementContext, statement: Extract<Statement, { is: 'executeTask' }>): Promise<Result> {
  const { session } = context;
  await session.commit();
  const task = taskOf(session, statement.name);
  const before = { database: session.database, schema: session.schema };
  session.database = task.database;
  session.schema = task.schema;
  try {
    for (const sql of taskStatements(task.body)) await run({ ...context, binds: [] }, parseStatement(sql, { quotedIgnoreCase: false }));
    if (session.transaction !== undefined) {
      await session.rollback();
      throw new SnowflakeError('090232', '57014', `Task ${task.name} ended with an open transaction, which is rolled back.`);
    }
  } catch (error) {
    await session.rollback();
    throw error;
  } finally {
    session.database = before.database;
    session.schema = before.schema;
  }
  return statusResult(`Task ${task.name} is scheduled to run immediately.`);
}
