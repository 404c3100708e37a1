import { SnowflakeError, compilationError, doesNotExist, unknownForm } from '../snowflake-error.ts';
import { compileQuery } from '../compile/query.ts';
import type { Environment } from '../compile/scope.ts';
import { type CompiledQuery, quoteText, type Source, type Typed } from '../compile/typed.ts';
import type { Call, Name, Options, StageRef, TimeTravel } from '../sql/ast.ts';
import { parseStatement } from '../sql/parse-statement.ts';
import { integer, type SfType, text } from '../sql/sf-type.ts';
import { informationSchema } from './information-schema.ts';
import type { TableObject, ViewObject } from './objects.ts';
import type { Bind, Session } from './session.ts';
import { streamSource } from './streams.ts';
import { systemCall } from './system-functions.ts';
import type { Transaction } from './transaction.ts';
import { pastSource, tableSource, type View } from './versions.ts';

export interface StatementContext {
  readonly session: Session;
  readonly binds: readonly Bind[];
  readonly signal: AbortSignal | undefined;
  /** Where the driver has put binds that are too many for a request: `@stage/path`. */
  readonly bindStage?: string;
  /** The error that a COPY shall meet at a file, if a fault was asked for. */
  readonly copyFault?: (path: string) => SnowflakeError | undefined;
  /** DuckDB's name of the table that holds array binds, if there are any. */
  readonly bindTable?: string;
}

/** What a statement may name, as one session sees it at this moment. */
export function environmentOf(
  context: StatementContext,
  transaction: Transaction | undefined,
  stages?: (stage: StageRef, options: Options) => Source,
): Environment {
  const { session } = context;
  const view = session.view(transaction);
  let aliases = 0;
  const environment: Environment = {
    sessionValue: (name) => sessionValue(session, name),
    bind: (index) => bindValue(context, index),
    table: (name, at) => namedSource(context, { view, transaction, environment }, name, at),
    stage: (stage, options) => {
      if (stages === undefined) throw unknownForm('SELECT … FROM a stage');
      return stages(stage, options);
    },
    tableFunction: (call: Call) => {
      throw unknownForm(`TABLE(${call.name}(…))`);
    },
    systemCall: (name, args) => systemCall(session, name, args),
    nextAlias: () => {
      aliases += 1;
      return `q${aliases}`;
    },
  };
  return environment;
}

interface Sight {
  readonly view: View;
  readonly transaction: Transaction | undefined;
  readonly environment: Environment;
}

function namedSource(context: StatementContext, sight: Sight, name: Name, at: TimeTravel | undefined): Source {
  const { session } = context;
  if (name.length > 1 && name.at(-2) === 'INFORMATION_SCHEMA') {
    if (at !== undefined) throw unknownForm('time travel of INFORMATION_SCHEMA');
    return informationSchema(session, name);
  }
  const object = session.catalog.find('table', name, session);
  switch (object?.kind) {
    case 'table':
      return ofTable(context, sight, object, at);
    case 'view':
      if (at !== undefined) throw unknownForm('time travel of a view');
      return ofView(context, sight, object);
    case 'stream':
      if (at !== undefined) throw unknownForm('time travel of a stream');
      return streamSource(session, object, sight.view, sight.transaction);
    default:
      throw doesNotExist('Object', session.catalog.fullName(name, session));
  }
}

export function fullNameOf(session: Session, object: { readonly schemaId: number; readonly name: string }): Name {
  const schema = session.catalog.schemaById(object.schemaId);
  return [schema.database, schema.name, object.name];
}

function ofTable(context: StatementContext, sight: Sight, table: TableObject, at: TimeTravel | undefined): Source {
  const name = fullNameOf(context.session, table);
  assertZone(context.session, table.columns);
  if (at === undefined) return tableSource(table, name, sight.view);
  return pastSource(table, name, versionAt(context, at));
}

/** The version that AT or BEFORE names. */
export function versionAt(context: StatementContext, at: TimeTravel): number {
  const { statements } = context.session.account;
  const value =
    at.value.is === 'text' || at.value.is === 'number'
      ? at.value.value
      : at.value.is === 'bind'
        ? context.binds[at.value.index - 1]?.value
        : undefined;
  if (at.by !== 'STATEMENT') throw unknownForm(`AT(${at.by} => …)`);
  if (typeof value !== 'string') throw unknownForm('AT(STATEMENT => …) of anything but a text');
  const found = statements.get(value);
  if (found === undefined) throw compilationError('000709', '02000', `Statement ${value} not found`);
  return at.before ? found.before : found.after;
}

function ofView(context: StatementContext, sight: Sight, view: ViewObject): Source {
  const { session } = context;
  const schema = session.catalog.schemaById(view.schemaId);
  const statement = parseStatement(view.text, { quotedIgnoreCase: false });
  if (statement.is !== 'query') throw new Error('a view that is no query');
  // Names in a view are looked for where the view is, not where its reader is.
  const inner: Environment = {
    ...sight.environment,
    table: (name, at) =>
      sight.environment.table(
        name.length === 1 ? [schema.database, schema.name, ...name] : name.length === 2 ? [schema.database, ...name] : name,
        at,
      ),
  };
  const query = compileQuery(statement.query, inner);
  const columns = query.columns.map((column, index) => ({ ...column, name: view.columns?.[index] ?? column.name }));
  return { sql: query.sql, columns, name: fullNameOf(session, view) };
}

/** Zoned types are read by TIMEZONE, and the emulator knows UTC alone. */
export function assertZone(session: Session, columns: CompiledQuery['columns']): void {
  const zoned = columns.some(({ type }) => type.kind === 'timestamp_tz' || type.kind === 'timestamp_ltz');
  const zone = String(session.parameter('TIMEZONE'));
  if (zoned && zone !== 'UTC' && zone !== 'Etc/UTC') {
    throw unknownForm(`TIMESTAMP_TZ or _LTZ with TIMEZONE = '${zone}' (set TIMEZONE = 'UTC')`);
  }
}

const bindTypes: Readonly<Record<string, SfType>> = {
  FIXED: integer,
  REAL: { kind: 'float' },
  TEXT: text,
  BOOLEAN: { kind: 'boolean' },
  VARIANT: text,
};

function bindValue(context: StatementContext, index: number): Typed {
  if (context.bindStage !== undefined && context.bindTable !== undefined) return { sql: `${context.bindTable}.b${index}`, type: text };
  const bind = context.binds[index - 1];
  if (bind === undefined) throw new SnowflakeError('002049', '42601', `SQL compilation error:\nBind variable ${index} not set.`);
  const type = bindTypes[bind.type];
  if (type === undefined) throw unknownForm(`a bind of type ${bind.type}`);
  if (context.bindTable !== undefined) return typedBind(`${context.bindTable}.b${index}`, type);
  if (Array.isArray(bind.value)) throw unknownForm('array binds of anything but INSERT … VALUES');
  if (bind.value === null) return { sql: 'CAST(NULL AS VARCHAR)', type };
  const value = String(bind.value);
  if (bind.type === 'FIXED' && !/^-?\d{1,38}$/.test(value)) {
    throw new SnowflakeError('100038', '22018', `Numeric value '${value}' is not recognized`);
  }
  return typedBind(quoteText(value), type, type.kind === 'text' ? Math.max(1, Array.from(value).length) : undefined);
}

function typedBind(sql: string, type: SfType, length?: number): Typed {
  switch (type.kind) {
    case 'number':
      return { sql: `CAST(${sql} AS DECIMAL(38,0))`, type };
    case 'float':
      return { sql: `CAST(${sql} AS DOUBLE)`, type };
    case 'boolean':
      return { sql: `CAST(${sql} AS BOOLEAN)`, type };
    default:
      return { sql, type: length === undefined ? type : { kind: 'text', length } };
  }
}

function sessionValue(session: Session, name: string): Typed | undefined {
  const ofText = (value: string | undefined): Typed =>
    value === undefined
      ? { sql: 'CAST(NULL AS VARCHAR)', type: text }
      : { sql: quoteText(value), type: { kind: 'text', length: Math.max(1, value.length) } };
  const now = new Date().toISOString().replace('T', ' ').replace('Z', '');
  switch (name) {
    case 'CURRENT_DATABASE':
      return ofText(session.database);
    case 'CURRENT_SCHEMA':
      return ofText(session.schema);
    case 'CURRENT_ROLE':
      return ofText(session.role);
    case 'CURRENT_WAREHOUSE':
      return ofText(session.warehouse);
    case 'CURRENT_USER':
      return ofText(session.user);
    case 'CURRENT_ACCOUNT':
      return ofText(session.account.name.toUpperCase());
    case 'CURRENT_VERSION':
      return ofText('9.0.0 (emulator)');
    case 'CURRENT_SESSION':
      return ofText(String(session.sessionId));
    case 'CURRENT_TRANSACTION':
      return ofText(session.transaction === undefined ? undefined : String(session.transaction.transactionId));
    case 'LAST_QUERY_ID':
      return ofText(session.lastQueryIds.at(-1));
    case 'CURRENT_TIMESTAMP':
    case 'SYSTIMESTAMP':
      return { sql: `TIMESTAMP '${now}'`, type: { kind: 'timestamp_ltz', scale: 9 } };
    case 'SYSDATE':
      return { sql: `TIMESTAMP '${now}'`, type: { kind: 'timestamp_ntz', scale: 9 } };
    case 'CURRENT_DATE':
      return { sql: `DATE '${now.slice(0, 10)}'`, type: { kind: 'date' } };
    default:
      return undefined;
  }
}
