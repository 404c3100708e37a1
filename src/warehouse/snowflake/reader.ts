import { MillraceError } from '../../base/errors.ts';
import { tableName, type TableId } from '../../event/table-schema.ts';
import { recordKey, type RecordKey, type TableRecord } from '../table-record.ts';
import { isMissing } from './driver-errors.ts';
import { identifierOf } from './identifiers.ts';
import { columnOf, type Answer, type Cell } from './session.ts';
import { SessionPool } from './session-pool.ts';
import type { SnowflakeSinkConfig } from './sink-config.ts';
import { qualified, qualifiedSchema, type TablePlace } from './sql-text.ts';
import type { SnowflakeStore } from './store.ts';
import { livePlace, ownPlace, tableWord } from './unit-plan.ts';

/** A replicated table, and where it is read. */
export interface ReadTable {
  readonly record: TableRecord;
  /** Names of its columns in the replica, in the order of the record's. */
  readonly columns: readonly string[];
  readonly place: TablePlace;
  /** The statement whose state is read there; absent: there is no other. */
  readonly statement?: string;
}

/** A state of a source's tables that stays as it is while the sink goes on. */
export interface SnowflakePin extends AsyncDisposable {
  /** All rows, as text. */
  query(sql: string): Promise<readonly (readonly Cell[])[]>;
  table(key: RecordKey): ReadTable | undefined;
}

export interface TableCount {
  readonly record: TableRecord;
  /** Rows that readers see; undefined while the first snapshot is loaded. */
  readonly rows: number | undefined;
  /** Rows of a snapshot that is being loaded. */
  readonly loading: number | undefined;
}

/** No such column, no such past: the table was changed after the state that is looked for. */
const changedCodes = new Set<unknown>([904, 707]);

/** Reads what a sink has made, beside it, in a session of its own. */
export class SnowflakeReader implements AsyncDisposable {
  readonly #store: () => SnowflakeStore;
  readonly #method: () => SnowflakeSinkConfig['pin'];
  readonly #pool: SessionPool;

  /** `store`: of the task that is open. */
  constructor(store: () => SnowflakeStore, method: () => SnowflakeSinkConfig['pin']) {
    this.#store = store;
    this.#method = method;
    this.#pool = new SessionPool(1, () => store().loader.pool.openAlone());
  }

  /** @throws WAREHOUSE_FAILED when it does more than read */
  async query(sql: string, maxRows: number): Promise<Answer> {
    checkReads(sql);
    return this.#pool.use((session) => session.firstRows(sql, maxRows));
  }

  get tables(): readonly ReadTable[] {
    const store = this.#store();
    return store.tables.map((record) => readTable(store, record));
  }

  /** From the catalogue: no warehouse is woken. */
  async counts(): Promise<readonly TableCount[]> {
    const { sink, tables } = this.#store();
    const { database, ownSchema } = sink;
    const rows = new Map<string, number>();
    const asides = tables.some(({ aside }) => aside !== undefined) ? [ownSchema] : [];
    for (const schema of new Set([...tables.map(({ replica }) => replica.schema), ...asides])) {
      const answer = await this.#pool.use((session) => session.run(`SHOW TABLES IN SCHEMA ${qualifiedSchema({ database, schema })}`));
      const counts = columnOf(answer, 'rows');
      for (const [index, name] of columnOf(answer, 'name').entries()) rows.set(`${schema}\n${name}`, Number(counts[index]));
    }
    return tables.map((record) => ({
      record,
      rows: record.live === undefined ? undefined : rows.get(`${record.replica.schema}\n${record.replica.table}`),
      loading: record.aside === undefined ? undefined : rows.get(`${ownSchema}\n${record.aside.name}`),
    }));
  }

  /** These tables as they are now. To be called while nothing is committed. */
  async pin(source: string, tables: readonly TableId[]): Promise<SnowflakePin> {
    const store = this.#store();
    const wanted = new Set(tables.map(tableName));
    const records = store.tables.filter((record) => record.source === source && record.live !== undefined && wanted.has(tableName(record)));
    const found = this.#method() === 'clone' ? await this.#clones(store, records) : await this.#past(store, records);
    const byKey = new Map(found.map((table) => [recordKey(table.record), table]));
    return {
      query: async (sql) => (await this.#pool.use((session) => session.run(sql)).catch(orChanged)).rows,
      table: (key) => byKey.get(recordKey(key)),
      async [Symbol.asyncDispose]() {
        if (found.every(({ statement }) => statement === undefined)) store.dropLater(found.map(({ place }) => place));
        return Promise.resolve();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #past(store: SnowflakeStore, records: readonly TableRecord[]): Promise<readonly ReadTable[]> {
    // not the sink's last commit: what others have done to the tables since is to be seen
    const { statement } = await this.#pool.use((session) => session.run('SELECT 1'));
    return records.map((record) => ({ ...readTable(store, record), statement }));
  }

  async #clones(store: SnowflakeStore, records: readonly TableRecord[]): Promise<readonly ReadTable[]> {
    const { sink, loader } = store;
    const made: ReadTable[] = [];
    try {
      for (const record of records) {
        const place = ownPlace(sink, `VERIFY_${loader.nextName()}`);
        await this.#pool.use((session) =>
          session.run(`CREATE ${tableWord(sink)} ${qualified(place)} CLONE ${qualified(livePlace(sink, record))}`),
        );
        made.push({ ...readTable(store, record), place });
      }
      return made;
    } catch (error) {
      store.dropLater(made.map(({ place }) => place));
      throw error;
    }
  }
}

function readTable({ sink }: SnowflakeStore, record: TableRecord): ReadTable {
  const columns = record.live?.columns.map(({ name }) => identifierOf(name, sink.letters)) ?? [];
  return { record, columns, place: livePlace(sink, record) };
}

function orChanged(error: unknown): never {
  if (error instanceof MillraceError && (isMissing(error) || changedCodes.has(error.context['number']))) {
    throw new MillraceError('VERIFY_UNDECIDED', `the state that is compared is there no more: ${error.message}`, {
      cause: error,
      retriable: true,
      nextStep: 'Set snowflake.verify.method to clone, if tables keep no past.',
    });
  }
  throw error;
}

/** Snowflake has no transactions that only read: the statement's first word says what it is, and it is one. */
function checkReads(sql: string): void {
  const plain = sql.replaceAll(/\/\*[^]*?\*\/|--[^\n]*/g, ' ').trim();
  const isQuery = /^(?:SELECT|WITH|\()/i.test(plain);
  // what a system function does is seen in the text as it is: quotes may hide a comment's end
  if (isQuery && !/\bSYSTEM\$/i.test(sql)) return;
  throw new MillraceError('WAREHOUSE_FAILED', plain === '' ? 'There is no statement' : 'The statement is not a query', {
    nextStep: 'The replica is written by Millrace only; send one SELECT.',
  });
}
