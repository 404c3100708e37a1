import { MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import type { QueryEvent } from '../binlog/events.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { StateRecord } from '../connect/tasks.ts';
import { createTableSchema, tableName } from '../event/table-schema.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { captureTable } from './captured.ts';
import type { CapturedTable } from './captured.ts';
import { readCharsetCatalog } from './charset-catalog.ts';
import { applyDdl } from './ddl/apply-ddl.ts';
import type { DdlScope } from './ddl/apply-ddl.ts';
import { ddlSession } from './ddl/ddl-session.ts';
import { describeDdl, type DescribedDdl } from './ddl/describe-ddl.ts';
import { readDdl } from './ddl/read-ddl.ts';
import type { DdlStatement } from './ddl/statement.ts';
import type { StatementEffect, StreamModels } from './stream-contract.ts';
import { readTableDefinitions } from './read-schema.ts';
import { maskFills } from './mask-rows.ts';
import type { TableDefinition } from './read-schema.ts';
import { readServerPosition } from './server-position.ts';
import type { SourceConfig } from './source-config.ts';

/**
 * The compacted topic of the table models: key JSON `[connector, database, table]`, value JSON of the definition. They
 * become durable with the offset, so that after a restart rows of old positions are read under their own definitions.
 */
export const tableTopic = 'millrace-tables';

/** The same of tables that only the schema-change topic tells of. */
export const otherTableTopic = 'millrace-other-tables';

/** The table models of a source at the stream's position, and the definitions that its snapshots read. */
export interface SourceModels extends StreamModels {
  /** Definitions as the server has them now: of these tables, or of all captured ones. */
  readDefinitions(
    connection: ServerConnection,
    tables: readonly TableId[] | undefined,
    signal: AbortSignal,
  ): Promise<readonly CapturedTable[]>;
  /** Their captured parts. */
  readonly readSchemas: (
    connection: ServerConnection,
    tables: readonly TableId[] | undefined,
    signal: AbortSignal,
  ) => Promise<readonly TableSchema[]>;
  /** The table is from now on as `readDefinitions` gave it last under this captured schema. */
  define(captured: TableSchema): readonly StateRecord[];
  /** Tables are as someone else has known them at the stream's position: captured ones, and others that are told of. */
  adopt(definitions: readonly TableDefinition[]): readonly StateRecord[];
  remove(table: TableId): readonly StateRecord[];
  /**
   * All tables that the schema-change topic tells of, with all columns: captured ones as they are known, others as the server
   * has them now, which is known from here on.
   */
  readDescribed(
    connection: ServerConnection,
    signal: AbortSignal,
  ): Promise<{ readonly tables: readonly TableSchema[]; readonly state: readonly StateRecord[] }>;
  /** The captured parts of all tables that are known at the stream's position, sorted by name. */
  captured(): readonly TableSchema[];
  /** Rows of it come, but the server has no such base table: a sequence, or a table that was dropped later. */
  setAbsent(table: TableId): void;
}

export interface SourceModelsOptions {
  readonly config: SourceConfig;
  readonly connection: ServerConnection;
  /** The records of `tableTopic`. */
  readonly state: ReadonlyMap<string, string>;
  /** The records of `otherTableTopic`. */
  readonly others?: ReadonlyMap<string, string>;
  readonly log: Logger;
}

interface Model {
  readonly definition: TableDefinition;
  readonly captured: CapturedTable;
}

/** Loads the stored models and what else DDL depends on. @throws MYSQL_QUERY_FAILED, MYSQL_UNREACHABLE */
export async function openSourceModels(
  { config, connection, state, others: otherState = new Map(), log }: SourceModelsOptions,
  signal: AbortSignal,
): Promise<SourceModels> {
  const catalog = await readCharsetCatalog(connection, signal);
  const [settings] = await connection.query('SELECT @@global.explicit_defaults_for_timestamp', signal);
  const explicitTimestamps = settings?.[0] !== '0';
  const models = new Map<string, Model>();
  const collations = new Map(catalog.databaseCollations);
  const absent = new Set<string>();
  /** What snapshots read last, by the fingerprint of the captured part. */
  const read = new Map<string, TableDefinition>();

  const modelOf = (definition: TableDefinition): Model => ({
    definition,
    captured: captureTable(definition.schema, (table, column) => config.capturesColumn(table, column)),
  });
  const put = (definition: TableDefinition): StateRecord => {
    if (definition.schema.primaryKey.length === 0 && models.get(tableName(definition.schema))?.definition.schema.primaryKey.length !== 0) {
      log.warn({ table: tableName(definition.schema) }, 'a table without a key: its rows are matched by all their values, which is slower');
    }
    models.set(tableName(definition.schema), modelOf(definition));
    return record(config.name, definition.schema, JSON.stringify(definition));
  };
  const remove = (table: TableId): StateRecord => {
    models.delete(tableName(table));
    return record(config.name, table, null);
  };
  for (const [key, value] of state) {
    const [connector] = parseKey(key);
    if (connector !== config.name) continue;
    const definition = parseDefinition(value);
    models.set(tableName(definition.schema), modelOf(definition));
  }

  /** Definitions of tables that are not captured. */
  const shadows = new Map<string, TableDefinition>();
  for (const [key, value] of otherState) {
    const [connector] = parseKey(key);
    if (connector !== config.name) continue;
    const definition = parseDefinition(value);
    shadows.set(tableName(definition.schema), definition);
  }
  const { described } = config;
  const findAny = (table: TableId): TableDefinition | undefined =>
    models.get(tableName(table))?.definition ?? shadows.get(tableName(table));

  const shadow = (definition: TableDefinition): StateRecord => {
    shadows.set(tableName(definition.schema), definition);
    return { ...record(config.name, definition.schema, JSON.stringify(definition)), topic: otherTableTopic };
  };

  /** What the schema-change topic tells of a statement: applied to all tables, before the captured ones are changed. */
  const describe = (statement: DdlStatement, event: QueryEvent): { records: readonly DescribedDdl[]; state: readonly StateRecord[] } => {
    if (described === undefined) return { records: [], state: [] };
    const scope = scopeOf(event);
    const effect = applyDdl(statement, {
      ...scope,
      find: findAny,
      inDatabase: (database) =>
        [...[...models.values()].map(({ definition }) => definition), ...shadows.values()].filter(
          ({ schema }) => schema.database === database,
        ),
      captures: (table) => described.takesTable(table),
      capturesColumn: () => true,
    });
    const defined = new Map(effect.defined.map((definition) => [tableName(definition.schema), definition.schema]));
    const gone = new Set(effect.removed.map(tableName));
    const context = { flavor: config.flavor, defaultDatabase: event.database, sqlMode: event.status.sqlMode ?? 0n };
    const records = describeDdl(statement, event.sql, context, {
      id: ({ database, table }) =>
        catalog.foldsNames ? { database: database.toLowerCase(), table: table.toLowerCase() } : { database, table },
      isDefined: (table) => defined.has(tableName(table)),
      find: (table) => (gone.has(tableName(table)) ? undefined : (defined.get(tableName(table)) ?? findAny(table)?.schema)),
    }).filter(
      ({ database, changes }) =>
        described.takesDatabase(database) &&
        changes.every(({ id }) => described.takesTable(id)) &&
        (changes.length > 0 || described.takesOthers),
    );
    const shadowed: StateRecord[] = [];
    for (const table of effect.removed) {
      if (shadows.delete(tableName(table))) shadowed.push({ ...record(config.name, table, null), topic: otherTableTopic });
    }
    for (const definition of effect.defined) if (!config.captures(definition.schema)) shadowed.push(shadow(definition));
    return { records, state: shadowed };
  };

  const scopeOf = ({ status }: QueryEvent): DdlScope => ({
    find: (table) => models.get(tableName(table))?.definition,
    inDatabase: (database) => [...models.values()].flatMap(({ definition }) => (definition.schema.database === database ? definition : [])),
    databaseCollation: (database) => collations.get(database),
    captures: (table) => config.captures(table),
    capturesColumn: (table, column) => config.capturesColumn(table, column),
    ...ddlSession(status, { catalog, explicitTimestamps }),
  });

  const readDefinitions: SourceModels['readDefinitions'] = async (from, tables, inner) => {
    const names = tables === undefined ? undefined : new Set(tables.map(tableName));
    const wanted = (table: TableId): boolean => config.captures(table) && (names === undefined || names.has(tableName(table)));
    const definitions = await readTableDefinitions(from, wanted, inner);
    return definitions.map((definition) => {
      const { captured } = modelOf(definition);
      read.set(captured.captured.fingerprint, definition);
      return captured;
    });
  };

  return {
    readDefinitions,
    readSchemas: async (from, tables, inner) => (await readDefinitions(from, tables, inner)).map(({ captured }) => captured),
    find: (database, table) => models.get(`${database}.${table}`)?.captured,
    apply(event, takes): StatementEffect {
      const statement = readDdl(event.sql, {
        flavor: config.flavor,
        defaultDatabase: event.database,
        sqlMode: event.status.sqlMode ?? 0n,
      });
      const told = describe(statement, event);
      const effect = applyDdl(statement, scopeOf(event));
      for (const { database, collation } of effect.databases) {
        if (collation === null) collations.delete(database);
        else collations.set(database, collation);
      }
      const taken = effect.changes.filter((change) => takes(change.kind === 'createTable' ? change.after : change.before));
      const changes = maskFills(taken, config.rules);
      const records = [
        ...told.state,
        ...effect.removed.filter((table) => takes(table)).map(remove),
        ...effect.defined.filter(({ schema }) => config.captures(schema) && takes(schema)).map(put),
      ];
      for (const { table, reason } of effect.uncertain) {
        log.warn({ table: tableName(table), reason, statement: event.sql.slice(0, 500) }, 'a statement leaves a table uncertain');
      }
      for (const { schema } of effect.defined) absent.delete(tableName(schema));
      const uncertain = effect.uncertain.map(({ table }) => table);
      if (effect.unreadable !== undefined) {
        log.warn(
          { statement: event.sql.slice(0, 500), reason: effect.unreadable },
          'a statement could not be read: all tables are read anew',
        );
        uncertain.push(...[...models.values()].map(({ definition }) => definition.schema));
      }
      return { changes, state: records, uncertain: uncertain.filter((table) => config.captures(table)), described: told.records };
    },
    async readDescribed(from, inner) {
      if (described === undefined) return { tables: [], state: [] };
      const definitions = await readTableDefinitions(from, (table) => described.takesTable(table), inner);
      const others = definitions.filter(({ schema }) => !config.captures(schema));
      const removed = [...shadows.values()].map(({ schema }) => ({ ...record(config.name, schema, null), topic: otherTableTopic }));
      shadows.clear();
      const stored = others.map(shadow);
      return { tables: definitions.map(({ schema }) => findAny(schema)?.schema ?? schema), state: [...removed, ...stored] };
    },
    define(captured) {
      const definition = read.get(captured.fingerprint);
      if (definition === undefined) throw new MillraceError('INTERNAL', `no definition of ${tableName(captured)} was read`);
      return [put(definition)];
    },
    adopt: (definitions) =>
      definitions.flatMap((definition) => {
        if (config.captures(definition.schema)) return [put(definition)];
        return described?.takesTable(definition.schema) === true ? [shadow(definition)] : [];
      }),
    remove: (table) => [remove(table)],
    captured: () => [...models].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { captured }]) => captured.captured),
    isAbsent: (table) => absent.has(tableName(table)),
    setAbsent(table) {
      absent.add(tableName(table));
    },
  };
}

function record(connector: string, { database, table }: TableId, value: string | null): StateRecord {
  return { topic: tableTopic, key: JSON.stringify([connector, database, table]), value };
}

function parseKey(key: string): readonly unknown[] {
  const parts: unknown = JSON.parse(key);
  return Array.isArray(parts) ? parts : [];
}

/** @throws SCHEMA_UNKNOWN when the record is not what was stored */
function parseDefinition(text: string): TableDefinition {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own record, whose fingerprint is checked below
  const definition = JSON.parse(text) as TableDefinition;
  const { fingerprint, ...parts } = definition.schema;
  if (createTableSchema(parts).fingerprint !== fingerprint) {
    throw new MillraceError('SCHEMA_UNKNOWN', `the stored definition of ${tableName(parts)} is damaged`);
  }
  return definition;
}

/** Definitions of all captured tables together with a position at which they were these. */
export async function readSteadyDefinitions(
  connection: ServerConnection,
  models: SourceModels,
  signal: AbortSignal,
): Promise<{ readonly tables: readonly CapturedTable[]; readonly position: SourcePosition }> {
  for (;;) {
    const before = await models.readDefinitions(connection, undefined, signal);
    const position = await readServerPosition(connection, signal);
    const tables = await models.readDefinitions(connection, undefined, signal);
    // Definitions that did not change around the position are the ones at the position.
    if (fingerprints(before) === fingerprints(tables)) return { tables, position };
  }
}

function fingerprints(tables: readonly CapturedTable[]): string {
  return tables.map(({ full }) => full.fingerprint).join();
}
