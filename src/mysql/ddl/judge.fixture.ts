/**
 * For tests: runs DDL on a real server, takes the statements from its binlog, applies them to our models and compares
 * those with what the server then says of its tables; and of each change without doubt, the rows.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openConnection, type ServerConnection, type TextRow } from '../../binlog/connection.ts';
import { Cursor } from '../../binlog/cursor.ts';
import { QueryReader } from '../../binlog/query-event.ts';
import type { PrivateServer } from '../../cli/private-server.ts';
import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type Column, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { readBinlogFile } from '../binlog-file.fixture.ts';
import { readCharsetCatalog, type CharsetCatalog } from '../charset-catalog.ts';
import { quoteName, quoteTable, readTableDefinitions, type TableDefinition } from '../read-schema.ts';
import { applyDdl, type DdlEffect } from './apply-ddl.ts';
import { ddlSession } from './ddl-session.ts';
import { readDdl } from './read-ddl.ts';

const { signal } = new AbortController();

export interface Verdict {
  /** The server refused the statement: nothing to judge. */
  readonly refused?: string;
  readonly effects: readonly DdlEffect[];
  /** Reasons of doubt; the tables were read again. */
  readonly doubts: readonly string[];
}

export class Judge implements AsyncDisposable {
  readonly connection: ServerConnection;
  readonly #server: PrivateServer;
  readonly #catalog: CharsetCatalog;
  readonly #reader: ServerConnection;
  readonly #databases: Map<string, string>;
  #file = '';
  #checksums = true;
  #at = 4;
  #models = new Map<string, TableDefinition>();

  private constructor(parts: { server: PrivateServer; connection: ServerConnection; reader: ServerConnection; catalog: CharsetCatalog }) {
    this.#server = parts.server;
    this.connection = parts.connection;
    this.#reader = parts.reader;
    this.#catalog = parts.catalog;
    this.#databases = new Map(parts.catalog.databaseCollations);
  }

  static async open(server: PrivateServer): Promise<Judge> {
    const login = { host: server.host, port: server.port, user: server.root.user, password: server.root.password };
    const connection = await openConnection(login, signal);
    const reader = await openConnection(login, signal);
    await connection.query("SET SESSION time_zone = '+00:00'", signal);
    const judge = new Judge({ server, connection, reader, catalog: await readCharsetCatalog(reader, signal) });
    await judge.restart();
    return judge;
  }

  /** Begins a binlog file and reads all tables. */
  async restart(): Promise<void> {
    await this.connection.query('FLUSH BINARY LOGS', signal);
    const files = await this.#reader.query('SHOW BINARY LOGS', signal);
    this.#file = join(this.#server.dataDir, 'data', files.at(-1)?.[0] ?? '');
    this.#checksums = (await this.#reader.query('SELECT @@global.binlog_checksum', signal))[0]?.[0] === 'CRC32';
    this.#at = 4;
    this.#models = new Map((await readTableDefinitions(this.#reader, isJudged, signal)).map((each) => [tableName(each.schema), each]));
  }

  /** Runs a statement and judges what we make of it. */
  async run(sql: string): Promise<Verdict> {
    const before = await this.#rows(sql);
    try {
      await this.connection.query(sql, signal);
    } catch (error) {
      return { refused: String(error), effects: [], doubts: [] };
    }
    const seen = readBinlogFile(this.#file, { checksums: this.#checksums, from: this.#at });
    this.#at = seen.end;
    const effects: DdlEffect[] = [];
    for (const body of seen.statements) {
      const event = new QueryReader().read(new Cursor(body, 0, body.length, 'QUERY'), 'plain');
      const session = ddlSession(event.status, { catalog: this.#catalog, explicitTimestamps: true });
      const { flavor } = this.#catalog;
      const statement = readDdl(event.sql, { flavor, defaultDatabase: event.database, sqlMode: session.sqlMode });
      const effect = applyDdl(statement, {
        find: (id) => this.#models.get(tableName(id)),
        inDatabase: (name) => [...this.#models.values()].filter(({ schema }) => schema.database === name),
        databaseCollation: (name) => this.#databases.get(name),
        captures: isJudged,
        capturesColumn: () => true,
        ...session,
      });
      effects.push(effect);
      this.#take(effect);
    }
    const doubts = await this.#compare(effects, sql);
    await this.#compareRows({ before, effects, sql });
    return { effects, doubts };
  }

  #take({ defined, removed, databases, unreadable }: DdlEffect): void {
    assert.equal(unreadable, undefined);
    for (const id of removed) this.#models.delete(tableName(id));
    for (const definition of defined) this.#models.set(tableName(definition.schema), definition);
    for (const { database, collation } of databases) {
      if (collation === null) this.#databases.delete(database);
      else this.#databases.set(database, collation);
    }
  }

  async #compare(effects: readonly DdlEffect[], sql: string): Promise<string[]> {
    const uncertain = effects.flatMap((effect) => effect.uncertain);
    const actual = await readTableDefinitions(this.#reader, isJudged, signal);
    const doubted = new Set(uncertain.map(({ table }) => tableName(table)));
    for (const each of actual) {
      const name = tableName(each.schema);
      if (doubted.has(name)) this.#models.set(name, each);
    }
    for (const name of doubted) if (!actual.some(({ schema }) => tableName(schema) === name)) this.#models.delete(name);
    assert.deepEqual([...this.#models.keys()].toSorted(), actual.map(({ schema }) => tableName(schema)).toSorted(), sql);
    for (const each of actual) {
      const own = this.#models.get(tableName(each.schema));
      assert.ok(own !== undefined);
      if (own === each) continue;
      assert.deepEqual(comparable(own), comparable(each), `${sql}\n  ours, against ${this.#server.flavor}'s`);
    }
    return uncertain.map(({ table, reason }) => `${table.table}: ${reason}`);
  }

  /** The rows of all small tables that an ALTER TABLE may rewrite. */
  async #rows(sql: string): Promise<Map<string, readonly TextRow[]>> {
    const rows = new Map<string, readonly TextRow[]>();
    if (!/^\s*(ALTER|CREATE|DROP)/i.test(sql)) return rows;
    for (const [name, { schema }] of this.#models) if (sql.includes(schema.table)) rows.set(name, await this.#read(schema));
    return rows;
  }

  async #read(schema: TableSchema): Promise<readonly TextRow[]> {
    const columns = schema.columns.filter(({ name }) => !name.startsWith('DB_ROW_HASH'));
    return this.#reader.query(`SELECT ${columns.map(textOf).join(', ')} FROM ${quoteTable(schema)}`, signal);
  }

  async #compareRows({
    before,
    effects,
    sql,
  }: {
    before: Map<string, readonly TextRow[]>;
    effects: readonly DdlEffect[];
    sql: string;
  }): Promise<void> {
    const changes = effects.flatMap((effect) => effect.changes).filter((change) => change.kind === 'alterTable');
    const doubted = new Set(effects.flatMap(({ uncertain }) => uncertain.map(({ table }) => tableName(table))));
    for (const change of changes) {
      const name = tableName(change.before);
      const old = before.get(name);
      if (old === undefined || old.length === 0 || doubted.has(name) || !this.#models.has(name)) continue;
      const expected = old.map((row) => rowAfter(row, change)).toSorted();
      const rows = await this.#read(change.after);
      assert.deepEqual(
        rows.map((row) => row.map((value, i) => canonical(value, change.after.columns[i])).join('|')).toSorted(),
        expected,
        `rows after ${sql}`,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
    await this.#reader[Symbol.asyncDispose]();
  }
}

function isJudged({ database }: TableId): boolean {
  return database.startsWith('ddl');
}

/**
 * Texts of expressions are the server's own, the words of a type the statement's, and keys that are not unique identify
 * nothing; everything else counts.
 */
function comparable({ schema, keys }: TableDefinition): unknown {
  const { fingerprint: _, writtenCollation: _collation, hasCopiedComment: _copied, columns, ...rest } = schema;
  return {
    ...rest,
    columns: columns.map(({ written: _type, writtenDefault: _text, ...column }) => ({
      ...column,
      ...(column.defaultExpression === true && column.defaultText?.startsWith('CURRENT_TIMESTAMP') !== true
        ? { defaultText: '(expression)' }
        : {}),
    })),
    keys: keys.filter(({ unique }) => unique).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function textOf(column: Column): string {
  const name = quoteName(column.name);
  switch (column.type.kind) {
    case 'binary':
    case 'geometry':
    case 'vector':
      return `HEX(${name})`;
    case 'bit':
      return `BIN(${name})`;
    default:
      return `CAST(${name} AS CHAR CHARACTER SET utf8mb4)`;
  }
}

function rowAfter(row: TextRow, { columns, before, after }: Extract<SchemaChange, { kind: 'alterTable' }>): string {
  return columns
    .map((origin, i) => {
      const column = after.columns[i];
      if ('fill' in origin) return canonical(origin.fill === null ? null : filled(origin.fill, column), column);
      return canonical(row[origin.from] ?? null, before.columns[origin.from]);
    })
    .join('|');
}

function filled(text: string, column: Column | undefined): string {
  if (column?.type.kind === 'binary') return text.slice(2).toUpperCase();
  return column?.type.kind === 'bit' ? text.slice(2, -1) : text;
}

/** What a lossless conversion leaves as it is: numbers apart from zeros at their ends, times apart from such fractions. */
function canonical(value: string | null, column: Column | undefined): string {
  if (value === null) return '∅';
  switch (column?.type.kind) {
    case 'int':
    case 'decimal':
    case 'float':
    case 'double':
      return value
        .replace(/^(-?)0+(?=\d)/, '$1')
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
    case 'time':
    case 'datetime':
    case 'timestamp':
      return value.replace(/\.0*$|(\.\d*?)0+$/, '$1');
    case 'bit':
      return value.replace(/^0+(?=\d)/, '');
    default:
      return value;
  }
}
