import { randomUUID } from 'node:crypto';
import type { Connection } from 'mysql2';
import { isMillraceError, type MillraceError } from '../base/errors.ts';
import { sleep } from '../base/abort.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { TableId } from '../event/table-schema.ts';
import { bucketDigits, differingBuckets, replicaChecksums, sourceChecksums } from './checksums.ts';
import { findDifferences } from './drill-down.ts';
import type { Findings } from './drill-down.ts';
import type { ComparedColumn, ReplicaDialect } from './replica-dialect.ts';
import { bucketColumns } from './row-text.ts';
import { createSourceReader } from './source-reader.ts';
import type { SourceReader } from './source-reader.ts';
import { readSourceTable } from './source-columns.ts';

/** A consistent view of the source: a connection with an open read view, and the position that the view is at. */
export interface SourceView extends AsyncDisposable {
  readonly driver: Connection;
  readonly flavor: 'mysql' | 'mariadb';
  readonly position: SourcePosition;
}

/** A reader of the replica, pinned at one committed state. */
export interface PinnedReplica extends AsyncDisposable {
  readonly dialect: ReplicaDialect;
  /** All rows, as text. */
  query(sql: string, signal: AbortSignal): Promise<readonly (readonly (string | null)[])[]>;
  /** A table as it is in that state; undefined when there is none. Without this, tables are as they were listed. */
  table?(id: TableId, signal: AbortSignal): Promise<VerifyTable | undefined>;
}

/** A replicated table, as the replica's bookkeeping has it. */
export interface VerifyTable {
  readonly id: TableId;
  /** Its columns in the replica that come from the source. */
  readonly columns: readonly string[];
  /** Their names there, in the same order, where they are others. */
  readonly replicaColumns?: readonly string[];
  /** Schema and name in the replica, unquoted. */
  readonly replicaSchema: string;
  readonly replicaName: string;
  /** Of Snowflake: the statement whose state is read. */
  readonly statement?: string;
}

export interface VerifyOptions {
  readonly tables: readonly VerifyTable[];
  /** Compares all tables at one position instead of one position each. */
  readonly onePosition: boolean;
  /** Rows named per table at most; all are counted. */
  readonly maxDifferences: number;
  openView(signal: AbortSignal): Promise<SourceView>;
  /** Lets the replica commit exactly at the position, pins a reader of these tables there and lets it go on. */
  pinAt(position: SourcePosition, tables: readonly TableId[], signal: AbortSignal): Promise<PinnedReplica>;
  onTable?(verdict: TableVerdict): void;
  /** Whether the replica has other values in the column on purpose, as of masks: it is not compared, and the verdict says so. */
  isMasked?(table: TableId, column: string): boolean;
  /** Whether the replica is to have the column; absent: all. */
  isCaptured?(table: TableId, column: string): boolean;
  /** Why the replica may have other rows of the table than the source on purpose; undefined: it may not. */
  excuseOf?(table: TableId): Excuse | undefined;
}

/** What is asked of a replica, so that a difference tells nothing. */
export interface Excuse {
  /** As in "3 rows differ: <reason>". */
  readonly reason: string;
  /** It explains rows that are missing alone, any other rows, or other names of columns and tables, too. */
  readonly explains: 'missing rows' | 'rows' | 'names';
}

/** One row that is not the same on both sides. Values are canonical texts; binary ones are hex. */
export interface RowDifference {
  readonly kind: 'missing' | 'extra' | 'different';
  readonly key: Readonly<Record<string, string | null>>;
  readonly columns: readonly { readonly name: string; readonly source: string | null; readonly replica: string | null }[];
}

export interface TableVerdict {
  /** `database.table`. */
  readonly table: string;
  /** Rows of the source. */
  readonly rows: number;
  readonly equal: boolean;
  readonly position: SourcePosition | undefined;
  /** Values that the replica holds as NULL because its type has no place for them (zero dates). */
  readonly substitutions: number;
  readonly differences: readonly RowDifference[];
  readonly differenceCount: number;
  /** Columns that were not compared, since they are masked, or have been given other names or taken out by transformations. */
  readonly notCompared?: readonly string[];
  /** Why the table could not be compared. */
  readonly undecided?: string;
}

export interface VerifyReport {
  readonly position: SourcePosition | undefined;
  readonly tables: readonly TableVerdict[];
}

/** A table that is altered under the view is tried again, at a later position. */
const attempts = 8;

/** Both sides have other columns: really, or the table was altered after the view, which shows columns as they are now. */
interface Mismatch {
  readonly reason: string;
  /** Of both sides. */
  readonly definitions: string;
  readonly position: SourcePosition;
}

/**
 * Compares tables of source and replica, row by row and value by value, each at one and the same source position, while both
 * go on. Rows are not brought together: both sides hash the canonical text of every row into buckets by key, and only the
 * rows of buckets that differ are read again and named.
 */
export async function verify(options: VerifyOptions, signal: AbortSignal): Promise<VerifyReport> {
  const verdicts: TableVerdict[] = [];
  const report = (verdict: TableVerdict): void => {
    verdicts.push(verdict);
    options.onTable?.(verdict);
  };
  if (options.onePosition) {
    const { position, mismatched } = await compareAtOnePosition(options, report, signal);
    // Only now: an ALTER TABLE that waits for the view to end would keep another view from the table.
    for (const table of mismatched) report(await orUndecided(table, confirmMismatch(table, options, signal), signal));
    return { position, tables: verdicts };
  }
  for (const table of options.tables) report(await orUndecided(table, compareTableAlone(table, options, signal), signal));
  return { position: verdicts.at(-1)?.position, tables: verdicts };
}

async function compareTableAlone(table: VerifyTable, options: VerifyOptions, signal: AbortSignal): Promise<TableVerdict> {
  const mismatches: Mismatch[] = [];
  let failure: MillraceError | undefined;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      await using view = await options.openView(signal);
      await using replica = await options.pinAt(view.position, [table.id], signal);
      const result = await compareTable({ view, replica, table, options }, signal);
      if (!('definitions' in result)) return result;
      mismatches.push(result);
    } catch (error) {
      if (!isMillraceError(error, 'VERIFY_UNDECIDED') || !error.retriable) throw error;
      failure = error;
    }
    await sleep(100 * attempt, signal);
  }
  // What no ALTER TABLE explains is a difference; the first look may have met the last of them.
  const last = mismatches.at(-1);
  const isSteady =
    mismatches.length === attempts && mismatches.every(({ definitions }, index) => index === 0 || definitions === last?.definitions);
  if (last !== undefined && isSteady) {
    const excuse = options.excuseOf?.(table.id);
    if (excuse?.explains === 'names') return undecidedVerdict(table, last.position, `${last.reason}: ${excuse.reason}`);
    return { ...undecidedVerdict(table, last.position, last.reason), differenceCount: 1 };
  }
  if (last === undefined && failure !== undefined) throw failure;
  return undecidedVerdict(
    table,
    undefined,
    `it was altered while it was compared, in each of ${attempts} tries; verify it again when no ALTER TABLE of it runs: --table ${labelOf(table)}`,
  );
}

async function compareAtOnePosition(
  options: VerifyOptions,
  report: (verdict: TableVerdict) => void,
  signal: AbortSignal,
): Promise<{ readonly position: SourcePosition; readonly mismatched: readonly VerifyTable[] }> {
  await using view = await options.openView(signal);
  const ids = options.tables.map(({ id }) => id);
  await using replica = await options.pinAt(view.position, ids, signal);
  const mismatched: VerifyTable[] = [];
  for (const table of options.tables) {
    const result = await orUndecided(table, compareTable({ view, replica, table, options }, signal), signal);
    if ('definitions' in result) mismatched.push(table);
    else report(result);
  }
  return { position: view.position, mismatched };
}

/** Of a table whose columns did not match at the position of all: whether they do at none. */
async function confirmMismatch(table: VerifyTable, options: VerifyOptions, signal: AbortSignal): Promise<TableVerdict> {
  const alone = await compareTableAlone(table, options, signal);
  if (alone.undecided !== undefined && alone.differenceCount > 0) return alone;
  return undecidedVerdict(table, undefined, 'it was altered after the position that all are compared at; verify again');
}

interface Comparison {
  readonly view: SourceView;
  readonly replica: PinnedReplica;
  readonly table: VerifyTable;
  readonly options: VerifyOptions;
}

/** As `compareColumns`, and a statement that the source refused because the table had changed is a mismatch, too. */
async function compareTable(comparison: Comparison, signal: AbortSignal): Promise<TableVerdict | Mismatch> {
  try {
    return await compareColumns(comparison, signal);
  } catch (error) {
    if (!isMillraceError(error, 'VERIFY_UNDECIDED') || !error.retriable) throw error;
    // Definitions that are equal to no other's.
    return { reason: error.message, definitions: randomUUID(), position: comparison.view.position };
  }
}

async function compareColumns(comparison: Comparison, signal: AbortSignal): Promise<TableVerdict | Mismatch> {
  const { view, replica, table: listed, options } = comparison;
  const reader = createSourceReader(view.driver, view.flavor, signal);
  await prepareSession(reader);
  const label = labelOf(listed);
  const table = replica.table === undefined ? listed : await replica.table(listed.id, signal);
  const isMasked = (column: string): boolean => options.isMasked?.(listed.id, column) === true;
  const source = await readSourceTable(
    reader,
    listed.id,
    (table ?? listed).columns.filter((column) => !isMasked(column)),
  );
  const replicaTypes = table === undefined ? new Map<string, string>() : await readReplicaTypes(replica, table, signal);
  const excuse = options.excuseOf?.(listed.id);
  const renames = excuse?.explains === 'names';
  const notCompared = [...replicaTypes.keys()].filter(isMasked);
  const mismatch = (reason: string): Mismatch => {
    const theirs = source?.columns.map(({ name: column, columnType }) => [column, columnType]);
    return { reason, definitions: JSON.stringify([theirs, table?.columns, [...replicaTypes]]), position: view.position };
  };
  // Dropped since the tables were listed, and nothing is left on either side.
  if (source === undefined && table === undefined) {
    const { undecided: _, ...verdict } = undecidedVerdict(listed, view.position, '');
    return { ...verdict, equal: true };
  }
  if (source === undefined || table === undefined || replicaTypes.size === 0) {
    return mismatch(source === undefined ? 'the source has no such table' : 'the replica has no such table');
  }
  const columns: ComparedColumn[] = [];
  for (const column of source.columns) {
    const type = replicaTypes.get(column.name);
    if (type === undefined) return mismatch(`the replica has no column ${column.name}`);
    columns.push(replica.dialect.compareColumn(column, { name: replicaNameOf(table, column.name), type }));
  }
  const lost = source.others.filter((column) => !isMasked(column) && options.isCaptured?.(listed.id, column) !== false);
  if (renames) notCompared.push(...lost);
  else if (lost.length > 0) return mismatch(`the replica has no column ${lost.join(', ')}`);
  const extra = [...replicaTypes.keys()].filter((column) => !isMasked(column) && !source.columns.some((other) => other.name === column));
  if (renames) notCompared.push(...extra);
  else if (extra.length > 0) return mismatch(`the source has no column ${extra.join(', ')}`);
  if (columns.length === 0) return undecidedVerdict(listed, view.position, 'none of its columns can be compared');
  const name = replica.dialect.nameOf(table);
  const [[count] = []] = await replica.query(`SELECT COUNT(*) FROM ${name}`, signal);
  const hashed = { name, columns, key: bucketColumns(source.key, columns), digits: bucketDigits(Number(count ?? 0)) };
  const [ours, theirs] = await Promise.all([sourceChecksums(reader, source, hashed), replicaChecksums(replica, hashed, signal)]);
  const buckets = differingBuckets(ours, theirs);
  const { differences, unknown } =
    buckets.length === 0 ? nothingFound : await findDifferences({ reader, replica }, { table: source, buckets, ...hashed }, signal);
  if (excuse !== undefined && differences.length > 0 && explains(excuse, differences)) {
    return undecidedVerdict(listed, view.position, `${countsOf(differences)}: ${excuse.reason}`);
  }
  if (differences.length === 0 && unknown.rows > 0) {
    return undecidedVerdict(
      listed,
      view.position,
      `${formatRows(unknown.rows)} of which nothing tells: ${unknown.columns.join(', ')} ${roundedReason}`,
    );
  }
  return {
    table: label,
    rows: ours.rows,
    equal: buckets.length === 0 || (differences.length === 0 && columns.some(({ isSame }) => isSame !== undefined)),
    position: view.position,
    substitutions: ours.substitutions,
    differences: differences.slice(0, options.maxDifferences),
    differenceCount: differences.length,
    ...(notCompared.length === 0 ? {} : { notCompared }),
  };
}

const nothingFound: Findings = { differences: [], unknown: { rows: 0, columns: [] } };

/** See docs/types.md. */
const roundedReason = 'have numbers there that the replica keeps rounded';

function replicaNameOf({ columns, replicaColumns = columns }: VerifyTable, column: string): string {
  return replicaColumns[columns.indexOf(column)] ?? column;
}

function formatRows(rows: number): string {
  return `${rows} ${rows === 1 ? 'row' : 'rows'}`;
}

function explains({ explains: what }: Excuse, differences: readonly RowDifference[]): boolean {
  return what !== 'missing rows' || differences.every(({ kind }) => kind === 'missing');
}

/** `3 rows missing, 1 row different`. */
function countsOf(differences: readonly RowDifference[]): string {
  const kinds = Map.groupBy(differences, ({ kind }) => kind);
  return [...kinds].map(([kind, { length }]) => `${formatRows(length)} ${kind}`).join(', ');
}

/** Texts in UTF-8, instants in UTC, and no time limit on the long read. */
async function prepareSession(reader: SourceReader): Promise<void> {
  await reader.rows("SET NAMES utf8mb4, time_zone = '+00:00'");
  await reader.rows(reader.flavor === 'mysql' ? 'SET SESSION max_execution_time = 0' : 'SET SESSION max_statement_time = 0');
}

/** Types of the replica's columns, by the names that they have in the source, if they have any. */
async function readReplicaTypes(replica: PinnedReplica, table: VerifyTable, signal: AbortSignal): Promise<Map<string, string>> {
  const rows = await replica.query(replica.dialect.typesSql(table), signal);
  const { columns, replicaColumns = columns } = table;
  return new Map(rows.map(([name, type]) => [columns[replicaColumns.indexOf(name ?? '')] ?? name ?? '', type ?? '']));
}

function undecidedVerdict(table: VerifyTable, position: SourcePosition | undefined, reason: string): TableVerdict {
  return {
    table: labelOf(table),
    rows: 0,
    equal: false,
    position,
    substitutions: 0,
    differences: [],
    differenceCount: 0,
    undecided: reason,
  };
}

async function orUndecided<T>(table: VerifyTable, verdict: Promise<T>, signal: AbortSignal): Promise<T | TableVerdict> {
  try {
    return await verdict;
  } catch (error) {
    signal.throwIfAborted();
    if (!isMillraceError(error)) throw error;
    return undecidedVerdict(table, undefined, error.message);
  }
}

function labelOf({ id }: VerifyTable): string {
  return `${id.database}.${id.table}`;
}

/** 0 equal, 1 different, 2 could not tell. */
export function verifyExitCode({ tables }: VerifyReport): 0 | 1 | 2 {
  if (tables.some((table) => !table.equal && (table.undecided === undefined || table.differenceCount > 0))) return 1;
  return tables.every((table) => table.equal) ? 0 : 2;
}
