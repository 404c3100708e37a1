import { MillraceError } from '../../base/errors.ts';
import type { TableSchema } from '../../event/table-schema.ts';
import { failpoint } from '../../base/failpoint.ts';
import type { SnowflakeColumn } from './column-mapping.ts';
import { loadedColumns, valueColumns } from './merge-sql.ts';
import type { ParquetFiles, ParquetStage, RowsWriter, WrittenFold } from './parquet-stage.ts';
import { columnOf, type SnowflakeSession } from './session.ts';
import type { SessionPool } from './session-pool.ts';
import { literal, qualified, qualifiedSchema, type TablePlace } from './sql-text.ts';
import { ownPlace, type SnowflakeSink } from './unit-plan.ts';

/** What brings files into tables of Millrace's own. */
export interface Loader {
  readonly sink: SnowflakeSink;
  readonly stage: ParquetStage;
  readonly pool: SessionPool;
  readonly nextName: () => string;
}

/** A fold in tables of Millrace's own, each there if it has rows. */
export interface LoadedFold {
  readonly written: WrittenFold;
  readonly rows: TablePlace | undefined;
  readonly deletes: TablePlace | undefined;
  /** Of rows that go with deletes: a place for those that are equal and stay. */
  readonly kept: TablePlace | undefined;
  readonly partials: TablePlace | undefined;
  /** A place for partial rows once they are completed. */
  readonly whole: TablePlace | undefined;
}

export const internalStage = 'STAGE';

/** Loads all files of a fold, side by side. */
export async function loadFold(loader: Loader, written: WrittenFold): Promise<LoadedFold> {
  const { columns, schema } = written;
  const keyless = schema.primaryKey.length === 0;
  const key = schema.primaryKey.map((position, index) => `"K${index}" ${columns[position]?.loadedType ?? 'VARCHAR'}`);
  const load = async (files: ParquetFiles | undefined, more: readonly string[]): Promise<TablePlace | undefined> =>
    files === undefined ? undefined : loadFiles(loader, files, { columns, more });
  const [rows, deletes, partials] = await Promise.all([
    load(written.rows, keyless ? [] : ['"D" BOOLEAN']),
    load(written.deletes, ['"N" NUMBER(10,0)']),
    load(written.partials, ['"P" VARCHAR', ...key]),
  ]);
  const room = async (needed: boolean, more: readonly string[]): Promise<TablePlace | undefined> => {
    if (!needed) return undefined;
    const place = ownPlace(loader.sink, `ROWS_${loader.nextName()}`);
    await loader.pool.use((session) => session.run(`CREATE TRANSIENT TABLE ${qualified(place)} (${valueColumns(columns, more)})`));
    return place;
  };
  const [kept, whole] = await Promise.all([room(deletes !== undefined, []), room(partials !== undefined, ['"D" BOOLEAN'])]);
  return { written, rows, deletes, kept, partials, whole };
}

/** Tables of a loaded fold, which are not needed once it is merged. */
export function placesOf({ rows, deletes, kept, partials, whole }: LoadedFold): readonly TablePlace[] {
  return [rows, deletes, kept, partials, whole].filter((place) => place !== undefined);
}

/** Uploads files and copies them into a new table of their columns. */
export async function loadFiles(
  loader: Loader,
  files: ParquetFiles,
  { columns, more }: { readonly columns: readonly SnowflakeColumn[]; readonly more: readonly string[] },
): Promise<TablePlace> {
  const place = ownPlace(loader.sink, `ROWS_${loader.nextName()}`);
  await loader.pool.use((session) => session.run(`CREATE TRANSIENT TABLE ${qualified(place)} (${loadedColumns(columns, more)})`));
  const uploaded = await uploadFiles(loader, files);
  await loader.pool.use((session) => copyFiles(session, uploaded, place));
  failpoint('copied');
  return place;
}

/** Files on the stage. */
export interface UploadedFiles {
  readonly prefix: string;
  readonly rows: number;
}

/** Uploads files to a place of their own on the stage. */
async function uploadFiles({ sink, stage, pool, nextName }: Loader, files: ParquetFiles): Promise<UploadedFiles> {
  const prefix = `@${qualifiedSchema({ database: sink.database, schema: sink.ownSchema })}."${internalStage}"/${sink.prefix}/${nextName()}/`;
  await pool.use((session) => upload(session, files, prefix));
  stage.remove(files);
  failpoint('uploaded');
  return { prefix, rows: files.rows };
}

/** Copies all of them into a table whose columns have their names. */
export async function copyFiles(session: SnowflakeSession, { prefix, rows }: UploadedFiles, place: TablePlace): Promise<void> {
  const copied = await session.run(
    `COPY INTO ${qualified(place)} FROM ${prefix} FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE BINARY_AS_TEXT = FALSE) ` +
      'MATCH_BY_COLUMN_NAME = CASE_SENSITIVE PURGE = TRUE',
  );
  const loaded = columnOf(copied, 'rows_loaded').reduce((sum, count) => sum + Number(count ?? 0), 0);
  if (loaded !== rows) {
    throw new MillraceError('WAREHOUSE_FAILED', `${loaded} of ${rows} rows were copied into ${place.table}`, { retriable: true });
  }
}

/** Rows of a snapshot: on the stage when the table takes them as they are, else in a table of Millrace's own. */
export interface LoadedRows {
  readonly schema: TableSchema;
  readonly columns: readonly SnowflakeColumn[];
  readonly from: UploadedFiles | TablePlace;
  readonly substitutions: Readonly<Record<string, number>>;
}

export async function loadSnapshotRows(
  loader: Loader,
  writer: RowsWriter,
  { schema, columns }: Pick<LoadedRows, 'schema' | 'columns'>,
): Promise<LoadedRows> {
  const asTheyAre = columns.every(({ converted }) => converted('') === '');
  const { files, substitutions } = await writer.finish((index) => (asTheyAre ? (columns[index]?.name ?? '') : `C${index}`));
  const from = asTheyAre ? await uploadFiles(loader, files) : await loadFiles(loader, files, { columns, more: [] });
  return { schema, columns, from, substitutions };
}

/** PUT of a folder's files. A file that failed makes a row without an error of the statement. */
async function upload(session: SnowflakeSession, { folder }: ParquetFiles, prefix: string): Promise<void> {
  const answer = await session.run(
    `PUT ${literal(`file://${folder}/*.parquet`)} ${prefix} AUTO_COMPRESS = FALSE OVERWRITE = TRUE PARALLEL = 4`,
  );
  const states = columnOf(answer, 'status');
  if (states.length > 0 && states.every((state) => state === 'UPLOADED')) return;
  const why = columnOf(answer, 'message')
    .filter((message) => message !== null && message !== '')
    .join('; ');
  throw new MillraceError(
    'WAREHOUSE_UNREACHABLE',
    `A file could not be uploaded to Snowflake's stage: ${why === '' ? states.join() : why}`,
    {
      retriable: true,
    },
  );
}
