import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { collision, type ReplicaName } from '../replica-names.ts';
import { recordKey, writeTarget, type TableRecord } from '../table-record.ts';
import { checkOthers, goneTables, markBroken, recordOf } from '../unit-records.ts';
import type { SnapshotStart } from '../warehouse.ts';
import { alterTable } from './alter-table.ts';
import { checkIdentifiers, exactName } from './identifiers.ts';
import { objectExists } from './redo.ts';
import type { SnowflakeSession } from './session.ts';
import { qualified, type TablePlace } from './sql-text.ts';
import { addSchema, publish, publishAll } from './publish.ts';
import { createTableSql, livePlace, ownPlace, placeOf, type UnitPlan } from './unit-plan.ts';

/** Plans what a DDL statement of the source did to one table. */
export async function evolve(plan: UnitPlan, change: SchemaChange): Promise<void> {
  switch (change.kind) {
    case 'createTable':
      await createTable(plan, change.after);
      return;
    case 'dropTable':
      dropTable(plan, change.before);
      return;
    case 'truncateTable':
      truncateTable(plan, change.before);
      return;
    case 'renameTable':
      await renameTable(plan, change.before, change.after);
      return;
    case 'alterTable': {
      const record = recordOf(plan, change.before);
      if (record === undefined) await createUnknown(plan, change.after, 'it was altered, but the replica did not have it');
      else await alterTable(plan, record, change);
    }
  }
}

/** A new table that readers see: empty, or, when the unit has rows of it, with them. */
export async function createTable(plan: UnitPlan, schema: TableSchema): Promise<TableRecord> {
  const old = recordOf(plan, schema);
  if (old !== undefined) dropTable(plan, schema);
  const record: TableRecord = { ...(await newRecord(plan, schema)), live: schema };
  const { sink } = plan;
  const live = livePlace(sink, record);
  const columns = plan.columnsOf(record, schema);
  // a change of the source that did not name the table's columns fails here, before anything is done
  addSchema(plan, record.replica.schema);
  if (plan.withRows.has(tableName(schema))) {
    const hidden = ownPlace(sink, `NEW_${plan.nextName()}`);
    await plan.session.run(createTableSql(sink, hidden, columns));
    publish(plan, { record, from: hidden });
  } else {
    plan.redo.push({ sql: createTableSql(sink, live, columns) });
  }
  plan.names.set(exactName(record.replica), true);
  plan.book.set(record);
  return record;
}

/** A table whose rows up to here are not known: readers see none until its snapshot. */
async function createUnknown(plan: UnitPlan, schema: TableSchema, reason: string): Promise<void> {
  dropTable(plan, schema);
  markBroken(plan, await newRecord(plan, schema), reason);
}

async function newRecord(plan: UnitPlan, id: TableId): Promise<TableRecord> {
  const { connector, naming, invalidTemporal } = plan.sink;
  const { database, table } = id;
  const replica = naming(plan.source, id);
  await checkName(plan, replica, id);
  return { connector, source: plan.source, database, table, replica, invalidTemporal, substitutions: {} };
}

/** @throws NAME_COLLISION when the name is reserved, another source table's, or a table's or view's that is not ours */
async function checkName(plan: UnitPlan, name: ReplicaName, id: TableId): Promise<void> {
  checkIdentifiers(name, id, plan.sink.ownSchema);
  checkOthers(plan, id, name, exactName);
  const planned = plan.names.get(exactName(name));
  const taken = planned ?? (await objectExists(plan.session, { database: plan.sink.database, ...name }));
  if (taken) {
    throw collision(`${tableName(id)} would be ${name.schema}.${name.table}, which exists in the replica and is not Millrace's`, id);
  }
}

function dropTable(plan: UnitPlan, id: TableId): void {
  const record = recordOf(plan, id);
  if (record === undefined) return;
  if (record.live !== undefined) {
    plan.redo.push({ sql: `DROP TABLE IF EXISTS ${qualified(livePlace(plan.sink, record))}` });
    plan.names.set(exactName(record.replica), false);
  }
  if (record.aside !== undefined) plan.leftovers.push(placeOf(plan, record));
  plan.book.remove(record);
}

function truncateTable(plan: UnitPlan, id: TableId): void {
  const record = recordOf(plan, id);
  if (record === undefined || writeTarget(record) === undefined) return;
  // TRUNCATE would commit by itself
  const run = async (session: SnowflakeSession, place: TablePlace): Promise<void> => {
    await session.run(`DELETE FROM ${qualified(place)}`);
  };
  plan.writes.push({ key: recordKey(record), place: placeOf(plan, record), run });
  if (record.broken === undefined) return;
  // an empty table is a state that needs no earlier one: what could not go on can again
  const { broken: _, ...whole } = record;
  plan.book.set(whole);
}

async function renameTable(plan: UnitPlan, before: TableSchema, after: TableSchema): Promise<void> {
  const record = recordOf(plan, before);
  if (record === undefined) {
    await createUnknown(plan, after, 'it was renamed from a table that the replica does not have');
    return;
  }
  const { database, table } = after;
  const replica = plan.sink.naming(plan.source, after);
  plan.book.remove(record);
  const moves = exactName(replica) !== exactName(record.replica);
  if (moves) await checkName(plan, replica, after);
  const names = { database, table };
  const renamed: TableRecord = {
    ...record,
    ...names,
    replica,
    ...(record.live === undefined ? {} : { live: { ...record.live, ...names } }),
    ...(record.aside === undefined ? {} : { aside: { ...record.aside, schema: { ...record.aside.schema, ...names } } }),
  };
  if (record.live !== undefined && moves) {
    const to = livePlace(plan.sink, { replica });
    if (replica.schema !== record.replica.schema) addSchema(plan, replica.schema);
    plan.redo.push({
      sql: `ALTER TABLE ${qualified(livePlace(plan.sink, record))} RENAME TO ${qualified(to)}`,
      done: { kind: 'table', place: to },
    });
    plan.names.set(exactName(record.replica), false);
    plan.names.set(exactName(replica), true);
  }
  // the fingerprint covers the names: take the source's own
  if (record.aside !== undefined) plan.book.set({ ...renamed, aside: { ...record.aside, schema: after } });
  else plan.book.set(writeTarget(renamed) === undefined ? renamed : { ...renamed, live: after });
}

/** Tables of a snapshot begin aside, empty; what readers see stays as it is. */
export async function beginSnapshot(plan: UnitPlan, start: SnapshotStart): Promise<void> {
  const { snapshot, tables, initial } = start;
  for (const gone of goneTables(plan, start)) dropTable(plan, gone);
  for (const schema of tables) {
    const known = recordOf(plan, schema);
    const record = known ?? (await newRecord(plan, schema));
    if (record.aside !== undefined) plan.leftovers.push(placeOf(plan, record));
    const place = ownPlace(plan.sink, `LOAD_${plan.nextName()}`);
    await plan.session.run(createTableSql(plan.sink, place, plan.columnsOf(record, schema)));
    const { broken: _, ...whole } = record;
    plan.book.set({ ...whole, aside: { name: place.table, schema, snapshot, initial }, substitutions: {} });
  }
}

/** The snapshot's tables become what readers see, with the rights that the tables before them had. */
export async function endSnapshot(plan: UnitPlan, snapshot: string, tables: readonly TableId[]): Promise<void> {
  const published: Parameters<typeof publishAll>[1][number][] = [];
  for (const id of tables) {
    const record = recordOf(plan, id);
    if (record?.aside === undefined || record.aside.snapshot !== snapshot) continue;
    const { aside, ...rest } = record;
    const loaded = placeOf(plan, record);
    if (record.broken !== undefined) {
      // what was loaded cannot go on either: the next snapshot begins anew
      plan.leftovers.push(loaded);
      plan.book.set(rest);
      continue;
    }
    published.push({ record, from: loaded });
    plan.book.set({ ...rest, live: aside.schema });
  }
  await publishAll(plan, published);
}
