import { compileExpression } from '../compile/expression.ts';
import { contextOf } from '../compile/query.ts';
import { alreadyExists, compilationError, unknownForm } from '../snowflake-error.ts';
import { duckType, type SfType, typeText } from '../sql/sf-type.ts';
import type { AlterAction, Statement } from '../sql/statement.ts';
import { define, type Defined, locked } from './ddl.ts';
import { columnOf, stored, writable } from './dml.ts';
import { environmentOf, type StatementContext } from './environment.ts';
import type { Column, TableObject } from './objects.ts';
import { type Result, statusResult } from './result.ts';
import { visible } from './versions.ts';

export async function alterTable(context: StatementContext, statement: Extract<Statement, { is: 'alterTable' }>): Promise<Result> {
  const { session } = context;
  const { catalog } = session;
  const found = catalog.find('table', statement.table, session);
  if (found === undefined && statement.ifExists) {
    await session.commit();
    return statusResult('Statement executed successfully.');
  }
  const table = writable(session, statement.table);
  const [first] = statement.actions;
  const other = first?.is === 'swapWith' ? [catalog.get('table', first.name, session).id] : [];
  return locked(context, [table.id, ...other], () =>
    define(session, (version) => alter(context, catalog.get('table', statement.table, session), statement.actions, version)),
  );
}

async function alter(context: StatementContext, table: TableObject, actions: readonly AlterAction[], version: number): Promise<Defined> {
  const { catalog } = context.session;
  const message = 'Statement executed successfully.';
  const [first] = actions;
  if (first?.is === 'renameTo') {
    const place = catalog.place(first.name, context.session);
    if (catalog.findIn(place.schema.id, 'table', place.name, table.sessionId ?? 0) !== undefined) throw alreadyExists(place.name);
    return { entered: [{ ...table, name: place.name, schemaId: place.schema.id }], removed: [], message };
  }
  if (first?.is === 'swapWith') {
    const other = catalog.get('table', first.name, context.session);
    if ((other.tableKind === 'temporary') !== (table.tableKind === 'temporary')) throw unknownForm('SWAP of a temporary and another table');
    const entered = [
      { ...table, name: other.name, schemaId: other.schemaId },
      { ...other, name: table.name, schemaId: table.schemaId },
    ];
    return { entered, removed: [], message };
  }
  let altered = table;
  for (const action of actions) altered = await step(context, altered, action);
  if (altered.columns !== table.columns) {
    altered = { ...altered, formerColumns: [...table.formerColumns, { untilVersion: version - 1, columns: table.columns }] };
  }
  return { entered: [altered], removed: [], message };
}

async function step(context: StatementContext, table: TableObject, action: AlterAction): Promise<TableObject> {
  switch (action.is) {
    case 'addColumn':
      return addColumn(context, table, action);
    case 'dropColumn': {
      const exists = table.columns.some((column) => column.name === action.column);
      if (!exists && action.ifExists) return table;
      columnOf(table, action.column);
      if (table.columns.length === 1) {
        throw compilationError('002027', '42601', `Cannot drop column '${action.column}': a table has at least one column`);
      }
      if (table.primaryKey.includes(action.column)) {
        throw compilationError('002067', '42601', `Cannot drop column '${action.column}': it is of the primary key`);
      }
      return { ...table, columns: table.columns.filter((column) => column.name !== action.column) };
    }
    case 'renameColumn': {
      columnOf(table, action.column);
      if (table.columns.some((column) => column.name === action.to)) {
        throw compilationError('002025', '42S21', `duplicate column name '${action.to}'`);
      }
      const primaryKey = table.primaryKey.map((name) => (name === action.column ? action.to : name));
      return { ...withColumn(table, action.column, (column) => ({ ...column, name: action.to })), primaryKey };
    }
    case 'setType':
      return setType(context, table, action.column, action.type);
    case 'setNotNull': {
      const column = columnOf(table, action.column);
      const view = visible({ version: context.session.catalog.store.version, stamp: 0 });
      if ((await context.session.connection.number(`SELECT count(*) FROM t${table.id} WHERE ${view} AND c${column.id} IS NULL`)) > 0) {
        throw compilationError('002059', '23001', `Column '${action.column}' contains null values. Not null constraint cannot be added.`);
      }
      return withColumn(table, action.column, (each) => ({ ...each, nullable: false }));
    }
    case 'dropNotNull':
      if (table.primaryKey.includes(action.column)) {
        throw compilationError('002060', '42601', `Column '${action.column}' is of the primary key and stays NOT NULL`);
      }
      return withColumn(table, action.column, (column) => ({ ...column, nullable: true }));
    case 'dropDefault':
      return withColumn(table, action.column, (column) => withoutDefault(column));
    case 'comment':
      return withColumn(table, action.column, (column) => ({ ...column, comment: action.text }));
    case 'addPrimaryKey':
      if (table.primaryKey.length > 0) throw compilationError('002068', '42601', `primary key already exists for table '${table.name}'`);
      for (const name of action.columns) columnOf(table, name);
      return { ...table, primaryKey: action.columns };
    case 'dropPrimaryKey':
      return { ...table, primaryKey: [] };
    case 'set':
      return setOptions(table, action.options);
    case 'renameTo':
    case 'swapWith':
      throw unknownForm('several actions of ALTER TABLE, RENAME TO among them');
  }
}

function withColumn(table: TableObject, name: string, change: (column: Column) => Column): TableObject {
  columnOf(table, name);
  return { ...table, columns: table.columns.map((column) => (column.name === name ? change(column) : column)) };
}

function withoutDefault(column: Column): Column {
  const { id, name, type, nullable, comment } = column;
  return { id, name, type, nullable, ...(comment === undefined ? {} : { comment }) };
}

function setOptions(table: TableObject, options: Extract<AlterAction, { is: 'set' }>['options']): TableObject {
  let altered = table;
  for (const [name, value] of Object.entries(options)) {
    if (name === 'COMMENT' && typeof value === 'string') altered = { ...altered, comment: value };
    else if (name === 'DATA_RETENTION_TIME_IN_DAYS' && typeof value === 'number') altered = { ...altered, retentionDays: value };
    else if (name !== 'CHANGE_TRACKING' && name !== 'ENABLE_SCHEMA_EVOLUTION' && name !== 'MAX_DATA_EXTENSION_TIME_IN_DAYS') {
      throw unknownForm(`ALTER TABLE … SET ${name}`);
    }
  }
  return altered;
}

async function addColumn(
  context: StatementContext,
  table: TableObject,
  action: Extract<AlterAction, { is: 'addColumn' }>,
): Promise<TableObject> {
  const { session } = context;
  const { column } = action;
  if (action.ifNotExists && column.defaultValue !== undefined) {
    throw compilationError('001003', '42000', 'ADD COLUMN IF NOT EXISTS cannot have a DEFAULT');
  }
  if (table.columns.some((each) => each.name === column.name)) {
    if (action.ifNotExists) return table;
    throw compilationError('001430', '42601', `column ${column.name} already exists`);
  }
  if (column.primaryKey) throw unknownForm('ADD COLUMN … PRIMARY KEY');
  const added: Column = {
    id: table.nextColumn,
    name: column.name,
    type: column.type,
    nullable: column.nullable,
    ...(column.defaultValue === undefined ? {} : { defaultValue: column.defaultValue }),
    ...(column.comment === undefined ? {} : { comment: column.comment }),
  };
  if (column.defaultValue !== undefined && !isConstant(column.defaultValue.is)) {
    throw unknownForm('ADD COLUMN … DEFAULT of anything but a constant');
  }
  const view = visible({ version: session.catalog.store.version, stamp: 0 });
  const hasDefault = column.defaultValue !== undefined && column.defaultValue.is !== 'null';
  if (!column.nullable && !hasDefault && (await session.connection.number(`SELECT count(*) FROM t${table.id} WHERE ${view}`)) > 0) {
    throw compilationError(
      '002028',
      '42601',
      `Non-nullable column '${column.name}' cannot be added to non-empty table '${table.name}' unless it has a non-null default value.`,
    );
  }
  const scope = contextOf(environmentOf(context, undefined), { relations: [], alias: undefined, outer: undefined });
  // Rows that are there take the default, those of the past, too: no one reads this column of them.
  const value = column.defaultValue === undefined ? 'NULL' : stored(compileExpression(column.defaultValue, scope), added);
  await alterStored(context, `ALTER TABLE t${table.id} ADD COLUMN c${added.id} ${duckType(added.type)} DEFAULT (${value})`);
  return { ...table, columns: [...table.columns, added], nextColumn: table.nextColumn + 1 };
}

function isConstant(is: string): boolean {
  return is === 'text' || is === 'number' || is === 'boolean' || is === 'null' || is === 'unary' || is === 'cast';
}

/** More digits before the point, or a longer text: nothing else is altered in place. */
async function setType(context: StatementContext, table: TableObject, name: string, type: SfType): Promise<TableObject> {
  const column = columnOf(table, name);
  const from = column.type;
  const wider =
    (from.kind === 'number' && type.kind === 'number' && from.scale === type.scale && type.precision >= from.precision) ||
    (from.kind === 'text' && type.kind === 'text' && type.length >= from.length);
  if (!wider) {
    throw compilationError(
      '002108',
      '22000',
      `Cannot change column ${name} from type ${typeText(from)} to ${typeText(type)} because they have incompatible types.`,
    );
  }
  if (duckType(type) !== duckType(from)) {
    await alterStored(context, `ALTER TABLE t${table.id} ALTER COLUMN c${column.id} SET DATA TYPE ${duckType(type)}`);
  }
  return withColumn(table, name, (each) => ({ ...each, type }));
}

/**
 * DuckDB alters a table once per transaction. A stored column that no name refers to, or one that is wider than its
 * name says, does no harm, so that this goes ahead on its own.
 */
async function alterStored(context: StatementContext, sql: string): Promise<void> {
  const { main } = context.session.catalog.store;
  await main.atomically(() => main.run(sql));
}
