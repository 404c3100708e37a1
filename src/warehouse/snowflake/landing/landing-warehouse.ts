import { failpoint } from '../../../base/failpoint.ts';
import { MillraceError } from '../../../base/errors.ts';
import type { OffsetMove } from '../../warehouse.ts';
import { loadFiles } from '../load-files.ts';
import { objectExists, type RedoStep } from '../redo.ts';
import type { SnowflakeSession } from '../session.ts';
import { qualified, quoted, type TablePlace } from '../sql-text.ts';
import type { StreamingIngest } from '../streaming/streaming-ingest.ts';
import type { UnitPlan } from '../unit-plan.ts';
import type { SnowflakeStore } from '../store.ts';
import { evolveLanding } from './evolve-landing.ts';
import type { LandedRows, LandingLayout, RowsOfTable } from './landed-rows.ts';
import { createLandingSql } from './merge-landed.ts';

export interface LandingWarehouseOptions {
  readonly store: SnowflakeStore;
  /** `snowflake.autocreate.table.type`: whether tables that are not there are made. */
  readonly creates: boolean;
  readonly schematized: boolean;
  /** Of Snowpipe Streaming, for a log; absent: files and COPY. */
  readonly streaming?: ((logId: string) => StreamingIngest) | undefined;
}

/** An offset as it becomes, and what is stored with it. */
export type LandingMove = Omit<OffsetMove, 'before'>;

/** Landing tables in Snowflake; offsets and transactions are the store's. */
export class LandingWarehouse implements AsyncDisposable {
  readonly store: SnowflakeStore;
  readonly #options: LandingWarehouseOptions;
  /** Of landing tables that are there and can take a layout: how its cells become their columns. */
  readonly #targets = new Map<string, Map<LandingLayout, readonly string[]>>();

  constructor(options: LandingWarehouseOptions) {
    this.store = options.store;
    this.#options = options;
  }

  /**
   * Lands rows and moves the offset, in one transaction; with Snowpipe Streaming the offset is in the channels' tokens.
   * @throws WAREHOUSE_FENCED
   */
  async land(rows: LandedRows, move: LandingMove, signal: AbortSignal): Promise<void> {
    const { streaming } = this.#options;
    if (streaming === undefined) {
      await this.#copy(rows, move);
      return;
    }
    await this.prepare([...rows.tables()]);
    await streaming(move.after.logId).append(move.after.source, rows.tables(), signal);
    if ((move.notes?.size ?? 0) > 0) await this.redefine([], move);
  }

  /** Makes tables, and columns of them, that rows need. */
  async prepare(rows: readonly Pick<RowsOfTable, 'place' | 'layout'>[]): Promise<void> {
    const fresh = rows.filter(({ place, layout }) => this.#targets.get(qualified(place))?.has(layout) !== true);
    if (fresh.length === 0) return;
    await this.store.loader.pool.use(async (session) => {
      for (const each of fresh) await this.#target(session, each);
    });
  }

  async #copy(rows: LandedRows, move: LandingMove): Promise<void> {
    const loaded = await Promise.all([...rows.tables()].map((each) => this.#upload(each)));
    try {
      failpoint('staged');
      const steps = loaded.map(({ of, staged }) => async (plan: UnitPlan): Promise<void> => {
        plan.leftovers.push(staged);
        const values = await this.#target(plan.session, of);
        plan.writes.push({
          key: qualified(of.place),
          place: of.place,
          run: async (session, place) => {
            await session.run(insertSql(of, { place, staged, values }));
          },
        });
      });
      await this.store.commit({ source: move.after.source, withRows: new Set(), steps }, this.#moveOf(move));
    } catch (error) {
      this.store.dropLater(loaded.map(({ staged }) => staged));
      throw error;
    }
  }

  /** Notes a change of definitions and carries it out, once for certain. @throws WAREHOUSE_FENCED */
  async redefine(steps: readonly RedoStep[], move: LandingMove): Promise<void> {
    await this.store.commit(
      { source: move.after.source, withRows: new Set(), steps: [(plan) => void plan.redo.push(...steps)] },
      this.#moveOf(move),
    );
  }

  #moveOf({ after, notes }: LandingMove): OffsetMove {
    return { before: this.store.offsets.find(({ source }) => source === after.source), after, notes };
  }

  /** The greatest position of a table of them; undefined: it is empty, or not there. */
  async greatestPosition(place: TablePlace): Promise<string | undefined> {
    return this.store.loader.pool.use(async (session) => {
      if (!(await objectExists(session, place))) return undefined;
      const { rows } = await session.run(`SELECT MAX("__POS") FROM ${qualified(place)}`);
      return rows[0]?.[0] ?? undefined;
    });
  }

  /** Statements in one transaction, of a session of their own. */
  async transact(statements: readonly string[]): Promise<void> {
    if (statements.length === 0) return;
    await this.store.loader.pool.use(async (session) => {
      await session.run('BEGIN');
      try {
        for (const statement of statements) {
          await session.run(statement);
          failpoint('merged');
        }
        await session.run('COMMIT');
      } catch (error) {
        await session.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
  }

  async #upload(of: RowsOfTable): Promise<{ readonly of: RowsOfTable; readonly staged: TablePlace }> {
    const { loader } = this.store;
    const names = of.layout.columns.map((_, index) => `C${index}`);
    const files = await loader.stage.writeTexts(names, of.rows);
    const staged = await loadFiles(loader, files, { columns: [], more: names.map((name) => `${quoted(name)} ${longText}`) });
    return { of, staged };
  }

  /** The expressions of a layout's columns, for a table that is brought to take them. */
  async #target(session: SnowflakeSession, { place, layout }: Pick<RowsOfTable, 'place' | 'layout'>): Promise<readonly string[]> {
    const name = qualified(place);
    const known = this.#targets.get(name) ?? new Map<LandingLayout, readonly string[]>();
    this.#targets.set(name, known);
    let values = known.get(layout);
    if (values === undefined) {
      if (known.size === 0) await this.#ensure(session, place);
      known.set(layout, (values = await evolveLanding(session, place, layout)));
    }
    return values;
  }

  async #ensure(session: SnowflakeSession, place: TablePlace): Promise<void> {
    const sql = createLandingSql(place, this.#options.schematized);
    if (this.#options.creates) {
      await session.run(sql);
    } else if (!(await objectExists(session, place))) {
      throw new MillraceError(
        'WAREHOUSE_FAILED',
        `The table ${qualified(place)} does not exist, and snowflake.autocreate.table.type is none`,
        {
          nextStep: `Create it: ${sql}`,
        },
      );
    }
  }
}

/** Snowflake's longest text: a record may be larger than what a VARCHAR without a length holds. */
const longText = 'VARCHAR(134217728)';

function insertSql(
  { layout }: RowsOfTable,
  { place, staged, values }: { readonly place: TablePlace; readonly staged: TablePlace; readonly values: readonly string[] },
): string {
  const names = layout.columns.map(({ name }) => quoted(name)).join(', ');
  return `INSERT INTO ${qualified(place)} (${names}) SELECT ${values.join(', ')} FROM ${qualified(staged)}`;
}
