import { failpoint } from '../../base/failpoint.ts';
import { tableName } from '../../event/table-schema.ts';
import { recordKey, writeTarget, type TableRecord } from '../table-record.ts';
import { countSubstitutions, markBroken, recordOf, usableRecord } from '../unit-records.ts';
import { defaultOf, fillSql } from './fill-sql.ts';
import { copyFiles, placesOf, type LoadedFold, type LoadedRows } from './load-files.ts';
import { completeSql, deleteEqualSql, insertSql, mergeSql, type MergeTarget } from './merge-sql.ts';
import { changedRows, type SnowflakeSession } from './session.ts';
import type { TablePlace } from './sql-text.ts';
import { createTable } from './table-steps.ts';
import { placeOf, type UnitPlan } from './unit-plan.ts';

/** Plans the merge of a fold. */
export async function applyMerge(plan: UnitPlan, loaded: LoadedFold): Promise<void> {
  const { written } = loaded;
  const { schema, columns } = written;
  plan.leftovers.push(...placesOf(loaded));
  const record = usableRecord(plan, recordOf(plan, schema) ?? (await createTable(plan, schema)), schema);
  if (record === undefined || writeTarget(record) === undefined) return;
  const fills: string[] = [];
  if (loaded.partials !== undefined) {
    for (const column of columns) fills.push(await fillSql(plan.scratch, column, defaultOf(column.column)));
  }
  const run = async (session: SnowflakeSession, place: TablePlace): Promise<void> => {
    const target: MergeTarget = { place, columns, key: schema.primaryKey };
    if (loaded.partials !== undefined && loaded.whole !== undefined) {
      await session.run(completeSql(target, { partials: loaded.partials, whole: loaded.whole, fills }));
    }
    const found = schema.primaryKey.length === 0 ? await mergeKeyless(session, target, loaded) : await mergeKeyed(session, target, loaded);
    if (found !== undefined && found !== written.expected && !written.lenient) {
      plan.sink.log.warn(
        { table: tableName(schema), expected: written.expected, found },
        'rows to change are not in the replica as they should be',
      );
    }
    failpoint('merged');
  };
  plan.writes.push({ key: recordKey(record), place: placeOf(plan, record), run });
  countSubstitutions(plan, record, written.substitutions);
}

/** Rows that were there; undefined: not known. */
async function mergeKeyed(session: SnowflakeSession, target: MergeTarget, loaded: LoadedFold): Promise<number | undefined> {
  const { rows, partials, whole, written } = loaded;
  // nothing stands under these keys: an insert need not look
  if (written.expected === 0 && !written.lenient) {
    if (rows !== undefined) await session.run(insertSql(target, rows, true));
    if (partials !== undefined && whole !== undefined) await session.run(insertSql(target, whole, false));
    return 0;
  }
  let found = 0;
  if (rows !== undefined) found += matchedRows(await session.run(mergeSql(target, rows, true)));
  if (partials !== undefined && whole !== undefined) found += matchedRows(await session.run(mergeSql(target, whole, false)));
  return target.columns.length > target.key.length ? found : undefined;
}

async function mergeKeyless(session: SnowflakeSession, target: MergeTarget, loaded: LoadedFold): Promise<number> {
  const { rows, deletes, kept, partials, whole } = loaded;
  let gone = 0;
  if (deletes !== undefined && kept !== undefined) {
    const { keep, remove } = deleteEqualSql(target, { deletes, kept });
    const stayed = changedRows(await session.run(keep));
    gone = changedRows(await session.run(remove)) - stayed;
    if (stayed > 0) await session.run(insertSql(target, kept, false));
  }
  if (rows !== undefined) await session.run(insertSql(target, rows, true));
  if (partials !== undefined && whole !== undefined) await session.run(insertSql(target, whole, false));
  return gone;
}

/** Of the answer to a MERGE with all branches: rows that were updated or deleted. */
function matchedRows({
  columns,
  rows,
}: {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}): number {
  return columns.reduce((sum, name, index) => (/inserted/i.test(name) ? sum : sum + Number(rows[0]?.[index] ?? 0)), 0);
}

/** Plans that loaded rows of a snapshot go where the table is loaded. */
export async function applyRows(plan: UnitPlan, { schema, columns, from, substitutions }: LoadedRows): Promise<void> {
  if (!('prefix' in from)) plan.leftovers.push(from);
  const known = recordOf(plan, schema);
  if (known !== undefined && known.aside === undefined) {
    markBroken(plan, known, 'rows of a snapshot came without its begin');
    return;
  }
  const record: TableRecord | undefined = usableRecord(plan, known ?? (await createTable(plan, schema)), schema);
  if (record === undefined || writeTarget(record) === undefined) return;
  const run = async (session: SnowflakeSession, into: TablePlace): Promise<void> => {
    if ('prefix' in from) await copyFiles(session, from, into);
    else await session.run(insertSql({ place: into, columns, key: schema.primaryKey }, from, true));
    failpoint('chunk');
  };
  plan.writes.push({ key: recordKey(record), place: placeOf(plan, record), run });
  countSubstitutions(plan, record, substitutions);
}
