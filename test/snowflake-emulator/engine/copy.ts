import { type OutputColumn, quoteText, type Typed } from '../compile/typed.ts';
import { compilationError, doesNotExist, SnowflakeError, unknownForm } from '../snowflake-error.ts';
import type { OptionMap, OptionValue, StageRef } from '../sql/ast.ts';
import { optionText } from '../sql/parse-options.ts';
import type { SfType } from '../sql/sf-type.ts';
import type { Copy } from '../sql/statement.ts';
import { columnOf, insertSql, newRow, writable } from './dml.ts';
import { errorOfDuck } from './duck-error.ts';
import { assertZone, environmentOf, type StatementContext } from './environment.ts';
import type { StageObject, TableObject } from './objects.ts';
import { parquetColumns } from './parquet.ts';
import { type Result, statementTypes, statusResult } from './result.ts';
import type { Session } from './session.ts';
import type { StagedFile } from './stage-files.ts';
import type { Transaction } from './transaction.ts';

const loadHistoryMs = 64 * 24 * 3600 * 1000;

interface Format {
  readonly useLogicalType: boolean;
  readonly binaryAsText: boolean;
}

interface Loading {
  readonly context: StatementContext;
  readonly statement: Copy;
  readonly table: TableObject;
  readonly stage: StageObject;
  readonly format: Format;
  readonly transaction: Transaction;
}

export function stageOf(session: Session, stage: StageRef): StageObject {
  if (stage.kind !== 'named') throw unknownForm(stage.kind === 'user' ? "the user's stage @~" : "a table's stage @%");
  const found = session.catalog.find('stage', stage.name, session);
  if (found?.kind !== 'stage') throw doesNotExist('Stage', session.catalog.fullName(stage.name, session));
  return found;
}

/** Of each file a row: what was loaded, or why not. */
export async function runCopy(context: StatementContext, statement: Copy): Promise<Result> {
  const { session } = context;
  const stage = stageOf(session, statement.stage);
  const format = readFormat(session, statement.options);
  const onError = optionText(statement.options, 'ON_ERROR', 'ABORT_STATEMENT').toUpperCase();
  if (onError !== 'ABORT_STATEMENT' && onError !== 'SKIP_FILE') throw unknownForm(`COPY … ON_ERROR = ${onError}`);
  for (const name of Object.keys(statement.options)) if (!options.has(name)) throw unknownForm(`COPY … ${name} = …`);
  const { files, purge } = { files: await chosenFiles(session, stage, statement), purge: statement.options['PURGE'] === true };
  const loaded: StagedFile[] = [];
  const rows = await session.change(async (transaction) => {
    const table = writable(session, statement.table);
    assertZone(session, table.columns);
    transaction.tables.add(table.id);
    const loading: Loading = { context, statement, table, stage, format, transaction };
    const results: (readonly (string | null)[])[] = [];
    const load = async (file: StagedFile): Promise<void> => {
      if (await alreadyLoaded(loading, file)) return;
      const count = await loadFile(loading, file);
      loaded.push(file);
      transaction.loads.push({ tableId: table.id, stageId: stage.id, file: file.path, etag: file.md5, rows: count });
      results.push([shownName(stage, file), 'LOADED', String(count), String(count), '1', '0', null, null, null, null]);
    };
    if (onError === 'SKIP_FILE') {
      for (const file of files) {
        await session.connection
          .atomically(() => load(file))
          .catch((error: unknown) => {
            results.push([shownName(stage, file), 'LOAD_FAILED', '1', '0', '1', '1', errorOfDuck(error).message, '1', null, null]);
          });
      }
    } else {
      // All files of the statement are loaded, or none.
      await session.connection.atomically(async () => {
        for (const file of files) await load(file);
      });
    }
    return results;
  });
  if (purge) for (const file of loaded) await session.account.files.remove(file);
  if (rows.length === 0) return { ...statusResult('Copy executed with 0 files processed.'), statementTypeId: statementTypes.copy };
  return { columns: resultColumns, rows, statementTypeId: statementTypes.copy };
}

const options = new Set(['FILE_FORMAT', 'MATCH_BY_COLUMN_NAME', 'ON_ERROR', 'FORCE', 'PURGE', 'RETURN_FAILED_ONLY', 'SIZE_LIMIT']);
const counted: SfType = { kind: 'number', precision: 38, scale: 0 };
const text: SfType = { kind: 'text', length: 16_777_216 };
const counts = new Set(['rows_parsed', 'rows_loaded', 'error_limit', 'errors_seen', 'first_error_line', 'first_error_character']);
const resultNames = [
  'file',
  'status',
  'rows_parsed',
  'rows_loaded',
  'error_limit',
  'errors_seen',
  'first_error',
  'first_error_line',
  'first_error_character',
  'first_error_column_name',
];
const resultColumns = resultNames.map((name): OutputColumn => ({ name, type: counts.has(name) ? counted : text, nullable: true }));

function shownName(stage: StageObject, file: StagedFile): string {
  return `${stage.name.toLowerCase()}/${file.path}`;
}

function readFormat(session: Session, given: OptionMap): Format {
  const format = optionsOf(given['FILE_FORMAT']);
  const named = format['FORMAT_NAME'];
  let merged: OptionMap = format;
  if (Array.isArray(named)) {
    const found = session.catalog.find('fileFormat', named.map(String), session);
    if (found?.kind !== 'fileFormat') throw doesNotExist('File format', named.join('.'));
    merged = { ...found.options, ...format };
  }
  const type = optionText(merged, 'TYPE', 'CSV').toUpperCase();
  if (type !== 'PARQUET') throw unknownForm(`COPY of ${type} files`);
  for (const name of Object.keys(merged)) {
    if (!['TYPE', 'FORMAT_NAME', 'USE_LOGICAL_TYPE', 'BINARY_AS_TEXT', 'COMPRESSION', 'USE_VECTORIZED_SCANNER', 'COMMENT'].includes(name)) {
      throw unknownForm(`FILE_FORMAT = (TYPE = PARQUET ${name} = …)`);
    }
  }
  return { useLogicalType: merged['USE_LOGICAL_TYPE'] === true, binaryAsText: merged['BINARY_AS_TEXT'] !== false };
}

function optionsOf(value: OptionValue | undefined): OptionMap {
  return typeof value === 'object' && !Array.isArray(value) ? (value as OptionMap) : {};
}

async function chosenFiles(session: Session, stage: StageObject, statement: Copy): Promise<readonly StagedFile[]> {
  const { path } = statement.stage;
  const all = await session.account.files.list(stage.id, path);
  if (statement.files !== undefined) {
    if (statement.files.length > 1000) throw compilationError('001003', '42000', 'FILES lists more than 1000 names');
    return statement.files.map((name) => {
      const whole = path === '' || path.endsWith('/') ? `${path}${name}` : `${path}/${name}`;
      const file = all.find((each) => each.path === whole);
      if (file === undefined) {
        throw new SnowflakeError(
          '091016',
          '22000',
          `Remote file '${shownName(stage, { path: whole, file: '', size: 0, md5: '', modifiedMs: 0 })}' was not found.`,
        );
      }
      return file;
    });
  }
  if (statement.pattern === undefined) return all;
  const pattern = new RegExp(`^(?:${statement.pattern})$`);
  return all.filter((file) => pattern.test(file.path));
}

/** A file is loaded once into a table for as long as the table remembers, unless it has changed. */
async function alreadyLoaded(loading: Loading, file: StagedFile): Promise<boolean> {
  if (loading.statement.options['FORCE'] === true) return false;
  const { table, stage, transaction } = loading;
  const same = transaction.loads.some(
    (load) => load.tableId === table.id && load.stageId === stage.id && load.file === file.path && load.etag === file.md5,
  );
  if (same) return true;
  const rows = await loading.context.session.connection.rows(
    'SELECT 1 FROM sys_loads WHERE table_id = ? AND stage_id = ? AND file = ? AND etag = ? AND ms > ?',
    [BigInt(table.id), BigInt(stage.id), file.path, file.md5, BigInt(Date.now() - loadHistoryMs)],
  );
  return rows.length > 0;
}

async function loadFile(loading: Loading, file: StagedFile): Promise<number> {
  const fault = loading.context.copyFault?.(file.path);
  if (fault !== undefined) throw fault;
  try {
    return await insertFile(loading, file);
  } catch (error) {
    const failure = errorOfDuck(error);
    throw new SnowflakeError(failure.code, failure.sqlState, `${failure.message}\n  File '${file.path}', row 1`);
  }
}

async function insertFile(loading: Loading, file: StagedFile): Promise<number> {
  const { context, statement, table, format, transaction } = loading;
  const { connection } = context.session;
  const found = await parquetColumns(connection, file.file, format);
  const names = found.map((_, index) => `p${index + 1}`);
  const from = `read_parquet(${quoteText(file.file)}) f(${names.join(', ')})`;
  if (statement.transformation !== undefined) throw unknownForm('COPY … FROM (SELECT …)');
  const match = optionText(statement.options, 'MATCH_BY_COLUMN_NAME', 'NONE').toUpperCase();
  if (match !== 'CASE_SENSITIVE' && match !== 'CASE_INSENSITIVE') throw unknownForm(`COPY of Parquet with MATCH_BY_COLUMN_NAME = ${match}`);
  if (statement.columns !== undefined) throw compilationError('001003', '42000', 'MATCH_BY_COLUMN_NAME cannot be used with a column list');
  const folded = (name: string): string => (match === 'CASE_SENSITIVE' ? name : name.toUpperCase());
  const given = new Map<string, Typed>();
  for (const column of table.columns) {
    const index = found.findIndex((each) => folded(each.name) === folded(column.name));
    const from_ = found[index];
    if (from_ !== undefined) {
      given.set(columnOf(table, column.name).name, copied({ sql: from_.sql(`f.p${index + 1}`), type: from_.type }, column.type));
    }
  }
  const environment = environmentOf(context, transaction);
  return connection.run(insertSql(table, transaction.stamp, newRow(table, environment, given), `FROM ${from}`));
}

/** COPY takes an instant for a TIMESTAMP_TZ, and a text for a VARIANT, which stays a text. */
function copied(value: Typed, type: SfType): Typed {
  if (value.type.kind === 'timestamp_ltz' && type.kind === 'timestamp_tz') {
    return { sql: `CASE WHEN ${value.sql} IS NULL THEN NULL ELSE {'u': ${value.sql}, 'o': CAST(0 AS SMALLINT)} END`, type };
  }
  if (value.type.kind === 'text' && type.kind === 'variant') return { sql: `CAST(to_json(${value.sql}) AS VARCHAR)`, type };
  return value;
}
