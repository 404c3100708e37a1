import { failpoint } from '../../../base/failpoint.ts';
import { MillraceError } from '../../../base/errors.ts';
import type { OffsetMove } from '../../warehouse.ts';
import { loadFiles } from '../load-files.ts';
import { objectExists, type RedoStep } from '../redo.ts';
import type { SnowflakeSession } from '../session.ts';
import { qualified, quoted, type TablePlace } from '../sql-text.ts';
import type { SnowflakeStore } from '../store.ts';
import type { LandedRows, RowsOfTable } from './landed-rows.ts';
import { createLandingSql } from './merge-landed.ts';

export interface LandingWarehouseOptions {
  readonly store: SnowflakeStore;
  /** `snowflake.autocreate.table.type`: whether tables that are not there are made. */
  readonly creates: boolean;
  readonly schematized: boolean;
}

/** Landing tables in Snowflake; offsets and transactions are the store's. */
export class LandingWarehouse implements AsyncDisposable {
  readonly store: SnowflakeStore;
  readonly #options: LandingWarehouseOptions;
  /** Columns of the landing tables that are known to be there, by the table. */
  readonly #known = new Set<string>();

  constructor(options: LandingWarehouseOptions) {
    this.store = options.store;
    this.#options = options;
  }

  /** Lands rows and moves the offset, in one transaction. @throws WAREHOUSE_FENCED */
  async land(rows: LandedRows, move: OffsetMove): Promise<void> {
    const loaded = await Promise.all([...rows.tables()].map((each) => this.#upload(each)));
    try {
      failpoint('staged');
      await this.store.commit(
        {
          source: move.after.source,
          withRows: new Set(),
          steps: loaded.map(({ of, staged }) => async (plan): Promise<void> => {
            await this.#ensure(plan.session, of.place);
            plan.leftovers.push(staged);
            plan.writes.push({
              key: qualified(of.place),
              place: of.place,
              run: async (session, place) => {
                await session.run(insertSql(of, place, staged));
              },
            });
          }),
        },
        move,
      );
    } catch (error) {
      this.store.dropLater(loaded.map(({ staged }) => staged));
      throw error;
    }
  }

  /** Notes a change of definitions and carries it out, once for certain. @throws WAREHOUSE_FENCED */
  async redefine(steps: readonly RedoStep[], move: OffsetMove): Promise<void> {
    await this.store.commit({ source: move.after.source, withRows: new Set(), steps: [(plan) => void plan.redo.push(...steps)] }, move);
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

  async #ensure(session: SnowflakeSession, place: TablePlace): Promise<void> {
    const name = qualified(place);
    if (this.#known.has(name)) return;
    if (this.#options.creates) {
      await session.run(createLandingSql(place, this.#options.schematized));
    } else if (!(await objectExists(session, place))) {
      throw new MillraceError('WAREHOUSE_FAILED', `The table ${name} does not exist, and snowflake.autocreate.table.type is none`, {
        nextStep: `Create it: ${createLandingSql(place, this.#options.schematized)}`,
      });
    }
    this.#known.add(name);
  }
}

/** Snowflake's longest text: a record may be larger than what a VARCHAR without a length holds. */
const longText = 'VARCHAR(134217728)';

function insertSql({ layout }: RowsOfTable, place: TablePlace, staged: TablePlace): string {
  const names = layout.columns.map(({ name }) => quoted(name)).join(', ');
  const values = layout.columns.map(({ converted }, index) => converted(`"C${index}"`)).join(', ');
  return `INSERT INTO ${qualified(place)} (${names}) SELECT ${values} FROM ${qualified(staged)}`;
}
