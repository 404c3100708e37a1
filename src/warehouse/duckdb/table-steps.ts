import { failpoint } from '../../base/failpoint.ts';
import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { asidePrefix, checkReserved, collision, foldedName, type ReplicaName } from '../replica-names.ts';
import { writeTarget, type TableRecord } from '../table-record.ts';
import { checkOthers, goneTables, markBroken, recordOf } from '../unit-records.ts';
import type { SnapshotStart } from '../warehouse.ts';
import { alterTable } from './alter-table.ts';
import { catalog, literal, qualified, quoted } from './session.ts';
import { columnList, columnsOf, qualifiedTarget, type Transaction } from './transaction.ts';

/** Carries out what a DDL statement of the source did to one table. */
export async function evolve(tx: Transaction, change: SchemaChange): Promise<void> {
  switch (change.kind) {
    case 'createTable':
      await createTable(tx, change.after);
      break;
    case 'dropTable':
      await dropTable(tx, change.before);
      break;
    case 'truncateTable':
      await truncateTable(tx, change.before);
      break;
    case 'renameTable':
      await renameTable(tx, change.before, change.after);
      break;
    case 'alterTable': {
      const record = recordOf(tx, change.before);
      if (record === undefined) await createUnknown(tx, change.after, 'it was altered, but the replica did not have it');
      else await alterTable(tx, record, change);
      break;
    }
  }
  failpoint('ddl');
}

/** A new, empty table that readers see. */
export async function createTable(tx: Transaction, schema: TableSchema): Promise<TableRecord> {
  const old = recordOf(tx, schema);
  if (old !== undefined) await dropTable(tx, schema);
  const record: TableRecord = { ...(await newRecord(tx, schema)), live: schema };
  await create(tx, record, record.replica.table, schema);
  tx.book.set(record);
  return record;
}

/** A table whose rows up to here are not known: readers see none until its snapshot. */
async function createUnknown(tx: Transaction, schema: TableSchema, reason: string): Promise<void> {
  await dropTable(tx, schema);
  markBroken(tx, await newRecord(tx, schema), reason);
}

async function newRecord(tx: Transaction, id: TableId): Promise<TableRecord> {
  const { connector, naming, invalidTemporal } = tx.sink;
  const { database, table } = id;
  const replica = naming(tx.source, id);
  await checkName(tx, replica, id);
  return { connector, source: tx.source, database, table, replica, invalidTemporal, substitutions: {} };
}

/** @throws NAME_COLLISION when the name is reserved, another source table's, or a table's or view's that is not ours */
async function checkName(tx: Transaction, name: ReplicaName, id: TableId): Promise<void> {
  checkReserved(name, id);
  checkOthers(tx, id, name, foldedName);
  const [foreign] = await tx.session.rows(
    `SELECT count(*) FROM (SELECT database_name, schema_name, table_name FROM duckdb_tables()
       UNION ALL SELECT database_name, schema_name, view_name FROM duckdb_views())
     WHERE database_name = '${catalog}' AND lower(schema_name) = lower(${literal(name.schema)})
       AND lower(table_name) = lower(${literal(name.table)})`,
  );
  if (Number(foreign?.[0]) > 0) {
    throw collision(`${tableName(id)} would be ${name.schema}.${name.table}, which exists in the replica and is not Millrace's`, id);
  }
}

async function create(tx: Transaction, record: TableRecord, name: string, schema: TableSchema): Promise<void> {
  await tx.session.run(`CREATE SCHEMA IF NOT EXISTS ${catalog}.${quoted(record.replica.schema)}`);
  await tx.session.run(`CREATE TABLE ${qualifiedTarget(record, name)} (${columnList(columnsOf(record, schema))})`);
}

async function dropTable(tx: Transaction, id: TableId): Promise<void> {
  const record = recordOf(tx, id);
  if (record === undefined) return;
  if (record.live !== undefined) await tx.session.run(`DROP TABLE IF EXISTS ${qualifiedTarget(record, record.replica.table)}`);
  if (record.aside !== undefined) await tx.session.run(`DROP TABLE IF EXISTS ${qualifiedTarget(record, record.aside.name)}`);
  tx.book.remove(record);
}

async function truncateTable(tx: Transaction, id: TableId): Promise<void> {
  const record = recordOf(tx, id);
  const target = record === undefined ? undefined : writeTarget(record);
  if (record === undefined || target === undefined) return;
  // an empty table is a state that needs no earlier one: what could not go on can again
  const { broken: _, ...whole } = record;
  await tx.session.run(`DROP TABLE ${qualifiedTarget(record, target.name)}`);
  await create(tx, record, target.name, target.schema);
  if (record.broken !== undefined) tx.book.set(whole);
}

async function renameTable(tx: Transaction, before: TableSchema, after: TableSchema): Promise<void> {
  const record = recordOf(tx, before);
  if (record === undefined) {
    await createUnknown(tx, after, 'it was renamed from a table that the replica does not have');
    return;
  }
  const { database, table } = after;
  const replica = tx.sink.naming(tx.source, after);
  tx.book.remove(record);
  if (foldedName(replica) !== foldedName(record.replica)) await checkName(tx, replica, after);
  const renamed: TableRecord = {
    ...record,
    database,
    table,
    replica,
    ...(record.live === undefined ? {} : { live: { ...record.live, ...namesOf(after) } }),
    ...(record.aside === undefined ? {} : { aside: { ...record.aside, schema: { ...record.aside.schema, ...namesOf(after) } } }),
  };
  if (record.live !== undefined) await move(tx, record.replica, replica);
  if (record.aside !== undefined && replica.schema !== record.replica.schema) {
    await move(tx, { schema: record.replica.schema, table: record.aside.name }, { schema: replica.schema, table: record.aside.name });
  }
  const target = writeTarget(renamed);
  // the fingerprint covers the names: take the source's own
  if (record.aside !== undefined) tx.book.set({ ...renamed, aside: { ...record.aside, schema: after } });
  else tx.book.set(target === undefined ? renamed : { ...renamed, live: after });
}

function namesOf({ database, table }: TableId): TableId {
  return { database, table };
}

/** Renames; into another schema, where DuckDB cannot, by a copy. */
async function move(tx: Transaction, from: ReplicaName, to: ReplicaName): Promise<void> {
  if (from.schema === to.schema) {
    if (from.table !== to.table) await renameWithin(tx, from, to.table);
    return;
  }
  await tx.session.run(`CREATE SCHEMA IF NOT EXISTS ${catalog}.${quoted(to.schema)}`);
  const source = qualified(from.schema, from.table);
  const target = qualified(to.schema, to.table);
  await tx.session.run(await tableLike(tx, from, target));
  await tx.session.run(`INSERT INTO ${target} SELECT * FROM ${source}`);
  await tx.session.run(`DROP TABLE ${source}`);
}

/** A name that differs in case only is the same to DuckDB, so that it goes by a third. */
async function renameWithin(tx: Transaction, from: ReplicaName, to: string): Promise<void> {
  let current = from.table;
  if (current.toLowerCase() === to.toLowerCase()) {
    const between = `${asidePrefix}renaming`;
    await tx.session.run(`ALTER TABLE ${qualified(from.schema, current)} RENAME TO ${quoted(between)}`);
    current = between;
  }
  await tx.session.run(`ALTER TABLE ${qualified(from.schema, current)} RENAME TO ${quoted(to)}`);
}

async function tableLike(tx: Transaction, { schema, table }: ReplicaName, target: string): Promise<string> {
  const columns = await tx.session.rows(
    `SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE database_name = '${catalog}'
     AND schema_name = ${literal(schema)} AND table_name = ${literal(table)} ORDER BY column_index`,
  );
  const list = columns.map(([name, type, nullable]) => `${quoted(String(name))} ${String(type)}${nullable === true ? '' : ' NOT NULL'}`);
  return `CREATE TABLE ${target} (${list.join(', ')})`;
}

/** Tables of a snapshot begin aside, empty; what readers see stays as it is. */
export async function beginSnapshot(tx: Transaction, start: SnapshotStart): Promise<void> {
  const { snapshot, tables, initial } = start;
  for (const gone of goneTables(tx, start)) await dropTable(tx, gone);
  for (const schema of tables) {
    const known = recordOf(tx, schema);
    const record = known ?? (await newRecord(tx, schema));
    if (record.aside !== undefined) await tx.session.run(`DROP TABLE IF EXISTS ${qualifiedTarget(record, record.aside.name)}`);
    const name = `${asidePrefix}loading_${record.replica.table}`;
    await tx.session.run(`DROP TABLE IF EXISTS ${qualifiedTarget(record, name)}`);
    await create(tx, record, name, schema);
    const { broken: _, ...whole } = record;
    tx.book.set({ ...whole, aside: { name, schema, snapshot, initial }, substitutions: {} });
  }
}

/** The snapshot's tables become what readers see: by renaming, all at once. */
export async function endSnapshot(tx: Transaction, snapshot: string, tables: readonly TableId[]): Promise<void> {
  for (const id of tables) {
    const record = recordOf(tx, id);
    if (record?.aside === undefined || record.aside.snapshot !== snapshot) continue;
    const { aside, ...rest } = record;
    if (record.broken !== undefined) {
      // what was loaded cannot go on either: the next snapshot begins anew
      await tx.session.run(`DROP TABLE IF EXISTS ${qualifiedTarget(record, aside.name)}`);
      tx.book.set(rest);
      continue;
    }
    if (record.live !== undefined) await tx.session.run(`DROP TABLE IF EXISTS ${qualifiedTarget(record, record.replica.table)}`);
    await tx.session.run(`ALTER TABLE ${qualifiedTarget(record, aside.name)} RENAME TO ${quoted(record.replica.table)}`);
    tx.book.set({ ...rest, live: aside.schema });
    failpoint('publication');
  }
}
