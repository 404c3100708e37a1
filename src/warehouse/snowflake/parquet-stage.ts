import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError } from '../../base/errors.ts';
import { tableName, type TableSchema } from '../../event/table-schema.ts';
import { cellKind } from '../duckdb/column-mapping.ts';
import { loadRows } from '../duckdb/load-rows.ts';
import type { Scratch } from '../duckdb/scratch.ts';
import { literal, quoted, type Session } from '../duckdb/session.ts';
import { dropStaged, stageFold, type StagedMerge } from '../duckdb/stage.ts';
import type { Fold, RowSet } from '../fold.ts';
import type { SnowflakeColumn } from './column-mapping.ts';

/** Files of one table, on disk. */
export interface ParquetFiles {
  readonly folder: string;
  readonly rows: number;
}

/** A fold as files: each set of rows that has any. */
export interface WrittenFold {
  readonly schema: TableSchema;
  readonly columns: readonly SnowflakeColumn[];
  /** Of tables with a key: C0 … and D, whether the row goes; of others rows to insert, C0 …. */
  readonly rows: ParquetFiles | undefined;
  /** Of tables without a key: C0 … and N, of how many equal rows. */
  readonly deletes: ParquetFiles | undefined;
  /** C0 …, P: for each column 1 or 0, known or not, and at last whether a row completes it; K0 …: that row's key. */
  readonly partials: ParquetFiles | undefined;
  /** Rows that the replica should have had. */
  readonly expected: number;
  readonly lenient: boolean;
  readonly substitutions: Readonly<Record<string, number>>;
}

/** Rows on their way into files; finished or disposed, once. */
export interface RowsWriter extends AsyncDisposable {
  /** The images are not used afterwards. */
  add(set: Pick<RowSet, 'extent' | 'visit'>): Promise<void>;
  /** `nameOf`: the name of a column in the files, by its position. */
  finish(
    nameOf: (index: number) => string,
  ): Promise<{ readonly files: ParquetFiles; readonly substitutions: Readonly<Record<string, number>> }>;
}

/** Files of more than this are split: what Snowflake loads best lies between 100 and 250 MB. */
const fileBytes = '150MB';

/** Writes Parquet files: rows go through tables of a DuckDB in memory, which moves to disk what is too much. */
export class ParquetStage {
  readonly scratch: Scratch;
  #next = 1;

  constructor(scratch: Scratch) {
    this.scratch = scratch;
  }

  /** Writes what a fold says; its batches are not used afterwards. */
  async writeFold(fold: Fold, columns: readonly SnowflakeColumn[], failOnInvalid: boolean): Promise<WrittenFold> {
    const byColumn = new Map(columns.map(({ column, staged }) => [column, staged]));
    return this.scratch.use(async (session) => {
      const staged = await stageFold(session, fold, {
        // what is no column of the table says which columns a row has
        mapColumns: (asked) =>
          asked.map((column) => byColumn.get(column) ?? { column, sqlType: 'VARCHAR', kind: cellKind.string, notNull: true }),
        failOnInvalid,
        storeStrings: this.scratch.storeStrings,
      });
      try {
        return await this.#writeStaged(session, staged, columns);
      } finally {
        await dropStaged(session, staged);
      }
    });
  }

  /** Collects rows of a table that will be files together. */
  async openRows(
    columns: readonly SnowflakeColumn[],
    of: { readonly schema: TableSchema; readonly failOnInvalid: boolean },
  ): Promise<RowsWriter> {
    const session = await this.scratch.take();
    const table = `millrace_rows_${this.#next++}`;
    await session.run(`CREATE TEMP TABLE ${table} (${columns.map(({ staged }, index) => `c${index} ${staged.sqlType}`).join(', ')})`);
    const substituted = new Map<string, number>();
    const close = async (): Promise<void> => {
      await session.run(`DROP TABLE temp.${table}`);
      this.scratch.give(session);
    };
    return {
      add: async (set) => {
        const options = {
          storeStrings: this.scratch.storeStrings,
          table: tableName(of.schema),
          key: of.schema.primaryKey,
          failOnInvalid: of.failOnInvalid,
        };
        const result = await loadRows(
          session,
          { catalog: undefined, schema: 'main', table },
          { set, columns: columns.map(({ staged }) => staged), options },
        );
        for (const [index, { column }] of columns.entries()) {
          const times = result.substitutions[index] ?? 0;
          if (times > 0) substituted.set(column.name, (substituted.get(column.name) ?? 0) + times);
        }
      },
      finish: async (nameOf) => {
        const list = columns.map(({ written }, index) => `${written(`c${index}`)} AS ${quoted(nameOf(index))}`);
        const files = await this.#write(session, `SELECT ${list.join(', ')} FROM temp.${table}`);
        await close();
        return { files, substitutions: Object.fromEntries(substituted) };
      },
      [Symbol.asyncDispose]: close,
    };
  }

  /** Writes rows of texts, under these names. */
  async writeTexts(names: readonly string[], rows: readonly (readonly (string | null)[])[]): Promise<ParquetFiles> {
    const table = `millrace_texts_${this.#next++}`;
    return this.scratch.use(async (session) => {
      await session.run(`CREATE TEMP TABLE ${table} (${names.map((_, index) => `c${index} VARCHAR`).join(', ')})`);
      try {
        const appender = await session.connection.createAppender(table, 'main', 'temp');
        for (const row of rows) {
          for (const cell of row) {
            if (cell === null) appender.appendNull();
            else appender.appendVarchar(cell);
          }
          appender.endRow();
        }
        appender.closeSync();
        return await this.#write(session, `SELECT ${names.map((name, index) => `c${index} AS "${name}"`).join(', ')} FROM temp.${table}`);
      } finally {
        await session.run(`DROP TABLE temp.${table}`);
      }
    });
  }

  /** Forgets files that were uploaded. */
  remove({ folder }: ParquetFiles): void {
    rmSync(folder, { recursive: true, force: true });
  }

  async #writeStaged(session: Session, staged: StagedMerge, columns: readonly SnowflakeColumn[]): Promise<WrittenFold> {
    const { schema, deletes, inserts, partials, lenient, substitutions } = staged;
    const keyless = schema.primaryKey.length === 0;
    const common = { schema, columns, lenient, substitutions, expected: deletes?.rows ?? 0 };
    const partialFiles =
      partials === undefined
        ? undefined
        : await this.#write(
            session,
            `SELECT ${cells(columns, 'p.')}, o.c0 AS "P"${schema.primaryKey.map((position, index) => `, ${columns[position]?.written(`o.c${index + 1}`) ?? ''} AS "K${index}"`).join('')}
             FROM temp.${partials.table} AS p JOIN temp.${partials.origins} AS o ON p.rowid = o.rowid`,
          );
    if (keyless) {
      const all = columns.map((_, index) => `c${index}`).join(', ');
      return {
        ...common,
        partials: partialFiles,
        rows: inserts === undefined ? undefined : await this.#write(session, `SELECT ${cells(columns)} FROM temp.${inserts.table}`),
        deletes:
          deletes === undefined
            ? undefined
            : await this.#write(
                session,
                `SELECT ${cells(columns)}, CAST(n AS INTEGER) AS "N" FROM (SELECT ${all}, count(*) AS n FROM temp.${deletes.table} GROUP BY ${all})`,
              ),
      };
    }
    const parts: string[] = [];
    if (inserts !== undefined) parts.push(`SELECT ${cells(columns)}, false AS "D" FROM temp.${inserts.table}`);
    if (deletes !== undefined) {
      const place = new Map(schema.primaryKey.map((position, index) => [position, index]));
      const values = columns.map(({ staged: { sqlType }, written }, index) => {
        const key = place.get(index);
        return `${written(key === undefined ? `CAST(NULL AS ${sqlType})` : `d.c${key}`)} AS "C${index}"`;
      });
      const coming = [inserts?.table, partials?.table].flatMap((table) => {
        if (table === undefined) return [];
        const same = schema.primaryKey.map((position, index) => `i.c${position} IS NOT DISTINCT FROM d.c${index}`);
        return [`NOT EXISTS (FROM temp.${table} AS i WHERE ${same.join(' AND ')})`];
      });
      const where = coming.length === 0 ? '' : ` WHERE ${coming.join(' AND ')}`;
      parts.push(`SELECT ${values.join(', ')}, true AS "D" FROM temp.${deletes.table} AS d${where}`);
    }
    const rows = parts.length === 0 ? undefined : await this.#write(session, parts.join(' UNION ALL '));
    return { ...common, partials: partialFiles, deletes: undefined, rows: rows?.rows === 0 ? undefined : rows };
  }

  async #write(session: Session, select: string): Promise<ParquetFiles> {
    const folder = join(this.scratch.folder, `f${this.#next++}`);
    const rows = await session.run(
      `COPY (${select}) TO ${literal(folder)} (FORMAT parquet, COMPRESSION zstd, FILE_SIZE_BYTES '${fileBytes}', FILENAME_PATTERN 'part_{i}')`,
    );
    if (rows > 0 && readdirSync(folder).length === 0) throw new MillraceError('INTERNAL', `${rows} rows were written to no file`);
    return { folder, rows };
  }
}

function cells(columns: readonly SnowflakeColumn[], from = ''): string {
  return columns.map(({ written }, index) => `${written(`${from}c${index}`)} AS "C${index}"`).join(', ');
}
