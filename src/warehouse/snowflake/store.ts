import { randomUUID } from 'node:crypto';
import { failpoint, isMutant } from '../../base/failpoint.ts';
import { messageOf, MillraceError } from '../../base/errors.ts';
import { createExclusive } from '../../base/exclusive.ts';
import type { SinkOffset } from '../../connect/tasks.ts';
import type { TableId } from '../../event/table-schema.ts';
import { Book, BookChanges } from '../book.ts';
import { sameOffset } from '../same-offset.ts';
import { recordKey, type TableRecord } from '../table-record.ts';
import type { CommitReport, OffsetMove, SinkStore } from '../warehouse.ts';
import { isMissing, isUnknownOutcome } from './driver-errors.ts';
import { internalStage, type Loader } from './load-files.ts';
import { ParquetStage } from './parquet-stage.ts';
import type { Scratch } from '../duckdb/scratch.ts';
import { createRedo, isDone, type Redo } from './redo.ts';
import { columnOf, type SnowflakeSession } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { qualified, qualifiedSchema, quoted, type TablePlace } from './sql-text.ts';
import { SinkState } from './state.ts';
import { columnsIn, ownPlace, ownSeparator, type SnowflakeSink, type UnitPlan } from './unit-plan.ts';
import { SnowflakeUnit } from './unit.ts';

export interface StoreOptions {
  readonly sink: SnowflakeSink;
  /** The store's from now on. */
  readonly scratch: Scratch;
  /** Sessions that load files, besides the one that commits. */
  readonly sessions: number;
  readonly openSession: () => Promise<SnowflakeSession>;
}

/** Longest pause between two statements of a transaction. */
const longestRestMs = 120_000;

/** What a unit wants done, in its order. */
export interface UnitWork {
  readonly source: string;
  readonly steps: readonly ((plan: UnitPlan) => Promise<void> | void)[];
  /** Tables (`database.table`) that it has rows of. */
  readonly withRows: ReadonlySet<string>;
}

/** The replica of one sink in Snowflake. */
export class SnowflakeStore implements SinkStore, AsyncDisposable {
  readonly sink: SnowflakeSink;
  readonly loader: Loader;
  readonly columnsOf: UnitPlan['columnsOf'];
  readonly #book = new Book();
  readonly #state: SinkState;
  /** One session, whose transactions are the commits. */
  readonly #writer: SessionPool;
  readonly #transactionName: string;
  /** Runs one commit after the other. */
  readonly #exclusive = createExclusive();
  #dropping: Promise<void> = Promise.resolve();
  #next = 1;
  #closed = false;

  private constructor({ sink, scratch, sessions, openSession }: StoreOptions) {
    this.sink = sink;
    this.columnsOf = columnsIn(sink);
    this.#transactionName = `${sink.database}.${sink.ownSchema}.${sink.prefix}`;
    this.#writer = new SessionPool(1, openSession);
    const run = randomUUID().replaceAll('-', '').slice(0, 12).toUpperCase();
    this.loader = {
      sink,
      stage: new ParquetStage(scratch),
      pool: new SessionPool(sessions, openSession),
      nextName: () => `${run}_${this.#next++}`,
    };
    this.#state = new SinkState(qualified(ownPlace(sink, 'STATE')), sink.connector);
  }

  /** @throws WAREHOUSE_ACCESS_DENIED, WAREHOUSE_UNREACHABLE, DATA_VERSION */
  static async open(options: StoreOptions): Promise<SnowflakeStore> {
    const store = new SnowflakeStore(options);
    try {
      await store.#writer.use(async (session) => {
        await store.#abortEarlier(session);
        const owed = await store.#load(session);
        for (const redo of owed) await store.#carryOut(session, redo, false);
        await store.#sweep(session);
      });
      return store;
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  get offsets(): readonly SinkOffset[] {
    return this.#book.offsetsOf(this.sink.connector);
  }

  /** Replicated tables. */
  get tables(): readonly TableRecord[] {
    return [...this.#book.tables.values()];
  }

  notes(source: string): ReadonlyMap<string, string> {
    return this.#book.notesOf(this.sink.connector, source);
  }

  unfinished(source: string): readonly TableId[] {
    return this.tables.filter((record) => record.source === source && (record.broken ?? record.aside) !== undefined);
  }

  recordOf(source: string, { database, table }: TableId): TableRecord | undefined {
    return this.#book.tables.get(recordKey({ connector: this.sink.connector, source, database, table }));
  }

  begin(source: string): Promise<SnowflakeUnit> {
    return Promise.resolve(new SnowflakeUnit(this, source));
  }

  /** Drops tables of Millrace's own, when nothing waits for it; what is left over goes at the next start. */
  dropLater(places: readonly TablePlace[]): void {
    if (places.length === 0) return;
    const drop = async (): Promise<void> => {
      try {
        await this.loader.pool.use(async (session) => {
          for (const place of places) await session.run(`DROP TABLE IF EXISTS ${qualified(place)}`);
        });
      } catch (error) {
        this.sink.log.debug({ error: messageOf(error) }, 'tables of staged rows were not dropped');
      }
    };
    this.#dropping = this.#dropping.then(drop);
  }

  /** Resolves when nothing is being dropped any more. */
  async settled(): Promise<void> {
    await this.#dropping;
  }

  /**
   * Carries out a unit: what nobody sees first, then rows, records and offset in one transaction, then the DDL that was
   * recorded there.
   * @throws WAREHOUSE_FENCED
   */
  async commit(work: UnitWork, move: OffsetMove): Promise<CommitReport> {
    return this.#exclusive(async () => {
      const { plan, statement } = await this.#writer.use((session) => this.#commitIn(session, work, move));
      const { after } = move;
      this.sink.log.info({ source: after.source, seq: after.seq, statement }, 'committed in Snowflake');
      this.dropLater(plan.leftovers);
      return { resync: plan.resync };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#exclusive(() => Promise.resolve());
    await this.settled();
    await this.loader.pool[Symbol.asyncDispose]();
    await this.#writer[Symbol.asyncDispose]();
    await this.loader.stage.scratch[Symbol.asyncDispose]();
  }

  async #commitIn(session: SnowflakeSession, work: UnitWork, move: OffsetMove): Promise<{ plan: UnitPlan; statement: string }> {
    const plan = this.#newPlan(session, work);
    await this.#plan(plan, work, move);
    const records = plan.book;
    if (work.steps.length === 0 && (move.notes?.size ?? 0) === 0 && move.before !== undefined) {
      const statement = await this.#moveAlone(session, move);
      this.#book.offsetMoved(this.sink.connector, move);
      return { plan, statement };
    }
    const redo = plan.redo.length === 0 ? undefined : createRedo(work.source, this.loader.nextName(), plan.redo);
    const { statement, session: open } = await this.#transaction(session, move, async (busy) => {
      for (const { run, place } of plan.writes) await run(busy, place);
      await this.#state.save(busy, { records, move, redo });
    });
    failpoint('committed');
    records.apply();
    this.#book.offsetMoved(this.sink.connector, move);
    // readers go back to where the DDL is done, too
    const last = redo === undefined ? statement : await this.#carryOut(open, redo, true);
    await this.#state.committed(open, move.after, last);
    if (open !== session) {
      this.#writer.spend(session);
      await open[Symbol.asyncDispose]();
    }
    return { plan, statement: last };
  }

  /** A second writer is why a plan may fail in ways that tell of something else: that comes first. */
  async #plan(plan: UnitPlan, { source, steps }: UnitWork, move: OffsetMove): Promise<void> {
    try {
      for (const step of steps) await step(plan);
    } catch (error) {
      const { offset } = await this.#state.readOffset(plan.session, source);
      throw sameOffset(offset, move.before) ? error : this.#state.fenced(move);
    }
  }

  #newPlan(session: SnowflakeSession, { source, withRows }: UnitWork): UnitPlan {
    return {
      sink: this.sink,
      source,
      book: new BookChanges(this.#book),
      resync: [],
      columnsOf: this.columnsOf,
      session,
      scratch: this.loader.stage.scratch,
      withRows,
      writes: [],
      published: new Map(),
      redo: [],
      leftovers: [],
      hidden: new Map(),
      names: new Map(),
      nextName: this.loader.nextName,
    };
  }

  /** Nothing but the offset moves: one statement is a transaction. */
  async #moveAlone(session: SnowflakeSession, move: OffsetMove): Promise<string> {
    try {
      return await this.#state.moveOffset(session, move);
    } catch (error) {
      if (!isUnknownOutcome(error)) throw error;
      const known = await this.#outcomeOf(move, error);
      this.#writer.spend(session);
      await known.session[Symbol.asyncDispose]();
      return known.statement;
    }
  }

  /** The session that goes on may be another one: that in which the outcome was found. */
  async #transaction(
    session: SnowflakeSession,
    move: OffsetMove,
    work: (session: SnowflakeSession) => Promise<void>,
  ): Promise<{ readonly statement: string; readonly session: SnowflakeSession }> {
    await session.run(this.#beginSql);
    try {
      failpoint('begun');
      // first, so that a second writer waits here, and then knows
      if (!isMutant('offsets-apart')) await this.#state.moveOffset(session, move);
      await work(withoutRest(session));
      if (isMutant('offsets-apart')) {
        await session.run('COMMIT');
        await session.run(this.#beginSql);
        await this.#state.moveOffset(session, move);
      }
      failpoint('commit');
    } catch (error) {
      await session.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
    try {
      const { statement } = await withoutRest(session).run('COMMIT');
      return { statement, session };
    } catch (error) {
      if (isUnknownOutcome(error)) return this.#outcomeOf(move, error);
      await session.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  /** Whether a commit came through whose answer did not: a new session reads the offset. */
  async #outcomeOf(move: OffsetMove, error: unknown): Promise<{ readonly statement: string; readonly session: SnowflakeSession }> {
    const { before, after } = move;
    const session = await this.loader.pool.openAlone();
    try {
      const { offset, statement } = await this.#state.readOffset(session, after.source);
      if (sameOffset(offset, after)) {
        this.sink.log.warn(
          { source: after.source, seq: after.seq },
          'the answer to a commit was lost; the offset says that it came through',
        );
        return { statement, session };
      }
      if (sameOffset(offset, before)) throw error;
      throw this.#state.fenced(move);
    } catch (fault) {
      await session[Symbol.asyncDispose]();
      throw fault;
    }
  }

  async #carryOut(session: SnowflakeSession, redo: Redo, isFresh: boolean): Promise<string> {
    const { steps } = redo;
    for (let at = redo.done; at < steps.length; at++) {
      const step = steps[at];
      if (step === undefined) break;
      // of those before it, it is known
      const done = !isFresh && at === redo.done && (await isDone(session, step));
      if (!done) await session.run(step.sql);
      failpoint('ddl');
      if (at + 1 < steps.length) await this.#state.redone(session, redo, at + 1);
    }
    return this.#state.forgetRedo(session, redo);
  }

  get #beginSql(): string {
    return `BEGIN TRANSACTION NAME ${quoted(this.#transactionName)}`;
  }

  /** A life that was cut off has left its transaction open, and with it its locks, for minutes. */
  async #abortEarlier(session: SnowflakeSession): Promise<void> {
    const open = await session.run('SHOW TRANSACTIONS');
    const names = columnOf(open, 'name');
    for (const [index, id] of columnOf(open, 'id').entries()) {
      if (names[index] !== this.#transactionName || !/^\d+$/.test(id ?? '')) continue;
      await session.run(`SELECT SYSTEM$ABORT_TRANSACTION(${id})`).catch((error: unknown) => {
        this.sink.log.warn(
          { error: messageOf(error), transaction: id },
          'the transaction of an earlier life was not ended; its locks are waited for',
        );
      });
    }
  }

  /** Reads the state, and makes it where there is none; what is owed. */
  async #load(session: SnowflakeSession): Promise<readonly Redo[]> {
    const { database, ownSchema } = this.sink;
    const schema = qualifiedSchema({ database, schema: ownSchema });
    let loaded: Awaited<ReturnType<SinkState['load']>> | undefined;
    try {
      loaded = await this.#state.load(session, this.#book);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    if (loaded === undefined || loaded.isNew) {
      await session.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await session.run(`CREATE STAGE IF NOT EXISTS ${schema}."${internalStage}"`);
      await session.run(this.#state.createSql);
      loaded = await this.#state.load(session, this.#book);
      if (loaded.isNew) await this.#state.begin(session);
    }
    return loaded.owed;
  }

  /** Removes what an earlier life has left: files of its, and tables that no record names. */
  async #sweep(session: SnowflakeSession): Promise<void> {
    const { database, ownSchema, prefix } = this.sink;
    const schema = qualifiedSchema({ database, schema: ownSchema });
    const kept = new Set([
      ownPlace(this.sink, 'STATE').table,
      ...this.tables.flatMap(({ aside }) => (aside === undefined ? [] : [aside.name])),
    ]);
    const names = columnOf(await session.run(`SHOW TABLES IN SCHEMA ${schema}`), 'name');
    for (const name of names) {
      if (name === null || !name.startsWith(`${prefix}${ownSeparator}`) || kept.has(name)) continue;
      await session.run(`DROP TABLE IF EXISTS ${qualified({ database, schema: ownSchema, table: name })}`);
    }
    try {
      await session.run(`REMOVE @${schema}."${internalStage}"/${prefix}/`);
    } catch (error) {
      this.sink.log.warn({ error: messageOf(error) }, 'files of an earlier life were not removed from the stage');
    }
  }
}

/**
 * A session into whose transaction nothing is sent once it has rested: Snowflake ends an idle one that others wait for after
 * five minutes, and what follows would commit by itself.
 */
function withoutRest(session: SnowflakeSession): SnowflakeSession {
  const check = (): void => {
    if (performance.now() - session.usedMs < longestRestMs) return;
    throw new MillraceError('WAREHOUSE_UNREACHABLE', 'The process stood still amid a transaction, which may have ended', {
      retriable: true,
    });
  };
  return {
    ...session,
    get usedMs() {
      return session.usedMs;
    },
    run: async (sql, binds) => {
      check();
      return session.run(sql, binds);
    },
  };
}
