import { createExclusive } from '../../../src/base/exclusive.ts';
import { randomUUID } from 'node:crypto';
import { SnowflakeError } from '../snowflake-error.ts';
import type { Catalog, Here } from './catalog.ts';
import type { Locks, WaitOptions } from './locks.ts';
import type { Connection } from './store.ts';
import { commit, openTransaction, rollback, type Transaction } from './transaction.ts';
import type { StageFiles } from './stage-files.ts';
import type { View } from './versions.ts';

/** What all sessions of an account share. */
export interface Account {
  readonly name: string;
  readonly catalog: Catalog;
  readonly locks: Locks;
  readonly files: StageFiles;
  /** Committed versions by statement, for AT(STATEMENT => …): what the statement found, and what it left. */
  readonly statements: Map<string, { readonly before: number; readonly after: number; readonly ms: number }>;
  readonly sessions: Map<number, Session>;
  /** After how long an idle transaction that others wait for is rolled back; five minutes on Snowflake. */
  readonly idleBlockingMs: number;
  /** How many rows of the past a table keeps. */
  readonly maxEndedRows: number;
}

/** The value of a placeholder: one, or one per row. */
export interface Bind {
  readonly type: string;
  readonly value: string | null | readonly (string | null)[];
}

const defaults: Readonly<Record<string, string | number | boolean>> = {
  AUTOCOMMIT: true,
  ABORT_DETACHED_QUERY: false,
  BINARY_INPUT_FORMAT: 'HEX',
  BINARY_OUTPUT_FORMAT: 'HEX',
  CLIENT_SESSION_KEEP_ALIVE: false,
  CLIENT_STAGE_ARRAY_BINDING_THRESHOLD: 65_280,
  DATE_INPUT_FORMAT: 'AUTO',
  DATE_OUTPUT_FORMAT: 'YYYY-MM-DD',
  ERROR_ON_NONDETERMINISTIC_MERGE: true,
  ERROR_ON_NONDETERMINISTIC_UPDATE: false,
  JSON_INDENT: 2,
  LOCK_TIMEOUT: 43_200,
  MULTI_STATEMENT_COUNT: 1,
  QUERY_TAG: '',
  QUOTED_IDENTIFIERS_IGNORE_CASE: false,
  ROWS_PER_RESULTSET: 0,
  STATEMENT_QUEUED_TIMEOUT_IN_SECONDS: 0,
  STATEMENT_TIMEOUT_IN_SECONDS: 172_800,
  STRICT_JSON_OUTPUT: false,
  TIMESTAMP_DAY_IS_ALWAYS_24H: false,
  TIMESTAMP_INPUT_FORMAT: 'AUTO',
  TIMESTAMP_LTZ_OUTPUT_FORMAT: '',
  TIMESTAMP_NTZ_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF3',
  TIMESTAMP_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM',
  TIMESTAMP_TYPE_MAPPING: 'TIMESTAMP_NTZ',
  TIMESTAMP_TZ_OUTPUT_FORMAT: '',
  TIMEZONE: 'America/Los_Angeles',
  TIME_INPUT_FORMAT: 'AUTO',
  TIME_OUTPUT_FORMAT: 'HH24:MI:SS',
  TRANSACTION_ABORT_ON_ERROR: false,
  TRANSACTION_DEFAULT_ISOLATION_LEVEL: 'READ COMMITTED',
  TWO_DIGIT_CENTURY_START: 1970,
  USE_CACHED_RESULT: true,
  WEEK_START: 0,
};

/** Values that the emulator would have to act on and does not: they are refused. */
const onlyValues: Readonly<Record<string, readonly (string | number | boolean)[]>> = {
  BINARY_INPUT_FORMAT: ['HEX'],
  BINARY_OUTPUT_FORMAT: ['HEX'],
  DATE_INPUT_FORMAT: ['AUTO'],
  DATE_OUTPUT_FORMAT: ['YYYY-MM-DD', 'AUTO'],
  TIME_INPUT_FORMAT: ['AUTO'],
  TIMESTAMP_INPUT_FORMAT: ['AUTO'],
  ERROR_ON_NONDETERMINISTIC_MERGE: [true],
  TIMESTAMP_TYPE_MAPPING: ['TIMESTAMP_NTZ'],
  TRANSACTION_DEFAULT_ISOLATION_LEVEL: ['READ COMMITTED'],
  TRANSACTION_ABORT_ON_ERROR: [false],
};

/** A session: where it is, its parameters, its open transaction. Its statements run one after the other. */
export class Session implements Here {
  readonly account: Account;
  readonly connection: Connection;
  readonly sessionId: number;
  readonly user: string;
  role: string;
  warehouse: string | undefined;
  database: string | undefined;
  schema: string | undefined;
  transaction: Transaction | undefined;
  lastQueryIds: readonly string[] = [];
  /** The statement that runs now. */
  queryId: string = randomUUID();
  closed = false;
  /** Ends the statement that runs now. */
  running: AbortController | undefined;
  readonly #parameters = new Map<string, string | number | boolean>();

  constructor(
    account: Account,
    connection: Connection,
    identity: { readonly sessionId: number; readonly user: string; readonly role: string },
  ) {
    this.account = account;
    this.connection = connection;
    this.sessionId = identity.sessionId;
    this.user = identity.user;
    this.role = identity.role;
  }

  get catalog(): Catalog {
    return this.account.catalog;
  }

  parameter(name: string): string | number | boolean {
    return this.#parameters.get(name) ?? defaults[name] ?? '';
  }

  parameters(): readonly { readonly name: string; readonly value: string | number | boolean }[] {
    return Object.keys(defaults).map((name) => ({ name, value: this.parameter(name) }));
  }

  /** @throws SnowflakeError for a parameter that there is not, or a value that the emulator does not act on */
  setParameter(name: string, value: unknown): void {
    const known = defaults[name];
    if (known === undefined) throw new SnowflakeError('001003', '42000', `SQL compilation error:\ninvalid parameter '${name}'`);
    const type = typeof known;
    const parsed =
      type === 'boolean' && typeof value === 'string' ? value.toUpperCase() === 'TRUE' : type === 'number' ? Number(value) : value;
    if (typeof parsed !== type || (typeof parsed !== 'string' && typeof parsed !== 'number' && typeof parsed !== 'boolean')) {
      throw new SnowflakeError('001008', '22023', `SQL compilation error:\ninvalid value [${String(value)}] for parameter '${name}'`);
    }
    const only = onlyValues[name];
    const given = typeof parsed === 'string' ? parsed.toUpperCase() : parsed;
    if (only !== undefined && !only.includes(given)) {
      throw new SnowflakeError('001003', '42000', `SQL compilation error:\nthe emulator does not know ${name} = ${String(value)}`);
    }
    this.#parameters.set(name, parsed);
  }

  unsetParameter(name: string): void {
    if (defaults[name] === undefined) throw new SnowflakeError('001003', '42000', `SQL compilation error:\ninvalid parameter '${name}'`);
    this.#parameters.delete(name);
  }

  /** What the next statement sees. */
  view(transaction: Transaction | undefined = this.transaction): View {
    return { version: this.catalog.store.version, stamp: transaction?.stamp ?? 0 };
  }

  /** One statement after the other, in the order in which they came. */
  readonly inTurn = createExclusive();

  begin(name = ''): Transaction {
    this.transaction ??= openTransaction(this.catalog, this.sessionId, { explicit: true, name });
    return this.transaction;
  }

  async commit(): Promise<void> {
    const { transaction } = this;
    this.transaction = undefined;
    if (transaction !== undefined) await commit(this.account, this.connection, transaction, this.queryId);
  }

  async rollback(): Promise<void> {
    const { transaction } = this;
    this.transaction = undefined;
    if (transaction !== undefined) await rollback(this.catalog, this.account.locks, this.connection, transaction);
  }

  /** A DML statement: in the open transaction, or in one of its own. */
  async change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.transaction === undefined && this.parameter('AUTOCOMMIT') === false) this.begin();
    if (this.transaction !== undefined) return work(this.transaction);
    const own = openTransaction(this.catalog, this.sessionId, { explicit: false, name: '' });
    let result: T;
    try {
      result = await work(own);
    } catch (error) {
      await rollback(this.catalog, this.account.locks, this.connection, own);
      throw error;
    }
    await commit(this.account, this.connection, own, this.queryId);
    return result;
  }

  waitOptions(table: string, signal: AbortSignal | undefined): WaitOptions {
    return { table, timeoutMs: Number(this.parameter('LOCK_TIMEOUT')) * 1000, signal };
  }

  /** The session is over: its transaction is rolled back and its temporary objects go. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.running?.abort();
    await this.inTurn(async () => {
      await this.rollback();
      for (const object of this.catalog.all()) {
        if (!('sessionId' in object) || object.sessionId !== this.sessionId) continue;
        if (object.kind === 'table') await this.connection.run(`DROP TABLE IF EXISTS t${object.id}`);
        if (object.kind === 'stage') await this.account.files.drop(object.id);
        this.catalog.remove(object.id);
      }
    });
    this.account.sessions.delete(this.sessionId);
    this.connection.close();
  }
}
