import { recordKey, type TableRecord } from '../table-record.ts';
import { schemaExists } from './redo.ts';
import { qualified, qualifiedSchema, type TablePlace } from './sql-text.ts';
import { livePlace, tableWord, type UnitPlan } from './unit-plan.ts';

/** A table of Millrace's own that becomes what readers see. */
interface Publication {
  readonly record: TableRecord;
  readonly from: TablePlace;
}

/**
 * Plans that a table of Millrace's own becomes what readers see: by one statement, with the rights that the table before it
 * had. Rows that come after this in the unit go there, too.
 */
export function publish(plan: UnitPlan, { record, from }: Publication, schema?: string): void {
  const { sink } = plan;
  const key = recordKey(record);
  const before = plan.published.get(key);
  const live = livePlace(sink, record);
  const place = before?.place ?? (schema === undefined ? live : { ...live, schema });
  // a clone, since SWAP would leave the rights with the old table; a new table has those that its schema gives
  const rights = record.live === undefined ? '' : ' COPY GRANTS';
  const step = { sql: `CREATE OR REPLACE ${tableWord(sink)} ${qualified(place)} CLONE ${qualified(from)}${rights}` };
  if (before === undefined) plan.published.set(key, { place, step: plan.redo.push(step) - 1 });
  else plan.redo[before.step] = step;
  plan.hidden.set(key, from);
  plan.leftovers.push(from);
}

/**
 * Plans that the tables of a snapshot become what readers see. Those of a schema that is not there yet appear at once: they
 * are put into a schema of another name, which then gets its own.
 */
export async function publishAll(plan: UnitPlan, all: readonly Publication[]): Promise<void> {
  const { database } = plan.sink;
  for (const [schema, tables] of Map.groupBy(all, ({ record }) => record.replica.schema)) {
    const place = { database, schema };
    const isNew =
      tables.length > 1 && !plan.redo.some(({ sql }) => sql === schemaSql(plan, schema)) && !(await schemaExists(plan.session, place));
    if (!isNew) {
      addSchema(plan, schema);
      for (const table of tables) publish(plan, table);
      continue;
    }
    const between = `${plan.sink.ownSchema}_${plan.sink.prefix}_${plan.nextName()}`;
    addSchema(plan, between);
    for (const table of tables) publish(plan, table, between);
    plan.redo.push({
      sql: `ALTER SCHEMA ${qualifiedSchema({ database, schema: between })} RENAME TO ${qualifiedSchema(place)}`,
      done: { kind: 'noSchema', place: { database, schema: between } },
    });
  }
}

export function addSchema(plan: UnitPlan, schema: string): void {
  const sql = schemaSql(plan, schema);
  if (!plan.redo.some((step) => step.sql === sql)) plan.redo.push({ sql });
}

function schemaSql(plan: UnitPlan, schema: string): string {
  return `CREATE SCHEMA IF NOT EXISTS ${qualifiedSchema({ database: plan.sink.database, schema })}`;
}
